//! One file, from its folder into the store.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use tidegate_domain::job::Protocol;
use tidegate_domain::{NameError, UploadName};
use tidegate_store::{Sender, StoreError, Upload};

use super::Folder;
use super::identity::Identity;
use crate::audit::Event;
use crate::intake::UsedUp;

/// Why a file stays in its folder. The texts do not name it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Left {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("larger than limits.upload_bytes_max")]
    TooLarge,
    #[error("as many files wait to be processed as files_waiting_max lets; the next ones wait here")]
    FilesWaiting,
    #[error(
        "as many files were taken within a minute as uploads_per_minute_max lets; the next ones wait here"
    )]
    Uploads,
    /// The next look finds it as it is then.
    #[error("written to while it was read")]
    Changed,
    #[error("can't be read: {0}")]
    Unreadable(io::ErrorKind),
    #[error("accepted, but can't be removed: {0}; without that it is a duplicate after each restart")]
    Stays(io::ErrorKind),
    #[error("the server stops")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UsedUp> for Left {
    fn from(used_up: UsedUp) -> Self {
        match used_up {
            UsedUp::FilesWaiting => Self::FilesWaiting,
            UsedUp::Uploads => Self::Uploads,
        }
    }
}

impl Left {
    /// Whether nothing is wrong with the file: it only has to wait.
    pub(super) fn is_wait(&self) -> bool {
        matches!(self, Self::FilesWaiting | Self::Uploads | Self::Changed | Self::Stopping)
    }

    /// Whether every file that comes now has to wait.
    pub(super) fn is_for_all(&self) -> bool {
        matches!(self, Self::FilesWaiting | Self::Uploads)
    }
}

impl Folder {
    /// Accepts a file and removes it from the folder.
    pub(super) async fn take(&mut self, name: &OsString, seen: Identity) -> Result<(), Left> {
        let upload_name = UploadName::new(name.as_bytes())?;
        if seen.size_bytes() > self.door.intake.upload_bytes_max(&self.door.config.org) {
            return Err(Left::TooLarge);
        }
        self.door.intake.may_wait(&self.door.config.org)?;
        self.door.intake.begin_upload(&self.door.config.org)?;
        let path = self.door.config.path.join(name);
        let (file, upload) = self.read(&path, seen).await?;
        if identity(&file).await? != seen {
            return Err(Left::Changed);
        }
        let size_bytes = upload.size_bytes();
        let (org, sender) = (&self.door.config.org, self.sender());
        let job = upload.accept(org, sender, upload_name).await?;
        let org = org.clone();
        self.note(Event::Accepted { job: job.id, size_bytes });
        let removed = self.remove(name, seen).await;
        tracing::info!(job = %job.id, %org, size_bytes, "file of a watched folder accepted");
        if matches!(removed, Err(Left::Changed)) {
            let reason = "the file was written to while it was taken".to_owned();
            if let Err(error) = self.door.intake.store().withdraw(job.id, reason).await {
                // A worker has it by now and sees by itself whether the file is whole.
                tracing::warn!(job = %job.id, %error, "file of a watched folder could not be withdrawn");
            }
        }
        removed
    }

    /// Notes what happened to a file, or to its answer.
    pub(super) fn note(&self, event: Event) {
        self.door.intake.audit().note_folder(&self.door.config.org, &self.sender(), event);
    }

    async fn read(&self, path: &Path, seen: Identity) -> Result<(tokio::fs::File, Upload), Left> {
        let file = open(path).await.map_err(|error| Left::Unreadable(error.kind()))?;
        let mut file = tokio::fs::File::from_std(file);
        if identity(&file).await? != seen {
            return Err(Left::Changed);
        }
        let mut upload = self.door.intake.store().upload()?;
        loop {
            if *self.stop.borrow() {
                return Err(Left::Stopping);
            }
            let read = upload.room().await?.fill(&mut file).await;
            if read.map_err(|error| Left::Unreadable(error.kind()))? == 0 {
                return Ok((file, upload));
            }
            if upload.size_bytes() > seen.size_bytes() {
                return Err(Left::Changed);
            }
        }
    }

    /// Removes an accepted file, unless another stands there now. Once it can't be removed it is
    /// remembered, lest it be accepted again and again.
    pub(super) async fn remove(&mut self, name: &OsString, seen: Identity) -> Result<(), Left> {
        let folder = self.door.config.path.clone();
        let file = name.clone();
        let removed = tokio::task::spawn_blocking(move || remove(&folder, &file, seen)).await;
        match removed.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(Removal::Gone) => {
                self.accepted.remove(name);
                Ok(())
            }
            Ok(Removal::Changed) => Err(Left::Changed),
            Err(error) => {
                self.accepted.insert(name.clone(), seen);
                Err(Left::Stays(error.kind()))
            }
        }
    }

    /// The folder stands for the account: it tells staff where a file came from.
    pub(super) fn sender(&self) -> Sender {
        Sender { account: self.door.config.path.display().to_string(), protocol: Protocol::Folder }
    }
}

enum Removal {
    Gone,
    Changed,
}

fn remove(folder: &Path, name: &OsString, seen: Identity) -> io::Result<Removal> {
    let path = folder.join(name);
    match std::fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Removal::Gone),
        Err(error) => return Err(error),
        Ok(found) if Identity::of(&found) != seen => return Ok(Removal::Changed),
        Ok(_) => std::fs::remove_file(&path)?,
    }
    // A file that a power cut brings back would be a duplicate; that is worth a try, not a failure.
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::warn!(%error, "watched folder not synced");
    }
    Ok(Removal::Gone)
}

/// Opens a file without following a link, and without waiting for anybody if it is a pipe.
async fn open(path: &Path) -> io::Result<File> {
    let path = path.to_owned();
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let opened =
        tokio::task::spawn_blocking(move || File::options().read(true).custom_flags(flags).open(path));
    opened.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

async fn identity(file: &tokio::fs::File) -> Result<Identity, Left> {
    let found = file.metadata().await.map_err(|error| Left::Unreadable(error.kind()))?;
    Ok(Identity::of(&found))
}
