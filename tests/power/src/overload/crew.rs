//! Sessions that upload and remember what they read.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use suppaftp::{FtpError, FtpStream};

use crate::ledger::{Shared, Told};
use crate::server::log_in;
use crate::upload::Upload;

/// What a sender was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Accepted,
    /// With this code.
    Refused(u32),
    /// The connection ended without a reply.
    Lost,
}

/// One upload by the eyes of its sender.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) upload: Upload,
    pub(super) begun: Instant,
    pub(super) took: Duration,
    pub(super) reply: Reply,
}

impl Outcome {
    pub(super) fn ended(&self) -> Instant {
        self.begun + self.took
    }
}

/// When a session ends, besides having nothing left to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Told,
    Refused,
}

/// Running sessions.
pub(super) struct Crew {
    ftp: SocketAddr,
    ledger: Shared,
    over: Arc<AtomicBool>,
    sessions: Vec<JoinHandle<Vec<Outcome>>>,
}

impl Crew {
    pub(super) fn new(ftp: SocketAddr, ledger: &Shared) -> Self {
        Self { ftp, ledger: ledger.clone(), over: Arc::default(), sessions: Vec::new() }
    }

    /// Starts a session that sends these files one after the other.
    pub(super) fn send(
        &mut self,
        org: &'static str,
        until: Until,
        uploads: impl Iterator<Item = Upload> + Send + 'static,
    ) {
        let (ftp, ledger, over) = (self.ftp, self.ledger.clone(), Arc::clone(&self.over));
        let uploads = uploads.take_while(move |_| !over.load(Ordering::Relaxed));
        self.sessions.push(std::thread::spawn(move || run(ftp, org, &ledger, until, uploads)));
    }

    /// Whether every session has ended.
    pub(super) fn is_done(&self) -> bool {
        self.sessions.iter().all(JoinHandle::is_finished)
    }

    /// Waits for all sessions to end by themselves.
    pub(super) fn join(self) -> Vec<Outcome> {
        self.sessions.into_iter().flat_map(|session| session.join().unwrap_or_default()).collect()
    }

    /// Tells all sessions to end after their present file.
    pub(super) fn end(self) -> Vec<Outcome> {
        self.over.store(true, Ordering::Relaxed);
        self.join()
    }
}

fn run(
    ftp: SocketAddr,
    org: &'static str,
    ledger: &Shared,
    until: Until,
    uploads: impl Iterator<Item = Upload>,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let Ok(mut session) = log_in(ftp, org) else { return outcomes };
    for upload in uploads {
        ledger.lock().begin(upload, org);
        let begun = Instant::now();
        let reply = send(&mut session, upload);
        outcomes.push(Outcome { upload, begun, took: begun.elapsed(), reply });
        match reply {
            Reply::Accepted => ledger.lock().raise(upload, |entry| entry.accepted = Told::Yes),
            Reply::Refused(_) if until == Until::Refused => return outcomes,
            Reply::Refused(_) => {}
            Reply::Lost => match log_in(ftp, org) {
                Ok(again) => session = again,
                Err(_) => return outcomes,
            },
        }
    }
    outcomes
}

/// A server that refuses may close the data connection before it has read everything: the reply decides.
fn send(session: &mut FtpStream, upload: Upload) -> Reply {
    let sent = session.put_with_stream(upload.name()).and_then(|mut data| {
        drop(data.write_all(&upload.bytes()));
        data.finish()
    });
    match sent {
        Ok(()) => Reply::Accepted,
        Err(FtpError::UnexpectedResponse(response)) => Reply::Refused(response.status.code()),
        Err(_) => Reply::Lost,
    }
}
