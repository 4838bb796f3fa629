//! Serving the API until told to stop.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::ControlSocket;
use super::failure::Failure;

/// Serves `router` on `socket` until `shutdown` resolves and the requests under way are answered.
pub async fn serve(
    socket: ControlSocket,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (listener, guard) = socket.into_parts();
    let served = axum::serve(listener, router).with_graceful_shutdown(shutdown).await;
    drop(guard);
    served
}

/// Answers in time, or says that it can't.
pub(super) async fn limit_time(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::new(StatusCode::GATEWAY_TIMEOUT, "the server was too slow to answer")
            .hint("look at its log, and at the load and the disks of the host")
            .into_response(),
    }
}
