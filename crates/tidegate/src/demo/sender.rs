//! A vendor's side of the demo: an ordinary FTP client.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use suppaftp::FtpStream;
use suppaftp::types::{FileType, Mode};

/// Password of every account of the demo; the server listens on loopback only.
pub(super) const PASSWORD: &str = "demo-demo-demo";

/// A session of one account.
pub(super) struct Sender {
    ftp: FtpStream,
    greeting: String,
}

impl Sender {
    pub(super) fn log_in(address: SocketAddr, account: &str) -> Result<Self> {
        let mut ftp = FtpStream::connect(address).context("while connecting to the FTP door")?;
        let greeting = ftp.get_welcome_msg().unwrap_or_default().trim().to_owned();
        ftp.set_mode(Mode::ExtendedPassive);
        ftp.login(account, PASSWORD).with_context(|| format!("while logging in as {account}"))?;
        ftp.transfer_type(FileType::Binary).context("while choosing binary transfers")?;
        Ok(Self { ftp, greeting })
    }

    /// What the server said before the login.
    pub(super) fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Uploads; `Ok` only if the server replied 226.
    pub(super) fn upload(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.ftp.put_file(name, &mut &*bytes).with_context(|| format!("while uploading {name}"))?;
        Ok(())
    }

    /// Names in the outbox.
    pub(super) fn outbox(&mut self) -> Result<Vec<String>> {
        let mut names = self.ftp.nlst(Some("/outbox")).context("while listing the outbox")?;
        names.sort();
        Ok(names)
    }

    pub(super) fn fetch(&mut self, name: &str) -> Result<String> {
        let path = format!("/outbox/{name}");
        let bytes = self.ftp.retr_as_buffer(&path).with_context(|| format!("while fetching {name}"))?;
        Ok(String::from_utf8_lossy(&bytes.into_inner()).into_owned())
    }

    pub(super) fn leave(mut self) -> Result<()> {
        self.ftp.quit().context("while logging out")
    }
}
