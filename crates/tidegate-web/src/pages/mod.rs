//! The web pages: what everyone may know, at `/status`.
//!
//! Invariant: pages are made on the server, work without scripts, load nothing from anywhere else, and carry no
//! script or style inside themselves, so that their policy can forbid both. Everything that is not markup of our
//! own is escaped by the template macro.

mod answer;
mod assets;
mod guard;
mod layout;
mod status;
mod times;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::middleware::from_fn;

use crate::control::Control;

/// What the pages call the service that they belong to.
#[derive(Debug, Clone)]
pub struct Names {
    /// The registry, as announcements name it.
    pub registry: String,
}

/// All pages.
pub fn router(control: Control, names: Names) -> Router {
    Router::new().merge(status::router(control, names)).merge(assets::router()).layer(from_fn(guard::headers))
}
