//! Renaming and deleting.
//!
//! Invariant: an accepted upload can't be touched. Renaming a staged one to a final name submits it,
//! and is as durable as an upload before it is acknowledged.

use tidegate_domain::UploadName;

use super::backend::InboxStorage;
use super::error::TransferError;
use super::place::Place;
use super::receive::final_name;
use crate::audit::Event;
use crate::session::SessionUser;

const ACCEPTED: TransferError = TransferError::NotAllowed("accepted files can't be changed or deleted");

impl InboxStorage {
    /// Renames a staged upload; its length in bytes if that submitted it.
    pub(crate) async fn rename_place(
        &self,
        user: &SessionUser,
        from: Place,
        to: Place,
    ) -> Result<Option<u64>, TransferError> {
        let running = self.session.activity().begin();
        let renamed = self.rename_upload(user, from, to).await;
        match &renamed {
            Ok(_) => running.succeeded(),
            Err(reason) => {
                self.note(user, Event::Refused { reason: reason.to_string() });
                tracing::warn!(%reason, "rename refused");
            }
        }
        renamed
    }

    async fn rename_upload(
        &self,
        user: &SessionUser,
        from: Place,
        to: Place,
    ) -> Result<Option<u64>, TransferError> {
        let from = match from {
            Place::Upload(name) => self.staged_name(user, name).await?,
            Place::Nowhere => return Err(TransferError::NoSuchFile),
            _ => return Err(TransferError::NotAllowed("only uploads can be renamed")),
        };
        let to = final_name(to)?;
        self.check_still_admitted(user)?;
        if self.is_temporary(&to) {
            self.ask(user, move |store, org| Ok(store.rename_staged(org, &from, &to)?)).await?;
            return Ok(None);
        }
        let store = self.intake.store();
        let job = store.accept_staged(user.org(), &from, self.sender(user), to).await?;
        self.note(user, Event::Accepted { job: job.id, size_bytes: job.submission.size_bytes });
        tracing::info!(job = %job.id, size_bytes = job.submission.size_bytes, "upload accepted");
        Ok(Some(job.submission.size_bytes))
    }

    /// Deletes a response or a staged upload.
    pub(crate) async fn delete(&self, user: &SessionUser, place: Place) -> Result<(), TransferError> {
        match place {
            Place::Response(name) => {
                let store = self.intake.store();
                store.delete_outbox(user.org(), &name, &user.login().account).await?;
                self.note(user, Event::deleted(&name));
                tracing::info!("response deleted");
            }
            Place::Upload(name) => {
                let name = self.staged_name(user, name).await?;
                self.ask(user, move |store, org| Ok(store.remove_staged(org, &name)?)).await?;
                self.note(user, Event::StagedDeleted);
                tracing::info!("staged upload deleted");
            }
            Place::Nowhere => return Err(TransferError::NoSuchFile),
            Place::Root | Place::Inbox | Place::Outbox => {
                return Err(TransferError::NotAllowed("directories can't be deleted"));
            }
        }
        Ok(())
    }

    /// The name of an upload that is staged; accepted ones are out of the sender's hands.
    async fn staged_name(&self, user: &SessionUser, name: Vec<u8>) -> Result<UploadName, TransferError> {
        let name = UploadName::new(name).map_err(|_| TransferError::NoSuchFile)?;
        self.ask(user, move |store, org| {
            if store.staged_entry(org, &name)?.is_some() {
                return Ok(name);
            }
            let accepted = store.inbox_entry(org, &name)?.is_some();
            Err(if accepted { ACCEPTED } else { TransferError::NoSuchFile })
        })
        .await
    }
}
