//! Responses on their way back to a folder's sender.
//!
//! Invariant: a response leaves the outbox only after it is durable in the folder's place for
//! responses, where it appears at once and whole. A crash between the two brings it there again, under
//! the same name.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tidegate_domain::OrgCode;
use tidegate_store::{Sender, Store, StoreError};

use super::Folder;
use crate::audit::Event;

/// Who may read and delete a response is said by the directory's rights and group, not by our umask.
const MODE: u32 = 0o660;

type Names = Vec<Vec<u8>>;

/// Why a response stays in the outbox for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotBrought {
    #[error("writing to it: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Folder {
    /// Moves the answers to this folder's uploads to its place for responses, if it has one.
    pub(super) async fn bring_responses(&mut self) -> Result<(), NotBrought> {
        let Some(target) = self.door.config.responses.clone() else { return Ok(()) };
        let (org, sender) = (self.door.config.org.clone(), self.sender());
        let store = self.door.intake.store().clone();
        let answers = self.answers(&store, &org, &sender).await?;
        for name in &answers {
            if *self.stop.borrow() {
                return Ok(());
            }
            let response = store.open_outbox(&org, name)?;
            let (target, copied) = (target.clone(), name.clone());
            let copied = tokio::task::spawn_blocking(move || copy(response, &target, copied)).await;
            copied.map_err(io::Error::other)??;
            match store.delete_outbox(&org, name, &sender.account).await {
                Ok(()) | Err(StoreError::NotFound) => self.note(Event::brought_back(name)),
                Err(error) => return Err(error.into()),
            }
        }
        if !answers.is_empty() {
            tracing::info!(%org, files = answers.len(), "responses brought to a watched folder");
        }
        Ok(())
    }

    /// What in the outbox answers this folder's uploads.
    async fn answers(&mut self, store: &Store, org: &OrgCode, sender: &Sender) -> Result<Names, NotBrought> {
        let (store, org, sender) = (store.clone(), org.clone(), sender.clone());
        let known = std::mem::take(&mut self.others);
        let listed = tokio::task::spawn_blocking(move || sort_out(&store, &org, &sender, &known)).await;
        let (ours, others) = listed.map_err(io::Error::other)??;
        self.others = others;
        Ok(ours)
    }
}

/// The names in the outbox that answer uploads of `sender`, and those that do not, of which `known` are
/// some.
fn sort_out(
    store: &Store,
    org: &OrgCode,
    sender: &Sender,
    known: &HashSet<Vec<u8>>,
) -> Result<(Names, HashSet<Vec<u8>>), StoreError> {
    let (mut ours, mut others) = (Names::new(), HashSet::new());
    for name in store.outbox(org)?.into_iter().map(|file| file.name) {
        let job = if known.contains(&name) { None } else { store.outbox_job(org, &name)? };
        let is_ours = job.is_some_and(|job| {
            job.submission.protocol == sender.protocol && job.submission.account == sender.account
        });
        if is_ours {
            ours.push(name);
        } else {
            others.insert(name);
        }
    }
    Ok((ours, others))
}

fn copy(mut response: File, target: &Path, name: Vec<u8>) -> io::Result<()> {
    let name = OsString::from_vec(name);
    let mut hidden = OsString::from(".");
    hidden.push(&name);
    let (hidden, path) = (target.join(hidden), target.join(name));
    // Others may write here: what stands there already is never written to, wherever a link leads.
    match fs::remove_file(&hidden) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(&hidden)?;
    io::copy(&mut response, &mut file)?;
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.sync_all()?;
    fs::rename(&hidden, &path)?;
    File::open(target)?.sync_all()
}
