//! Whether recurring windows leave any time to work in.
//!
//! Invariant: a calendar whose recurring windows alone would keep the gate closed for a week without a
//! break, for anyone, is refused. Windows that are announced once may last as long as they like.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use crate::OrgCode;
use crate::maintenance::timeline::Timeline;
use crate::maintenance::{Calendar, Scope};

/// Closed for so long without a break is closed for good.
const CLOSED_MAX: TimeDelta = TimeDelta::days(7);

/// From when on each window is looked at, together with the others: a year and a bit.
const LOOKED_AT: TimeDelta = TimeDelta::days(400);

/// When a week begins without a moment in which files are processed.
pub(super) fn closed_all_week(calendar: &Calendar) -> Option<DateTime<Utc>> {
    let recurring = Calendar { recurring: calendar.recurring.clone(), ..Calendar::default() };
    // Rules do not change with the years: it is enough to look from when each window takes part.
    let first = recurring.recurring.iter().filter_map(|window| window.next(DateTime::<Utc>::MIN_UTC));
    let mut firsts: Vec<_> = first.map(|one| one.start()).collect();
    firsts.sort_unstable();
    firsts.dedup_by_key(|first| (first.year(), first.month()));
    let orgs: Vec<_> = [None].into_iter().chain(examples(&recurring).into_iter().map(Some)).collect();
    let spans = firsts.iter().flat_map(|first| {
        let spans = orgs
            .iter()
            .map(|org| Timeline::between_all(&recurring, org.as_ref(), *first, *first + LOOKED_AT));
        spans.collect::<Vec<_>>()
    });
    let too_long = spans.flatten().find(|span| span.end.is_none_or(|end| end - span.start >= CLOSED_MAX));
    too_long.map(|span| span.start)
}

/// For each pattern an organization that it matches.
fn examples(calendar: &Calendar) -> BTreeSet<OrgCode> {
    let scopes = calendar.recurring.iter().map(|window| &window.plan().scope);
    let patterns = scopes.filter_map(|scope| match scope {
        Scope::Everyone => None,
        Scope::Orgs(patterns) => Some(patterns),
    });
    patterns.flatten().filter_map(|pattern| OrgCode::new(&pattern.as_str().replace('*', "0")).ok()).collect()
}
