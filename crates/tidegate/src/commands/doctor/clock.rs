//! Whether the clock and the time zones can be believed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};

use crate::environment::Finding;
use crate::render::{Screen, length};

/// Where a host's own time zones say of which version they are.
pub(super) const HOST_TZDB: &str = "/usr/share/zoneinfo/tzdata.zi";

/// A change that stands less far in the future was made while the clock was set right.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(1);

/// How long systemd may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Rules of time zones that are older than this may lack a change that was decided since.
const TZDB_YEARS_MAX: i32 = 2;

/// The clock beside the newest change of the store, which it can't be behind; and whether something `keeps` it right, if
/// that is known.
pub(super) fn clock(last_change_at: Option<DateTime<Utc>>, keeps: Option<bool>, screen: &Screen) -> Finding {
    let now = screen.instant(screen.now);
    let ahead = last_change_at.map_or(TimeDelta::zero(), |at| at - screen.now);
    if ahead >= AHEAD_MAX {
        return Finding::wrong(
            format!("the clock says {now}, but the store was changed {} later than that", length(ahead)),
            "set the clock and have it kept right: see `timedatectl`; windows begin and end by it",
        );
    }
    match keeps {
        Some(true) => Finding::ok(format!("clock: {now}, kept right by NTP")),
        Some(false) => Finding::warning(
            format!("clock: {now}, and nothing keeps it right"),
            "have it kept right, by `timedatectl set-ntp true` or chrony: windows begin and end by it",
        ),
        None => {
            Finding::ok(format!("clock: {now}; this machine does not tell whether something keeps it right"))
        }
    }
}

/// Whether the kernel's clock is synchronized, as systemd knows; `None` where it does not tell.
pub(super) fn is_kept_right() -> Option<bool> {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]);
    yes_or_no(command, ANSWER_MAX)
}

/// What a program says, unless it takes longer than it may.
fn yes_or_no(mut command: Command, time: Duration) -> Option<bool> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = quiet.spawn().ok()?;
    let stdout = child.stdout.take()?;
    let (sender, said) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        // What can't be read is no answer.
        let _ = stdout.take(16).read_to_string(&mut text);
        let _ = sender.send(text);
    });
    let text = said.recv_timeout(time);
    // One that has said all it had to say has ended, or may.
    let _ = child.kill();
    let _ = child.wait();
    match text.ok()?.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// The built-in time zones, of the version `own`, beside those of the host, which an update of the host may have made newer.
pub(super) fn tzdb(own: &str, host: &Path, now: DateTime<Utc>) -> Finding {
    let advice = "if your zone changes its clocks anew, install a newer tidegate before that day";
    if let Some(newer) = version(host).filter(|version| version.as_str() > own) {
        let what = format!("time zones: IANA tzdb {own} is built in, and the host has {newer} already");
        return Finding::warning(what, advice);
    }
    let year = own.get(..4).and_then(|year| year.parse::<i32>().ok());
    let age = year.map_or(0, |year| now.year() - year);
    if age >= TZDB_YEARS_MAX {
        let what = format!("time zones: IANA tzdb {own} is built in, which is of {age} years ago");
        return Finding::warning(what, advice);
    }
    Finding::ok(format!("time zones: IANA tzdb {own}, built in"))
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
            assert_eq!(clock(Some(changed), None, &screen).level, level, "{ahead}");
        }
        let found = clock(Some(screen.now + TimeDelta::hours(3)), Some(true), &screen);
        assert!(
            found.what.contains("Fri 2024-03-08 19:30 CST") && found.what.contains("3 h later"),
            "{found:?}"
        );
        assert_eq!(clock(None, None, &screen).level, Level::Ok);
    }

    #[test]
    fn a_clock_that_nothing_keeps_right_is_to_be_looked_at() {
        let found = |keeps| clock(None, keeps, &Screen::test());
        assert_eq!([found(Some(true)).level, found(None).level], [Level::Ok, Level::Ok]);
        let wild = found(Some(false));
        assert_eq!(wild.level, Level::Warning);
        assert!(wild.advice.unwrap().contains("timedatectl"));
    }

    #[test]
    fn a_program_says_yes_or_no_or_nothing_that_counts() {
        let said = |script: &str, time| {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", script]);
            yes_or_no(shell, time)
        };
        let long = Duration::from_mins(1);
        assert_eq!(said("echo yes", long), Some(true));
        assert_eq!(said("echo no", long), Some(false));
        assert_eq!([said("echo; exit 1", long), said("echo perhaps", long)], [None, None]);
        assert_eq!(said("exec sleep 600", Duration::from_millis(1)), None, "it is not waited for");
        assert_eq!(yes_or_no(Command::new("/nonexistent"), long), None);
    }

    #[test]
    fn zones_of_the_host_that_are_newer_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tzdata.zi");
        let now = Screen::test().now;
        let own = |version: &str| tzdb(version, &file, now).level;
        assert_eq!(own("2023a"), Level::Ok, "a host may have none");
        assert_eq!(own("2022g"), Level::Warning, "of two years ago");
        for (text, level) in [
            ("# version 2999a\nR A\n", Level::Warning),
            ("# version 1999a\n", Level::Ok),
            ("R A\n", Level::Ok),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(own("2023a"), level, "{text}");
        }
    }
}
