//! SHA-256 of files.

use std::fmt::Debug;
use std::path::Path;

use async_trait::async_trait;
use unftp_core::storage::Error;

/// What HASH and XSHA256 tell of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// Of the whole file.
    pub sha256: [u8; 32],
    /// Its length.
    pub size_bytes: u64,
}

impl Digest {
    /// The hash as 64 hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        use std::fmt::Write;
        self.sha256.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// A storage that knows digests of files without reading them, or of files that nobody may read.
#[async_trait]
pub trait Digests<User>: Send + Sync + Debug {
    /// The digest of a file that `user` may know of. `None` has the engine read the file as for RETR; an
    /// error becomes the reply.
    async fn digest(&self, user: &User, path: &Path) -> Result<Option<Digest>, Error>;
}
