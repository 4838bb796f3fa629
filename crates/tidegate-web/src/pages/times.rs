//! Instants for people and for programs.

use chrono::{DateTime, SecondsFormat, TimeDelta, Timelike as _, Utc};
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

/// Such as "8 Mar 2024 19:00", for tables.
pub(super) fn short(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %Y %H:%M").to_string()
}

/// Such as "in 1 h 5 min" or "3 min ago", from the present on.
pub(super) fn distance(from_now: TimeDelta) -> String {
    let seconds = from_now.num_seconds().unsigned_abs();
    let length = match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    };
    if from_now < TimeDelta::zero() { format!("{length} ago") } else { format!("in {length}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_words() {
        let words = |seconds| distance(TimeDelta::seconds(seconds));
        assert_eq!(
            [5, 65, 3_900, 200_000].map(words),
            ["in 5 s", "in 1 min 5 s", "in 1 h 5 min", "in 2 days"]
        );
        assert_eq!(words(-61), "1 min 1 s ago");
    }
}
