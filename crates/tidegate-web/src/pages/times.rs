//! Instants for people and for programs.

use chrono::{DateTime, SecondsFormat, Timelike as _, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};

/// Such as "Friday 8 March 2024, 19:00 CST".
pub(super) fn text(at: DateTime<Utc>, zone: Tz) -> String {
    let time = if at.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    at.with_timezone(&zone).format(&format!("%A %-d %B %Y, {time} %Z")).to_string()
}

/// The same with what programs read.
pub(super) fn time(at: DateTime<Utc>, zone: Tz) -> Markup {
    html! { time datetime=(machine(at)) { (text(at, zone)) } }
}

/// RFC 3339, in UTC.
pub(super) fn machine(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// "until further notice" where nobody knows the end.
pub(super) fn until(end: Option<DateTime<Utc>>, zone: Tz) -> Markup {
    html! { @match end { Some(end) => { "until " (time(end, zone)) }, None => "until further notice" } }
}

/// Such as "8 Mar 19:00", for tables.
pub(super) fn short(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %H:%M").to_string()
}
