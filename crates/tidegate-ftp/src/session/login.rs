//! Who the client is.

use unftp_core::auth::{
    AuthenticationError, Authenticator, ChannelEncryptionState, Credentials, UserDetail, UserDetailProvider,
};
use unftp_core::storage::StorageBackend;
use zeroize::Zeroizing;

use super::{Outcome, Session};
use crate::reply::Reply;
use crate::verb::Verb;

/// Wrong passwords after which a session ends.
const FAILURES_MAX: u32 = 5;

/// How far a client has got.
#[derive(Debug)]
pub(super) enum Login<U> {
    /// Nobody yet.
    Out {
        /// As USER said.
        name: Option<String>,
        failures: u32,
    },
    /// Logged in.
    In(U),
}

/// Why nobody was logged in.
enum Refused {
    /// The client hears the same, whatever it was.
    Wrong,
    /// Nothing is wrong with the login; why it has to wait.
    NotNow(String),
}

impl From<AuthenticationError> for Refused {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::ImplPropagated(why, _) => Self::NotNow(why),
            _ => Self::Wrong,
        }
    }
}

impl<U> Default for Login<U> {
    fn default() -> Self {
        Self::Out { name: None, failures: 0 }
    }
}

impl<S, A> Session<'_, S, A>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    pub(super) async fn log_in(&mut self, verb: Verb, argument: Vec<u8>) -> Outcome {
        let argument = Zeroizing::new(argument);
        if self.tls.is_demanded() && !self.protection.control {
            let text = "Encrypt first: AUTH TLS. Most programs call it explicit FTP over TLS, or FTPES";
            return Reply::new(530, text).into();
        }
        let Login::Out { name, failures } = &mut self.login else {
            return Reply::new(if verb == Verb::User { 530 } else { 503 }, "You are logged in").into();
        };
        match (verb, name.take()) {
            (Verb::Acct, _) => Reply::new(202, "No account is needed").into(),
            (Verb::User, _) => {
                // A name that is no text is nobody's, but that is not told before the password.
                *name = Some(String::from_utf8_lossy(&argument).into_owned());
                Reply::new(331, "Now the password").into()
            }
            (_, None) => Reply::new(503, "First USER, then PASS").into(),
            (_, Some(user)) => {
                let failures = *failures + 1;
                match self.check(&user, &argument).await {
                    Ok(()) => return Reply::new(230, "Welcome").into(),
                    Err(Refused::NotNow(why)) => return Outcome::End(Reply::new(421, why)),
                    Err(Refused::Wrong) => {}
                }
                self.login = Login::Out { name: None, failures };
                let refused = Reply::new(530, "User name or password is wrong");
                if failures >= FAILURES_MAX { Outcome::End(refused) } else { refused.into() }
            }
        }
    }

    async fn check(&mut self, name: &str, password: &[u8]) -> Result<(), Refused> {
        let credentials = Credentials {
            password: Some(String::from_utf8(password.to_vec()).map_err(|_| Refused::Wrong)?),
            certificate_chain: self.protection.certificates.clone(),
            source_ip: self.peer.ip().to_canonical(),
            command_channel_security: if self.protection.control {
                ChannelEncryptionState::Tls
            } else {
                ChannelEncryptionState::Plaintext
            },
        };
        let principal = self.accounts.authenticate(name, &credentials).await?;
        let user = self.accounts.provide_user_detail(&principal).await.map_err(|_| Refused::Wrong)?;
        if !user.account_enabled() || self.storage.enter(&user).is_err() {
            return Err(Refused::Wrong);
        }
        self.login = Login::In(user);
        Ok(())
    }
}
