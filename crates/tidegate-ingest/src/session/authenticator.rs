//! The login of one session, in unftp-core's terms.
//!
//! Invariant: passwords that a client sends without waiting for the answer are checked one after the
//! other, so that one connection never guesses faster than the refusal delay allows.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use unftp_core::auth::{
    AuthenticationError, Authenticator, ChannelEncryptionState, Credentials, Principal, UserDetailError,
    UserDetailProvider,
};
use zeroize::Zeroizing;

use super::{Session, SessionUser};
use crate::accounts::{Fingerprint, LoginRefused};
use crate::intake::{Intake, TurnedAway};

/// Logs one session in.
#[derive(Debug)]
pub struct SessionAuthenticator {
    intake: Arc<Intake>,
    session: Arc<Session>,
    one_at_a_time: tokio::sync::Mutex<()>,
    /// Who passed and was not yet asked for: an engine asks for both, one after the other.
    passed: Mutex<Option<SessionUser>>,
}

impl SessionAuthenticator {
    /// For one session.
    pub fn new(intake: Arc<Intake>, session: Arc<Session>) -> Self {
        Self { intake, session, one_at_a_time: tokio::sync::Mutex::default(), passed: Mutex::default() }
    }
}

#[async_trait]
impl Authenticator for SessionAuthenticator {
    async fn authenticate(
        &self,
        username: &str,
        creds: &Credentials,
    ) -> Result<Principal, AuthenticationError> {
        let password = Zeroizing::new(creds.password.clone().unwrap_or_default());
        // The first is the client's own; those of authorities follow it.
        let shown = creds.certificate_chain.as_ref().and_then(|chain| chain.first());
        let certificate = shown.map(|certificate| Fingerprint::of(&certificate.0));
        let _turn = self.one_at_a_time.lock().await;
        if matches!(creds.command_channel_security, ChannelEncryptionState::Tls) {
            self.session.encrypted();
        }
        match self.intake.log_in(&self.session, username, password, certificate).await {
            Ok(user) => {
                *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = Some(user);
                Ok(Principal { username: username.to_owned() })
            }
            // Only who has the right password gets so far.
            Err(LoginRefused::TooManySessions) => Err(AuthenticationError::new(TurnedAway::Full.to_string())),
            // Whatever the reason was, the client hears the same.
            Err(_) => Err(AuthenticationError::BadPassword),
        }
    }
}

#[async_trait]
impl UserDetailProvider for SessionAuthenticator {
    type User = SessionUser;

    async fn provide_user_detail(&self, principal: &Principal) -> Result<SessionUser, UserDetailError> {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let of_principal = passed.filter(|user| user.login().account == principal.username);
        of_principal.ok_or_else(|| UserDetailError::new("nobody has logged in"))
    }
}
