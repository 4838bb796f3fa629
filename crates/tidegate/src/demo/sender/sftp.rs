//! A sender by SFTP.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use russh::client::{self, Handle};
use russh::keys::PublicKeyOrCertificate;
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::runtime::{Builder, Runtime};

use super::{PASSWORD, Sender};

const WRITE_BYTES: usize = 32 << 10;

pub(super) struct Sftp {
    runtime: Runtime,
    session: RawSftpSession,
    /// Its end ends the connection.
    _ssh: Handle<Trusting>,
}

impl Sftp {
    pub(super) fn log_in(address: SocketAddr, account: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("while starting an SFTP client")?;
        let doing = || format!("while logging in as {account}");
        let (ssh, session) = runtime.block_on(connect(address, account)).with_context(doing)?;
        Ok(Self { runtime, session, _ssh: ssh })
    }
}

impl Sender for Sftp {
    fn greeting(&self) -> String {
        String::new()
    }

    fn upload(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let uploaded = self.runtime.block_on(upload(&self.session, name, bytes));
        uploaded.with_context(|| format!("while uploading {name}"))
    }

    fn outbox(&mut self) -> Result<Vec<String>> {
        self.runtime.block_on(list(&self.session, "/outbox")).context("while listing the outbox")
    }

    fn fetch(&mut self, name: &str) -> Result<Vec<u8>> {
        let fetched = self.runtime.block_on(fetch(&self.session, &format!("/outbox/{name}")));
        fetched.with_context(|| format!("while fetching {name}"))
    }

    fn leave(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// Trusts any server: it is on this machine, and was started a moment ago.
struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

async fn connect(address: SocketAddr, account: &str) -> Result<(Handle<Trusting>, RawSftpSession)> {
    let config = Arc::new(client::Config { nodelay: true, ..client::Config::default() });
    let mut ssh = client::connect(config, address, Trusting).await?;
    ensure!(ssh.authenticate_password(account, PASSWORD).await?.success(), "the password was refused");
    let channel = ssh.channel_open_session().await?;
    channel.request_subsystem(true, "sftp").await?;
    let sftp = RawSftpSession::new(channel.into_stream());
    sftp.init().await?;
    Ok((ssh, sftp))
}

/// Success of CLOSE is what counts.
async fn upload(sftp: &RawSftpSession, name: &str, bytes: &[u8]) -> Result<()> {
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let handle = sftp.open(name, flags, FileAttributes::empty()).await?.handle;
    let mut offset = 0;
    for piece in bytes.chunks(WRITE_BYTES) {
        sftp.write(handle.as_str(), offset, piece.to_vec()).await?;
        offset += piece.len() as u64;
    }
    sftp.close(handle.as_str()).await?;
    Ok(())
}

async fn list(sftp: &RawSftpSession, path: &str) -> Result<Vec<String>> {
    let handle = sftp.opendir(path).await?.handle;
    let mut names = Vec::new();
    while let Some(listed) = unless_ended(sftp.readdir(handle.as_str()).await)? {
        names.extend(listed.files.into_iter().map(|file| file.filename));
    }
    sftp.close(handle.as_str()).await?;
    Ok(names)
}

async fn fetch(sftp: &RawSftpSession, path: &str) -> Result<Vec<u8>> {
    let handle = sftp.open(path, OpenFlags::READ, FileAttributes::empty()).await?.handle;
    let (mut bytes, length) = (Vec::new(), u32::try_from(WRITE_BYTES)?);
    while let Some(piece) = unless_ended(sftp.read(handle.as_str(), bytes.len() as u64, length).await)? {
        bytes.extend(piece.data);
    }
    sftp.close(handle.as_str()).await?;
    Ok(bytes)
}

/// `None` at the end of a file or a directory.
fn unless_ended<T>(answer: Result<T, Error>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Status(status)) if status.status_code == StatusCode::Eof => Ok(None),
        Err(error) => Err(error.into()),
    }
}
