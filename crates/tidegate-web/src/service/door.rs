//! What both ways of the service do with a request: who is it, may it, and what becomes of its message.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use tidegate_domain::job::Protocol;
use tidegate_domain::maintenance::{Gate, GateState};
use tidegate_domain::{JobId, OrgCode, UploadName, WhenClosed};
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{Login, LoginRefused};
use tidegate_ingest::audit::Event;
use tidegate_ingest::session::{ControlLink, Counted, Session, SessionCounts};
use tidegate_store::{Maintenance, Sender, StoreError};
use tidegate_worker::{Answer, Message, is_query};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::plain::{self, Closed};
use super::rates::Rates;
use super::{MESSAGE_BYTES_MAX, Service, Visit};

/// Requests at once, each with a body of its own.
const REQUESTS_MAX: usize = 200;

/// Requests at once from one address.
const OF_ADDRESS_MAX: usize = 100;

/// Requests within a minute from one address.
pub(super) const RATE_MAX: u32 = 6_000;

/// Nobody is told to wait for longer: a window may be ended early.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::days(1);

/// The service.
pub(super) struct Door {
    pub(super) service: Service,
    places: Arc<Semaphore>,
    of_address: SessionCounts<IpAddr>,
    rates: Rates,
}

/// Why a request is not looked at.
pub(super) enum Turned {
    /// The gate is closed for everyone.
    Closed(Closed),
    /// There is too much at once.
    TooMany(&'static str),
}

impl Turned {
    pub(super) fn told(self) -> Response {
        match self {
            Self::Closed(closed) => plain::closed(closed),
            Self::TooMany(why) => plain::too_many(why),
        }
    }
}

/// Held while a request is answered.
pub(super) type Place = (OwnedSemaphorePermit, Option<Counted<IpAddr>>);

/// A message and who says that it is theirs.
pub(super) struct Submission {
    pub(super) protocol: Protocol,
    pub(super) account: String,
    pub(super) password: Zeroizing<String>,
    /// The facility that it names, if it names one.
    pub(super) facility: Option<String>,
    pub(super) message: Vec<u8>,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The message's acknowledgment, or the answer to a query.
    Acknowledged(Vec<u8>),
    /// The message waits like a file; what to say of that.
    Queued(Vec<u8>),
    /// The registry has not answered a query.
    Unanswered,
    /// The gate is closed.
    Closed(Closed),
    /// Name, password or facility are not right.
    Forbidden(&'static str),
    /// There is too much at once.
    TooMany(String),
    /// The message is too long, or there are several.
    TooLarge(&'static str),
    /// It is recorded, and nobody knows yet how it ends.
    Later(JobId),
    /// It is recorded, and staff have to look after it.
    Failed(JobId),
    /// The server could not record it.
    Unable,
}

const NOT_YOURS: &str = "account and password do not go together";
const OTHER_FACILITY: &str = "the facility is none of the account's organization";
const TOO_LONG: &str = "the message is longer than the service takes";
const SEVERAL: &str = "send one message at a time, without a batch around it";

impl Door {
    pub(super) fn new(service: Service) -> Self {
        Self {
            service,
            places: Arc::new(Semaphore::new(REQUESTS_MAX)),
            of_address: SessionCounts::default(),
            rates: Rates::new(RATE_MAX),
        }
    }

    /// A place for a request, before anything of its body is read. Whoever asks too often while the gate is closed for
    /// everyone hears that it is.
    pub(super) fn visit(&self, peer: SocketAddr) -> Result<Visit, Turned> {
        self.place(peer).map_err(|why| self.refuses_everyone().map_or(Turned::TooMany(why), Turned::Closed))
    }

    fn place(&self, peer: SocketAddr) -> Result<Visit, &'static str> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| "Too many requests at once")?;
        // A proxy on this host stands for everybody.
        let is_exempt = self.service.intake.bans().is_exempt(peer.ip());
        let of_address = if is_exempt { None } else { Some(self.count(peer.ip().to_canonical())?) };
        Ok(Visit { peer, _place: (place, of_address) })
    }

    fn count(&self, address: IpAddr) -> Result<Counted<IpAddr>, &'static str> {
        if !self.rates.count(address) {
            return Err("Too many requests within a minute from your address");
        }
        self.of_address.admit(&address, OF_ADDRESS_MAX).ok_or("Too many requests at once from your address")
    }

    /// Whether the gate is closed for everyone.
    pub(super) fn closed_for_everyone(&self) -> Option<Closed> {
        let look = self.look();
        let gate = look.gate(None);
        (gate.state == GateState::Closed || !gate.claims_allowed).then(|| look.closed(&gate, None))
    }

    /// Whether a window or a hold closes the gate for everyone, and no organization's messages are queued meanwhile: then
    /// nothing of a request matters any more.
    pub(super) fn refuses_everyone(&self) -> Option<Closed> {
        let organizations = self.service.directory.current();
        let defers = organizations.iter().any(|organization| organization.when_closed == WhenClosed::Defer);
        if defers { None } else { self.planned() }
    }

    /// Whether a window or a hold closes the gate for everyone.
    fn planned(&self) -> Option<Closed> {
        let look = self.look();
        let gate = look.maintenance.planned_now(look.now, None);
        (!gate.claims_allowed).then(|| look.closed(&gate, None))
    }

    /// Has a message processed.
    pub(super) async fn submit(&self, visit: &Visit, submission: Submission) -> Outcome {
        // Windows and holds for everyone close before anybody's password is looked at. A target that is away need
        // not be everybody's.
        if let Some(closed) = self.refuses_everyone() {
            return Outcome::Closed(closed);
        }
        let Submission { protocol, account, password, facility, message } = submission;
        let intake = &self.service.intake;
        // Nobody hears in a window that something is wrong with his credentials.
        let refused = |outcome| self.planned().map_or(outcome, Outcome::Closed);
        let session = match intake.admit(protocol, visit.peer, ControlLink::detached()) {
            Ok(session) => session,
            Err(why) => return refused(Outcome::TooMany(why.to_string())),
        };
        let user = match intake.log_in(&session, &account, password, None).await {
            Ok(user) => user,
            Err(LoginRefused::TooManySessions) => {
                return refused(Outcome::TooMany("Too many requests at once".to_owned()));
            }
            Err(_) => return refused(Outcome::Forbidden(NOT_YOURS)),
        };
        let outcome = self.submit_for(&session, user.login(), facility, protocol, message).await;
        note(intake, &session, user.login(), &outcome);
        session.end();
        outcome
    }

    async fn submit_for(
        &self,
        session: &Session,
        login: &Login,
        facility: Option<String>,
        protocol: Protocol,
        message: Vec<u8>,
    ) -> Outcome {
        let org = &login.org;
        let (is_query, closed) = (is_query(&message), self.closed_for(org));
        // Who asks wants the answer now.
        let defers = !is_query && self.defers(org);
        if let Some(closed) = closed.filter(|_| !defers) {
            return Outcome::Closed(closed);
        }
        if !self.has_facility(org, facility.as_deref()) {
            return Outcome::Forbidden(OTHER_FACILITY);
        }
        let bytes_max = self.service.intake.upload_bytes_max(org).min(MESSAGE_BYTES_MAX as u64);
        if message.len() as u64 > bytes_max {
            return Outcome::TooLarge(TOO_LONG);
        }
        if is_several(&message) {
            return Outcome::TooLarge(SEVERAL);
        }
        if let Err(used_up) = self.service.intake.begin_upload(org) {
            return Outcome::TooMany(used_up.to_string());
        }
        let Ok(name) = name_of(&message) else { return Outcome::Unable };
        let (size_bytes, account) = (message.len() as u64, login.account.clone());
        let sender = Sender { account, protocol };
        let message = Message { org: org.clone(), sender, name, bytes: message };
        let submitted = if defers {
            self.submit_or_queue(message, closed.is_some()).await
        } else {
            self.service.calls.submit(message).await
        };
        let answer = match submitted {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(parent: session.span(), %error, "message not recorded");
                return Outcome::Unable;
            }
        };
        if let Some(event) = event_of(&answer, size_bytes) {
            self.service.intake.audit().note(session, Some(login), event);
        }
        match answer {
            Answer::Acknowledged { text, .. } | Answer::Said(text) => Outcome::Acknowledged(text),
            Answer::Queued { text, .. } => Outcome::Queued(text),
            Answer::Unanswered => Outcome::Unanswered,
            Answer::Later { job } => Outcome::Later(job),
            Answer::Failed { job } => Outcome::Failed(job),
            Answer::Closed => self.closed(org),
            Answer::Busy => Outcome::TooMany("Too many messages at once".to_owned()),
        }
    }

    /// Has a message processed, or queued while that can't be.
    async fn submit_or_queue(&self, message: Message, is_closed: bool) -> Result<Answer, StoreError> {
        if !is_closed {
            let answer = self.service.calls.submit(message.clone()).await?;
            if answer != Answer::Closed {
                return Ok(answer);
            }
        }
        self.service.calls.queue(message).await
    }

    fn defers(&self, org: &OrgCode) -> bool {
        let organizations = self.service.directory.current();
        organizations.get(org).is_some_and(|organization| organization.when_closed == WhenClosed::Defer)
    }

    /// An organization's own code, or one of the facilities it speaks for; whoever names none means its account's.
    fn has_facility(&self, org: &OrgCode, facility: Option<&str>) -> bool {
        let Some(facility) = facility.map(str::trim).filter(|facility| !facility.is_empty()) else {
            return true;
        };
        let organizations = self.service.directory.current();
        let named = organizations.get(org).into_iter().flat_map(|organization| &organization.facilities);
        facility == org.as_str() || named.into_iter().any(|known| known == facility)
    }

    /// Whether the gate is closed for an organization.
    fn closed_for(&self, org: &OrgCode) -> Option<Closed> {
        let look = self.look();
        let gate = look.gate(Some(org));
        (!gate.claims_allowed).then(|| look.closed(&gate, Some(org)))
    }

    /// The gate shut while the message was on its way.
    fn closed(&self, org: &OrgCode) -> Outcome {
        let look = self.look();
        Outcome::Closed(look.closed(&look.gate(Some(org)), Some(org)))
    }

    fn look(&self) -> Look {
        let control = &self.service.control;
        Look { maintenance: control.store.maintenance(), now: control.now() }
    }
}

/// What keeps the gate at one instant.
struct Look {
    maintenance: Arc<Maintenance>,
    now: DateTime<Utc>,
}

impl Look {
    fn gate(&self, org: Option<&OrgCode>) -> Gate {
        self.maintenance.gate_now(self.now, org)
    }

    /// Seconds to the end of the closed interval, or of the one that is about to begin; `None` if nobody knows it.
    fn closed(&self, gate: &Gate, org: Option<&OrgCode>) -> Closed {
        let until = match gate.state {
            // It has opened again by now.
            _ if gate.claims_allowed => Some(self.now),
            GateState::Closed => gate.until,
            GateState::Open => gate.next_change.and_then(|next| self.maintenance.gate(next, org).until),
        };
        let seconds = until.map(|until| {
            // Rounded up: whoever comes again then finds it open.
            let left = (until - self.now).min(RETRY_AFTER_MAX) + TimeDelta::milliseconds(999);
            left.num_seconds().max(1).unsigned_abs()
        });
        Closed { retry_after_s: seconds }
    }
}

/// Whether there is more than one message, or a batch around it.
fn is_several(message: &[u8]) -> bool {
    let segments = message.split(|byte| matches!(byte, b'\r' | b'\n')).map(<[u8]>::trim_ascii_start);
    let is = |segment: &[u8], name: &[u8]| {
        segment
            .strip_prefix(name)
            .is_some_and(|rest| rest.first().is_some_and(|byte| !byte.is_ascii_alphanumeric()))
    };
    segments.filter(|segment| [&b"MSH"[..], b"FHS", b"BHS"].iter().any(|name| is(segment, name))).count() > 1
}

/// The same for the same bytes, and nothing of what is in them.
fn name_of(message: &[u8]) -> Result<UploadName, tidegate_domain::NameError> {
    use std::fmt::Write as _;
    let digest = Sha256::digest(message);
    let mut name = "message-".to_owned();
    for byte in digest.iter().take(8) {
        // Writing to a string can't fail.
        let _ = write!(name, "{byte:02x}");
    }
    UploadName::new(format!("{name}.hl7"))
}

/// What the audit log says of a message that was taken: recorded, or passed on as a query.
fn event_of(answer: &Answer, size_bytes: u64) -> Option<Event> {
    match answer {
        Answer::Acknowledged { job, .. }
        | Answer::Queued { job, .. }
        | Answer::Later { job }
        | Answer::Failed { job } => Some(Event::Accepted { job: *job, size_bytes }),
        Answer::Said(_) => Some(Event::Queried { size_bytes, is_answered: true }),
        Answer::Unanswered => Some(Event::Queried { size_bytes, is_answered: false }),
        Answer::Closed | Answer::Busy => None,
    }
}

fn note(intake: &Intake, session: &Session, login: &Login, outcome: &Outcome) {
    let reason = match outcome {
        Outcome::Acknowledged(_)
        | Outcome::Queued(_)
        | Outcome::Unanswered
        | Outcome::Later(_)
        | Outcome::Failed(_) => return,
        Outcome::Closed(_) => "the gate is closed",
        Outcome::Forbidden(why) | Outcome::TooLarge(why) => why,
        Outcome::TooMany(why) => why,
        Outcome::Unable => "the server could not record it",
    };
    intake.audit().note(session, Some(login), Event::Refused { reason: reason.to_owned() });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_is_one_header_without_a_batch_around_it() {
        for one in [&b"MSH|a\rPID|MSH|\rMSHX|"[..], b"\x0bMSH|a", b"no HL7", b"", b" MSH|a\nPID|1"] {
            assert!(!is_several(one), "{one:?}");
        }
        for several in
            [&b"MSH|a\rMSH|b"[..], b"MSH|a\n MSH|b", b"FHS|\rMSH|a", b"BHS|\rMSH|a\rBTS|1", b"MSH|\rBHS|"]
        {
            assert!(is_several(several), "{several:?}");
        }
    }

    #[test]
    fn a_name_says_which_bytes_and_nothing_of_them() {
        let name = |bytes: &[u8]| name_of(bytes).unwrap().to_text();
        assert_eq!(name(b"MSH|TESTPATIENT"), name(b"MSH|TESTPATIENT"));
        assert_ne!(name(b"a"), name(b"b"));
        assert_eq!(name(b"a").len(), "message-0123456789abcdef.hl7".len());
    }
}
