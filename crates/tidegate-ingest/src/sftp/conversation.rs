//! SFTP on one channel: requests in, replies out, in order.
//!
//! Invariant: a client that asks for more than it reads makes us hold a bounded number of bytes: requests up
//! to [`WAITING_BYTES_MAX`], and replies up to [`OWED_BYTES_MAX`] beyond its window or [`AT_ONCE_BYTES_MAX`] in all.
//! What does not keep to the protocol ends the session.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use russh::server::Session as Ssh;
use russh::{ChannelId, Disconnect, Error};

use super::files::Files;
use super::handles::Bounds;
use super::reply::Reply;
use super::request::{PACKET_BYTES_MAX, Request};
use crate::session::SessionUser;
use crate::storage::InboxStorage;

/// Requests that wait until the client has read its replies.
const WAITING_BYTES_MAX: usize = 4 << 20;
/// Replies that wait until the client has room for them. More than the windows that clients give at once, so
/// that a client whose requests wait still has a reason to tell us of new room.
const OWED_BYTES_MAX: usize = 4 << 20;
/// Replies that are made before any of them is sent: russh writes to the connection only behind what it has asked of
/// us. A client may name a window of 2 GiB and have thousands of requests wait, each for 32 KiB. Far more than clients
/// have under way at once.
const AT_ONCE_BYTES_MAX: usize = 16 << 20;

/// A channel on which SFTP is spoken.
pub(super) struct Conversation {
    files: Files,
    input: BytesMut,
    owed_bytes: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The client has said that no requests follow.
    Ending,
    /// We have closed the channel.
    Closed,
}

impl Conversation {
    pub(super) fn new(storage: InboxStorage, user: Arc<SessionUser>, bounds: Bounds) -> Self {
        let files = Files::new(storage, user, bounds);
        Self { files, input: BytesMut::new(), owed_bytes: 0, state: State::Open }
    }

    /// Takes what the client sent.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.state != State::Open {
            return Ok(());
        }
        // russh does not hold a client to the window that it was given.
        if self.input.len() + bytes.len() > WAITING_BYTES_MAX {
            tracing::warn!("session ended: too many requests wait");
            return Err(Error::Pending);
        }
        self.input.extend_from_slice(bytes);
        Ok(())
    }

    /// No requests follow.
    pub(super) fn end_of_requests(&mut self) {
        if self.state == State::Open {
            self.state = State::Ending;
        }
    }

    /// Whether we have closed the channel.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Answers the requests that are there, as far as the client has room for the replies.
    pub(super) async fn go_on(&mut self, channel: ChannelId, ssh: &mut Ssh) -> Result<(), Error> {
        let mut at_once_bytes = 0;
        while self.state != State::Closed && self.has_room(channel, ssh) {
            match self.answer_next().await {
                Ok(Some(reply)) => {
                    at_once_bytes += self.send(reply, channel, ssh)?;
                    if at_once_bytes > AT_ONCE_BYTES_MAX {
                        tracing::warn!("session ended: too much was asked for at once");
                        return Err(Error::Pending);
                    }
                }
                Ok(None) => {
                    if self.state == State::Ending {
                        self.close(0, channel, ssh)?;
                    }
                    return Ok(());
                }
                Err(what) => {
                    tracing::warn!(what, "session ended: not SFTP");
                    self.state = State::Closed;
                    return ssh.disconnect(Disconnect::ProtocolError, what, "");
                }
            }
        }
        Ok(())
    }

    /// The reply to the next request; `None` if it is not there yet.
    async fn answer_next(&mut self) -> Result<Option<Reply>, &'static str> {
        let Some(length) = self.input.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) as usize) else {
            return Ok(None);
        };
        if length > PACKET_BYTES_MAX {
            return Err("a packet is too long");
        }
        if self.input.len() < size_of::<u32>() + length {
            return Ok(None);
        }
        self.input.advance(size_of::<u32>());
        let packet = self.input.split_to(length);
        let request = Request::parse(&packet).ok_or("a packet is malformed")?;
        Ok(Some(self.files.answer(request).await))
    }

    /// Whether the client has read enough of its replies to be given another one.
    fn has_room(&mut self, channel: ChannelId, ssh: &Ssh) -> bool {
        if !ssh.has_pending_data(channel) {
            self.owed_bytes = 0;
        }
        self.owed_bytes <= OWED_BYTES_MAX
    }

    /// Sends a reply; its length.
    fn send(&mut self, reply: Reply, channel: ChannelId, ssh: &mut Ssh) -> Result<usize, Error> {
        let ends_channel = reply.ends_channel();
        let bytes = reply.into_bytes();
        let length = bytes.len();
        self.owed_bytes += length;
        ssh.data(channel, bytes)?;
        self.files.answered();
        if ends_channel {
            self.close(1, channel, ssh)?;
        }
        Ok(length)
    }

    /// OpenSSH's scp takes a missing exit status for a failure.
    fn close(&mut self, status: u32, channel: ChannelId, ssh: &mut Ssh) -> Result<(), Error> {
        self.state = State::Closed;
        self.input.clear();
        self.files.give_up();
        ssh.exit_status_request(channel, status)?;
        ssh.eof(channel)?;
        ssh.close(channel)
    }
}
