//! What russh asks of us about one connection: who it is, and what its channels are for.
//!
//! Invariant: before the login there are no channels, and a channel speaks SFTP or nothing. Of an account's
//! password and keys the client learns only whether the login succeeded.
//!
//! What takes long is boxed: russh keeps room for the largest of these futures in the task of each session, also
//! of one that waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session as Ssh, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelOpenFailure, Error, MethodSet, Pty};
use tracing::Instrument;
use zeroize::Zeroizing;

use super::conversation::Conversation;
use super::handles::Bounds;
use super::settings::methods;
use crate::accounts::{LoginRefused, SenderKey};
use crate::announcement::lines;
use crate::intake::Intake;
use crate::session::{Session, SessionUser};
use crate::storage::InboxStorage;

/// Wrong passwords and keys in one connection.
const REFUSALS_MAX: u32 = 5;
/// Channels of one connection at once.
const CHANNELS_MAX: usize = 8;

/// One client.
pub(super) struct Visitor {
    intake: Arc<Intake>,
    session: Arc<Session>,
    announcement: Option<String>,
    refusals: u32,
    user: Option<Arc<SessionUser>>,
    /// The account of the last key that was not taken, and why.
    refused_key: Option<(String, LoginRefused)>,
    bounds: Bounds,
    /// Channels that are open, and some that were.
    channels: BTreeMap<ChannelId, Use>,
}

/// What a channel is used for.
enum Use {
    Nothing,
    Sftp(Box<Conversation>),
    /// It is closed. As long as russh keeps replies for it that the client has no room for, it counts.
    Over,
}

impl Visitor {
    pub(super) fn new(
        intake: Arc<Intake>,
        session: Arc<Session>,
        announcement: Option<String>,
        bounds: Bounds,
    ) -> Self {
        let channels = BTreeMap::new();
        Self { intake, session, announcement, refusals: 0, user: None, refused_key: None, bounds, channels }
    }

    fn answer(&mut self, login: Result<SessionUser, LoginRefused>) -> Auth {
        if let Ok(user) = login {
            self.user = Some(Arc::new(user));
            Auth::Accept
        } else {
            // Whatever the reason was, the client hears the same.
            self.refusals += 1;
            self.refusal()
        }
    }

    /// russh takes a method off its list unless it is named again.
    fn refusal(&self) -> Auth {
        let methods = if self.may_try() { methods() } else { MethodSet::empty() };
        Auth::Reject { proceed_with_methods: Some(methods), partial_success: false }
    }

    fn may_try(&self) -> bool {
        self.refusals < REFUSALS_MAX
    }

    /// Answers what can be answered on a channel.
    async fn go_on(&mut self, channel: ChannelId, ssh: &mut Ssh) -> Result<(), Error> {
        let Some(used) = self.channels.get_mut(&channel) else { return Ok(()) };
        if let Use::Sftp(conversation) = used {
            let _work = self.bounds.progress.work();
            let going_on = conversation.go_on(channel, ssh).instrument(self.session.span().clone());
            Box::pin(going_on).await?;
            if conversation.is_closed() {
                *used = Use::Over;
            }
        }
        Ok(())
    }
}

impl Drop for Visitor {
    /// Clients offer all keys they have, one after the other: that one of them is not taken says nothing until they
    /// go without having logged in. Passwords that were wrong are noted already.
    fn drop(&mut self) {
        if let (None, 0, Some((account, reason))) = (&self.user, self.refusals, &self.refused_key) {
            self.intake.note_login_refused(&self.session, account, *reason);
        }
    }
}

impl Handler for Visitor {
    type Error = Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Error> {
        let text: String =
            self.announcement.iter().flat_map(|text| lines(text)).map(|line| line + "\r\n").collect();
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, Error> {
        Ok(self.refusal())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Error> {
        if !self.may_try() {
            return Ok(self.refusal());
        }
        let password = Zeroizing::new(password.to_owned());
        let login = Box::pin(self.intake.log_in(&self.session, user, password, None)).await;
        Ok(self.answer(login))
    }

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Error> {
        if !self.may_try() {
            return Ok(self.refusal());
        }
        let key = Some(offer.public_key).filter(|_| is_strong(offer.algorithm)).map(SenderKey::of);
        let looked_up = match key {
            Some(Ok(key)) => self.intake.look_up_key(&self.session, user, &key),
            _ => Err(LoginRefused::UnknownKey),
        };
        match looked_up {
            Ok(()) => Ok(Auth::Accept),
            Err(reason) => {
                self.refused_key = Some((user.to_owned(), reason));
                Ok(self.refusal())
            }
        }
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Error> {
        match SenderKey::of(key.public_key) {
            Ok(sender_key) if self.may_try() && is_strong(key.algorithm) => {
                let login = Box::pin(self.intake.log_in_with_key(&self.session, user, &sender_key)).await;
                Ok(self.answer(login))
            }
            _ => Ok(self.refusal()),
        }
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        ssh: &mut Ssh,
    ) -> Result<(), Error> {
        self.channels.retain(|channel, used| !matches!(used, Use::Over) || ssh.has_pending_data(*channel));
        if self.channels.len() >= CHANNELS_MAX {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
        } else {
            self.channels.insert(channel.id(), Use::Nothing);
            reply.accept().await;
        }
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        ssh: &mut Ssh,
    ) -> Result<(), Error> {
        match (name, &self.user, self.channels.get_mut(&channel)) {
            ("sftp", Some(user), Some(free @ Use::Nothing)) => {
                let storage = InboxStorage::new(Arc::clone(&self.intake), Arc::clone(&self.session));
                let conversation = Conversation::new(storage, Arc::clone(user), self.bounds.clone());
                *free = Use::Sftp(Box::new(conversation));
                ssh.channel_success(channel)
            }
            _ => ssh.channel_failure(channel),
        }
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], ssh: &mut Ssh) -> Result<(), Error> {
        if let Some(Use::Sftp(conversation)) = self.channels.get_mut(&channel) {
            conversation.take(data)?;
        }
        self.go_on(channel, ssh).await
    }

    async fn window_adjusted(&mut self, channel: ChannelId, _size: u32, ssh: &mut Ssh) -> Result<(), Error> {
        self.go_on(channel, ssh).await
    }

    async fn channel_eof(&mut self, channel: ChannelId, ssh: &mut Ssh) -> Result<(), Error> {
        if let Some(Use::Sftp(conversation)) = self.channels.get_mut(&channel) {
            conversation.end_of_requests();
        }
        self.go_on(channel, ssh).await
    }

    async fn channel_close(&mut self, channel: ChannelId, _ssh: &mut Ssh) -> Result<(), Error> {
        if let Some(used) = self.channels.get_mut(&channel) {
            *used = Use::Over;
        }
        Ok(())
    }

    // What follows is refused; russh itself would leave the client without an answer.

    async fn shell_request(&mut self, channel: ChannelId, ssh: &mut Ssh) -> Result<(), Error> {
        ssh.channel_failure(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        ssh: &mut Ssh,
    ) -> Result<(), Error> {
        ssh.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        ssh: &mut Ssh,
    ) -> Result<(), Error> {
        ssh.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(Pty, u32)],
        ssh: &mut Ssh,
    ) -> Result<(), Error> {
        ssh.channel_failure(channel)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single_connection: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        ssh: &mut Ssh,
    ) -> Result<(), Error> {
        ssh.channel_failure(channel)
    }
}

/// SHA-1 signatures are not.
fn is_strong(algorithm: &russh::keys::Algorithm) -> bool {
    !matches!(algorithm, russh::keys::Algorithm::Rsa { hash: None })
}
