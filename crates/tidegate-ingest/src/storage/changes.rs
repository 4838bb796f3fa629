//! Renaming and deleting.
//!
//! Invariant: an accepted upload can't be touched. Where renaming a staged one submits something, that is as
//! durable as an upload before it is acknowledged.

use tidegate_domain::{OrgCode, UploadName};
use tidegate_store::{Store, StoreError};

use super::backend::InboxStorage;
use super::completion::{Came, Role};
use super::error::TransferError;
use super::place::Place;
use super::receive::final_name;
use crate::audit::Event;
use crate::session::SessionUser;

const ACCEPTED: TransferError = TransferError::NotAllowed("accepted files can't be changed or deleted");
const SAME_NAME: TransferError = TransferError::NotAllowed("only a rename to another name submits it");

impl InboxStorage {
    /// Renames a staged upload, which may submit it, or the one whose sidecar it becomes.
    pub(crate) async fn rename_place(
        &self,
        user: &SessionUser,
        from: Place,
        to: Place,
    ) -> Result<(), TransferError> {
        let running = self.session.activity().begin();
        let renamed = self.rename_upload(user, from, to).await;
        match &renamed {
            Ok(()) => running.succeeded(),
            Err(reason) => {
                self.note(user, Event::Refused { reason: reason.to_string() });
                tracing::warn!(%reason, "rename refused");
            }
        }
        renamed
    }

    async fn rename_upload(&self, user: &SessionUser, from: Place, to: Place) -> Result<(), TransferError> {
        let from = match from {
            Place::Upload(name) => self.whole_name(user, name).await?,
            Place::Nowhere => return Err(TransferError::NoSuchFile),
            _ => return Err(TransferError::NotAllowed("only uploads can be renamed")),
        };
        let to = final_name(to)?;
        self.check_still_admitted(user)?;
        match self.role(user, &to, Came::Renamed) {
            Role::Staged(remark) => {
                self.ask(user, move |store, org| Ok(store.rename_staged(org, &from, &to)?)).await?;
                self.remarks.leave(remark);
            }
            Role::Sidecar(sidecar) => {
                let size_bytes = self.submit_with_staged(user, &sidecar, from).await?;
                self.submitted.remember(to, size_bytes);
            }
            Role::Submission if from == to => return Err(SAME_NAME),
            Role::Submission => self.submit_renamed(user, &from, to).await?,
        }
        Ok(())
    }

    async fn submit_renamed(
        &self,
        user: &SessionUser,
        from: &UploadName,
        to: UploadName,
    ) -> Result<(), TransferError> {
        let store = self.intake.store();
        let job = store.accept_staged(user.org(), from, self.sender(user), to.clone()).await?;
        let size_bytes = job.submission.size_bytes;
        self.note(user, Event::Accepted { job: job.id, size_bytes });
        self.forget_begun(user, &to);
        self.submitted.remember(to, size_bytes);
        self.remarks.leave("Renamed and submitted");
        tracing::info!(job = %job.id, size_bytes, "upload accepted");
        Ok(())
    }

    /// Drops what was broken or staged under the name of an upload that is accepted by now.
    pub(super) fn forget_begun(&self, user: &SessionUser, name: &UploadName) {
        if let Err(error) = remove_begun(self.intake.store(), user.org(), name) {
            // Its sender sees it instead of the accepted one, and can delete it.
            tracing::warn!(%error, "begun upload not removed");
        }
    }

    /// Deletes a response or a staged upload.
    pub async fn delete(&self, user: &SessionUser, place: Place) -> Result<(), TransferError> {
        let deleted = self.delete_place(user, place).await;
        deleted.inspect_err(|reason| self.note_if_forbidden(user, reason))
    }

    async fn delete_place(&self, user: &SessionUser, place: Place) -> Result<(), TransferError> {
        match place {
            Place::Response(name) => {
                self.check_still_let_in(user)?;
                let store = self.intake.store();
                store.delete_outbox(user.org(), &name, &user.login().account).await?;
                self.note(user, Event::deleted(&name));
                tracing::info!("response deleted");
            }
            Place::Upload(name) => {
                let name = self.begun_name(user, upload_name(name)?).await?;
                self.ask(user, move |store, org| remove_begun(store, org, &name)).await?;
                self.note(user, Event::StagedDeleted);
                tracing::info!("staged or broken upload deleted");
            }
            Place::Nowhere => return Err(TransferError::NoSuchFile),
            Place::Root | Place::Inbox | Place::Outbox => {
                return Err(TransferError::NotAllowed("directories can't be deleted"));
            }
        }
        Ok(())
    }

    /// The name of an upload that is staged and was not begun anew since.
    pub(super) async fn whole_name(
        &self,
        user: &SessionUser,
        name: Vec<u8>,
    ) -> Result<UploadName, TransferError> {
        let name = self.begun_name(user, upload_name(name)?).await?;
        let sought = name.clone();
        let broken = self.ask(user, move |store, org| Ok(store.broken_entry(org, &sought)?)).await?;
        if broken.is_some() {
            return Err(TransferError::NotAllowed("its last upload broke off; send the rest first"));
        }
        Ok(name)
    }

    /// The name of an upload that is staged or broken; accepted ones are out of the sender's hands.
    pub(super) async fn begun_name(
        &self,
        user: &SessionUser,
        name: UploadName,
    ) -> Result<UploadName, TransferError> {
        self.ask(user, move |store, org| {
            if store.begun(org, &name)?.is_some() {
                return Ok(name);
            }
            let accepted = store.inbox_entry(org, &name)?.is_some();
            Err(if accepted { ACCEPTED } else { TransferError::NoSuchFile })
        })
        .await
    }
}

/// What can't be a name is no file either.
pub(super) fn upload_name(name: Vec<u8>) -> Result<UploadName, TransferError> {
    UploadName::new(name).map_err(|_| TransferError::NoSuchFile)
}

fn remove_begun(store: &Store, org: &OrgCode, name: &UploadName) -> Result<(), TransferError> {
    store.remove_broken(org, name)?;
    match store.remove_staged(org, name) {
        Err(StoreError::NotFound) => Ok(()),
        removed => Ok(removed?),
    }
}
