//! russh's client, and packets by hand where that is too well-behaved.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::client::{self, AuthResult, DisconnectReason, Handle, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelMsg};
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};

use tokio::time::timeout;

use crate::rig::PASSWORD;

/// Longer than anything takes on a busy machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a server does that answers at all.
pub(crate) async fn in_time<T>(answer: impl Future<Output = T>) -> T {
    timeout(PATIENCE, answer).await.expect("an answer in time")
}

/// How a new file is opened.
pub(crate) const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::TRUNCATE);

/// Trusts everybody and keeps what it is told.
#[derive(Clone, Default)]
pub(crate) struct Visitor {
    pub(crate) banner: Arc<Mutex<String>>,
    /// Why the server has ended the session, and its words for it.
    pub(crate) goodbye: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Visitor {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(true)
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut Session) -> Result<(), russh::Error> {
        self.banner.lock().unwrap().push_str(banner);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(said) => {
                *self.goodbye.lock().unwrap() = Some(format!("{:?}: {}", said.reason_code, said.message));
                Ok(())
            }
            DisconnectReason::Error(error) => Err(error),
        }
    }
}

pub(crate) type Ssh = Handle<Visitor>;

/// A connection before its login.
pub(crate) async fn connect(address: SocketAddr) -> Ssh {
    connect_with(address, client::Config::default(), Visitor::default()).await
}

pub(crate) async fn connect_with(address: SocketAddr, config: client::Config, visitor: Visitor) -> Ssh {
    let config = Arc::new(client::Config { nodelay: true, ..config });
    in_time(client::connect(config, address, visitor)).await.unwrap()
}

/// A connection that has logged in.
pub(crate) async fn log_in(address: SocketAddr, account: &str) -> Ssh {
    let mut ssh = connect(address).await;
    assert!(try_password(&mut ssh, account, PASSWORD).await.success());
    ssh
}

pub(crate) async fn try_password(ssh: &mut Ssh, account: &str, password: &str) -> AuthResult {
    in_time(ssh.authenticate_password(account, password)).await.unwrap()
}

/// A session of a client like all others.
pub(crate) struct Client {
    pub(crate) ssh: Ssh,
    pub(crate) sftp: RawSftpSession,
}

impl Client {
    pub(crate) async fn login(address: SocketAddr, account: &str) -> Self {
        Self::over(log_in(address, account).await).await
    }

    pub(crate) async fn over(ssh: Ssh) -> Self {
        let channel = in_time(ssh.channel_open_session()).await.unwrap();
        in_time(channel.request_subsystem(true, "sftp")).await.unwrap();
        let sftp = RawSftpSession::new(channel.into_stream());
        sftp.set_timeout(PATIENCE.as_secs());
        sftp.init().await.unwrap();
        Self { ssh, sftp }
    }

    pub(crate) async fn open(&self, path: &str, flags: OpenFlags) -> Result<String, StatusCode> {
        let opened = self.sftp.open(path, flags, FileAttributes::empty()).await;
        opened.map(|handle| handle.handle).map_err(status)
    }

    pub(crate) async fn write(&self, handle: &str, offset: u64, bytes: &[u8]) -> Result<(), StatusCode> {
        self.sftp.write(handle, offset, bytes.to_vec()).await.map(drop).map_err(status)
    }

    pub(crate) async fn close(&self, handle: &str) -> Result<(), StatusCode> {
        self.sftp.close(handle).await.map(drop).map_err(status)
    }

    /// Uploads a file as clients do.
    pub(crate) async fn store(&self, path: &str, bytes: &[u8]) -> Result<(), StatusCode> {
        let handle = self.open(path, NEW).await?;
        let mut offset = 0;
        for piece in bytes.chunks(32 << 10) {
            self.write(&handle, offset, piece).await?;
            offset += piece.len() as u64;
        }
        self.close(&handle).await
    }

    pub(crate) async fn rename(&self, from: &str, to: &str) -> Result<(), StatusCode> {
        self.sftp.rename(from, to).await.map(drop).map_err(status)
    }

    pub(crate) async fn remove(&self, path: &str) -> Result<(), StatusCode> {
        self.sftp.remove(path).await.map(drop).map_err(status)
    }

    /// Length of what is at `path`.
    pub(crate) async fn size(&self, path: &str) -> Result<u64, StatusCode> {
        let (one, other) = (self.sftp.stat(path).await, self.sftp.lstat(path).await);
        let (one, other) = (one.map_err(status), other.map_err(status));
        let sizes = [one, other].map(|attrs| attrs.map(|attrs| attrs.attrs.size.unwrap()));
        assert_eq!(sizes[0], sizes[1], "there are no links");
        sizes[0]
    }

    pub(crate) async fn names(&self, path: &str) -> Result<Vec<String>, StatusCode> {
        let handle = self.sftp.opendir(path).await.map_err(status)?.handle;
        let mut names = Vec::new();
        loop {
            match self.sftp.readdir(handle.as_str()).await.map_err(status) {
                Ok(name) => names.extend(name.files.into_iter().map(|file| file.filename)),
                Err(StatusCode::Eof) => break,
                Err(other) => return Err(other),
            }
        }
        self.close(&handle).await?;
        Ok(names)
    }

    /// Whether the channel has ended: nothing is answered any more.
    pub(crate) async fn is_over(&self) -> bool {
        matches!(self.sftp.stat("/").await, Err(error) if !matches!(error, Error::Status(_) | Error::Timeout))
    }
}

/// The status of a request that was refused.
pub(crate) fn status(error: Error) -> StatusCode {
    match error {
        Error::Status(status) => status.status_code,
        other => panic!("no answer: {other}"),
    }
}

/// A channel on which anything can be said.
pub(crate) struct Raw {
    pub(crate) ssh: Ssh,
    pub(crate) channel: Channel<Msg>,
    input: Vec<u8>,
}

impl Raw {
    pub(crate) async fn login(address: SocketAddr) -> Self {
        Self::over(log_in(address, "acme").await).await
    }

    pub(crate) async fn over(ssh: Ssh) -> Self {
        let mut channel = in_time(ssh.channel_open_session()).await.unwrap();
        in_time(channel.request_subsystem(true, "sftp")).await.unwrap();
        while !matches!(in_time(channel.wait()).await.expect("a channel"), ChannelMsg::Success) {}
        Self { ssh, channel, input: Vec::new() }
    }

    pub(crate) async fn send(&self, bytes: &[u8]) {
        in_time(self.channel.data(bytes)).await.unwrap();
    }

    /// The next packet without its length; `None` once the channel or the connection has ended.
    pub(crate) async fn reply(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = self.input.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) as usize)
                && self.input.len() >= 4 + length
            {
                let packet = self.input[4..4 + length].to_vec();
                self.input.drain(..4 + length);
                return Some(packet);
            }
            match in_time(self.channel.wait()).await? {
                ChannelMsg::Data { data } => self.input.extend_from_slice(&data),
                ChannelMsg::Close => return None,
                _ => {}
            }
        }
    }
}

/// A packet: its kind, its number and its fields.
pub(crate) fn packet(kind: u8, id: u32, fields: &[&[u8]]) -> Vec<u8> {
    let body = [&[kind][..], &id.to_be_bytes(), &fields.concat()].concat();
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat()
}

pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// Bytes that differ from their neighbours.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}
