//! The sections of `tidegate.toml` that the doors own.
//!
//! Invariant: every section has a default for each key and knows no other keys. [`Setting`] problems
//! are returned all together, each with its key; nothing here reads files or binds sockets.

mod audit;
mod auth;
mod folder;
mod ftp;
mod ftps_implicit;
mod limits;
mod ports;
mod sftp;
mod uploads;

pub use audit::AuditConfig;
pub use auth::AuthConfig;
pub use folder::FolderConfig;
pub use ftp::{FtpConfig, FtpEngine, Tls};
pub use ftps_implicit::FtpsImplicitConfig;
pub use limits::LimitsConfig;
pub use ports::{PortRange, PortRangeError};
pub use sftp::SftpConfig;
pub use uploads::UploadsConfig;

/// A setting that can't be used: its key inside the section, and what to do about it.
pub type Setting = (&'static str, String);
