//! The control API: what staff may ask of the running server and tell it to do.
//!
//! Invariant: it is served on a Unix socket that only the service's user can open; who connects may
//! do everything, so every change names its actor. Answers are bounded in size and time, but for news of
//! a backup, which end with it.

pub(crate) mod act;
mod backup;
pub(crate) mod bans;
pub(crate) mod extract;
mod failure;
mod files;
pub(crate) mod jobs;
pub(crate) mod maintenance;
mod report;
mod retention;
mod server;
mod socket;
mod state;
pub(crate) mod status;

#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};

pub(crate) use failure::Failure;
pub(crate) use files::stream;
pub use report::report;
pub(crate) use server::limit_time;
pub use server::serve;
pub use socket::{ControlSocket, SocketError};
pub use state::{Control, Events, Site};
pub(crate) use status::blocking;

/// Longest request body in bytes: some thousand job ids.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Longest time for an ordinary answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Longest time for what goes through the whole queue.
const LONG_ANSWER_MAX: Duration = Duration::from_hours(1);

/// The control API.
pub fn router(control: Control) -> Router {
    let quick = Router::new()
        .route("/v1/status", get(status::status))
        .route("/v1/jobs", get(jobs::list))
        .route("/v1/jobs/{id}", get(jobs::show))
        .route("/v1/jobs/{id}/response", get(files::response))
        .route("/v1/jobs/{id}/report", get(files::report))
        .route("/v1/jobs/{id}/payload", post(files::payload))
        .route("/v1/maintenance", get(maintenance::list))
        .route("/v1/maintenance/explain", get(maintenance::explain))
        .route("/v1/maintenance/windows", post(maintenance::add_window))
        .route("/v1/maintenance/holds", post(maintenance::place_hold))
        .route("/v1/maintenance/end", post(maintenance::end))
        .route("/v1/maintenance/extend", post(maintenance::extend))
        .route("/v1/maintenance/skip", post(maintenance::skip))
        .route("/v1/maintenance/remove", post(maintenance::remove))
        .route("/v1/maintenance/release", post(maintenance::release))
        .route("/v1/retention", get(retention::show))
        .route("/v1/retention/holds", post(retention::hold))
        .route("/v1/retention/release", post(retention::release))
        .route("/v1/bans", get(bans::list))
        .route("/v1/bans/lift", post(bans::lift))
        .route("/v1/reload", post(status::reload))
        .layer(from_fn(|request, next| server::limit_time(ANSWER_MAX, request, next)));
    let long = Router::new()
        .route("/v1/jobs/act", post(act::act))
        .route("/v1/store/backup", post(backup::backup))
        .route("/v1/maintenance/report", get(report::show))
        .route("/v1/retention/run", post(retention::run))
        .route("/v1/verify", post(status::verify))
        .layer(from_fn(|request, next| server::limit_time(LONG_ANSWER_MAX, request, next)));
    quick
        .merge(long)
        .fallback(failure::no_such_path)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(control)
}
