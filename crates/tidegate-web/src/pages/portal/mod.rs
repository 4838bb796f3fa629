//! The senders' portal: what a sender does by FTP, with a browser.
//!
//! Invariant: it is one more door. Logins, bans, limits and the audit log are those of the other doors; "received" is
//! said only after the store has accepted the file durably; and a session sees its own organization's files alone.

mod door;
mod files;
mod html;
mod login;
mod upload;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tidegate_ingest::Intake;

pub(in crate::pages) use self::door::Door;
use super::guard;
use super::session::{Cookie, Rules};
use crate::config::PortalMode;
use crate::control::Control;
use crate::pages::Names;

const COOKIE: Cookie = Cookie("__Host-tidegate-portal");

/// Fewer of one organization than the doors allow it, so that browsers never keep its programs out.
const RULES: Rules = Rules {
    idle_max: Duration::from_mins(30),
    age_max: Duration::from_hours(8),
    of_owner_max: 5,
    all_max: 200,
};

/// Longest form without a file, in bytes.
const FORM_BYTES_MAX: usize = 16 << 10;

pub(super) fn router(control: Control, intake: Arc<Intake>, names: Names, mode: PortalMode) -> Router {
    let door = Arc::new(Door::new(control, intake, names, mode, RULES));
    let pages = Router::new()
        .route("/", get(files::home))
        .route("/login", post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/files/{job}", get(files::show))
        .route("/files/{job}/response", get(files::response))
        .route("/files/{job}/report", get(files::report))
        .route("/files/{job}/delete", post(files::delete))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        // The store's own limit of an upload counts.
        .merge(Router::new().route("/upload", post(upload::upload)).layer(DefaultBodyLimit::disable()))
        .layer(from_fn_with_state(Arc::clone(&door), door::unless_unavailable));
    guard::private(pages).with_state(door)
}
