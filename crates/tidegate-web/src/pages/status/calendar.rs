//! Announced windows as a feed that calendars subscribe to.
//!
//! Invariant: an occurrence has the same UID here as in the announcement that is sent by mail, and keeps it while
//! staff change it, so that no calendar shows it twice.

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::maintenance::{Occurrence, Override};
use tidegate_notices::{Changed, Event, Known, Notice, State, feed as calendar_feed};
use tidegate_store::Maintenance;

use super::facts::that_concern;
use crate::pages::Names;

/// How long what is over stays in the feed.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Occurrences in a feed; the earliest ones.
const ENTRIES_MAX: usize = 400;

pub(super) fn feed(names: &Names, maintenance: &Maintenance, now: DateTime<Utc>) -> String {
    let from = now.checked_sub_signed(KEPT).unwrap_or(now);
    let found = that_concern(None, maintenance, from, now);
    let notices = found.iter().take(ENTRIES_MAX).map(|one| notice(one, &names.registry, now));
    calendar_feed(&notices.collect::<Vec<_>>(), &names.registry, &names.channels)
}

fn notice(one: &Occurrence, registry: &str, now: DateTime<Utc>) -> Notice {
    let event = Event {
        window: one.window.clone(),
        start: one.start,
        end: one.end,
        timezone: one.zone,
        reason: one.reason.clone(),
        orgs: None,
    };
    let known = Known { starts: vec![one.start] };
    Notice::of(event, changed(one), &known, &[], registry, now)
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
