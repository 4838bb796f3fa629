//! The occurrences of all windows, one-off and recurring, with what staff changed about them.
//!
//! Invariant: whoever asks which occurrences there are asks here, so that the gate, the listings and the
//! overrides can't disagree.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::overrides::{Changes, Effect, effect};
use super::{Calendar, Interval, Origin, Override, Recurring, Scope, Window};

/// The least time there is.
const INSTANT: TimeDelta = TimeDelta::nanoseconds(1);

/// What both kinds of windows say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notice<'a> {
    pub(super) name: &'a str,
    pub(super) zone: Tz,
    pub(super) reason: &'a str,
    pub(super) scope: &'a Scope,
    pub(super) origin: &'a Origin,
}

/// One occurrence.
pub(super) struct Announced<'a> {
    pub(super) notice: Notice<'a>,
    /// As it was announced.
    pub(super) interval: Interval,
    /// What was changed about it, in order.
    pub(super) changes: Vec<&'a Override>,
}

impl Announced<'_> {
    pub(super) fn effect(&self) -> Effect {
        effect(self.interval, &self.changes)
    }

    pub(super) fn covers(&self, at: DateTime<Utc>) -> bool {
        let Effect { end, skipped } = self.effect();
        !skipped && self.interval.start() <= at && at < end
    }
}

/// All occurrences of one-off windows, and those of recurring ones that cover any part of `[from, to)`, by
/// their announcement or by an extension. In no order.
pub(super) fn announced<'a>(
    calendar: &'a Calendar,
    changes: &Changes<'a>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<Announced<'a>> {
    let one_off = calendar.windows.iter().map(|window| (window.notice(), vec![window.interval]));
    let recurring = calendar.recurring.iter().map(|window| {
        let mut intervals = window.between(from, to);
        intervals.extend(extended_into(window, changes, from));
        (window.notice(), intervals)
    });
    let of_windows = one_off.chain(recurring).map(|(notice, intervals)| {
        let of_window = move |interval: Interval| Announced {
            notice,
            interval,
            changes: changes.of(notice.name, interval.start()),
        };
        intervals.into_iter().map(of_window)
    });
    of_windows.flatten().collect()
}

/// Occurrences that would have been over by `from` and were extended into it.
fn extended_into(window: &Recurring, changes: &Changes<'_>, from: DateTime<Utc>) -> Vec<Interval> {
    let mut found: Vec<Interval> = Vec::new();
    for change in changes.of_window(&window.plan().name) {
        let Override::Extended { occurrence_start, until, .. } = change else { continue };
        if *until <= from || found.iter().any(|one| one.start() == *occurrence_start) {
            continue;
        }
        let one = window.starting_at(*occurrence_start);
        found.extend(one.filter(|one| one.end() <= from));
    }
    found
}

/// The first occurrence of a recurring window that starts at or after `from` and takes place.
pub(super) fn next_of<'a>(
    window: &'a Recurring,
    changes: &Changes<'a>,
    from: DateTime<Utc>,
) -> Option<Announced<'a>> {
    let mut from = from;
    loop {
        let interval = window.next(from)?;
        let changes = changes.of(&window.plan().name, interval.start());
        let next = Announced { notice: window.notice(), interval, changes };
        if next.covers(interval.start()) {
            return Some(next);
        }
        from = interval.start().checked_add_signed(INSTANT)?;
    }
}

impl Window {
    pub(super) fn notice(&self) -> Notice<'_> {
        Notice {
            name: &self.name,
            zone: self.zone,
            reason: &self.reason,
            scope: &self.scope,
            origin: &self.origin,
        }
    }
}

impl Recurring {
    pub(super) fn notice(&self) -> Notice<'_> {
        let plan = self.plan();
        Notice {
            name: &plan.name,
            zone: plan.zone,
            reason: &plan.reason,
            scope: &plan.scope,
            origin: &Origin::Configuration,
        }
    }
}

impl Calendar {
    /// The first occurrence of that window that takes place and starts after `now`.
    pub(super) fn first_to_come(
        &self,
        name: &str,
        changes: &Changes<'_>,
        now: DateTime<Utc>,
    ) -> Option<Interval> {
        let after = now.checked_add_signed(INSTANT)?;
        self.first(name, changes, after).filter(|one| one.start() > now)
    }

    /// The first occurrence of that window that takes place and ends after `at`.
    pub(super) fn first_not_over(
        &self,
        name: &str,
        changes: &Changes<'_>,
        at: DateTime<Utc>,
    ) -> Option<Interval> {
        let running = announced(self, changes, at, at.checked_add_signed(INSTANT)?);
        let running = running.into_iter().filter(|one| one.notice.name == name && one.covers(at));
        running.map(|one| one.interval).min_by_key(Interval::start).or_else(|| self.first(name, changes, at))
    }

    /// The one occurrence of a one-off window, unless it is over at `from`; the next of a recurring one.
    fn first(&self, name: &str, changes: &Changes<'_>, from: DateTime<Utc>) -> Option<Interval> {
        if let Some(window) = self.window(name) {
            let changes = changes.of(name, window.interval.start());
            let one = Announced { notice: window.notice(), interval: window.interval, changes };
            return Some(one.interval)
                .filter(|interval| one.covers(interval.start()) && from < one.effect().end);
        }
        next_of(self.recurring(name)?, changes, from).map(|one| one.interval)
    }
}
