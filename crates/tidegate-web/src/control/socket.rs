//! The Unix socket of the control API.
//!
//! Invariant: only its user can open it, and a socket on which a server answers is never taken away
//! from it; one that a dead server left behind is replaced.

use std::io;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use tokio::net::UnixListener;

/// Why the socket can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A server answers on it.
    #[error("a running server answers on {0}")]
    InUse(PathBuf),
    /// Something else lies there.
    #[error("{0} is not a socket")]
    Foreign(PathBuf),
    /// The file system refused.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// A bound socket; its file goes when this is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    guard: SocketFile,
}

/// Removes the socket's file when dropped.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl ControlSocket {
    /// Binds `path`, replacing what a dead server left there. Must be called inside a runtime.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        let io = |doing| {
            let path = path.to_owned();
            move |source| SocketError::Io { doing, path, source }
        };
        clear(path)?;
        let listener = UnixListener::bind(path).map_err(io("binding"))?;
        let guard = SocketFile(path.to_owned());
        rustix::fs::chmod(path, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| io("setting the mode of")(errno.into()))?;
        Ok(Self { listener, guard })
    }

    pub(super) fn into_parts(self) -> (UnixListener, SocketFile) {
        (self.listener, self.guard)
    }
}

/// Takes a dead server's socket away.
fn clear(path: &Path) -> Result<(), SocketError> {
    match BlockingStream::connect(path) {
        Ok(_) => Err(SocketError::InUse(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) if is_socket(path) => std::fs::remove_file(path).map_err(|source| SocketError::Io {
            doing: "removing the left-over",
            path: path.to_owned(),
            source,
        }),
        Err(_) => Err(SocketError::Foreign(path.to_owned())),
    }
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The next start replaces it anyway.
        let _ = std::fs::remove_file(&self.0);
    }
}
