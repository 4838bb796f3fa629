//! Going on with an upload that broke off.
//!
//! Invariant: the bytes that are there already are taken only from what this organization uploaded under
//! this very name, broken or staged; what comes of it is a new upload like any other. An accepted file is
//! out of its sender's hands.

use tidegate_domain::UploadName;
use tidegate_store::{StoreError, Upload};

use super::backend::InboxStorage;
use super::error::TransferError;
use super::place::Place;
use super::receive::final_name;
use crate::session::SessionUser;

impl InboxStorage {
    /// An upload that begins with the first `offset` bytes of what is there.
    pub(crate) async fn go_on(
        &self,
        user: &SessionUser,
        name: &UploadName,
        offset: u64,
    ) -> Result<Upload, TransferError> {
        if !self.resumes {
            return Err(TransferError::NoResume);
        }
        if offset > self.upload_bytes_max(user) {
            return Err(TransferError::TooLarge);
        }
        match self.intake.store().go_on(user.org(), name, offset).await {
            Err(StoreError::NotFound) => {
                self.begun_name(user, name.clone()).await?;
                Err(TransferError::NoResume)
            }
            upload => Ok(upload?),
        }
    }

    /// Refuses a place where there is nothing to go on with.
    pub(crate) async fn check_begun(&self, user: &SessionUser, place: Place) -> Result<(), TransferError> {
        self.begun_name(user, final_name(place)?).await.map(drop)
    }

    /// Drops what was kept of an upload that has come whole by now.
    pub(super) fn forget_broken(&self, user: &SessionUser, name: &UploadName) {
        if let Err(error) = self.intake.store().remove_broken(user.org(), name) {
            // It goes by itself after a day.
            tracing::warn!(%error, "broken upload not removed");
        }
    }

    /// Keeps what came of an upload; if that fails, its sender has to send all of it again.
    pub(crate) async fn keep_broken(&self, user: &SessionUser, upload: Upload, name: UploadName) {
        if !self.resumes {
            return;
        }
        if let Err(error) = upload.keep_broken(user.org(), &name).await {
            tracing::warn!(%error, "broken upload not kept");
        }
    }
}
