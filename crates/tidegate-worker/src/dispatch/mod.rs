//! Claims jobs, hands them to blocking threads, ends them.
//!
//! Invariant: never more than the allowed number of files is processed at once, and never more than
//! [`IN_HAND_MAX`] jobs are claimed. Waiting for a job's end to be durable takes none of the places for
//! processing. Which job comes next, and whether any may, is the store's decision.

mod finish;
mod pace;
mod ramp;
mod tasks;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_domain::JobId;
use tidegate_domain::job::JobEvent;
use tidegate_store::{Claim, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use self::finish::finish;
use self::pace::Pace;
use self::ramp::Ramp;
use self::tasks::{Done, Processed, Tasks, in_thread};
use crate::calls::{Call, Caller, Query, Work};
use crate::error::WorkerError;
use crate::gate_watch::GateWatch;
use crate::process::{Context, End, ask};
use crate::targets::Target;

/// Jobs that are claimed at once, in whatever stage.
const IN_HAND_MAX: usize = 256;

/// Wall clocks jump, and hints get lost: the store is asked again after this long.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A time that has come but gave no job is not asked for without a pause.
const LOOK_SOONEST: Duration = Duration::from_millis(10);

/// The worker's one task.
pub(crate) struct Dispatcher {
    context: Arc<Context>,
    slots_max: usize,
    gate: GateWatch,
    ramp: Ramp,
    pace: Pace,
    /// Whether something happened since the last claim that may make another one possible.
    hungry: bool,
    /// Claimed, not begun.
    ready: VecDeque<Claim>,
    /// With a thread, those included whose claim was lost while they hang.
    running: HashSet<JobId>,
    tasks: Tasks,
    /// When to look again without a hint.
    look_at: Instant,
    /// Told of each turn.
    turns: watch::Sender<()>,
    calls: mpsc::Receiver<Work>,
    /// Who waits for the end of which job.
    callers: HashMap<JobId, Caller>,
}

impl Dispatcher {
    pub(crate) fn new(
        context: Context,
        slots_max: usize,
        turns: watch::Sender<()>,
        calls: mpsc::Receiver<Work>,
    ) -> Self {
        Self {
            gate: GateWatch::new(None, &context.store, &context.clock),
            context: Arc::new(context),
            slots_max,
            ramp: Ramp::default(),
            pace: Pace::default(),
            hungry: true,
            ready: VecDeque::new(),
            running: HashSet::new(),
            tasks: Tasks::default(),
            look_at: Instant::now(),
            turns,
            calls,
            callers: HashMap::new(),
        }
    }

    pub(crate) async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), WorkerError> {
        tokio::pin!(shutdown);
        tracing::info!(slots = self.slots_max, "worker started");
        loop {
            self.turns.send_replace(());
            let slots = self.slots();
            self.begin_ready(slots);
            self.claim(slots);
            tokio::select! {
                () = &mut shutdown => break,
                done = self.tasks.next() => self.follow(done)?,
                Some(work) = self.calls.recv() => self.take_up(work),
                () = self.context.store.wakeup() => self.hungry = true,
                () = sleep_until(self.look_at) => self.look_again(),
            }
        }
        self.stop().await
    }

    /// Gives everything back.
    async fn stop(mut self) -> Result<(), WorkerError> {
        self.context.stopping.store(true, Ordering::Relaxed);
        self.calls.close();
        loop {
            while let Ok(work) = self.calls.try_recv() {
                self.take_up(work);
            }
            while let Some(claim) = self.ready.pop_front() {
                self.finish(claim, JobEvent::Yielded, None);
            }
            if self.tasks.is_empty() {
                tracing::info!("worker stopped");
                return Ok(());
            }
            let done = self.tasks.next().await;
            self.follow(done)?;
        }
    }

    /// Places for processing at this moment.
    fn slots(&mut self) -> usize {
        let (now, maintenance) = (self.context.clock.now(), self.context.store.maintenance());
        let is_away = maintenance.downstream.iter().any(|away| away.concerns(None));
        let (is_open, ramp) = (self.gate.claims_allowed() && !is_away, maintenance.calendar.resume_ramp);
        self.ramp.slots(now, is_open, ramp, self.slots_max)
    }

    fn begin_ready(&mut self, slots: usize) {
        while self.tasks.processing.len() < slots
            && let Some(claim) = self.ready.pop_front()
        {
            self.begin(claim);
        }
    }

    fn begin(&mut self, claim: Claim) {
        if !self.running.insert(claim.id()) {
            // Two threads must not write one response.
            let reason = "an earlier attempt still waits for the target".to_owned();
            let event = self.context.after_failure(claim.job.failures, reason);
            return self.finish(claim, event, None);
        }
        self.tasks.processing.spawn(in_thread(Arc::clone(&self.context), claim));
    }

    /// Begins what a sender waits for.
    fn take_up(&mut self, work: Work) {
        while self.tasks.asking.try_join_next().is_some() {}
        match work {
            Work::Call(call) => self.answer(*call),
            Work::Query(query) => self.ask(query),
        }
    }

    fn ask(&mut self, query: Query) {
        let context = Arc::clone(&self.context);
        // If it panics, whoever waits for it hears that there is no answer.
        self.tasks.asking.spawn_blocking(move || query.answer(|org, bytes| ask(&context, org, bytes)));
    }

    /// Begins a call, which takes none of the places for files.
    fn answer(&mut self, call: Call) {
        let Call { claim, caller } = call;
        self.running.insert(claim.id());
        self.callers.insert(claim.id(), caller);
        self.tasks.answering.spawn(in_thread(Arc::clone(&self.context), claim));
    }

    /// Asks for as many jobs as there is room for, one question at a time.
    fn claim(&mut self, slots: usize) {
        let free = slots.saturating_sub(self.tasks.processing.len()) + self.pace.ahead(slots);
        let room = free.saturating_sub(self.ready.len()).min(IN_HAND_MAX.saturating_sub(self.in_hand()));
        if !self.hungry || room == 0 || !self.tasks.claiming.is_empty() || !self.gate.claims_allowed() {
            return;
        }
        self.hungry = false;
        let context = Arc::clone(&self.context);
        self.tasks.claiming.spawn(async move { (room, context.store.claim(room).await) });
    }

    fn in_hand(&self) -> usize {
        self.ready.len() + self.tasks.processing.len() + self.tasks.finishing.len()
    }

    fn follow(&mut self, done: Done) -> Result<(), WorkerError> {
        match done {
            Done::Claimed(asked, claims) => self.take(asked, claims),
            Done::Processed(processed) => {
                self.pace.note(processed.elapsed);
                self.end(*processed)
            }
            Done::Answered(processed) => self.end(*processed),
            Done::Finished(result) => result,
        }
    }

    fn take(&mut self, asked: usize, claims: Result<Vec<Claim>, StoreError>) -> Result<(), WorkerError> {
        match claims {
            Ok(claims) => {
                let may_be_more = claims.len() == asked;
                self.ready.extend(claims);
                if may_be_more {
                    self.hungry = true;
                } else {
                    // Never later than was meant: uploads without a pause ask without a pause, and targets that
                    // are away would not be looked at for as long.
                    self.look_at = self.look_at.min(Instant::now() + self.patience());
                }
            }
            Err(error @ (StoreError::Poisoned | StoreError::Closed)) => {
                return Err(WorkerError::Store(error));
            }
            // Asked again with the next look.
            Err(error) => tracing::warn!(%error, "no job could be claimed"),
        }
        Ok(())
    }

    fn end(&mut self, processed: Processed) -> Result<(), WorkerError> {
        let Processed { claim, end, .. } = processed;
        self.running.remove(&claim.id());
        match end {
            End::Event(event, target) => self.finish(claim, event, target),
            End::Stale => {
                self.callers.remove(&claim.id());
                tracing::warn!(job = %claim.id(), "claim lost");
            }
            End::Fatal(error) => return Err(error),
        }
        Ok(())
    }

    fn finish(&mut self, claim: Claim, event: JobEvent, target: Option<Arc<Target>>) {
        let (context, caller) = (Arc::clone(&self.context), self.callers.remove(&claim.id()));
        let event = match (&caller, event) {
            (Some(caller), JobEvent::Yielded) => caller.give_back(),
            (_, event) => event,
        };
        self.tasks.finishing.spawn(async move {
            let recorded = finish(context, claim, event.clone(), target).await?;
            if let Some((caller, job)) = caller.zip(recorded) {
                caller.tell(event, job);
            }
            Ok(())
        });
    }

    /// How long to wait for a sign: until time alone makes a claim possible, if nothing else is going
    /// on that would give one.
    fn patience(&self) -> Duration {
        if self.in_hand() > 0 {
            return LOOK_EVERY;
        }
        let due = self.context.store.next_due().map(|due| due - self.context.clock.now());
        due.map_or(LOOK_EVERY, |wait| wait.to_std().unwrap_or_default().clamp(LOOK_SOONEST, LOOK_EVERY))
    }

    fn look_again(&mut self) {
        self.hungry = true;
        self.look_at = Instant::now() + self.patience();
        self.ready.retain(|claim| self.context.store.renew(claim).is_ok());
        self.look_at_targets();
    }
}

impl Dispatcher {
    /// Tests the connections of targets that are away, each on a thread.
    fn look_at_targets(&mut self) {
        while self.tasks.testing.try_join_next().is_some() {}
        if !self.context.store.maintenance().downstream.is_empty() {
            // Organizations may have changed their targets meanwhile.
            self.context.show_targets();
        }
        for target in self.context.targets.to_be_tested(self.context.clock.now()) {
            let context = Arc::clone(&self.context);
            self.tasks.testing.spawn_blocking(move || {
                target.test(&*context.clock);
                context.show_targets();
            });
        }
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.context.stopping.store(true, Ordering::Relaxed);
    }
}
