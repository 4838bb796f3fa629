//! One upload, from its first byte to the store's answer.
//!
//! Invariant: `Ok` means that the store has accepted the upload durably or, where closing it is not what
//! submits it, has staged it; or, if it is a sidecar, has accepted the one that it belongs to. Every other way out leaves no job: a lost or stalled connection, an upload
//! that is too long, a session that has ended meanwhile. What came of an upload that broke off is kept
//! for a while, so that its sender can go on with it: see `resume`.
//!
//! A killed client looks at first as if its file were whole: Linux closes its data connection, and
//! some microseconds later its control connection (in this order in 2000 of 2000 kills). So the
//! control connection is looked at twice: before the upload is accepted, and before success is
//! reported. Who was gone by then has not read success, and the job is cancelled.
//!
//! Some clients of FTPS drop their connection without saying that their file has ended. Such an upload is
//! accepted only if its own trailer proves it whole; else its sender is told to send it again.
//!
//! An empty file is accepted like any other: its sender finds in the outbox what is wrong with it,
//! where an FTP reply has no room for words that every client shows.

use std::io::ErrorKind::UnexpectedEof;

use tidegate_domain::{JobId, UploadName};
use tidegate_store::{Sender, Upload};
use tokio::io::AsyncRead;

use super::backend::InboxStorage;
use super::completion::{Came, Role};
use super::error::TransferError;
use super::pace::Pace;
use super::place::Place;
use super::sidecar::SidecarError;
use super::tail::Ends;
use crate::audit::Event;
use crate::session::SessionUser;

/// How often other processes go first before the control connection is looked at. A local client
/// that is being killed is preempted by us, whom the end of its data wakes up, and has yet to close
/// the rest. On a busy machine 24 of 100 kills were missed without this, 3 with one turn, 1 with two,
/// none of 600 with three; on an idle machine it costs nothing. A timer of 2 ms still missed 3.
const TURNS: u32 = 3;

impl InboxStorage {
    /// Receives an upload to `place` and returns its length in bytes.
    pub(super) async fn receive<R: AsyncRead + Send + Unpin>(
        &self,
        user: &SessionUser,
        input: R,
        place: Place,
        start_pos: u64,
    ) -> Result<u64, TransferError> {
        let running = self.session.activity().begin();
        let received = self.receive_whole(user, input, place, start_pos).await;
        match &received {
            Ok(_) => running.succeeded(),
            Err(reason) => self.note_refusal(user, reason),
        }
        received
    }

    async fn receive_whole<R: AsyncRead + Send + Unpin>(
        &self,
        user: &SessionUser,
        input: R,
        place: Place,
        start_pos: u64,
    ) -> Result<u64, TransferError> {
        let (mut upload, name) = self.begin(user, place).await?;
        if start_pos > 0 {
            upload = self.go_on(user, &name, start_pos).await?;
        }
        if let Err(reason) = self.copy(input, &mut upload, self.upload_bytes_max(user)).await {
            if reason.is_break() {
                self.keep_broken(user, upload, name).await;
            }
            return Err(reason);
        }
        for _ in 0..TURNS {
            std::thread::yield_now();
        }
        self.finish(user, upload, name).await
    }

    /// An upload to `place`: whatever can be refused before its first byte is refused here.
    pub(crate) async fn begin(
        &self,
        user: &SessionUser,
        place: Place,
    ) -> Result<(Upload, UploadName), TransferError> {
        let name = final_name(place)?;
        self.check_still_admitted(user)?;
        self.intake.begin_upload(user.org())?;
        if let Role::Sidecar(sidecar) = self.role(user, &name, Came::Closed) {
            self.file_of(user, &sidecar).await?;
        }
        Ok((self.intake.store().upload()?, name))
    }

    /// Does what is to be done with an upload whose sender has sent all of it; its length in bytes.
    pub(crate) async fn finish(
        &self,
        user: &SessionUser,
        upload: Upload,
        name: UploadName,
    ) -> Result<u64, TransferError> {
        if !self.session.is_connected() {
            self.keep_broken(user, upload, name).await;
            return Err(TransferError::ControlLost);
        }
        // It may have taken hours.
        self.check_still_let_in(user)?;
        let size_bytes = upload.size_bytes();
        match self.role(user, &name, Came::Closed) {
            Role::Submission => {
                self.submit(user, upload, name).await?;
            }
            Role::Staged(remark) => {
                upload.stage(user.org(), &name).await?;
                self.note(user, Event::Staged { size_bytes });
                self.forget_broken(user, &name);
                self.remarks.leave(remark);
                tracing::info!(size_bytes, "upload staged");
            }
            Role::Sidecar(sidecar) => {
                let content = upload.in_memory().ok_or(SidecarError::TooLong)?;
                self.submit_with(user, &sidecar, content).await?;
                self.submitted.remember(name, size_bytes);
            }
        }
        Ok(size_bytes)
    }

    /// Longest upload, in bytes.
    pub(crate) fn upload_bytes_max(&self, user: &SessionUser) -> u64 {
        self.intake.upload_bytes_max(user.org())
    }

    pub(super) async fn copy<R: AsyncRead + Unpin>(
        &self,
        input: R,
        upload: &mut Upload,
        bytes_max: u64,
    ) -> Result<(), TransferError> {
        let limits = self.intake.limits();
        let mut pace = Pace::new(limits.session_idle_max.0, upload.size_bytes());
        let mut input = Ends::new(input);
        loop {
            let room = upload.room().await?;
            let read = tokio::select! {
                read = pace.wait(room.fill(&mut input)) => read,
                () = self.session.ended() => return Err(TransferError::ControlLost),
            };
            match read.ok_or(TransferError::Stalled)? {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == UnexpectedEof && input.proves_itself_whole() => {
                    tracing::info!("connection dropped without close_notify behind the file's trailer");
                    return Ok(());
                }
                Err(error) if error.kind() == UnexpectedEof => return Err(TransferError::Unclosed),
                Err(error) => return Err(TransferError::DataLost(error.kind())),
            }
            pace.has(upload.size_bytes());
            if upload.size_bytes() > bytes_max {
                return Err(TransferError::TooLarge);
            }
        }
    }

    pub(super) async fn submit(
        &self,
        user: &SessionUser,
        upload: Upload,
        name: UploadName,
    ) -> Result<JobId, TransferError> {
        let size_bytes = upload.size_bytes();
        let job = upload.accept(user.org(), self.sender(user), name.clone()).await?;
        self.note(user, Event::Accepted { job: job.id, size_bytes });
        tracing::info!(job = %job.id, size_bytes, "upload accepted");
        self.withdraw_if_unread(job.id).await?;
        self.forget_begun(user, &name);
        self.submitted.remember(name, size_bytes);
        Ok(job.id)
    }

    /// Cancels a job whose sender can't read that it was accepted.
    async fn withdraw_if_unread(&self, job: JobId) -> Result<(), TransferError> {
        if self.session.is_connected() {
            return Ok(());
        }
        let reason = "the sender's connection was lost before it could read success".to_owned();
        match self.intake.store().withdraw(job, reason).await {
            Ok(_) => tracing::warn!(%job, "upload withdrawn"),
            // A worker has it by now and sees by itself whether the file is whole.
            Err(error) => tracing::warn!(%job, %error, "upload could not be withdrawn"),
        }
        Err(TransferError::ControlLost)
    }

    /// Whether the account, and the organization's limits, still let it submit a file.
    pub(super) fn check_still_admitted(&self, user: &SessionUser) -> Result<(), TransferError> {
        self.check_still_let_in(user)?;
        Ok(self.intake.may_wait(user.org())?)
    }

    /// Whether the account was shut out since it logged in.
    pub(super) fn check_still_let_in(&self, user: &SessionUser) -> Result<(), TransferError> {
        Ok(self.intake.still_admits(&self.session, user.login())?)
    }

    pub(super) fn sender(&self, user: &SessionUser) -> Sender {
        Sender { account: user.login().account.clone(), protocol: self.session.protocol() }
    }
}

/// The name of an upload; only the inbox takes uploads.
pub(super) fn final_name(place: Place) -> Result<UploadName, TransferError> {
    match place {
        Place::Upload(name) => Ok(UploadName::new(name)?),
        Place::Root | Place::Inbox | Place::Outbox => Err(tidegate_domain::NameError::Directory.into()),
        Place::Response(_) => Err(TransferError::NotAllowed("uploads go into / or inbox")),
        Place::Nowhere => Err(TransferError::NoSuchDirectory),
    }
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
