//! A registry that is spoken to by MLLP: one message, one acknowledgment, then the next.
//!
//! Invariant: an acknowledgment is read on the connection that its message went out on, and a connection on
//! which anything went wrong is never used again; so no late or second answer is taken for that of another
//! message. An organization's messages go through a connection of its own, in order.
//!
//! MLLP has no room for the key: a message whose answer did not come is in doubt, and sent again.

pub(super) mod frame;

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tidegate_domain::OrgCode;

use self::frame::Frames;
use super::far_ack::Reading;
use super::link::{Address, Link, in_words};
use super::{Code, Deliver, DeliverError, Delivered, Key};

/// Longest acknowledgment, or answer to a query, that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What a connection that nobody uses keeps of its memory.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Most connections that are kept while nobody uses them.
const IDLE_MAX: usize = 64;

/// A registry behind MLLP.
#[derive(Debug)]
pub struct MllpTarget {
    address: Address,
    answer_max: Duration,
    reading: Reading,
    idle: Mutex<HashMap<OrgCode, Talk>>,
}

/// A connection and what was read of the next answer.
#[derive(Debug)]
struct Talk {
    link: Link,
    frames: Frames,
    /// Reused for each message.
    outgoing: Vec<u8>,
}

impl MllpTarget {
    pub(super) fn new(address: Address, answer_max: Duration, reading: Reading) -> Self {
        Self { address, answer_max, reading, idle: Mutex::default() }
    }

    /// Sends a message and waits for its answer; the connection that it came on is not kept yet.
    fn talk(&self, org: &OrgCode, message: &[u8]) -> Result<(Talk, Vec<u8>), DeliverError> {
        let deadline = Instant::now() + self.answer_max;
        if let Some(mut talk) = self.take(org) {
            match talk.ask(message, deadline) {
                // Many systems close a connection that they think is idle, and the message crosses with that.
                Err(Broken::Closed) => {
                    tracing::info!("connection was closed by the registry: message sent anew");
                }
                Err(broken) => return Err(broken.into_error()),
                Ok(answer) => return Ok((talk, answer)),
            }
        }
        let mut talk = self.connect()?;
        // As long for the answer as on a connection that is there, and not longer than for both.
        let deadline = (Instant::now() + self.answer_max).min(deadline + self.address.connect_max);
        let answer = talk.ask(message, deadline).map_err(Broken::into_error)?;
        Ok((talk, answer))
    }

    /// The connection that the organization's last message left behind, if nothing happened on it since.
    fn take(&self, org: &OrgCode) -> Option<Talk> {
        let mut talk = self.idle().remove(org)?;
        talk.is_quiet().then_some(talk)
    }

    fn keep(&self, org: &OrgCode, mut talk: Talk) {
        talk.outgoing.clear();
        talk.outgoing.shrink_to(KEPT_BYTES_MAX);
        let mut idle = self.idle();
        if idle.len() >= IDLE_MAX {
            // Any of them: each is made anew when it is needed.
            let other = idle.keys().next().cloned();
            other.and_then(|other| idle.remove(&other));
        }
        idle.insert(org.clone(), talk);
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<OrgCode, Talk>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> Result<Talk, DeliverError> {
        let link = self.address.connect().map_err(|error| {
            DeliverError::away(format!("connecting to the registry: {}", in_words(&error)))
        })?;
        Ok(Talk { link, frames: Frames::new(ANSWER_BYTES_MAX), outgoing: Vec::new() })
    }
}

impl Deliver for MllpTarget {
    fn deliver(&self, key: &Key, message: &[u8]) -> Result<Delivered, DeliverError> {
        let (talk, answer) = self.talk(&key.org, message)?;
        let judged = self.reading.judge(message, &answer);
        // Whatever another answer was about: the next one on its connection can't be trusted either.
        if !matches!(judged, Err(DeliverError::Transient(_))) {
            self.keep(&key.org, talk);
        }
        judged
    }

    fn ask(&self, org: &OrgCode, query: &[u8]) -> Option<Result<Vec<u8>, DeliverError>> {
        let asked = self.talk(org, query).and_then(|(talk, answer)| {
            Reading::check_answer(query, &answer)?;
            self.keep(org, talk);
            Ok(answer)
        });
        Some(asked)
    }

    fn test(&self) -> Result<(), DeliverError> {
        self.connect().map(drop)
    }

    fn is_final(&self) -> bool {
        true
    }

    fn settle(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Why there is no answer on a connection.
#[derive(Debug)]
enum Broken {
    /// The message can't be framed.
    Unframable,
    /// The other side closed the connection before a byte of an answer.
    Closed,
    /// Something else.
    Failed(String),
}

impl Broken {
    fn into_error(self) -> DeliverError {
        match self {
            Self::Unframable => {
                let text = "The message holds bytes that can not be sent to the registry.".to_owned();
                DeliverError::Refused { code: Code::Error, text }
            }
            Self::Closed => {
                DeliverError::Transient("the registry closed the connection without an answer".to_owned())
            }
            Self::Failed(what) => {
                DeliverError::Transient(format!("waiting for the registry's answer: {what}"))
            }
        }
    }
}

impl Talk {
    fn ask(&mut self, message: &[u8], deadline: Instant) -> Result<Vec<u8>, Broken> {
        if !frame::encode(message, &mut self.outgoing) {
            return Err(Broken::Unframable);
        }
        self.link.set_deadline(deadline);
        let sent = self.link.write_all(&self.outgoing).and_then(|()| self.link.flush());
        sent.map_err(|error| Broken::of(&error))?;
        let mut piece = [0; 4096];
        loop {
            if let Some(answer) = self.frames.next().map_err(|error| Broken::Failed(error.to_string()))? {
                return Ok(answer);
            }
            let length = self.link.read(&mut piece).map_err(|error| Broken::of(&error))?;
            if length == 0 && self.frames.is_empty() {
                return Err(Broken::Closed);
            }
            if length == 0 {
                return Err(Broken::Failed("the connection was closed in the midst of it".to_owned()));
            }
            self.frames.feed(piece.get(..length).unwrap_or_default());
        }
    }

    /// A CR that the last frame left is no answer.
    fn is_quiet(&mut self) -> bool {
        self.frames.is_empty() && self.link.is_quiet()
    }
}

impl Broken {
    fn of(error: &io::Error) -> Self {
        let is_closed = matches!(
            error.kind(),
            ErrorKind::BrokenPipe
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::UnexpectedEof
        );
        if is_closed { Self::Closed } else { Self::Failed(in_words(error)) }
    }
}
