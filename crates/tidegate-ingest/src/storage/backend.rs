//! The tree as a storage backend of unftp-core.
//!
//! Invariant: `put` answers only after everything that its answer promises is durable, because an
//! engine sends 226 on `Ok`. Every request runs in the session's span; unftp-core's paths end here.

use std::fmt::Debug;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tidegate_ftp::Remarks;
use tokio::io::{AsyncRead, AsyncSeekExt, AsyncWrite};
use tracing::Instrument;
use unftp_core::storage::{Error, FEATURE_RESTART, Fileinfo, Result, StorageBackend};

use super::entry::Entry;
use super::error::TransferError;
use super::place::Place;
use super::submitted::Submitted;
use crate::audit::Event;
use crate::intake::Intake;
use crate::session::{Session, SessionUser};

/// What one session sees.
#[derive(Debug, Clone)]
pub struct InboxStorage {
    pub(super) intake: Arc<Intake>,
    pub(super) session: Arc<Session>,
    /// Whether uploads that broke off can be gone on with.
    pub(super) resumes: bool,
    pub(super) submitted: Submitted,
    pub(super) remarks: Remarks,
}

impl InboxStorage {
    /// For one session.
    pub fn new(intake: Arc<Intake>, session: Arc<Session>) -> Self {
        let (submitted, remarks) = (Submitted::default(), Remarks::default());
        Self { intake, session, resumes: true, submitted, remarks }
    }

    /// Where it leaves words for replies.
    pub fn remarks(&self) -> Remarks {
        self.remarks.clone()
    }

    /// For an engine that can't be trusted with the offset of a REST.
    #[must_use]
    pub fn without_resuming(self) -> Self {
        Self { resumes: false, ..self }
    }

    /// Whose it is.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Notes what the user did.
    pub(super) fn note(&self, user: &SessionUser, event: Event) {
        self.intake.audit().note(&self.session, Some(user.login()), event);
    }

    /// Notes that an upload was refused.
    pub(crate) fn note_refusal(&self, user: &SessionUser, reason: &TransferError) {
        self.note(user, Event::Refused { reason: reason.to_string() });
        tracing::warn!(%reason, "upload refused");
    }

    /// Notes that something else was refused, unless it just is not there.
    pub(super) fn note_if_forbidden(&self, user: &SessionUser, reason: &TransferError) {
        if matches!(reason, TransferError::NotAllowed(_) | TransferError::ShutOut(_)) {
            self.note(user, Event::Refused { reason: reason.to_string() });
        }
    }

    async fn fetch(&self, user: &SessionUser, path: &Path, start_pos: u64) -> Result<tokio::fs::File> {
        let mut file = tokio::fs::File::from_std(self.open(user, Place::of(path)).await?);
        if start_pos > 0 {
            let sought = file.seek(SeekFrom::Start(start_pos)).await;
            sought.map_err(|error| TransferError::Response(error.kind()))?;
        }
        Ok(file)
    }
}

#[async_trait]
impl StorageBackend<SessionUser> for InboxStorage {
    type Metadata = Entry;

    fn name(&self) -> &'static str {
        "tidegate"
    }

    fn supported_features(&self) -> u32 {
        if self.resumes { FEATURE_RESTART } else { 0 }
    }

    async fn metadata<P: AsRef<Path> + Send + Debug>(&self, user: &SessionUser, path: P) -> Result<Entry> {
        let look = self.look_at(user, Place::of(path.as_ref()));
        Ok(look.instrument(self.session.span().clone()).await?)
    }

    async fn list<P: AsRef<Path> + Send + Debug>(
        &self,
        user: &SessionUser,
        path: P,
    ) -> Result<Vec<Fileinfo<PathBuf, Entry>>> {
        let list = self.list_place(user, Place::of(path.as_ref()));
        let listing = list.instrument(self.session.span().clone()).await?;
        Ok(listing.into_iter().map(Entry::listed).collect())
    }

    async fn get<P: AsRef<Path> + Send + Debug>(
        &self,
        user: &SessionUser,
        path: P,
        start_pos: u64,
    ) -> Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        Ok(Box::new(self.fetch(user, path.as_ref(), start_pos).await?))
    }

    async fn get_into<'a, P, W: ?Sized>(
        &self,
        user: &SessionUser,
        path: P,
        start_pos: u64,
        output: &'a mut W,
    ) -> Result<u64>
    where
        W: AsyncWrite + Unpin + Sync + Send,
        P: AsRef<Path> + Send + Debug,
    {
        let file = self.fetch(user, path.as_ref(), start_pos).await?;
        Ok(self.send(file, output).await?)
    }

    async fn put<P: AsRef<Path> + Send + Debug, R: AsyncRead + Send + Sync + Unpin + 'static>(
        &self,
        user: &SessionUser,
        input: R,
        path: P,
        start_pos: u64,
    ) -> Result<u64> {
        let span = tracing::info_span!(parent: self.session.span(), "upload");
        let received = self.receive(user, input, Place::of(path.as_ref()), start_pos);
        Ok(received.instrument(span).await?)
    }

    async fn del<P: AsRef<Path> + Send + Debug>(&self, user: &SessionUser, path: P) -> Result<()> {
        let deleted = self.delete(user, Place::of(path.as_ref()));
        Ok(deleted.instrument(self.session.span().clone()).await?)
    }

    async fn mkd<P: AsRef<Path> + Send + Debug>(&self, _user: &SessionUser, path: P) -> Result<()> {
        let refusal = match Place::of(path.as_ref()) {
            place if place.is_directory() => "the directory exists",
            _ => "there are only inbox and outbox",
        };
        Err(Error::from(TransferError::NotAllowed(refusal)))
    }

    async fn rename<P: AsRef<Path> + Send + Debug>(&self, user: &SessionUser, from: P, to: P) -> Result<()> {
        let span = tracing::info_span!(parent: self.session.span(), "upload");
        let renamed = self.rename_place(user, Place::of(from.as_ref()), Place::of(to.as_ref()));
        Ok(renamed.instrument(span).await?)
    }

    async fn rmd<P: AsRef<Path> + Send + Debug>(&self, _user: &SessionUser, path: P) -> Result<()> {
        Err(Error::from(match Place::of(path.as_ref()) {
            place if place.is_directory() => TransferError::NotAllowed("directories can't be deleted"),
            _ => TransferError::NoSuchDirectory,
        }))
    }

    async fn cwd<P: AsRef<Path> + Send + Debug>(&self, _user: &SessionUser, path: P) -> Result<()> {
        if Place::of(path.as_ref()).is_directory() {
            return Ok(());
        }
        Err(Error::from(TransferError::NoSuchDirectory))
    }
}
