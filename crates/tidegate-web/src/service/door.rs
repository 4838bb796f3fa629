//! What both ways of the service do with a request: who is it, may it, and what becomes of its message.

mod gate;
mod message;

use std::net::SocketAddr;

use tidegate_domain::job::Protocol;
use tidegate_domain::{JobId, OrgCode, WhenClosed};
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{Login, LoginRefused};
use tidegate_ingest::audit::Event;
use tidegate_ingest::session::{ControlLink, Session};
use tidegate_store::{Sender, StoreError};
use tidegate_worker::{Answer, Message, is_query};
use zeroize::Zeroizing;

use self::message::{is_several, name_of};
use super::places::{Place, Places};
use super::plain::Closed;
use super::{MESSAGE_BYTES_MAX, Service};

/// The service.
pub(super) struct Door {
    pub(super) service: Service,
    places: Places,
}

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
        Self { service, places: Places::new() }
    }

    /// A place for a request, before anything of its body is read, or why there is none.
    pub(super) fn place(&self, peer: SocketAddr) -> Result<Place, &'static str> {
        self.places.take(peer, self.service.intake.bans().is_exempt(peer.ip()))
    }

    /// Has a message processed that was received while the gate was open.
    pub(super) async fn submit(&self, peer: SocketAddr, submission: Submission) -> Outcome {
        let Submission { protocol, account, password, facility, message } = submission;
        let intake = &self.service.intake;
        // Nobody hears in a window that something is wrong with his credentials.
        let refused = |outcome| self.planned().map_or(outcome, Outcome::Closed);
        let session = match intake.admit(protocol, peer, ControlLink::detached()) {
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
            Answer::Closed => Outcome::Closed(self.has_closed_for(org)),
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
