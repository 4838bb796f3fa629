//! How SSH is spoken: algorithms, logins, sizes.
//!
//! Invariant: nothing is offered that `ssh-audit` calls worse than a warning: no SHA-1, no CBC, no NIST curves
//! for the key exchange. What a sender's old client needs beyond that is its host key: see the operations guide.

use std::borrow::Cow;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::server::Config;
use russh::{MethodKind, MethodSet, Preferred, SshId, kex};

use super::host_keys::HostKeys;
use super::serve::GOODBYE_MAX;
use crate::config::LimitsConfig;

/// Bytes that a client may send on a channel before it is told that there is room for more.
pub(super) const WINDOW_BYTES: u32 = 2 << 20;

/// Refused attempts in one connection, keys that are only offered included, before it is closed.
const ATTEMPTS_MAX: usize = 10;

/// Larger than the largest reply of a key exchange needs: see the [`sftp`](crate::sftp) module for why replies do not
/// wait here.
const EVENTS_MAX: usize = 2048;

const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::DH_GEX_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

const KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// The methods that stay open after a refusal.
pub(super) fn methods() -> MethodSet {
    MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..])
}

/// The settings of every connection.
pub(super) fn ssh_settings(host_keys: HostKeys, limits: &LimitsConfig) -> Config {
    Config {
        // No version: it would tell whoever scans for an old one.
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-tidegate")),
        methods: methods(),
        // Refusals take as long as the accounts say, and offers of keys no time at all.
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: ATTEMPTS_MAX,
        keys: host_keys.into_keys(),
        window_size: WINDOW_BYTES,
        event_buffer_size: EVENTS_MAX,
        // russh closes without a word: whoever has an upload open is told before (`progress`).
        inactivity_timeout: Some(limits.session_idle_max.0 + GOODBYE_MAX),
        nodelay: true,
        preferred: Preferred { kex: Cow::Borrowed(KEX), key: Cow::Borrowed(KEYS), ..Preferred::default() },
        ..Config::default()
    }
}
