//! All that closes the gate for one organization or for everyone, laid out in time.
//!
//! Invariant: overrides are applied and scopes sorted out here and nowhere else, so that the gate,
//! the announcement and the changes to come can't disagree. Of recurring windows only what lies around
//! the instant is laid out; it is enough, since whatever is connected with the instant is laid out as a
//! whole, and so is the next occurrence of every window after that.

use chrono::{DateTime, TimeDelta, Utc};

use super::announced::{Announced, announced, next_of};
use super::overrides::Changes;
use super::{Calendar, Cause, CauseKind, Hold, Override};
use crate::OrgCode;

/// How far recurring windows are laid out at first, before and after the instant.
const REACH_MIN: TimeDelta = TimeDelta::days(2);

/// How far they are laid out if the gate is closed all the time. A calendar is refused in which it would be
/// closed for a week, see [`super::MaintenanceConfig::to_calendar`]; only windows and holds of staff make
/// more of it.
const REACH_MAX: TimeDelta = TimeDelta::days(1024);

/// Name under which a calendar that can't be read closes the gate.
const UNREADABLE: &str = "configuration";

/// A connected stretch during which the gate is closed; without an end it is open-ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::maintenance) struct Span {
    pub(super) start: DateTime<Utc>,
    pub(super) end: Option<DateTime<Utc>>,
}

impl Span {
    fn covers(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && self.end.is_none_or(|end| at < end)
    }
}

/// One thing that closes the gate.
struct Closure<'a> {
    span: Span,
    /// From when on nothing is claimed: the start less the cutoff.
    last_claim: DateTime<Utc>,
    source: Source<'a>,
}

enum Source<'a> {
    Window(Announced<'a>),
    Hold(&'a Hold),
    Unreadable,
}

pub(in crate::maintenance) struct Timeline<'a>(Vec<Closure<'a>>);

impl<'a> Timeline<'a> {
    /// The timeline around `at`, which tells everything about that instant and what changes next.
    pub(super) fn new(
        at: DateTime<Utc>,
        org: Option<&OrgCode>,
        calendar: &'a Calendar,
        overrides: &'a [Override],
        holds: &'a [Hold],
    ) -> Self {
        let changes = Changes::new(overrides);
        let mut reach = REACH_MIN;
        loop {
            let (from, to) = (before(at, reach), after(at, reach));
            let timeline = Self::between(at, from, to, org, calendar, &changes, holds);
            let span = timeline.span_at(at).filter(|_| !calendar.recurring.is_empty());
            let is_cut = |span: Span| span.start <= from || span.end.is_some_and(|end| to <= end);
            if !span.is_some_and(is_cut) || reach >= REACH_MAX {
                return timeline;
            }
            reach = reach * 2;
        }
    }

    fn between(
        at: DateTime<Utc>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        org: Option<&OrgCode>,
        calendar: &'a Calendar,
        changes: &Changes<'a>,
        holds: &'a [Hold],
    ) -> Self {
        let cutoff = TimeDelta::from_std(calendar.cutoff).unwrap_or(TimeDelta::MAX);
        let around = announced(calendar, changes, from, to).into_iter();
        let next = calendar.recurring.iter().filter_map(|window| next_of(window, changes, to));
        let windows = around.chain(next).filter(|one| one.notice.scope.covers(org));
        let windows = windows.map(|one| Closure::window(one, cutoff));
        let holds = holds.iter().filter(|hold| hold.covers(org)).map(Closure::hold);
        // A clock that is put back does not make it readable.
        let unreadable = calendar.unreadable_since.map(|since| Closure::unreadable(since.min(at)));
        let closures = windows.chain(holds).chain(unreadable);
        let mut closures: Vec<_> = closures.filter(Closure::is_some_time).collect();
        closures.sort_by_key(|closure| closure.span.start);
        Self(closures)
    }

    /// The connected stretches in which the calendar closes the gate, of what covers any part of `[from, to)`.
    pub(in crate::maintenance) fn between_all(
        calendar: &'a Calendar,
        org: Option<&OrgCode>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Vec<Span> {
        Self::between(from, from, to, org, calendar, &Changes::default(), &[]).spans()
    }

    /// What closes the gate at `at`, longest standing first.
    pub(super) fn causes(&self, at: DateTime<Utc>) -> Vec<Cause> {
        self.covering(at).map(|(_, closure)| closure.cause()).collect()
    }

    /// Whether files may be claimed at `at`: the gate is open and no cutoff runs.
    pub(super) fn claims_allowed(&self, at: DateTime<Utc>) -> bool {
        !self.0.iter().any(|closure| Span { start: closure.last_claim, ..closure.span }.covers(at))
    }

    /// The connected stretch that holds `at`.
    pub(super) fn span_at(&self, at: DateTime<Utc>) -> Option<Span> {
        self.spans().into_iter().find(|span| span.covers(at))
    }

    /// The first start of a connected stretch after `at`.
    pub(super) fn next_start(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.spans().into_iter().map(|span| span.start).find(|start| *start > at)
    }

    /// The first instant after `now` at which causes or permission to claim are not as they are now.
    pub(super) fn next_change(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let present = self.answer(now);
        let mut turns: Vec<_> = self.0.iter().flat_map(Closure::turns).filter(|turn| *turn > now).collect();
        turns.sort_unstable();
        turns.into_iter().find(|turn| self.answer(*turn) != present)
    }

    /// All connected stretches: sorted, disjoint, not even touching.
    fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for Closure { span, .. } in &self.0 {
            match spans.last_mut() {
                Some(last) if last.end.is_none_or(|end| span.start <= end) => {
                    last.end = last.end.zip(span.end).map(|(one, other)| one.max(other));
                }
                _ => spans.push(*span),
            }
        }
        spans
    }

    /// What [`Self::next_change`] compares: which closures cover, and whether files may be claimed.
    fn answer(&self, at: DateTime<Utc>) -> (Vec<usize>, bool) {
        (self.covering(at).map(|(index, _)| index).collect(), self.claims_allowed(at))
    }

    fn covering(&self, at: DateTime<Utc>) -> impl Iterator<Item = (usize, &Closure<'a>)> {
        self.0.iter().enumerate().filter(move |(_, closure)| closure.span.covers(at))
    }
}

fn before(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_sub_signed(by).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn after(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl<'a> Closure<'a> {
    fn window(one: Announced<'a>, cutoff: TimeDelta) -> Self {
        let (start, effect) = (one.interval.start(), one.effect());
        let end = if effect.skipped { start } else { effect.end };
        let span = Span { start, end: Some(end) };
        Self { span, last_claim: before(start, cutoff), source: Source::Window(one) }
    }

    fn hold(hold: &'a Hold) -> Self {
        let span = Span { start: hold.placed_at, end: hold.until };
        // Nobody knows of a hold before it is placed, so it has no cutoff.
        Self { span, last_claim: hold.placed_at, source: Source::Hold(hold) }
    }

    fn unreadable(since: DateTime<Utc>) -> Self {
        Self { span: Span { start: since, end: None }, last_claim: since, source: Source::Unreadable }
    }

    /// Whether it covers anything: one that was skipped, or ended as it began, does not.
    fn is_some_time(&self) -> bool {
        self.span.covers(self.span.start)
    }

    /// The instants at which it changes anything.
    fn turns(&self) -> impl Iterator<Item = DateTime<Utc>> + use<> {
        [Some(self.last_claim), Some(self.span.start), self.span.end].into_iter().flatten()
    }

    fn cause(&self) -> Cause {
        let (kind, name, reason, actor) = match &self.source {
            Source::Window(one) => {
                (CauseKind::Window, one.notice.name, one.notice.reason, one.notice.origin.actor())
            }
            Source::Hold(hold) => {
                (CauseKind::Hold, hold.name.as_str(), hold.reason.as_str(), Some(hold.actor.as_str()))
            }
            Source::Unreadable => {
                (CauseKind::Window, UNREADABLE, "the windows of the configuration file can't be read", None)
            }
        };
        Cause {
            kind,
            name: name.to_owned(),
            reason: reason.to_owned(),
            actor: actor.map(str::to_owned),
            until: self.span.end,
        }
    }
}
