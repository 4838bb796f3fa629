//! An upload whose protocol proves it whole, such as a file in a form.
//!
//! Invariant: `Ok` means what it means at every door: the store has accepted the upload durably. It is submitted
//! at once, whatever its name and its organization's `completion`: these are for protocols that can't tell a whole
//! file from one that was cut off. What breaks off is not kept; its sender sends it again.

use tidegate_domain::{JobId, UploadName};
use tokio::io::AsyncRead;
use tracing::Instrument;

use super::backend::InboxStorage;
use super::error::TransferError;
use crate::session::SessionUser;

impl InboxStorage {
    /// Receives an upload. `input` must fail if it ends before the file does.
    pub async fn receive_proved<R: AsyncRead + Send + Unpin>(
        &self,
        user: &SessionUser,
        input: R,
        name: &[u8],
    ) -> Result<JobId, TransferError> {
        let span = tracing::info_span!(parent: self.session().span(), "upload");
        let running = self.session().activity().begin();
        let received = self.receive_and_submit(user, input, name).instrument(span).await;
        match &received {
            Ok(_) => running.succeeded(),
            Err(reason) => self.note_refusal(user, reason),
        }
        received
    }

    async fn receive_and_submit<R: AsyncRead + Send + Unpin>(
        &self,
        user: &SessionUser,
        input: R,
        name: &[u8],
    ) -> Result<JobId, TransferError> {
        let name = UploadName::new(name)?;
        self.check_still_admitted(user)?;
        self.intake.begin_upload(user.org())?;
        let mut upload = self.intake.store().upload()?;
        self.copy(input, &mut upload, self.upload_bytes_max(user)).await?;
        if !self.session().is_connected() {
            return Err(TransferError::ControlLost);
        }
        self.submit(user, upload, name).await
    }
}
