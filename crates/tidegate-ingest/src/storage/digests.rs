//! The digests of accepted uploads, for senders who check what arrived.
//!
//! Invariant: nothing is read for it. The store knows the SHA-256 of what it accepted, so a file that
//! nobody may read back can be checked all the same, also after it was processed; and only by its organization.

use std::path::Path;

use async_trait::async_trait;
use tidegate_domain::UploadName;
use tidegate_ftp::{Digest, Digests};
use tracing::Instrument;
use unftp_core::storage::Error;

use super::backend::InboxStorage;
use super::error::TransferError;
use super::place::Place;
use crate::session::SessionUser;

#[async_trait]
impl Digests<SessionUser> for InboxStorage {
    async fn digest(&self, user: &SessionUser, path: &Path) -> Result<Option<Digest>, Error> {
        match Place::of(path) {
            Place::Upload(name) => {
                let digest = self.digest_of_upload(user, name).instrument(self.session.span().clone());
                Ok(Some(digest.await?))
            }
            // Responses may be read.
            _ => Ok(None),
        }
    }
}

impl InboxStorage {
    async fn digest_of_upload(&self, user: &SessionUser, name: Vec<u8>) -> Result<Digest, TransferError> {
        let name = UploadName::new(name).map_err(|_| TransferError::NoSuchFile)?;
        self.ask(user, move |store, org| {
            if store.begun(org, &name)?.is_some() {
                return Err(TransferError::NotAllowed("it is not submitted yet; ask when it is"));
            }
            let submission = store.newest_submission(org, &name)?.ok_or(TransferError::NoSuchFile)?;
            Ok(Digest { sha256: submission.sha256, size_bytes: submission.size_bytes })
        })
        .await
    }
}
