//! The SFTP door and what its sessions share.

use std::sync::Arc;
use std::time::Duration;

use russh::server::Config;
use tokio::net::TcpListener;

use super::host_keys::HostKeys;
use super::serve::serve;
use super::settings::ssh_settings;
use crate::accept::accept;
use crate::announcement::Announcement;
use crate::intake::Intake;

/// What the door needs to serve.
pub struct SftpDoor {
    /// Tell senders that this is the server they know.
    pub host_keys: HostKeys,
    /// The part shared with other doors.
    pub intake: Arc<Intake>,
    /// Asked for each connection.
    pub announcement: Announcement,
    /// How long running uploads may take after the shutdown signal.
    pub grace: Duration,
}

/// What the sessions of a door share.
pub(super) struct Shared {
    pub(super) intake: Arc<Intake>,
    pub(super) announcement: Announcement,
    pub(super) grace: Duration,
    pub(super) ssh: Arc<Config>,
}

/// Serves `listener` until `shutdown`; returns when every session has ended or was given up.
pub async fn run(listener: TcpListener, door: SftpDoor, shutdown: impl Future<Output = ()>) {
    let SftpDoor { host_keys, intake, announcement, grace } = door;
    let ssh = Arc::new(ssh_settings(host_keys, intake.limits()));
    let shared = Arc::new(Shared { intake, announcement, grace, ssh });
    let serve = |stream, _, closing| serve(stream, Arc::clone(&shared), closing);
    accept(async move || listener.accept().await, grace, shutdown, serve).await;
}
