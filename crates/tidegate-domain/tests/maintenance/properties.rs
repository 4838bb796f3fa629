//! The gate against an oracle that looks at every minute of a small world.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{
    Calendar, Gate, GateState, Hold, Interval, OrgPattern, Override, Scope, Window, gate,
};

use crate::support;

/// Everything of this world happens in minutes `0..END`, so that one later nothing changes any more.
const END: i64 = 90;

/// Whom a closure concerns: everyone, `ACME01`, or the counties.
const PATTERNS: [Option<&str>; 3] = [None, Some("ACME01"), Some("county-*")];

#[derive(Debug, Clone)]
struct World {
    /// Start, length, index into [`PATTERNS`], and minutes after the start at which it was ended.
    windows: Vec<(i64, i64, usize, Option<i64>)>,
    /// Start, length if it has an end, and whether it concerns `ACME01` only.
    holds: Vec<(i64, Option<i64>, bool)>,
    cutoff: i64,
    org: Option<&'static str>,
}

fn worlds() -> impl Strategy<Value = World> {
    let window = (0..60_i64, 1..20_i64, 0..3_usize, proptest::option::weighted(0.3, 0..25_i64));
    let hold = (0..60_i64, proptest::option::weighted(0.9, 1..20_i64), any::<bool>());
    let org = prop_oneof![Just(None), Just(Some("ACME01")), Just(Some("county-7"))];
    (proptest::collection::vec(window, 0..6), proptest::collection::vec(hold, 0..4), 0..6_i64, org)
        .prop_map(|(windows, holds, cutoff, org)| World { windows, holds, cutoff, org })
}

fn minute(minute: i64) -> DateTime<Utc> {
    support::at("00:00") + TimeDelta::minutes(minute)
}

impl World {
    fn calendar(&self) -> Calendar {
        let windows = self.windows.iter().enumerate().map(|(index, (start, length, pattern, _))| Window {
            name: format!("window {index}"),
            interval: Interval::new(minute(*start), minute(start + length)).unwrap(),
            scope: PATTERNS[*pattern]
                .map_or(Scope::Everyone, |pattern| Scope::Orgs(vec![OrgPattern::new(pattern).unwrap()])),
            ..support::window("", "00:00", "01:00")
        });
        let cutoff = Duration::from_mins(self.cutoff.unsigned_abs());
        Calendar { cutoff, ..support::calendar(windows) }
    }

    fn overrides(&self) -> Vec<Override> {
        let ended = self.windows.iter().enumerate().filter_map(|(index, (start, _, _, ended))| {
            Some(Override::Ended {
                window: format!("window {index}"),
                occurrence_start: minute(*start),
                at: minute(start + (*ended)?),
                actor: "kim".to_owned(),
                reason: "done early".to_owned(),
            })
        });
        ended.collect()
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

    /// Names of what covers the minute, sorted.
    fn covering(&self, at: i64) -> Vec<String> {
        let windows = self.windows.iter().enumerate().filter(|(_, (start, length, pattern, ended))| {
            let covers = *start <= at && at < start + length && ended.is_none_or(|ended| at < start + ended);
            covers && self.concerns(PATTERNS[*pattern])
        });
        let holds = self.holds.iter().enumerate().filter(|(_, (start, length, acme))| {
            let covers = *start <= at && length.is_none_or(|length| at < start + length);
            covers && self.concerns(acme.then_some("ACME01"))
        });
        let mut names: Vec<_> = windows.map(|(index, _)| format!("window {index}")).collect();
        names.extend(holds.map(|(index, _)| format!("hold {index}")));
        names.sort();
        names
    }

    fn in_cutoff(&self, at: i64) -> bool {
        self.windows.iter().any(|(start, _, pattern, ended)| {
            *ended != Some(0) && start - self.cutoff <= at && at < *start && self.concerns(PATTERNS[*pattern])
        })
    }

    fn answer(&self, at: i64) -> (Vec<String>, bool) {
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
