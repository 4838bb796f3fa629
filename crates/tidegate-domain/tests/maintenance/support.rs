//! Short ways to write instants, windows and holds.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::local::parse_local;
use tidegate_domain::maintenance::{Calendar, Hold, Interval, OrgPattern, Origin, Override, Scope, Window};

pub(crate) const CHICAGO: Tz = Tz::America__Chicago;

/// `2024-03-09T01:00` or `2024-03-09T01:00:30`, in UTC.
pub(crate) fn utc(text: &str) -> DateTime<Utc> {
    local(text).and_utc()
}

pub(crate) fn local(text: &str) -> NaiveDateTime {
    parse_local(text).unwrap()
}

/// A time on the day of most of these tests, in UTC.
pub(crate) fn at(time: &str) -> DateTime<Utc> {
    utc(&format!("2024-05-06T{time}"))
}

pub(crate) fn org(code: &str) -> OrgCode {
    OrgCode::new(code).unwrap()
}

pub(crate) fn window(name: &str, from: &str, to: &str) -> Window {
    Window {
        name: name.to_owned(),
        interval: Interval::new(at(from), at(to)).unwrap(),
        zone: CHICAGO,
        reason: format!("reason of {name}"),
        scope: Scope::Everyone,
        origin: Origin::Configuration,
    }
}

pub(crate) fn window_of(org: &str, name: &str, from: &str, to: &str) -> Window {
    let scope = Scope::Orgs(vec![OrgPattern::new(org).unwrap()]);
    Window { scope, ..window(name, from, to) }
}

pub(crate) fn staff_window(name: &str, from: &str, to: &str) -> Window {
    let origin = Origin::Staff { actor: "kim".to_owned(), at: at("00:00") };
    Window { origin, ..window(name, from, to) }
}

pub(crate) fn hold(name: &str, placed_at: &str, until: Option<&str>) -> Hold {
    Hold {
        name: name.to_owned(),
        org: None,
        reason: format!("reason of {name}"),
        actor: "kim".to_owned(),
        placed_at: at(placed_at),
        until: until.map(at),
    }
}

pub(crate) fn ended(window: &str, start: &str, end: &str) -> Override {
    Override::Ended {
        window: window.to_owned(),
        occurrence_start: at(start),
        at: at(end),
        actor: "kim".to_owned(),
        reason: "done early".to_owned(),
    }
}

pub(crate) fn extended(window: &str, start: &str, until: &str) -> Override {
    Override::Extended {
        window: window.to_owned(),
        occurrence_start: at(start),
        until: at(until),
        at: at(start),
        actor: "kim".to_owned(),
        reason: "runs late".to_owned(),
    }
}

pub(crate) fn skipped(window: &str, start: &str) -> Override {
    Override::Skipped {
        window: window.to_owned(),
        occurrence_start: at(start),
        at: at("00:00"),
        actor: "kim".to_owned(),
        reason: "called off".to_owned(),
    }
}

pub(crate) fn calendar(windows: impl IntoIterator<Item = Window>) -> Calendar {
    Calendar { windows: windows.into_iter().collect(), timezone: Some(CHICAGO), ..Calendar::default() }
}
