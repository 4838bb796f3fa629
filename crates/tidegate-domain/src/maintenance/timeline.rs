//! All that closes the gate for one organization or for everyone, laid out in time.
//!
//! Invariant: overrides are applied and scopes sorted out here and nowhere else, so that the gate,
//! the announcement and the changes to come can't disagree.

use chrono::{DateTime, TimeDelta, Utc};

use super::overrides::effective_end;
use super::{Calendar, Cause, CauseKind, Hold, Override, Window};
use crate::OrgCode;

/// A connected stretch during which the gate is closed; without an end it is open-ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
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
    Window(&'a Window),
    Hold(&'a Hold),
}

pub(super) struct Timeline<'a>(Vec<Closure<'a>>);

impl<'a> Timeline<'a> {
    pub(super) fn new(
        org: Option<&OrgCode>,
        calendar: &'a Calendar,
        overrides: &[Override],
        holds: &'a [Hold],
    ) -> Self {
        let cutoff = TimeDelta::from_std(calendar.cutoff).unwrap_or(TimeDelta::MAX);
        let windows = calendar.windows.iter().filter(|window| window.scope.covers(org));
        let windows = windows.map(|window| Closure::window(window, overrides, cutoff));
        let holds = holds.iter().filter(|hold| hold.covers(org)).map(Closure::hold);
        let mut closures: Vec<_> = windows.chain(holds).filter(Closure::is_some_time).collect();
        closures.sort_by_key(|closure| closure.span.start);
        Self(closures)
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

    /// The first connected stretch that starts after `at`.
    pub(super) fn span_after(&self, at: DateTime<Utc>) -> Option<Span> {
        self.spans().into_iter().find(|span| span.start > at)
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

impl<'a> Closure<'a> {
    fn window(window: &'a Window, overrides: &[Override], cutoff: TimeDelta) -> Self {
        let start = window.interval.start();
        let last_claim = start.checked_sub_signed(cutoff).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let span = Span { start, end: Some(effective_end(window, overrides)) };
        Self { span, last_claim, source: Source::Window(window) }
    }

    fn hold(hold: &'a Hold) -> Self {
        let span = Span { start: hold.placed_at, end: hold.until };
        // Nobody knows of a hold before it is placed, so it has no cutoff.
        Self { span, last_claim: hold.placed_at, source: Source::Hold(hold) }
    }

    /// Whether it covers anything: one that was ended as it began does not.
    fn is_some_time(&self) -> bool {
        self.span.covers(self.span.start)
    }

    /// The instants at which it changes anything.
    fn turns(&self) -> impl Iterator<Item = DateTime<Utc>> + use<> {
        [Some(self.last_claim), Some(self.span.start), self.span.end].into_iter().flatten()
    }

    fn cause(&self) -> Cause {
        let (kind, name, reason, actor) = match self.source {
            Source::Window(window) => (CauseKind::Window, &window.name, &window.reason, window.actor()),
            Source::Hold(hold) => (CauseKind::Hold, &hold.name, &hold.reason, Some(hold.actor.as_str())),
        };
        Cause {
            kind,
            name: name.clone(),
            reason: reason.clone(),
            actor: actor.map(str::to_owned),
            until: self.span.end,
        }
    }
}
