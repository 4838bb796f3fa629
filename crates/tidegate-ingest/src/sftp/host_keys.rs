//! The keys by which senders know this server.
//!
//! Invariant: a key that others on this host could read is not used, and one that exists is never replaced:
//! every sender's client would refuse to connect.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{KeypairData, RsaKeypair};
use russh::keys::{Algorithm, HashAlg, PrivateKey};
use zeroize::Zeroizing;

/// Bits of the RSA key that is made (NIST SP 800-57 part 1, 5.6.1: 128 bit of strength).
const RSA_BITS: usize = 3072;
/// Longest key file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// The server's private keys; never printed.
#[derive(Clone)]
pub struct HostKeys(Vec<PrivateKey>);

/// Why a host key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// The file system refused.
    #[error("host key {path}: {source}\nMake one: ssh-keygen -t ed25519 -N '' -f {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Others can read it.
    #[error("host key {0} can be read by other users\nMake it private: chmod 0600 {0}")]
    Open(PathBuf),
    /// It is no private key, has a passphrase, or is of a kind that is not used. Of ecdsa keys in OpenSSH's own
    /// format one in 256 comes out as no key: ssh-key refuses a secret number that begins with a zero byte.
    #[error(
        "host key {0} is no private key without a passphrase, of kind ed25519, ecdsa or rsa\n\
         If it is one of kind ecdsa, convert it: ssh-keygen -p -m PEM -f {0}"
    )]
    NoKey(PathBuf),
    /// It could not be made.
    #[error("no host key can be made: {0}")]
    Making(String),
}

impl HostKeys {
    /// Names of the files that [`Self::make`] makes.
    pub const FILES: [&str; 2] = ["ssh_host_ed25519_key", "ssh_host_rsa_key"];

    /// Reads the keys. Blocks.
    pub fn load(paths: &[PathBuf]) -> Result<Self, HostKeyError> {
        paths.iter().map(|path| load(path)).collect::<Result<_, _>>().map(Self)
    }

    /// Makes a key of each kind in `folder`. Blocks, for a second or so.
    pub fn make(folder: &Path) -> Result<(), HostKeyError> {
        let random = &mut rand::rng();
        let ed25519 = PrivateKey::random(random, Algorithm::Ed25519).map_err(|error| making(&error))?;
        let rsa = RsaKeypair::random(random, RSA_BITS).map_err(|error| making(&error))?;
        let rsa = PrivateKey::new(KeypairData::Rsa(rsa), "").map_err(|error| making(&error))?;
        for (name, key) in Self::FILES.into_iter().zip([ed25519, rsa]) {
            write(&folder.join(name), &key)?;
        }
        Ok(())
    }

    /// The fingerprint of each, as clients show it when they connect for the first time.
    pub fn fingerprints(&self) -> Vec<String> {
        let shown =
            |key: &PrivateKey| format!("{} {}", key.algorithm().as_str(), key.fingerprint(HashAlg::Sha256));
        self.0.iter().map(shown).collect()
    }

    pub(super) fn into_keys(self) -> Vec<PrivateKey> {
        self.0
    }
}

fn making(error: &russh::keys::ssh_key::Error) -> HostKeyError {
    HostKeyError::Making(error.to_string())
}

fn load(path: &Path) -> Result<PrivateKey, HostKeyError> {
    let failed = |source| HostKeyError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(HostKeyError::Open(path.to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    let key = russh::keys::decode_secret_key(&text, None).ok();
    let is_used = |key: &PrivateKey| {
        matches!(key.algorithm(), Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. })
    };
    key.filter(is_used).ok_or_else(|| HostKeyError::NoKey(path.to_owned()))
}

fn write(path: &Path, key: &PrivateKey) -> Result<(), HostKeyError> {
    let text = key.to_openssh(LineEnding::LF).map_err(|error| making(&error))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|source| HostKeyError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn paths(folder: &Path) -> Vec<PathBuf> {
        HostKeys::FILES.map(|name| folder.join(name)).to_vec()
    }

    #[test]
    fn keys_are_private_are_read_back_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        HostKeys::make(folder.path()).unwrap();
        let before = HostKeys::load(&paths(folder.path())).unwrap().fingerprints();
        assert!(before[0].starts_with("ssh-ed25519 SHA256:"), "{before:?}");
        assert!(before[1].starts_with("ssh-rsa SHA256:"), "{before:?}");
        for path in paths(folder.path()) {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(matches!(HostKeys::make(folder.path()), Err(HostKeyError::Io { .. })));
        assert_eq!(HostKeys::load(&paths(folder.path())).unwrap().fingerprints(), before);
    }

    #[test]
    fn a_key_that_can_not_be_used_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let load = || HostKeys::load(std::slice::from_ref(&path)).err().unwrap().to_string();
        assert!(load().contains("ssh-keygen -t ed25519"), "{}", load());
        fs::write(&path, "nothing").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(load().contains("chmod 0600"), "{}", load());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(load().contains("is no private key"), "{}", load());
        assert!(load().contains("-m PEM"), "{}", load());
    }

    /// Its secret number begins with a zero byte.
    const ECDSA_KEY: &str = "-----BEGIN EC PRIVATE KEY-----\n\
MHcCAQEEIAA27wtQXypEVJE2Nzz/Z/ZN8emR4G+3Tli37kYDxxTfoAoGCCqGSM49\n\
AwEHoUQDQgAEoIN3dN5xlojqthXfsRUcUBkm6yiVp0Hl10hLeGJWp6w0e5bx3B3d\n\
eYYUShUiHdRKwf9mJEAOKvQhJB4AWbDmvw==\n\
-----END EC PRIVATE KEY-----\n";

    #[test]
    fn an_ecdsa_key_is_read_as_pem_whatever_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, ECDSA_KEY).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let shown = HostKeys::load(&[path]).unwrap().fingerprints();
        assert!(shown[0].starts_with("ecdsa-sha2-nistp256 SHA256:"), "{shown:?}");
    }
}
