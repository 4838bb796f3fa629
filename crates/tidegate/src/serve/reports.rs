//! Mails staff what became of the files that waited for the end of a window.
//!
//! Invariant: each of staff gets one report on each occurrence, once nothing is left of what waited, and at the latest
//! [`WAIT_MAX`] after its end. A mail server that is away holds nothing up; it is tried again.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::maintenance::{Occurrence, OccurrenceState, Scope, occurrences};
use tidegate_domain::{Clock as _, SystemClock};
use tidegate_notices::config::NoticesConfig;
use tidegate_notices::{Event, Ledger, Mailer, mail_report, unreported};
use tidegate_store::Store;
use tidegate_web::control;

use crate::config::Loaded;
use crate::render::{Screen, report_text};

/// How often is looked whether something is to be reported.
const INTERVAL: Duration = Duration::from_mins(1);

/// How long after a failure is tried again.
const AFTER_FAILURE: Duration = Duration::from_mins(15);

/// Longest that a report waits for the drain.
const WAIT_MAX: TimeDelta = TimeDelta::hours(12);

/// Windows that ended longer ago are not reported: nobody wants last month's when reports are turned on.
const ENDED_MAX: TimeDelta = TimeDelta::days(1);

/// The chore.
#[derive(Debug, Clone)]
pub(super) struct Reports {
    store: Store,
    config: NoticesConfig,
    data_dir: PathBuf,
}

impl Reports {
    pub(super) fn new(store: Store, loaded: &Loaded) -> Self {
        Self { store, config: loaded.config.notices.clone(), data_dir: loaded.config.data_dir.clone() }
    }

    /// Looks again and again until `stopping`.
    pub(super) async fn run(self, stopping: impl Future<Output = ()>) {
        tokio::select! {
            () = self.again_and_again() => {}
            () = stopping => {}
        }
    }

    async fn again_and_again(&self) {
        loop {
            let reports = self.clone();
            let looked = tokio::task::spawn_blocking(move || reports.look(SystemClock.now())).await;
            let pause = match looked {
                Ok(Ok(())) => INTERVAL,
                Ok(Err(error)) => {
                    tracing::warn!(error = format!("{error:#}"), "a report on maintenance was not mailed");
                    AFTER_FAILURE
                }
                Err(_) => AFTER_FAILURE,
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Mails what is due. Blocks.
    fn look(&self, now: DateTime<Utc>) -> Result<(), anyhow::Error> {
        let maintenance = self.store.maintenance();
        let found = occurrences(&maintenance.calendar, &maintenance.overrides, now - ENDED_MAX, now, now);
        let ended = |one: &&Occurrence| one.state == OccurrenceState::Past && now - ENDED_MAX < one.end;
        let records = Ledger::read(&self.data_dir).context("while looking up what was reported")?;
        for occurrence in found.iter().filter(ended) {
            let is_told = unreported(&event(occurrence), &self.config.staff, &records).is_empty();
            let is_late = occurrence.end + WAIT_MAX <= now;
            if !is_told && (is_late || self.is_drained(occurrence.end)?) {
                self.report(occurrence, is_late, now)?;
            }
        }
        Ok(())
    }

    /// Whether nothing seems to be left that came before `end`. Quick; what it says is looked at closely afterwards.
    fn is_drained(&self, end: DateTime<Utc>) -> Result<bool, anyhow::Error> {
        let stats = self.store.stats().context("while looking at the queue")?;
        Ok(stats.oldest_waiting_at.is_none_or(|oldest| end <= oldest))
    }

    fn report(
        &self,
        occurrence: &Occurrence,
        is_late: bool,
        now: DateTime<Utc>,
    ) -> Result<(), anyhow::Error> {
        let report =
            control::report(&self.store, occurrence, now).context("while putting a report together")?;
        if report.all.left > 0 && !is_late {
            return Ok(());
        }
        let Some(smtp) = &self.config.smtp else { return Ok(()) };
        let screen = Screen { colour: false, width: None, zone: occurrence.zone, now };
        let subject = format!("{}: report on maintenance {}", self.config.registry, occurrence.window);
        let text = format!("{}\n", report_text(&report, &screen));
        let (mailer, mut ledger) = (Mailer::open(smtp)?, Ledger::open(&self.data_dir)?);
        mail_report(&mailer, &mut ledger, &event(occurrence), &self.config.staff, (&subject, &text), now)?;
        tracing::info!(files = report.all.files, "report on maintenance mailed");
        Ok(())
    }
}

fn event(one: &Occurrence) -> Event {
    Event {
        window: one.window.clone(),
        start: one.start,
        end: one.end,
        timezone: one.zone,
        reason: one.reason.clone(),
        orgs: match &one.scope {
            Scope::Everyone => None,
            Scope::Orgs(patterns) => Some(patterns.iter().map(ToString::to_string).collect()),
        },
    }
}
