//! A vendor's side of the demo: an ordinary client of each protocol.

mod ftp;
mod sftp;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;

use ftp::Ftp;
use sftp::Sftp;

/// Password of every account of the demo; the server listens on loopback only.
pub(super) const PASSWORD: &str = "demo-demo-demo";

/// Where the server is, and how it is known.
pub(super) struct Doors {
    pub(super) ftp: SocketAddr,
    pub(super) sftp: SocketAddr,
    /// What it proves itself with over FTPS.
    pub(super) certificate: PathBuf,
}

/// What a sender speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Ftp,
    Ftps,
    Sftp,
}

impl Protocol {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ftp => "FTP",
            Self::Ftps => "FTPS",
            Self::Sftp => "SFTP",
        }
    }

    /// How the server says that an upload is accepted.
    pub(super) fn success(self) -> &'static str {
        if self == Self::Sftp { "OK" } else { "226" }
    }
}

/// A session of one account.
pub(super) trait Sender {
    /// What the server said before the login.
    fn greeting(&self) -> String;
    /// Uploads; `Ok` only if the server said that the file is accepted.
    fn upload(&mut self, name: &str, bytes: &[u8]) -> Result<()>;
    /// Names in the outbox.
    fn outbox(&mut self) -> Result<Vec<String>>;
    /// A file of the outbox.
    fn fetch(&mut self, name: &str) -> Result<Vec<u8>>;
    fn leave(self: Box<Self>) -> Result<()>;
}

pub(super) fn log_in(doors: &Doors, protocol: Protocol, account: &str) -> Result<Box<dyn Sender>> {
    Ok(match protocol {
        Protocol::Ftp => Box::new(Ftp::log_in(doors.ftp, None, account)?),
        Protocol::Ftps => Box::new(Ftp::log_in(doors.ftp, Some(&doors.certificate), account)?),
        Protocol::Sftp => Box::new(Sftp::log_in(doors.sftp, account)?),
    })
}
