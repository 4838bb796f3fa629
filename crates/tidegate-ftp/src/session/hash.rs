//! HASH (draft-bryan-ftp-hash-03) and XSHA256, which many clients know: SHA-256 of a whole file.
//!
//! A file is read and hashed in pieces, off the threads that serve sessions and a few pieces at once over
//! all sessions. Who has left, or waits for too long, ends it.

use std::io;

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use unftp_core::auth::{Authenticator, UserDetailProvider};
use unftp_core::storage::{Error, ErrorKind, Metadata, StorageBackend};

use super::Session;
use crate::Digest;
use crate::failure;
use crate::link::Seen;
use crate::path::VirtualPath;
use crate::reply::Reply;
use crate::verb::Verb;

const PIECE_BYTES: usize = 256 << 10;

impl<S, A> Session<'_, S, A>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    pub(super) async fn hash(&self, verb: Verb, argument: &[u8]) -> Reply {
        let name = if verb == Verb::Xsha256 { unquoted(argument) } else { Some(argument) };
        let Some(name) = name else { return Reply::new(504, "There are hashes of whole files only") };
        let digest = timeout(self.engine.settings.hash_max, self.digest(&self.path(name))).await;
        let late = || Error::new(ErrorKind::TransientFileNotAvailable, "The file takes too long to hash");
        match digest.unwrap_or_else(|_| Err(late())) {
            Ok(digest) if verb == Verb::Xsha256 => Reply::new(250, digest.hex()),
            Ok(digest) => {
                let what = format!("SHA-256 0-{} {} ", digest.size_bytes, digest.hex());
                Reply::new(213, [what.as_bytes(), name].concat())
            }
            Err(error) => failure::reply(&error),
        }
    }

    async fn digest(&self, path: &VirtualPath) -> Result<Digest, Error> {
        let user = self.user()?;
        if let Some(digests) = &self.digests
            && let Some(digest) = digests.digest(user, path.as_path()).await?
        {
            return Ok(digest);
        }
        if self.storage.metadata(user, path.as_path()).await?.is_dir() {
            return Err(Error::new(ErrorKind::PermanentFileNotAvailable, "It is a directory"));
        }
        self.read(self.storage.get(user, path.as_path(), 0).await?).await
    }

    async fn read(&self, mut file: impl AsyncRead + Unpin) -> Result<Digest, Error> {
        let (mut hash, mut piece, mut size_bytes) = (Sha256::new(), Vec::with_capacity(PIECE_BYTES), 0);
        loop {
            piece.clear();
            let count = (&mut file).take(PIECE_BYTES as u64).read_to_end(&mut piece).await?;
            if count == 0 {
                return Ok(Digest { sha256: hash.finalize().into(), size_bytes });
            }
            if self.link.look() == Seen::Gone {
                return Err(ErrorKind::ConnectionClosed.into());
            }
            size_bytes += count as u64;
            let _turn = self.engine.hashing.acquire().await.map_err(io::Error::other)?;
            let hashing = spawn_blocking(move || {
                hash.update(&piece);
                (hash, piece)
            });
            (hash, piece) = hashing.await.map_err(io::Error::from)?;
        }
    }
}

/// The name in `"a name"`, as many clients write it, or in `a name`; `None` if a range follows it.
fn unquoted(argument: &[u8]) -> Option<&[u8]> {
    let Some(rest) = argument.strip_prefix(b"\"") else { return Some(argument) };
    rest.trim_ascii_end().strip_suffix(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_stand_in_quotes() {
        assert_eq!(unquoted(b"a b.hl7"), Some(b"a b.hl7".as_slice()));
        assert_eq!(unquoted(b"\"a b.hl7\" "), Some(b"a b.hl7".as_slice()));
        assert_eq!(unquoted(b"\"a \"b\".hl7\""), Some(b"a \"b\".hl7".as_slice()));
        assert_eq!(unquoted(b"\"a.hl7\" 0 100"), None);
        assert_eq!(unquoted(b"\""), None);
    }
}
