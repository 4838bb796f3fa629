//! The gate against an oracle that looks at every minute of a small world: windows that are announced once
//! or recur, what staff changed about them, and holds.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{
    Calendar, Gate, GateState, Hold, Interval, Length, OrgPattern, Override, Plan, Recurring, Rule, Scope,
    Window, gate,
};

use crate::support;

/// Everything of this world happens in minutes `0..END`, so that one later nothing changes any more.
const END: i64 = 170;

/// Whom a closure concerns: everyone, `ACME01`, or the counties.
const PATTERNS: [Option<&str>; 3] = [None, Some("ACME01"), Some("county-*")];

#[derive(Debug, Clone)]
struct World {
    windows: Vec<WindowSpec>,
    /// They start at that minute of the first two hours.
    recurring: Vec<WindowSpec>,
    changes: Vec<ChangeSpec>,
    /// Start, length if it has an end, and whether it concerns `ACME01` only.
    holds: Vec<(i64, Option<i64>, bool)>,
    cutoff: i64,
    org: Option<&'static str>,
}

#[derive(Debug, Clone)]
struct WindowSpec {
    start: i64,
    length: i64,
    /// Index into [`PATTERNS`].
    pattern: usize,
}

/// What staff did about an occurrence, picked from all there are.
#[derive(Debug, Clone)]
struct ChangeSpec {
    occurrence: usize,
    what: Change,
    /// After the start of the occurrence.
    minutes: i64,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    End,
    Extend,
    Skip,
}

/// One occurrence as the oracle knows it.
#[derive(Debug, Clone)]
struct Known {
    name: String,
    start: i64,
    end: i64,
    is_skipped: bool,
    pattern: usize,
}

fn worlds() -> impl Strategy<Value = World> {
    let spec = |starts: std::ops::Range<i64>| {
        (starts, 1..20_i64, 0..3_usize).prop_map(|(start, length, pattern)| WindowSpec {
            start,
            length,
            pattern,
        })
    };
    let what = prop_oneof![Just(Change::End), Just(Change::Extend), Just(Change::Skip)];
    let change = (any::<usize>(), what, 0..60_i64).prop_map(|(occurrence, what, minutes)| ChangeSpec {
        occurrence,
        what,
        minutes,
    });
    let hold = (0..60_i64, proptest::option::weighted(0.9, 1..20_i64), any::<bool>());
    let org = prop_oneof![Just(None), Just(Some("ACME01")), Just(Some("county-7"))];
    let windows =
        (proptest::collection::vec(spec(0..60), 0..5), proptest::collection::vec(spec(0..45), 0..4));
    let staff = (proptest::collection::vec(change, 0..6), proptest::collection::vec(hold, 0..4));
    (windows, staff, 0..6_i64, org).prop_map(|((windows, recurring), (changes, holds), cutoff, org)| World {
        windows,
        recurring,
        changes,
        holds,
        cutoff,
        org,
    })
}

fn minute(minute: i64) -> DateTime<Utc> {
    support::at("00:00") + TimeDelta::minutes(minute)
}

fn scope(pattern: usize) -> Scope {
    PATTERNS[pattern].map_or(Scope::Everyone, |pattern| Scope::Orgs(vec![OrgPattern::new(pattern).unwrap()]))
}

impl World {
    fn calendar(&self) -> Calendar {
        let windows = self.windows.iter().enumerate().map(|(index, spec)| Window {
            name: format!("window {index}"),
            interval: Interval::new(minute(spec.start), minute(spec.start + spec.length)).unwrap(),
            scope: scope(spec.pattern),
            ..support::window("", "00:00", "01:00")
        });
        let cutoff = Duration::from_mins(self.cutoff.unsigned_abs());
        let recurring = self.recurring.iter().enumerate().map(|(index, spec)| {
            let plan = Plan {
                name: format!("recurring {index}"),
                rule: Rule::cron(&format!("{} 0,1 * * *", spec.start)).unwrap(),
                length: Length::Exactly(TimeDelta::minutes(spec.length)),
                except: BTreeSet::new(),
                valid_from: Some(minute(0).date_naive()),
                valid_until: Some(minute(0).date_naive()),
                zone: Tz::UTC,
                reason: String::new(),
                scope: scope(spec.pattern),
            };
            Recurring::new(plan).unwrap()
        });
        Calendar { cutoff, recurring: recurring.collect(), ..support::calendar(windows) }
    }

    /// All occurrences as they were announced.
    fn announced(&self) -> Vec<Known> {
        let known = |name: String, start: i64, spec: &WindowSpec| Known {
            name,
            start,
            end: start + spec.length,
            is_skipped: false,
            pattern: spec.pattern,
        };
        let windows = self.windows.iter().enumerate();
        let windows = windows.map(|(index, spec)| known(format!("window {index}"), spec.start, spec));
        let recurring = self.recurring.iter().enumerate().flat_map(|(index, spec)| {
            [0, 60].map(|hour| known(format!("recurring {index}"), spec.start + hour, spec))
        });
        windows.chain(recurring).collect()
    }

    /// The same as they are.
    fn occurrences(&self) -> Vec<Known> {
        let mut known = self.announced();
        for change in &self.changes {
            let Some(index) = change.occurrence.checked_rem(known.len()) else { continue };
            let one = &mut known[index];
            let at = one.start + change.minutes;
            match change.what {
                Change::End => one.end = one.end.min(at),
                Change::Extend => one.end = one.end.max(at),
                Change::Skip => one.is_skipped = true,
            }
        }
        known
    }

    fn overrides(&self) -> Vec<Override> {
        let known = self.announced();
        let overrides = self.changes.iter().filter_map(|change| {
            let one = &known[change.occurrence.checked_rem(known.len())?];
            let (window, occurrence_start) = (one.name.clone(), minute(one.start));
            let (at, actor, reason) =
                (minute(one.start + change.minutes), "kim".to_owned(), "why".to_owned());
            Some(match change.what {
                Change::End => Override::Ended { window, occurrence_start, at, actor, reason },
                Change::Extend => Override::Extended {
                    window,
                    occurrence_start,
                    until: at,
                    at: occurrence_start,
                    actor,
                    reason,
                },
                Change::Skip => Override::Skipped { window, occurrence_start, at: minute(-1), actor, reason },
            })
        });
        overrides.collect()
    }

    fn holds(&self) -> Vec<Hold> {
        let holds = self.holds.iter().enumerate().map(|(index, (start, length, acme))| Hold {
            name: format!("hold {index}"),
            org: acme.then(|| support::org("ACME01")),
            placed_at: minute(*start),
            until: length.map(|length| minute(start + length)),
            ..support::hold("", "00:00", None)
        });
        holds.collect()
    }

    fn ask(&self, at: DateTime<Utc>) -> Gate {
        let org = self.org.map(|org| OrgCode::new(org).unwrap());
        gate(at, org.as_ref(), &self.calendar(), &self.overrides(), &self.holds())
    }

    fn concerns(&self, pattern: Option<&str>) -> bool {
        match (pattern, self.org) {
            (None, _) => true,
            (Some("ACME01"), org) => org == Some("ACME01"),
            (_, org) => org == Some("county-7"),
        }
    }

    /// Names and starts of what covers the minute, sorted.
    fn covering(&self, at: i64) -> Vec<(String, i64)> {
        let windows = self.occurrences().into_iter().filter(|one| {
            !one.is_skipped && one.start <= at && at < one.end && self.concerns(PATTERNS[one.pattern])
        });
        let holds = self.holds.iter().enumerate().filter(|(_, (start, length, acme))| {
            let covers = *start <= at && length.is_none_or(|length| at < start + length);
            covers && self.concerns(acme.then_some("ACME01"))
        });
        let mut names: Vec<_> = windows.map(|one| (one.name, one.start)).collect();
        names.extend(holds.map(|(index, (start, ..))| (format!("hold {index}"), *start)));
        names.sort();
        names
    }

    fn in_cutoff(&self, at: i64) -> bool {
        self.occurrences().iter().any(|one| {
            let takes_place = !one.is_skipped && one.start < one.end;
            takes_place
                && one.start - self.cutoff <= at
                && at < one.start
                && self.concerns(PATTERNS[one.pattern])
        })
    }

    fn answer(&self, at: i64) -> (Vec<(String, i64)>, bool) {
        let covering = self.covering(at);
        let claims = covering.is_empty() && !self.in_cutoff(at);
        (covering, claims)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_gate_says_what_the_oracle_says(world in worlds(), now in -10..END) {
        let found = world.ask(minute(now));
        let (covering, claims) = world.answer(now);
        let mut names: Vec<_> = found.causes.iter().map(|cause| cause.name.clone()).collect();
        names.sort();
        let covering: Vec<_> = covering.into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(found.state == GateState::Closed, !covering.is_empty());
        prop_assert_eq!(found.claims_allowed, claims);
        prop_assert_eq!(names, covering);
    }

    #[test]
    fn until_is_where_the_gate_opens_and_closed_since_where_it_closed(world in worlds(), now in -10..END) {
        let found = world.ask(minute(now));
        let open = |at: &i64| world.covering(*at).is_empty();
        let closed = !open(&now);
        let until = (now..=END).find(open).filter(|_| closed);
        let since = (-11..now).rev().find(open).map(|last_open| last_open + 1).filter(|_| closed);
        prop_assert_eq!(found.until, until.map(minute));
        prop_assert_eq!(found.closed_since, since.map(minute));
    }

    #[test]
    fn next_change_is_the_first_instant_with_another_answer(world in worlds(), now in -10..END) {
        let found = world.ask(minute(now));
        let next = (now + 1..=END).find(|later| world.answer(*later) != world.answer(now));
        prop_assert_eq!(found.next_change, next.map(minute));
    }

    #[test]
    fn the_answer_is_constant_up_to_next_change(world in worlds(), now in -10..END, part in 0.0..1.0_f64) {
        let now = minute(now);
        let found = world.ask(now);
        let next = found.next_change.unwrap_or(minute(END + 1_000));
        let millisecond = TimeDelta::milliseconds(1);
        let between = now + (next - now - millisecond).to_std().map(|stretch| stretch.mul_f64(part)).unwrap();
        prop_assert_eq!(&world.ask(between), &found);
        prop_assert_eq!(&world.ask(next - millisecond), &found);
    }
}
