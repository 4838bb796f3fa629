//! Messages whose senders wait for the answer: the web service's way to the worker.
//!
//! Invariant: a call is recorded before anything of it is passed on, and only while the gate is open; and it ends in
//! one of three ways that its sender can tell apart: it was answered, nothing of it was nor will be passed on, or it
//! is recorded and goes on like a file. Whoever hangs up meanwhile changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tidegate_domain::job::{Job, JobEvent, Protocol};
use tidegate_domain::{Clock, JobId, OrgCode, UploadName};
use tidegate_hl7::{Reply as Header, acknowledge_queued};
use tidegate_store::{Claim, Sender, Store, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::process::{Reply, is_query};

/// Calls that are worked on at once, beside the files.
const AT_ONCE_MAX: usize = 64;

/// How long a call may wait for a place before it is recorded.
const PLACE_MAX: Duration = Duration::from_secs(5);

/// How long a sender waits for what became of a call: longer than a target may take, less than gateways bear.
const ANSWER_MAX: Duration = Duration::from_secs(55);

/// Hands calls to a worker; cheap to clone.
#[derive(Clone)]
pub struct Calls {
    store: Store,
    clock: Arc<dyn Clock>,
    desk: mpsc::Sender<Work>,
    places: Arc<Semaphore>,
}

/// A message on its way in, with whoever sends it.
#[derive(Debug, Clone)]
pub struct Message {
    /// Whose it is.
    pub org: OrgCode,
    /// Who hands it over.
    pub sender: Sender,
    /// Its job's name; the same for the same bytes, by which a call that is repeated is known while the first one is
    /// under way.
    pub name: UploadName,
    /// One HL7 message.
    pub bytes: Vec<u8>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was processed to its end.
    Acknowledged {
        /// Its job.
        job: JobId,
        /// The acknowledgment, segments ended by CR.
        text: Vec<u8>,
    },
    /// It was a query, and this is what the registry says to it. Nothing was recorded.
    Said(Vec<u8>),
    /// It was a query that went out, and the registry has not answered it. Nothing was recorded.
    Unanswered,
    /// It waits like a file, and is answered like one.
    Queued {
        /// Its job.
        job: JobId,
        /// An acknowledgment that says so.
        text: Vec<u8>,
    },
    /// The gate is closed, or closed before the message went out: nothing of it was passed on, nor will be.
    Closed,
    /// There are too many calls at once; nothing was recorded.
    Busy,
    /// It is recorded and in doubt: it goes on like a file, and the same call later is told its end.
    Later {
        /// Its job.
        job: JobId,
    },
    /// It is recorded, and only staff can help.
    Failed {
        /// Its job.
        job: JobId,
    },
}

/// What senders wait for, on its way to the dispatcher.
#[derive(Debug)]
pub(crate) enum Work {
    Call(Box<Call>),
    Query(Query),
}

/// A query.
#[derive(Debug)]
pub(crate) struct Query {
    org: OrgCode,
    bytes: Vec<u8>,
    told: oneshot::Sender<Reply>,
    _place: OwnedSemaphorePermit,
}

impl Query {
    /// Tells whoever waits for it. The sender may have left.
    pub(crate) fn answer(self, ask: impl FnOnce(&OrgCode, &[u8]) -> Reply) {
        drop(self.told.send(ask(&self.org, &self.bytes)));
    }
}

/// A recorded call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) claim: Claim,
    pub(crate) caller: Caller,
}

/// Who waits for a call's end, and the place that it takes until then.
#[derive(Debug)]
pub(crate) struct Caller {
    told: oneshot::Sender<(JobEvent, Job)>,
    settled: Settled,
    _place: OwnedSemaphorePermit,
}

/// Whether it is settled that a call is taken back, or that it goes on without its sender; whoever asks first says.
#[derive(Debug, Clone, Default)]
struct Settled(Arc<AtomicBool>);

impl Settled {
    /// True for the first who asks.
    fn settle(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl Caller {
    /// How a claim is given back of which nothing was passed on: taken out of the queue, so that its sender may send
    /// it again, unless the sender was told already that it goes on.
    pub(crate) fn give_back(&self) -> JobEvent {
        if !self.settled.settle() {
            return JobEvent::Yielded;
        }
        let reason = "nothing of it was passed on when the gate closed: its sender was told 503";
        JobEvent::TakenBack { reason: reason.to_owned() }
    }

    /// The call ended so, which is recorded. The sender may have left.
    pub(crate) fn tell(self, event: JobEvent, job: Job) {
        drop(self.told.send((event, job)));
    }
}

impl Calls {
    /// A desk, and where its worker takes calls from.
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<Work>) {
        let (desk, calls) = mpsc::channel(AT_ONCE_MAX);
        (Self { store, clock, desk, places: Arc::new(Semaphore::new(AT_ONCE_MAX)) }, calls)
    }

    /// Has a message recorded, checked and delivered, and waits for the end of that.
    pub async fn submit(&self, message: Message) -> Result<Answer, StoreError> {
        let calls = self.clone();
        // A caller who hangs up must not leave a job behind that nobody works on.
        let submitted = tokio::spawn(async move { calls.submit_to_the_end(message).await });
        submitted.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Has a message recorded that waits like a file, and is answered like one.
    pub async fn queue(&self, message: Message) -> Result<Answer, StoreError> {
        let Message { org, sender, name, bytes } = message;
        let mut upload = self.store.upload()?;
        upload.write(&bytes).await?;
        let sender = Sender { protocol: Protocol::Web, ..sender };
        let job = upload.accept(&org, sender, name).await?.id;
        let now = self.clock.now();
        let zone = self.store.maintenance().calendar.timezone;
        let at = zone.map_or_else(|| now.fixed_offset(), |zone| now.with_timezone(&zone).fixed_offset());
        Ok(Answer::Queued { job, text: acknowledge_queued(&Header::new(job.to_string(), at), &bytes) })
    }

    /// Passes a query on; `None` if there is nobody to ask.
    async fn ask(&self, message: &Message, place: OwnedSemaphorePermit) -> Option<Answer> {
        let (told, reply) = oneshot::channel();
        let (org, bytes) = (message.org.clone(), message.bytes.clone());
        drop(self.desk.send(Work::Query(Query { org, bytes, told, _place: place })).await);
        match timeout(ANSWER_MAX, reply).await {
            Ok(Ok(Reply::Said(text))) => Some(Answer::Said(text)),
            Ok(Ok(Reply::Closed)) => Some(Answer::Closed),
            Ok(Ok(Reply::NotAsked)) => None,
            Ok(Ok(Reply::Unanswered) | Err(_)) | Err(_) => Some(Answer::Unanswered),
        }
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        timeout(PLACE_MAX, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    async fn submit_to_the_end(&self, message: Message) -> Result<Answer, StoreError> {
        if is_query(&message.bytes) {
            let Some(place) = self.place().await else { return Ok(Answer::Busy) };
            if let Some(answer) = self.ask(&message, place).await {
                return Ok(answer);
            }
        }
        let Some(place) = self.place().await else { return Ok(Answer::Busy) };
        let Message { org, sender, name, bytes } = message;
        let mut upload = self.store.upload()?;
        upload.write(&bytes).await?;
        let claim = match upload.accept_call(&org, sender, name).await {
            Err(StoreError::GateClosed) => return Ok(Answer::Closed),
            Err(StoreError::Underway(job)) => return Ok(Answer::Later { job }),
            claimed => claimed?,
        };
        let (job, (told, mut end), settled) = (claim.id(), oneshot::channel(), Settled::default());
        let caller = Caller { told, settled: settled.clone(), _place: place };
        // A worker that has ended lets the claim run out.
        drop(self.desk.send(Work::Call(Box::new(Call { claim, caller }))).await);
        let ended = match timeout(ANSWER_MAX, &mut end).await {
            Ok(ended) => ended,
            Err(_) if settled.settle() => return Ok(Answer::Later { job }),
            // It is being taken back.
            Err(_) => end.await,
        };
        match ended {
            Ok((event, job)) => self.answer(&event, &job).await,
            Err(_) => Ok(Answer::Later { job }),
        }
    }

    async fn answer(&self, event: &JobEvent, job: &Job) -> Result<Answer, StoreError> {
        match event {
            JobEvent::Completed { .. } | JobEvent::Refused { .. } | JobEvent::FoundDuplicate { .. } => {
                let read = tokio::fs::read(self.store.response_path(job)).await;
                let failed = |source| StoreError::Io { doing: "reading a response", source };
                let response = read.map_err(failed)?;
                Ok(Answer::Acknowledged { job: job.id, text: acknowledgment(&response).to_vec() })
            }
            JobEvent::TakenBack { .. } => Ok(Answer::Closed),
            JobEvent::Failed { .. } => Ok(Answer::Failed { job: job.id }),
            _ => Ok(Answer::Later { job: job.id }),
        }
    }
}

/// The last acknowledgment of a response batch, which is the message's own: what stood before the message may have one,
/// too.
fn acknowledgment(response: &[u8]) -> &[u8] {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in response.split_inclusive(|byte| *byte == b'\r') {
        lines.push((start, line));
        start += line.len();
    }
    let begins = |name: &[u8]| lines.iter().rev().find(|(_, line)| line.starts_with(name)).map(|(at, _)| *at);
    let begin = begins(b"MSH").unwrap_or(0);
    let behind = |(at, line): &&(usize, &[u8])| *at > begin && line.starts_with(b"BTS");
    let end = lines.iter().find(behind).map_or(response.len(), |(at, _)| *at);
    response.get(begin..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whose sender was told that it goes on must not lose it, and whose call is taken back must not be told so.
    #[tokio::test]
    async fn a_call_is_taken_back_or_goes_on_without_its_sender_whoever_comes_first() {
        let caller = |settled: &Settled| Caller {
            told: oneshot::channel().0,
            settled: settled.clone(),
            _place: Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap(),
        };
        let (patient, impatient) = (Settled::default(), Settled::default());
        assert!(matches!(caller(&patient).give_back(), JobEvent::TakenBack { .. }));
        assert!(!patient.settle(), "its sender waits for the taking back");
        assert!(impatient.settle());
        assert_eq!(caller(&impatient).give_back(), JobEvent::Yielded);
    }

    #[test]
    fn of_a_response_only_the_last_acknowledgment_is_told() {
        let batch = b"FHS|1\rBHS|1\rMSH|1\rMSA|AE|\rERR|1\rMSH|2\rMSA|AA|2\rBTS|2\rFTS|1\r";
        assert_eq!(acknowledgment(batch), b"MSH|2\rMSA|AA|2\r");
        assert_eq!(acknowledgment(b"MSH|2\rMSA|AA|2\r"), b"MSH|2\rMSA|AA|2\r");
        assert_eq!(acknowledgment(b""), b"");
    }
}
