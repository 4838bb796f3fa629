//! One job, from its bytes to what becomes of it.
//!
//! Invariant: each of the three passes over a file is complete before the next begins, so that nothing
//! is delivered of a file that is broken. What is returned is not recorded yet: ending the claim is
//! the dispatcher's business.

mod answers;
mod halt;
mod hand;
mod ledger;
mod mark;
mod messages;
mod query;
mod report;
mod rules;
mod turn;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidegate_domain::job::{JobEvent, RetryPolicy};
use tidegate_domain::{Clock, Organizations};
use tidegate_hl7::{Envelope, Refusal, Summary, Tables, refuse, survey};
use tidegate_store::{Claim, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::watch;

use self::answers::ResponseFile;
use self::halt::Halt;
use self::hand::Hand;
use self::mark::Mark;
use self::messages::Pass;
use self::report::Report;
use self::rules::Rules;
use self::turn::Turn;
use crate::deliver::Key;
use crate::targets::{Attempt, Target, Targets};

pub(crate) use self::halt::End;
pub(crate) use self::hand::RENEW_EVERY;
pub use self::query::is_query;
pub(crate) use self::query::{Reply, ask};
pub use self::rules::profile;

/// What every job needs.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) organizations: watch::Receiver<Arc<Organizations>>,
    pub(crate) targets: Targets,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retry: RetryPolicy,
    pub(crate) tables: Arc<Tables>,
    pub(crate) stopping: AtomicBool,
    /// For the store's asynchronous calls from a blocking thread.
    pub(crate) runtime: Handle,
}

impl Context {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Hands a message over, and shows what became known of the target by that.
    fn attempt(&self, target: &Target, key: &Key, message: &[u8]) -> Attempt {
        let was_troubled = target.is_troubled();
        let attempt = target.attempt(&*self.clock, key, message);
        if was_troubled || target.is_troubled() {
            self.show_targets();
        }
        attempt
    }

    /// Closes and opens the gate by what is known of the targets.
    pub(crate) fn show_targets(&self) {
        let organizations = self.organizations.borrow().clone();
        self.targets.show(&organizations, |away| self.store.set_downstream(away));
    }

    /// What follows from a passing failure of a job that failed `failures` times before.
    pub(crate) fn after_failure(&self, failures: u32, reason: String) -> JobEvent {
        let random = getrandom::u32().unwrap_or_default();
        self.retry.after_failure(self.clock.now(), failures, random, reason)
    }
}

/// Takes a job as far as it gets. Blocks.
pub(crate) fn process(context: &Context, claim: &Claim) -> End {
    let job = &claim.job;
    let _span = tracing::info_span!("job", id = %job.id, org = %job.submission.org).entered();
    match take_through(context, claim) {
        Ok((event, target)) => End::Event(event, target),
        Err(halt) => halt.end(|reason| context.after_failure(job.failures, reason)),
    }
}

/// What to record, and the target of messages that were delivered.
type Ended = (JobEvent, Option<Arc<Target>>);

fn take_through(context: &Context, claim: &Claim) -> Result<Ended, Halt> {
    let job = &claim.job;
    let mut hand = Hand::new(context, claim);
    hand.may_begin()?;
    let mut upload = open(context, claim)?;
    let begun = job.progress.as_deref().and_then(Mark::decode);
    // What was begun is not a duplicate: part of it may be delivered already.
    if begun.is_none()
        && let Some(of) = context.store.original_of(job)?
    {
        return Ok((JobEvent::FoundDuplicate { of }, None));
    }
    let rules = Rules::of(context, job, begun.is_some())?;
    let _turn = Turn::take(context, &rules.target, claim.id())?;
    match survey(&mut upload, &rules.profile).map_err(Halt::io("reading the upload"))? {
        Ok(envelope) => {
            let event = answer_messages(hand, upload, &envelope, &rules, begun)?;
            Ok((event, Some(rules.target)))
        }
        Err(refusal) => Ok((answer_refusal(context, claim, &rules, refusal)?, None)),
    }
}

fn open(context: &Context, claim: &Claim) -> Result<File, Halt> {
    context.store.open_payload(&claim.job).map_err(|error| match error {
        StoreError::NotFound => Halt::Permanent("the upload's bytes are missing".to_owned()),
        other => other.into(),
    })
}

fn answer_messages(
    mut hand: Hand<'_>,
    upload: File,
    envelope: &Envelope,
    rules: &Rules,
    begun: Option<Mark>,
) -> Result<JobEvent, Halt> {
    // The second pass over a large file takes its time.
    hand.keep()?;
    Pass::begin(hand, upload, envelope, rules, begun)?.run()
}

fn answer_refusal(
    context: &Context,
    claim: &Claim,
    rules: &Rules,
    refusal: Refusal,
) -> Result<JobEvent, Halt> {
    let write = || {
        let response = ResponseFile::create(&context.store.response_path(&claim.job))?;
        refuse(response, &rules.reply, &refusal)?;
        Report::new(context.store.report_path(&claim.job)).finish(
            &rules.reply,
            &Summary::refused(refusal.clone()),
            &[],
        )
    };
    write().map_err(Halt::io("writing the response"))?;
    Ok(JobEvent::Refused { reason: refusal.reason.into_owned() })
}
