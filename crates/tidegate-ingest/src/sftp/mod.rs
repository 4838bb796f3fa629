//! The SFTP door: version 3 of the protocol (draft-ietf-secsh-filexfer-02) inside SSH (RFC 4251 to 4254).
//!
//! Invariant: the success of CLOSE means what FTP's 226 means, and a connection that is lost before CLOSE
//! leaves no job. A session gets no further than its organization's tree: no shell, no commands, no
//! forwarding.
//!
//! Requests are answered in the task that reads them, one after the other, in the order in which they came
//! (`conversation`). So no queue lies between the connection and the store, where replies could wait for a
//! key exchange that waits for them; a sender that does not read its answers is not read any further.
//!
//! Only this directory, and the keys among the accounts, name russh and russh-sftp.

mod accept;
mod conversation;
mod files;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod handles;
mod host_keys;
mod incoming;
mod listing;
mod progress;
mod reply;
mod request;
mod serve;
mod settings;
mod tree;
mod visitor;

pub use accept::{SftpDoor, run};
pub use host_keys::{HostKeyError, HostKeys};
