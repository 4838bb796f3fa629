//! Announcing windows by mail: what the command line and the console have in common.
//!
//! Invariant: both say the same of an occurrence, and both look up and keep who was told in the one ledger of the data
//! directory, so that nobody is told twice.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use tidegate_domain::Organization;
use tidegate_notices::config::NoticesConfig;
use tidegate_notices::{
    Changed, Channels, Event, Known, Ledger, LedgerError, MailError, Mailer, Notice, Page, Recipient,
    Recipients, Record, State, TemplateError, Templates,
};

use crate::api::{MaintenanceView, OccurrenceView};

/// What it takes to announce.
#[derive(Debug, Clone)]
pub struct Announcing {
    /// Where the ledger is.
    pub data_dir: PathBuf,
    /// The section `[notices]`.
    pub config: NoticesConfig,
    /// What becomes of each way to the registry meanwhile.
    pub channels: Channels,
}

/// Whom an announcement goes to.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The mails' subject.
    pub subject: String,
    /// Those who know it already.
    pub told: Vec<Recipient>,
    /// Those who are to be told.
    pub rest: Vec<Recipient>,
    /// Organizations without a mail address, with what stands there instead.
    pub otherwise: Vec<(String, Vec<String>)>,
}

impl Announcing {
    /// Who was told what so far. Blocks.
    pub fn records(&self) -> Result<Vec<Record>, LedgerError> {
        Ledger::read(&self.data_dir)
    }

    /// The same for sending: nobody else can until it is dropped. Blocks.
    pub fn ledger(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.data_dir)
    }

    /// The templates that are in force. Blocks.
    pub fn templates(&self) -> Result<Templates, Vec<TemplateError>> {
        Templates::load(&self.config, self.channels.clone())
    }

    /// The mail server, once it has let us in; none if there is no `[notices.smtp]`. Blocks.
    pub fn mailer(&self) -> Result<Option<Mailer>, MailError> {
        let Some(smtp) = &self.config.smtp else { return Ok(None) };
        let mailer = Mailer::open(smtp)?;
        mailer.test()?;
        Ok(Some(mailer))
    }

    /// The notice of the occurrence that starts on that local date, or of the first that is not over; of one that is in the
    /// calendar no more if it was announced.
    pub fn notice(
        &self,
        view: &MaintenanceView,
        window: &str,
        on: Option<NaiveDate>,
        records: &[Record],
        now: DateTime<Utc>,
    ) -> Option<Notice> {
        let mine: Vec<&OccurrenceView> = view.occurrences.iter().filter(|one| one.name == window).collect();
        let known = Known { starts: mine.iter().map(|one| one.start).collect() };
        let is_meant = |one: &&&OccurrenceView| match on {
            Some(date) => event(one).date() == date,
            None => now < one.end.max(one.announced_end),
        };
        let found = mine.iter().find(is_meant);
        let notice = found
            .map(|one| Notice::of(event(one), changed(one), &known, records, &self.config.registry, now));
        notice.or_else(|| Notice::gone(window, on, &known, records, now))
    }

    /// Notices of everything that was announced, is not over and is in the calendar no more.
    pub fn gone(&self, view: &MaintenanceView, records: &[Record], now: DateTime<Utc>) -> Vec<Notice> {
        let known = view.occurrences.iter().map(|one| (one.name.as_str(), one.start));
        gone(known, records, now)
    }
}

/// The same, of occurrences that are known by the name of their window and their start.
pub(crate) fn gone<'a>(
    known: impl Iterator<Item = (&'a str, DateTime<Utc>)>,
    records: &[Record],
    now: DateTime<Utc>,
) -> Vec<Notice> {
    let mut windows: BTreeMap<&str, Known> = BTreeMap::new();
    for record in records {
        windows.entry(&record.event.window).or_insert_with(|| Known { starts: Vec::new() });
    }
    for (window, start) in known {
        if let Some(known) = windows.get_mut(window) {
            known.starts.push(start);
        }
    }
    windows.iter().flat_map(|(window, known)| Notice::all_gone(window, known, records, now)).collect()
}

impl Plan {
    /// Who of the organizations' contacts is to be told, and who was.
    pub fn new<'a>(
        notice: &Notice,
        templates: &Templates,
        organizations: impl IntoIterator<Item = &'a Organization>,
        records: &[Record],
    ) -> Result<Self, TemplateError> {
        let subject = templates.render(Page::Subject, notice, &[])?;
        let all = Recipients::of(&notice.event, organizations);
        let was_told = |one: &Recipient| notice.was_told(&one.address, records);
        let (told, rest) = all.by_mail.into_iter().partition(was_told);
        Ok(Self { subject, told, rest, otherwise: all.otherwise })
    }
}

fn event(one: &OccurrenceView) -> Event {
    Event {
        window: one.name.clone(),
        start: one.start,
        end: one.end,
        timezone: one.timezone,
        reason: one.reason.clone(),
        orgs: one.orgs.clone(),
    }
}

/// What staff did to it last, and why.
fn changed(one: &OccurrenceView) -> Option<Changed> {
    let last = one.changes.last()?;
    let state = match last.change.as_str() {
        "ended" => State::EndedEarly,
        "extended" => State::Extended,
        "skipped" => State::Cancelled,
        // A newer server may know more.
        _ => State::Changed,
    };
    let count = one.changes.len().try_into().unwrap_or(u32::MAX);
    Some(Changed { state, why: last.reason.clone(), count })
}
