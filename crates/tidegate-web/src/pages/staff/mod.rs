//! The staff console: what the command line can, for people who would rather look.
//!
//! Invariant: whatever it does it does through the functions of the control API, in the name of who is logged in; a
//! viewer can't act, an operator acts on jobs and maintenance, an administrator on accounts too. Roles are looked up
//! for each request.

mod accounts;
mod audit;
mod calendar;
mod chart;
mod console;
mod errors;
mod frame;
mod job;
mod jobs;
mod login;
mod mailing;
mod maintenance;
mod notice;
mod orgs;
mod overview;
mod windows;

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub(in crate::pages) use self::console::{Console, Parts};
use super::guard;
use super::session::{Cookie, Rules};

const COOKIE: Cookie = Cookie("__Host-tidegate-staff");

const RULES: Rules = Rules {
    idle_max: Duration::from_mins(30),
    age_max: Duration::from_hours(10),
    of_owner_max: 4,
    all_max: 200,
};

/// Longest form, in bytes: a page of jobs that are all chosen.
const FORM_BYTES_MAX: usize = 128 << 10;

pub(super) fn router(parts: Parts) -> Router {
    let pages = Router::new()
        .route("/staff", get(overview::overview))
        .route("/staff/login", post(login::log_in))
        .route("/staff/logout", post(login::log_out))
        .route("/staff/jobs", get(jobs::list))
        .route("/staff/jobs/act", post(jobs::act))
        .route("/staff/jobs/{job}", get(job::show))
        .route("/staff/maintenance", get(maintenance::show))
        .route("/staff/maintenance/notice", get(notice::show))
        .route("/staff/maintenance/notice.html", get(notice::preview))
        .route("/staff/maintenance/announce", post(notice::announce))
        .route("/staff/maintenance/{action}", post(windows::act))
        .route("/staff/accounts", get(accounts::show))
        .route("/staff/accounts/{action}", post(accounts::act))
        .route("/staff/add-organization", get(orgs::new).post(orgs::add))
        .route("/staff/organizations/{code}", get(orgs::show))
        .route("/staff/organizations/{code}/{action}", post(orgs::act))
        .route("/staff/audit", get(audit::show))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX));
    guard::private(pages).with_state(Console::start(parts, RULES))
}
