//! The gate never leaks: thousands of random calendars, holds, overrides and reloads against an oracle that
//! looks at minutes. While the oracle says closed no claim is handed out, and at the exact instant at which it
//! says open there is one.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::OrgCode;
use tidegate_domain::job::JobEvent;
use tidegate_domain::maintenance::{
    Calendar, Extension, GateState, Hold, HoldLength, Interval, MaintenanceConfig, OrgPattern, Origin,
    Override, Scope, Window,
};

use crate::rig::{Rig, instant, org};

/// Calendars that are tried; each is reloaded several times.
const CASES: u64 = 250;
const STEPS: u64 = 8;

/// So many minutes after the beginning of a case everything is over that has an end.
const END: i64 = 3000;

const ORGS: [&str; 3] = ["A", "B-1", "B-2"];
const PATTERNS: [Option<&str>; 3] = [None, Some("A"), Some("B-*")];

/// One occurrence of a window, in minutes of the case.
#[derive(Debug, Clone)]
struct Known {
    window: String,
    start: i64,
    end: i64,
    pattern: usize,
}

#[derive(Debug, Clone)]
struct KnownHold {
    org: Option<&'static str>,
    start: i64,
    end: Option<i64>,
}

/// What closes the gate, as it was ordered.
#[derive(Debug, Default)]
struct Oracle {
    cutoff: i64,
    configured: Vec<Known>,
    staff: Vec<Known>,
    holds: Vec<KnownHold>,
    changes: Vec<Override>,
}

struct Case {
    rig: Rig,
    random: Random,
    begin: DateTime<Utc>,
    now: i64,
    oracle: Oracle,
}

/// Numbers that look random and are the same in every run: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn minutes(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below((to - from).unsigned_abs())).unwrap()
    }
}

#[tokio::test]
async fn no_claim_is_handed_out_while_the_gate_is_closed_and_it_opens_at_the_exact_instant() {
    // In memory where there is such a directory: a sync would take most of the time.
    let memory = std::path::Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let rig = Rig::open(dir.unwrap());
    for code in ORGS {
        rig.accept(code, "1", b"1").await;
    }
    let (random, begin) = (Random(0x9E37_79B9_7F4A_7C15), instant("2024-03-08T00:00:00Z"));
    let mut case = Case { rig, random, begin, now: 0, oracle: Oracle::default() };
    let (mut closed, mut opened) = (0, 0);
    for _ in 0..CASES {
        case.reload();
        for _ in 0..STEPS {
            case.now += case.random.minutes(0, 25);
            case.set_clock(TimeDelta::zero());
            case.do_something().await;
            closed += case.check().await;
            opened += case.open_at_the_exact_instant().await;
        }
        case.end().await;
    }
    assert!(closed > CASES && opened > CASES, "closed {closed} times, opened {opened} times");
}

impl Case {
    fn at(&self, minute: i64) -> DateTime<Utc> {
        self.begin + TimeDelta::minutes(minute)
    }

    fn set_clock(&self, off: TimeDelta) {
        self.rig.clock.set(self.at(self.now) + off);
    }

    /// A new calendar, of the file: one-off windows and such that recur every hour of this day.
    fn reload(&mut self) {
        self.oracle.cutoff = self.random.minutes(0, 4);
        self.oracle.configured.clear();
        let mut text = format!("timezone = 'UTC'\ncutoff = '{}m'\n", self.oracle.cutoff);
        for number in 0..self.random.below(5) {
            let (start, length) = (self.random.minutes(0, 60), self.random.minutes(1, 45));
            let pattern = usize::try_from(self.random.below(3)).unwrap();
            let window = format!("file {number}");
            writeln!(text, "[[window]]\nname = '{window}'\nduration = '{length}m'").unwrap();
            if let Some(pattern) = PATTERNS[pattern] {
                writeln!(text, "orgs = ['{pattern}']").unwrap();
            }
            let day = self.begin.format("%Y-%m-%d");
            let hours = if self.random.below(2) == 0 {
                writeln!(text, "from = '{day}T00:{start:02}'").unwrap();
                0..1
            } else {
                let days = format!("valid_from = '{day}'\nvalid_until = '{day}'");
                writeln!(text, "cron = '{start} 0-4 * * *'\n{days}").unwrap();
                0..5
            };
            self.oracle.configured.extend(hours.map(|hour| {
                let start = hour * 60 + start;
                Known { window: window.clone(), start, end: start + length, pattern }
            }));
        }
        let calendar: Calendar = toml::from_str::<MaintenanceConfig>(&text).unwrap().to_calendar().unwrap();
        self.rig.store.set_calendar(calendar);
    }

    async fn do_something(&mut self) {
        match self.random.below(10) {
            0 => self.reload(),
            1 => self.place_hold().await,
            2 => self.release_holds().await,
            3 | 4 => self.add_window().await,
            5..=7 => self.change_window().await,
            _ => {}
        }
    }

    async fn place_hold(&mut self) {
        let for_org = [None, Some("A"), Some("B-1")][usize::try_from(self.random.below(3)).unwrap()];
        let minutes = self.random.minutes(1, 40);
        let is_open_ended = self.random.below(4) == 0;
        let length = if is_open_ended {
            HoldLength::UntilReleased
        } else {
            HoldLength::Until(self.at(self.now + minutes))
        };
        let hold = Hold::new("hold", for_org.map(org), "why", "eve", self.at(self.now), length).unwrap();
        self.rig.store.place_hold(hold).await.unwrap();
        let end = (!is_open_ended).then_some(self.now + minutes);
        self.oracle.holds.push(KnownHold { org: for_org, start: self.now, end });
    }

    async fn release_holds(&mut self) {
        for released in [None, Some("A"), Some("B-1")] {
            self.rig.store.release_holds(released.map(org).as_ref(), "eve", "done").await.unwrap();
        }
        self.oracle.holds.clear();
    }

    async fn add_window(&mut self) {
        let (start, length) = (self.now + self.random.minutes(0, 30), self.random.minutes(1, 40));
        let pattern = usize::try_from(self.random.below(3)).unwrap();
        let window = format!("staff {}", self.oracle.staff.len());
        let scope = PATTERNS[pattern]
            .map_or(Scope::Everyone, |pattern| Scope::Orgs(vec![OrgPattern::new(pattern).unwrap()]));
        let interval = Interval::new(self.at(start), self.at(start + length)).unwrap();
        let origin = Origin::Staff { actor: "eve".to_owned(), at: self.at(self.now) };
        let zone = "UTC".parse().unwrap();
        let added = Window::new(&window, interval, zone, "why", scope, origin).unwrap();
        self.rig.store.add_window(added, "eve").await.unwrap();
        self.oracle.staff.push(Known { window, start, end: start + length, pattern });
    }

    /// Ends, extends or skips an occurrence of a window, if that is possible.
    async fn change_window(&mut self) {
        let names: BTreeSet<String> = self.oracle.announced().map(|one| one.window.clone()).collect();
        let Some(name) = names.iter().nth(usize::try_from(self.random.below(8)).unwrap()) else { return };
        let maintenance = self.rig.store.maintenance();
        let (calendar, overrides, now) = (&maintenance.calendar, &maintenance.overrides, self.at(self.now));
        let who = ("eve", "why");
        let change = match self.random.below(3) {
            0 => Override::end(name, now, calendar, overrides, "eve", "why"),
            1 => {
                let by = Extension::By(TimeDelta::minutes(self.random.minutes(1, 50)));
                Override::extend(name, by, now, calendar, overrides, who)
            }
            _ => Override::skip(name, None, now, calendar, overrides, who),
        };
        let Ok(change) = change else { return };
        self.rig.store.override_window(change.clone(), "eve").await.unwrap();
        self.oracle.changes.push(change);
    }

    /// Claims are handed out for exactly those for whom the gate is open; for how many it is closed.
    async fn check(&mut self) -> u64 {
        let allowed = ORGS.into_iter().filter(|code| self.oracle.may_claim(self, self.now, code));
        let allowed: BTreeSet<OrgCode> = allowed.map(org).collect();
        let claims = self.rig.store.claim(ORGS.len()).await.unwrap();
        let claimed: BTreeSet<OrgCode> =
            claims.iter().map(|claim| claim.job.submission.org.clone()).collect();
        assert_eq!(claimed, allowed, "at minute {} of {}: {:?}", self.now, self.begin, self.oracle);
        for claim in &claims {
            self.rig.store.finish(claim, JobEvent::Yielded).await.unwrap();
        }
        let closed = ORGS.into_iter().filter(|code| self.oracle.is_closed(self, self.now, code));
        u64::try_from(closed.count()).unwrap()
    }

    /// For the first for whom it is closed: it is until the very last moment and not for one longer, and
    /// whoever sleeps until something may have changed is awake by then.
    async fn open_at_the_exact_instant(&mut self) -> u64 {
        let closed = ORGS.into_iter().find(|code| self.oracle.is_closed(self, self.now, code));
        let Some(code) = closed else { return 0 };
        let opens = (self.now..END).find(|minute| !self.oracle.is_closed(self, *minute, code));
        let gate = self.rig.store.gate(Some(&org(code)));
        assert_eq!(
            gate.until,
            opens.map(|minute| self.at(minute)),
            "{code} at {}: {:?}",
            self.now,
            self.oracle
        );
        let Some(opens) = opens else { return 0 };
        assert!(self.rig.store.next_due().is_some_and(|due| due <= self.at(opens)));
        self.now = opens;
        self.set_clock(TimeDelta::milliseconds(-1));
        assert_eq!(self.rig.store.gate(Some(&org(code))).state, GateState::Closed);
        let claims = self.rig.store.claim(ORGS.len()).await.unwrap();
        assert!(claims.iter().all(|claim| claim.job.submission.org != org(code)));
        for claim in &claims {
            self.rig.store.finish(claim, JobEvent::Yielded).await.unwrap();
        }
        self.set_clock(TimeDelta::zero());
        assert_eq!(self.rig.store.gate(Some(&org(code))).state, GateState::Open);
        self.check().await;
        1
    }

    /// On to the next day, with nothing left over.
    async fn end(&mut self) {
        self.release_holds().await;
        (self.begin, self.now) = (self.begin + TimeDelta::days(2), 0);
        self.set_clock(TimeDelta::zero());
        for window in &self.oracle.staff {
            self.rig.store.remove_window(&window.window, "over", "eve").await.unwrap();
        }
        self.oracle = Oracle::default();
    }
}

impl Oracle {
    fn announced(&self) -> impl Iterator<Item = &Known> {
        self.configured.iter().chain(&self.staff)
    }

    /// Start and end of what becomes of each occurrence that concerns the organization.
    fn covered(&self, case: &Case, code: &str) -> Vec<(i64, i64)> {
        let concerns = |pattern: usize| match PATTERNS[pattern] {
            None => true,
            Some("A") => code == "A",
            _ => code.starts_with("B-"),
        };
        let minute = |at: DateTime<Utc>| (at - case.begin).num_minutes();
        let of = |one: &Known| {
            let (mut end, mut is_skipped) = (one.end, false);
            let is_about = |change: &&Override| {
                change.window() == one.window && change.occurrence_start() == case.at(one.start)
            };
            for change in self.changes.iter().filter(is_about) {
                match change {
                    Override::Ended { at, .. } => end = end.min(minute(*at)),
                    Override::Extended { until, .. } => end = end.max(minute(*until)),
                    Override::Skipped { .. } => is_skipped = true,
                }
            }
            (!is_skipped && one.start < end).then_some((one.start, end))
        };
        self.announced().filter(|one| concerns(one.pattern)).filter_map(of).collect()
    }

    fn is_closed(&self, case: &Case, minute: i64, code: &str) -> bool {
        let holds = |hold: &KnownHold| {
            hold.org.is_none_or(|org| org == code)
                && hold.start <= minute
                && hold.end.is_none_or(|end| minute < end)
        };
        self.holds.iter().any(holds)
            || self.covered(case, code).iter().any(|(start, end)| *start <= minute && minute < *end)
    }

    fn may_claim(&self, case: &Case, minute: i64, code: &str) -> bool {
        let cut_off = |(start, _): &(i64, i64)| start - self.cutoff <= minute && minute < *start;
        !self.is_closed(case, minute, code) && !self.covered(case, code).iter().any(cut_off)
    }
}
