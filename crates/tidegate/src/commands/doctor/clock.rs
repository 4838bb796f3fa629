//! Whether the clock and the time zones can be believed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use crate::environment::Finding;
use crate::render::{Screen, length};

/// Where a host's own time zones say of which version they are.
pub(super) const HOST_TZDB: &str = "/usr/share/zoneinfo/tzdata.zi";

/// A change that stands less far in the future was made while the clock was set right.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(1);

/// The clock beside the newest change of the store, which it can't be behind.
pub(super) fn clock(last_change_at: Option<DateTime<Utc>>, screen: &Screen) -> Finding {
    let now = screen.instant(screen.now);
    let ahead = last_change_at.map_or(TimeDelta::zero(), |at| at - screen.now);
    if ahead < AHEAD_MAX {
        return Finding::ok(format!("clock: {now}"));
    }
    Finding::wrong(
        format!("the clock says {now}, but the store was changed {} later than that", length(ahead)),
        "set the clock and have it kept right: see `timedatectl`; windows begin and end by it",
    )
}

/// The built-in time zones, beside those of the host, which an update of the host may have made newer.
pub(super) fn tzdb(host: &Path) -> Finding {
    let own = chrono_tz::IANA_TZDB_VERSION;
    match version(host).filter(|version| version.as_str() > own) {
        None => Finding::ok(format!("time zones: IANA tzdb {own}, built in")),
        Some(newer) => Finding::warning(
            format!("time zones: IANA tzdb {own} is built in, and the host has {newer} already"),
            "if your zone changes its clocks anew, install a newer tidegate before that day",
        ),
    }
}

/// The version on the first line, such as `# version 2025b`.
fn version(path: &Path) -> Option<String> {
    let mut line = String::new();
    BufReader::new(std::fs::File::open(path).ok()?).read_line(&mut line).ok()?;
    Some(line.trim().strip_prefix("# version ")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Level;

    #[test]
    fn a_clock_behind_the_newest_change_is_wrong() {
        let screen = Screen::test();
        for (ahead, level) in [(-60, Level::Ok), (59, Level::Ok), (61, Level::Wrong)] {
            let changed = screen.now + TimeDelta::seconds(ahead);
            assert_eq!(clock(Some(changed), &screen).level, level, "{ahead}");
        }
        let found = clock(Some(screen.now + TimeDelta::hours(3)), &screen);
        assert!(
            found.what.contains("Fri 2024-03-08 19:30 CST") && found.what.contains("3 h later"),
            "{found:?}"
        );
        assert_eq!(clock(None, &screen).level, Level::Ok);
    }

    #[test]
    fn zones_of_the_host_that_are_newer_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tzdata.zi");
        assert_eq!(tzdb(&file).level, Level::Ok, "a host may have none");
        for (text, level) in [
            ("# version 2999a\nR A\n", Level::Warning),
            ("# version 1999a\n", Level::Ok),
            ("R A\n", Level::Ok),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(tzdb(&file).level, level, "{text}");
        }
    }
}
