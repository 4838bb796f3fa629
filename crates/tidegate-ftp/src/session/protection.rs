//! What of a session is encrypted: AUTH, PBSZ, PROT, CCC (RFC 2228, 3; RFC 4217).
//!
//! Invariant: where encryption is demanded, no way leads to a login or a transfer without it; it is asked
//! for when a transfer begins, whatever was said before in whatever order.

use unftp_core::auth::{Authenticator, ClientCert, UserDetailProvider};
use unftp_core::storage::StorageBackend;

use super::login::Login;
use super::{Outcome, Session};
use crate::control::Control;
use crate::listing::Facts;
use crate::reply::Reply;
use crate::verb::Verb;
use crate::wire::Handshake;

/// How far encryption has got.
#[derive(Debug, Default)]
pub(super) struct Protection {
    /// The control connection is encrypted.
    pub(super) control: bool,
    /// The client has said PBSZ, without which there is no PROT.
    has_buffer_size: bool,
    /// How data connections are encrypted; `None` if they are not.
    pub(super) data: Option<Handshake>,
    /// What the client has proven to be.
    pub(super) certificates: Option<Vec<ClientCert>>,
}

impl<S, A> Session<'_, S, A>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    /// How a connection would be encrypted; `None` if there is no encryption.
    pub(super) fn handshake(&self) -> Option<Handshake> {
        let config = self.tls.config()?;
        Some(Handshake::new(config.clone(), self.engine.settings.handshake_max))
    }

    /// AUTH, PBSZ, PROT, CCC.
    pub(super) fn protect(&mut self, verb: Verb, argument: &[u8]) -> Outcome {
        let Some(handshake) = self.handshake() else {
            return Reply::new(502, "There is no encryption here").into();
        };
        let word = argument.trim_ascii().to_ascii_uppercase();
        if verb == Verb::Auth {
            return self.authenticate(&word, handshake);
        }
        if !self.protection.control {
            return Reply::new(503, "First AUTH TLS").into();
        }
        match (verb, word.as_slice()) {
            (Verb::Pbsz, size) if size.iter().all(u8::is_ascii_digit) => {
                self.protection.has_buffer_size = true;
                Reply::new(200, "PBSZ=0")
            }
            (Verb::Pbsz, _) => Reply::new(501, "Write: PBSZ 0"),
            (Verb::Prot, _) if !self.protection.has_buffer_size => Reply::new(503, "First PBSZ 0"),
            (Verb::Prot, b"P") => {
                self.protection.data = Some(handshake.for_data());
                Reply::new(200, "Data will be encrypted")
            }
            (Verb::Prot, b"C") if self.tls.is_demanded() => Reply::new(534, "Data must be encrypted: PROT P"),
            (Verb::Prot, b"C") => {
                self.protection.data = None;
                Reply::new(200, "Data will go in the clear")
            }
            (Verb::Prot, b"S" | b"E") => Reply::new(536, "TLS has PROT C and PROT P only"),
            (Verb::Prot, _) => Reply::new(504, "There are PROT C and PROT P only"),
            _ => Reply::new(534, "The control connection stays encrypted"),
        }
        .into()
    }

    fn authenticate(&self, word: &[u8], handshake: Handshake) -> Outcome {
        match word {
            _ if self.protection.control => Reply::new(503, "The connection is encrypted already").into(),
            _ if matches!(self.login, Login::In(_)) => Reply::new(503, "AUTH comes before the login").into(),
            b"TLS" | b"TLS-C" => Outcome::Encrypt(handshake),
            _ => Reply::new(504, "Write: AUTH TLS").into(),
        }
    }

    /// The connection is encrypted from here on, and what was said before is forgotten: somebody on the
    /// way may have said it.
    pub(super) fn encrypted(&mut self, control: &Control) {
        if let Login::Out { name, .. } = &mut self.login {
            *name = None;
        }
        self.facts = Facts::default();
        self.protection =
            Protection { control: true, certificates: control.certificates(), ..Protection::default() };
    }

    /// As it is where TLS is spoken from the first byte on: PROT P need not be said.
    pub(super) fn encrypt_data(&mut self) {
        self.protection.has_buffer_size = true;
        self.protection.data = self.handshake().map(|handshake| handshake.for_data());
    }
}
