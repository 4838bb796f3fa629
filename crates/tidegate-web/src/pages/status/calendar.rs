//! Announced windows as a feed that calendars subscribe to.
//!
//! Invariant: an occurrence has the same UID and SEQUENCE here as in the announcement that is sent by mail, and keeps its UID
//! while staff change it, so that a calendar that has both shows it once, as it was told last (RFC 5545, 3.8.7.4). What was
//! announced and is in the calendar no more stays in it as cancelled until it would have been over.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::maintenance::{Occurrence, Override};
use tidegate_notices::{
    Changed, Event, Known, Ledger, LedgerError, Notice, Record, State, feed as calendar_feed,
};
use tidegate_store::Maintenance;

use super::board::{CACHE, MADE_AGAIN_AFTER};
use super::facts::that_concern;
use crate::announcing::gone;
use crate::pages::Names;
use crate::pages::answer::Fixed;

/// How long what is over stays in the feed.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Occurrences in a feed; the earliest ones.
const ENTRIES_MAX: usize = 400;

/// Makes the feed and keeps it.
pub(super) struct Feed {
    names: Names,
    data_dir: PathBuf,
    made: Mutex<Option<Made>>,
}

struct Made {
    ics: Arc<Fixed>,
    at: DateTime<Utc>,
    /// What it follows from; replaced as a whole with each change.
    from: Arc<Maintenance>,
    ledger: Option<Stamp>,
}

/// Length and time of the ledger, which only grows.
type Stamp = (u64, Option<SystemTime>);

impl Feed {
    pub(super) fn new(names: Names, data_dir: &Path) -> Self {
        Self { names, data_dir: data_dir.to_owned(), made: Mutex::default() }
    }

    /// The feed as it is now. Blocks.
    pub(super) fn at(&self, now: DateTime<Utc>, from: Arc<Maintenance>) -> Result<Arc<Fixed>, LedgerError> {
        let ledger = self.stamp();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| made.holds(now, &from, ledger)) {
            return Ok(Arc::clone(&made.ics));
        }
        let records = Ledger::read(&self.data_dir)?;
        let text = feed(&self.names, &from, &records, now);
        let ics = Arc::new(Fixed::new(text, "text/calendar; charset=utf-8", CACHE));
        *made = Some(Made { ics: Arc::clone(&ics), at: now, from, ledger });
        Ok(ics)
    }

    fn stamp(&self) -> Option<Stamp> {
        let file = self.data_dir.join(Ledger::FILE).metadata().ok()?;
        Some((file.len(), file.modified().ok()))
    }
}

impl Made {
    fn holds(&self, now: DateTime<Utc>, from: &Arc<Maintenance>, ledger: Option<Stamp>) -> bool {
        let is_fresh = self.at <= now && now - self.at < MADE_AGAIN_AFTER;
        is_fresh && Arc::ptr_eq(&self.from, from) && self.ledger == ledger
    }
}

fn feed(names: &Names, maintenance: &Maintenance, records: &[Record], now: DateTime<Utc>) -> String {
    let from = now.checked_sub_signed(KEPT).unwrap_or(now);
    let found = that_concern(None, maintenance, from, now);
    let listed = found.iter().take(ENTRIES_MAX);
    let mut notices: Vec<Notice> =
        listed.map(|one| notice(one, &found, &names.registry, records, now)).collect();
    let known = found.iter().map(|one| (one.window.as_str(), one.start));
    for gone in gone(known, records, now) {
        // One that was moved goes on under its name; one of some organizations is nobody else's business.
        let is_here = notices.iter().any(|one| one.uid == gone.uid);
        if gone.event.orgs.is_none() && !is_here && notices.len() < ENTRIES_MAX {
            notices.push(gone);
        }
    }
    calendar_feed(&notices, &names.registry, &names.channels)
}

fn notice(
    one: &Occurrence,
    all: &[Occurrence],
    registry: &str,
    records: &[Record],
    now: DateTime<Utc>,
) -> Notice {
    let event = Event {
        window: one.window.clone(),
        start: one.start,
        end: one.end,
        timezone: one.zone,
        reason: one.reason.clone(),
        orgs: None,
    };
    let mine = all.iter().filter(|other| other.window == one.window);
    let known = Known { starts: mine.map(|one| one.start).collect() };
    Notice::of(event, changed(one), &known, records, registry, now)
}

/// What staff did to it last.
fn changed(one: &Occurrence) -> Option<Changed> {
    let last = one.changes.last()?;
    let state = match last {
        Override::Ended { .. } => State::EndedEarly,
        Override::Extended { .. } => State::Extended,
        Override::Skipped { .. } => State::Cancelled,
    };
    let count = one.changes.len().try_into().unwrap_or(u32::MAX);
    Some(Changed { state, why: String::new(), count })
}
