//! Public keys that an account may log in with over SSH.
//!
//! Invariant: a key that comes out of here is one of the strong kinds (RFC 8332, RFC 8709, RFC 5656), and a
//! line that would mean less or more to OpenSSH than to us is refused: options before the key, certificates.

use std::fmt;

use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, HashAlg, PublicKey};

/// A sender's public key. Two are equal if they are the same key, whatever their comments.
#[derive(Clone)]
pub struct SenderKey(PublicKey);

/// Why a text is no key that may be used. The texts do not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not what `ssh-keygen` writes into a `.pub` file.
    #[error("not a public key; write one line of a .pub file, such as \"ssh-ed25519 AAAA... name\"")]
    NoKey,
    /// Nothing but empty lines and remarks.
    #[error("there is no key in it")]
    Empty,
    /// Somebody is about to give away a secret.
    #[error("this is a private key; it stays with its owner: use the file with the ending .pub")]
    Private,
    /// Options as OpenSSH knows them.
    #[error("options before a key are not supported; use allow_from and disabled of the account")]
    Options,
    /// DSA, a certificate, a key on a token.
    #[error("keys of this kind are not accepted; use ssh-ed25519, ecdsa-sha2-nistp256 or ssh-rsa")]
    Kind,
    /// RSA keys that can be broken.
    #[error("an RSA key needs at least {} bits", SenderKey::RSA_BITS_MIN)]
    TooShort,
}

impl SenderKey {
    /// Shortest RSA key that is accepted, in bits (NIST SP 800-131A).
    pub const RSA_BITS_MIN: u32 = 2048;

    /// Reads one line as it stands in a `.pub` file or in `authorized_keys`.
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        let line = line.trim();
        if line.starts_with("-----BEGIN") {
            return Err(KeyError::Private);
        }
        let first = line.split_ascii_whitespace().next().unwrap_or_default();
        let is_kind = ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| first.starts_with(kind));
        if first.contains("-cert-v0") || first.starts_with("sk-") || first == "ssh-dss" {
            return Err(KeyError::Kind);
        }
        if !is_kind {
            let has_key = line.contains(" ssh-") || line.contains(" ecdsa-");
            return Err(if has_key { KeyError::Options } else { KeyError::NoKey });
        }
        Self::of(&PublicKey::from_openssh(line).map_err(|_| KeyError::NoKey)?)
    }

    /// Takes a key that a client offers.
    pub(crate) fn of(key: &PublicKey) -> Result<Self, KeyError> {
        match (key.algorithm(), key.key_data()) {
            (Algorithm::Rsa { .. }, KeyData::Rsa(rsa)) if rsa.key_size() < Self::RSA_BITS_MIN => {
                Err(KeyError::TooShort)
            }
            (Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. }, _) => {
                Ok(Self(key.clone()))
            }
            _ => Err(KeyError::Kind),
        }
    }

    /// The line that is written into an organization's file.
    pub fn to_line(&self) -> Result<String, KeyError> {
        self.0.to_openssh().map_err(|_| KeyError::NoKey)
    }

    /// As `ssh-keygen -l` shows it: `SHA256:...`.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Kind, fingerprint and comment, for staff.
    pub fn describe(&self) -> String {
        let comment = self.0.comment().as_str_lossy();
        let text = format!("{} {} {comment}", self.0.algorithm().as_str(), self.fingerprint());
        text.trim_end().to_owned()
    }
}

impl PartialEq for SenderKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key_data() == other.0.key_data()
    }
}

impl Eq for SenderKey {}

impl fmt::Debug for SenderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SenderKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEZ4";

    fn generated(algorithm: Algorithm) -> String {
        let key = russh::keys::PrivateKey::random(&mut rand::rng(), algorithm).unwrap();
        key.public_key().to_openssh().unwrap()
    }

    #[test]
    fn a_key_is_the_same_whatever_its_comment_and_survives_its_own_line() {
        let line = generated(Algorithm::Ed25519);
        let key = SenderKey::parse(&format!("{line} somebody@somewhere\n")).unwrap();
        assert_eq!(key, SenderKey::parse(&line).unwrap());
        assert_eq!(key, SenderKey::parse(&key.to_line().unwrap()).unwrap());
        assert!(key.describe().starts_with("ssh-ed25519 SHA256:"), "{}", key.describe());
        assert!(key.describe().ends_with(" somebody@somewhere"), "{}", key.describe());
        assert_ne!(key, SenderKey::parse(&generated(Algorithm::Ed25519)).unwrap());
    }

    #[test]
    fn what_is_no_strong_public_key_is_refused() {
        let key = generated(Algorithm::Ed25519);
        for (line, error) in [
            ("", KeyError::NoKey),
            ("hello", KeyError::NoKey),
            (ED25519, KeyError::NoKey),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", KeyError::Private),
            (&format!("from=\"10.0.0.1\" {key}"), KeyError::Options),
            ("ssh-dss AAAAB3NzaC1kc3M=", KeyError::Kind),
            ("sk-ssh-ed25519@openssh.com AAAA", KeyError::Kind),
            ("ssh-ed25519-cert-v01@openssh.com AAAA", KeyError::Kind),
            (SHORT_RSA, KeyError::TooShort),
        ] {
            assert_eq!(SenderKey::parse(line).unwrap_err(), error, "{line}");
        }
    }

    /// An RSA key of 1024 bits.
    const SHORT_RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCzOYKb/pYF+ImvD9FaYYn6Hss0NHuio0pO8swa5Rm4JeTR1ZCh9dTGcJ0OHvPzepM2UF+95arAzVVOvjku4S9sjXWNCEGsDwIYDok5Kpytw12v7gVTateAZ9LF8rXash3nAKc0cqhrF/BhXXxN6WjYqilYLIjFPGNBRS80xB4BfQ==";
}
