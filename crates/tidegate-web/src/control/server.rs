//! Serving the API until told to stop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::failure::Failure;
use super::{Control, ControlSocket, router};

/// Serves the API of `control` on `socket` until `shutdown` resolves and the requests under way are
/// answered; a backup is interrupted.
pub async fn serve(
    socket: ControlSocket,
    control: Control,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (listener, guard) = socket.into_parts();
    let stop = Arc::clone(&control.stop);
    let stopped = async move {
        shutdown.await;
        stop.send_replace(true);
    };
    let served = axum::serve(listener, router(control)).with_graceful_shutdown(stopped).await;
    drop(guard);
    served
}

/// Answers in time, or says that it can't.
pub(crate) async fn limit_time(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::new(StatusCode::GATEWAY_TIMEOUT, "the server was too slow to answer")
            .hint("look at its log, and at the load and the disks of the host")
            .into_response(),
    }
}
