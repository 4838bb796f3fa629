//! The web pages: what everyone may know, at `/status`, the senders' portal, at `/`, and the staff
//! console, at `/staff`.
//!
//! Invariant: pages are made on the server, work without scripts, load nothing from anywhere else, and carry no
//! script or style inside themselves, so that their policy can forbid both. Everything that is not markup of our
//! own is escaped by the template macro.

mod answer;
mod assets;
mod fields;
mod guard;
mod layout;
mod portal;
mod refusal;
mod session;
mod staff;
mod status;
mod times;
mod words;

#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{Directory, OrgEditor};
use tidegate_notices::Channels;

use crate::announcing::Announcing;
use crate::config::PortalMode;
use crate::control::Control;
use crate::staff::StaffFolder;

/// What the pages call the service that they belong to.
#[derive(Debug, Clone)]
pub struct Names {
    /// The registry, as announcements name it.
    pub registry: String,
    /// What becomes of each way to it while the gate is closed.
    pub channels: Channels,
}

/// What the pages show and act on.
#[derive(Clone)]
pub struct Pages {
    /// The staff's side of the server.
    pub control: Control,
    /// The senders' side.
    pub intake: Arc<Intake>,
    /// What is shown.
    pub names: Names,
    /// The portal while the gate is closed.
    pub portal: PortalMode,
    /// The organizations.
    pub directory: Arc<Directory>,
    /// What changes them.
    pub editor: OrgEditor,
    /// What announces windows.
    pub announcing: Announcing,
    /// Who may use the console.
    pub staff: StaffFolder,
    /// The audit log's file, if there is one.
    pub audit_log: Option<PathBuf>,
}

/// All pages. Requests must carry the address that they come from as [`axum::extract::ConnectInfo`].
pub fn router(pages: Pages) -> Router {
    let Pages { control, intake, names, portal, directory, editor, announcing, staff, audit_log } = pages;
    let parts = staff::Parts {
        control: control.clone(),
        intake: Arc::clone(&intake),
        directory,
        editor,
        announcing: announcing.clone(),
        names: names.clone(),
        staff,
        audit_log,
    };
    Router::new()
        .merge(status::router(control.clone(), names.clone(), &announcing.data_dir))
        .merge(portal::router(control, intake, names, portal))
        .merge(staff::router(parts))
        .merge(assets::router())
        .layer(from_fn(guard::headers))
}
