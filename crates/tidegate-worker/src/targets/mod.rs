//! Which target an organization's messages go to, and which targets are away.
//!
//! Invariant: an organization's messages go to its own target if it has one, else to that of the service, and
//! one target that is away holds nobody up whose messages go elsewhere. What is known of targets is shown as
//! part of the gate as soon as it changes; nothing of it survives a restart, which finds out anew.

mod breaker;
mod late;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tidegate_domain::maintenance::{Downstream, Senders};
use tidegate_domain::{Clock, DeliveryConfig, JobId, OrgCode, Organization, Organizations};

use self::breaker::{Blame, Breaker};
use self::late::Late;
use crate::deliver::{Code, Deliver, DeliverError, Key, OpenTargetError, open};

/// The service's target and those of organizations.
pub struct Targets {
    data_dir: PathBuf,
    service: Arc<Target>,
    own: Mutex<BTreeMap<OrgCode, (DeliveryConfig, Arc<Target>)>>,
}

/// A target and what is known of it.
pub(crate) struct Target {
    deliver: Arc<dyn Deliver>,
    breaker: Mutex<Breaker>,
    /// Whether something failed since the last message that was answered: else an answer is no news.
    is_troubled: AtomicBool,
}

/// What follows from an answer, or from none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It arrived.
    Done,
    /// It was refused for good.
    Refused(Code, String),
    /// Its file is tried again, which is counted.
    Failed(String),
    /// Its file waits for the target.
    Away {
        /// Why.
        reason: String,
        /// Whether it may have arrived.
        in_doubt: bool,
    },
}

/// What follows from asking.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The answer.
    Answered(Vec<u8>),
    /// The target takes nothing from anybody; the query did not arrive.
    Away,
    /// There is no answer to it.
    Unanswered,
}

impl Targets {
    /// Opens the target of the service; see [`open`].
    pub fn open(config: &DeliveryConfig, data_dir: &Path) -> Result<Self, OpenTargetError> {
        Ok(Self::new(open(config, data_dir)?, data_dir))
    }

    /// With a target of the service that is open; relative directories of organizations start at `data_dir`.
    pub fn new(service: Arc<dyn Deliver>, data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned(), service: Arc::new(Target::new(service)), own: Mutex::default() }
    }

    /// The target of an organization. Its own is opened when it is first used.
    pub(crate) fn of(&self, organization: &Organization) -> Arc<Target> {
        let mut own = self.own();
        let Some(config) = &organization.delivery else {
            own.remove(&organization.code);
            return Arc::clone(&self.service);
        };
        match own.get(&organization.code) {
            Some((known, target)) if known == config => Arc::clone(target),
            _ => {
                let late = Late::new(config.clone(), self.data_dir.clone());
                let target = Arc::new(Target::new(Arc::new(late)));
                own.insert(organization.code.clone(), (config.clone(), Arc::clone(&target)));
                target
            }
        }
    }

    /// Targets that are away, as the gate is to show them, handed to `show` one call at a time.
    pub(crate) fn show(&self, organizations: &Organizations, show: impl FnOnce(Vec<Downstream>)) {
        let mut own = self.own();
        // Who has no such target any more waits for the service's.
        own.retain(|org, (config, _)| {
            organizations.get(org).is_some_and(|organization| organization.delivery.as_ref() == Some(config))
        });
        let with_own = organizations.iter().filter(|organization| organization.delivery.is_some());
        let with_own: BTreeSet<OrgCode> = with_own.map(|organization| organization.code.clone()).collect();
        let service = self.service.downstream("delivery".to_owned(), Senders::AllBut(with_own));
        let own = own.iter().filter_map(|(org, (_, target))| {
            target.downstream(format!("delivery of {org}"), Senders::Only(org.clone()))
        });
        show(service.into_iter().chain(own).collect());
    }

    /// Targets whose connection is to be tested now; whoever asks tests them.
    pub(crate) fn to_be_tested(&self, now: DateTime<Utc>) -> Vec<Arc<Target>> {
        let own = self.own();
        let all = std::iter::once(&self.service).chain(own.values().map(|(_, target)| target));
        all.filter(|target| target.is_troubled() && target.breaker().begin_test(now)).cloned().collect()
    }

    fn own(&self) -> MutexGuard<'_, BTreeMap<OrgCode, (DeliveryConfig, Arc<Target>)>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target {
    fn new(deliver: Arc<dyn Deliver>) -> Self {
        Self { deliver, breaker: Mutex::default(), is_troubled: AtomicBool::new(false) }
    }

    /// Hands a message over.
    pub(crate) fn attempt(&self, clock: &dyn Clock, key: &Key, message: &[u8]) -> Attempt {
        match self.deliver.deliver(key, message) {
            Ok(_) => {
                self.answered();
                Attempt::Done
            }
            Err(DeliverError::Refused { code, text }) => {
                self.answered();
                Attempt::Refused(code, text)
            }
            Err(DeliverError::Transient(reason)) => self.unanswered(clock, reason),
            Err(DeliverError::Away { reason, in_doubt, retry_after }) => {
                self.failed(clock, &reason, retry_after);
                Attempt::Away { reason, in_doubt }
            }
        }
    }

    /// Passes a query on; `None` if the target has no answers to give.
    pub(crate) fn ask(&self, clock: &dyn Clock, org: &OrgCode, query: &[u8]) -> Option<Asked> {
        Some(match self.deliver.ask(org, query)? {
            Ok(answer) => {
                self.answered();
                Asked::Answered(answer)
            }
            // It said something, though not what was asked for.
            Err(DeliverError::Refused { .. }) => {
                self.answered();
                Asked::Unanswered
            }
            Err(DeliverError::Transient(reason)) => {
                self.unanswered(clock, reason);
                Asked::Unanswered
            }
            Err(DeliverError::Away { reason, in_doubt, retry_after }) => {
                self.failed(clock, &reason, retry_after);
                if in_doubt { Asked::Unanswered } else { Asked::Away }
            }
        })
    }

    /// Tests the connection of a target that is away.
    pub(crate) fn test(&self, clock: &dyn Clock) {
        match self.deliver.test() {
            Ok(()) => self.breaker().passed_test(),
            Err(DeliverError::Away { reason, retry_after, .. }) => self.failed(clock, &reason, retry_after),
            Err(error) => self.failed(clock, &error.to_string(), None),
        }
    }

    /// Whether a file may be begun.
    pub(crate) fn admits(&self, job: JobId) -> bool {
        !self.is_troubled() || self.breaker().admits(job)
    }

    /// A file ended that may have been let in to try.
    pub(crate) fn untried(&self, job: JobId) {
        self.breaker().untried(job);
    }

    /// Whether something failed since the last message that was answered.
    pub(crate) fn is_troubled(&self) -> bool {
        self.is_troubled.load(Ordering::Relaxed)
    }

    /// See [`Deliver::is_final`].
    pub(crate) fn is_final(&self) -> bool {
        self.deliver.is_final()
    }

    /// See [`Deliver::settle`].
    pub(crate) fn settle(&self) -> io::Result<()> {
        self.deliver.settle()
    }

    fn answered(&self) {
        if self.is_troubled.swap(false, Ordering::Relaxed) && self.breaker().answered() {
            tracing::info!("target is back");
        }
    }

    fn unanswered(&self, clock: &dyn Clock, reason: String) -> Attempt {
        self.is_troubled.store(true, Ordering::Relaxed);
        let mut breaker = self.breaker();
        let was_away = breaker.away().is_some();
        let blame = breaker.unanswered(clock.now(), random(), &reason);
        if !was_away && breaker.away().is_some() {
            tracing::warn!(reason, "target does not answer: files wait");
        }
        match blame {
            Blame::File => Attempt::Failed(reason),
            Blame::Target => Attempt::Away { reason, in_doubt: true },
        }
    }

    fn failed(&self, clock: &dyn Clock, reason: &str, retry_after: Option<Duration>) {
        self.is_troubled.store(true, Ordering::Relaxed);
        let mut breaker = self.breaker();
        if breaker.away().is_none() {
            tracing::warn!(reason, "target is away: files wait");
        }
        breaker.failed(clock.now(), random(), reason, retry_after);
    }

    fn downstream(&self, name: String, senders: Senders) -> Option<Downstream> {
        let breaker = self.breaker();
        let away = breaker.away()?;
        let (reason, since, may_be_tried) = (away.reason.clone(), away.since, away.may_be_tried());
        Some(Downstream { name, reason, senders, since, may_be_tried })
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random() -> u32 {
    getrandom::u32().unwrap_or_default()
}
