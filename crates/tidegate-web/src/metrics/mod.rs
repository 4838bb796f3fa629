//! Numbers for Prometheus, and whether the server is well, on an address of their own.
//!
//! Invariant: nothing here changes anything, and no answer has a file's name, an account's or a person's.
//! `/metrics` is in the text format of `OpenMetrics` 1.0, which Prometheus reads; `/healthz` answers 200 while
//! the process should be left running, `/readyz` while uploads are taken.

mod exposition;
mod health;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::control::{Control, limit_time};

/// Longest time for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// `/metrics`, `/healthz` and `/readyz`.
pub fn router(control: Control) -> Router {
    Router::new()
        .route("/metrics", get(exposition::metrics))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .layer(from_fn(|request, next| limit_time(ANSWER_MAX, request, next)))
        .with_state(control)
}

/// Answers on `listener` until `shutdown` resolves and the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    control: Control,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(control)).with_graceful_shutdown(shutdown).await
}
