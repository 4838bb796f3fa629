//! `tidegate doctor`.
//!
//! Invariant: every finding that is not in order says what to do about it, and any that is wrong
//! makes the exit code 1.

mod clock;
mod doors;
mod server;
mod staged;

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use self::clock::{HOST_TZDB, clock, is_kept_right, tzdb};
use self::server::server;
use self::staged::staged;
use super::store::{has_store, look, verdict};
use crate::cli::JsonArg;
use crate::context::Context;
use crate::environment::{Finding, Level, examine};
use crate::failure::Failure;
use crate::render::{Ink, Screen, fold};

#[derive(Serialize)]
struct Report {
    ok: bool,
    version: &'static str,
    tzdb: &'static str,
    findings: Vec<Finding>,
}

pub(super) fn doctor(named: Option<&Path>, args: JsonArg) -> Result<(), Failure> {
    let (findings, screen) = match Context::load(named) {
        Ok(context) => (examine_all(&context), context.screen()),
        Err(failure) => (vec![configuration_wrong(&failure)], Screen::stdout(None)),
    };
    let ok = findings.iter().all(|finding| finding.level != Level::Wrong);
    let report =
        Report { ok, version: env!("CARGO_PKG_VERSION"), tzdb: chrono_tz::IANA_TZDB_VERSION, findings };
    if args.json {
        Screen::json(&report)?;
    } else {
        Screen::print(&text(&report, &screen))?;
    }
    if ok { Ok(()) } else { Err(Failure::Told) }
}

fn configuration_wrong(failure: &Failure) -> Finding {
    Finding::wrong(failure.to_string(), "mend it, then try `tidegate check-config`")
}

fn examine_all(context: &Context) -> Vec<Finding> {
    let mut findings = vec![Finding::ok(format!("configuration {}", context.loaded.file.display()))];
    findings.extend(zone(context));
    findings.extend(examine(&context.loaded));
    findings.extend(server(context));
    let (store, last_change_at) = store(context);
    findings.push(store);
    findings.extend(staged(&context.loaded.config.data_dir, &context.screen()));
    findings.push(clock(last_change_at, is_kept_right(), &context.screen()));
    findings.push(tzdb(chrono_tz::IANA_TZDB_VERSION, Path::new(HOST_TZDB), Utc::now()));
    findings
}

fn zone(context: &Context) -> Option<Finding> {
    context.loaded.zone().is_none().then(|| {
        let what = "no time zone: times are shown in UTC and windows can't be announced in local time";
        Finding::warning(what, "set maintenance.timezone, such as \"America/Chicago\"")
    })
}

/// Whether everything that was acknowledged is there; and when the last of it came.
fn store(context: &Context) -> (Finding, Option<DateTime<Utc>>) {
    if !has_store(context) {
        return (Finding::ok("no store yet; `tidegate serve` begins one"), None);
    }
    match look(context) {
        Ok(found) if found.findings.is_empty() => {
            (Finding::ok(verdict(&found, &context.screen())), found.last_change_at)
        }
        Ok(found) => {
            let advice = "do what is said with each, and keep a copy first";
            (Finding::wrong(verdict(&found, &context.screen()), advice), found.last_change_at)
        }
        Err(failure) => {
            let text = failure.to_string();
            let (what, advice) = text.split_once('\n').unwrap_or((&text, "look at the server's log"));
            (Finding::wrong(format!("the store can't be looked at: {what}"), advice), None)
        }
    }
}

fn text(report: &Report, screen: &Screen) -> String {
    let mut lines: Vec<String> = report.findings.iter().map(|finding| line(finding, screen)).collect();
    let count = |level| report.findings.iter().filter(|finding| finding.level == level).count();
    let end = match (count(Level::Wrong), count(Level::Warning)) {
        (0, 0) => "Everything is in order.".to_owned(),
        (wrong, warnings) => format!("{wrong} wrong, {warnings} to look at."),
    };
    lines.push(end);
    lines.join("\n")
}

fn line(finding: &Finding, screen: &Screen) -> String {
    let (word, ink) = match finding.level {
        Level::Ok => ("ok     ", Ink::Good),
        Level::Warning => ("look   ", Ink::Caution),
        Level::Wrong => ("WRONG  ", Ink::Bad),
    };
    let fitted = |text: &str, indent: usize| {
        let room = screen.indented(indent).width;
        let lines: Vec<String> = text.lines().map(|line| fold(line, room)).collect();
        lines.join("\n").replace('\n', &format!("\n{:indent$}", ""))
    };
    let advice = finding.advice.as_ref();
    let advice = advice.map_or_else(String::new, |advice| format!("\n         -> {}", fitted(advice, 12)));
    format!("{}  {}{advice}", screen.paint(ink, word), fitted(&finding.what, 9))
}
