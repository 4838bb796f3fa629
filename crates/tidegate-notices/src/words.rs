//! Times and lengths as announcements have them.

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;

/// Local time with zone and offset: `Fri 2024-03-08 19:00 CST (America/Chicago, UTC-06:00)`.
pub(crate) fn local(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let time = if local.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    let form = format!("%a %Y-%m-%d {time} %Z ({zone}, UTC%:z)");
    local.format(&form).to_string()
}

/// The same instant for those elsewhere: `2024-03-09 01:00 UTC`.
pub(crate) fn utc(at: DateTime<Utc>) -> String {
    let time = if at.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    at.format(&format!("%Y-%m-%d {time} UTC")).to_string()
}

/// `5 h`, `1 h 30 min`, `45 min`; seconds only where there is nothing else.
pub(crate) fn length(length: TimeDelta) -> String {
    match (length.num_hours(), length.num_minutes() % 60) {
        (0, 0) => format!("{} s", length.num_seconds().max(0)),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_zone_and_offset_and_lengths_are_in_words() {
        let at: DateTime<Utc> = "2024-03-09T01:00:00Z".parse().unwrap();
        assert_eq!(local(at, Tz::America__Chicago), "Fri 2024-03-08 19:00 CST (America/Chicago, UTC-06:00)");
        assert_eq!(utc(at), "2024-03-09 01:00 UTC");
        let lengths = [0, 40, 60, 45 * 60, 3600, 5400, 18000].map(|s| length(TimeDelta::seconds(s)));
        assert_eq!(lengths, ["0 s", "40 s", "1 min", "45 min", "1 h", "1 h 30 min", "5 h"]);
    }
}
