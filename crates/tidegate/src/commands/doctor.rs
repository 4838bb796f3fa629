//! `tidegate doctor`.
//!
//! Invariant: every finding that is not in order says what to do about it, and any that is wrong
//! makes the exit code 1.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::TimeDelta;
use serde::Serialize;
use tidegate_domain::job::JobState;
use tidegate_domain::maintenance::GateState;
use tidegate_web::api::{RetentionView, Status};

use super::store::{has_store, look, verdict};
use crate::cli::JsonArg;
use crate::context::Context;
use crate::environment::{Finding, Level, examine};
use crate::failure::Failure;
use crate::render::{Ink, Screen, length, plural};

/// A file that waits longer than this while the gate is open deserves a look.
const WAIT_MAX: TimeDelta = TimeDelta::hours(1);

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
    findings.push(store(context));
    findings
}

fn zone(context: &Context) -> Option<Finding> {
    context.loaded.zone().is_none().then(|| {
        let what = "no time zone: times are shown in UTC and windows can't be announced in local time";
        Finding::warning(what, "set maintenance.timezone, such as \"America/Chicago\"")
    })
}

fn server(context: &Context) -> Vec<Finding> {
    let asked = context.client().and_then(|client| client.get::<Status>("/v1/status"));
    match asked {
        Ok(status) => running(&status, &context.screen()).into_iter().chain(retention(context)).collect(),
        Err(failure) => {
            let text = failure.to_string();
            let (what, advice) = text.split_once('\n').unwrap_or((&text, "look at the server's log"));
            vec![Finding::wrong(what, advice)]
        }
    }
}

fn running(status: &Status, screen: &Screen) -> Vec<Finding> {
    let mut findings = vec![Finding::ok(format!("the server runs, version {}", status.version))];
    if status.version != env!("CARGO_PKG_VERSION") {
        let what =
            format!("the server is version {}, this command {}", status.version, env!("CARGO_PKG_VERSION"));
        findings.push(Finding::warning(what, "restart the server to run the installed version"));
    }
    let refused = status.problems.iter();
    findings.extend(refused.map(|problem| {
        Finding::wrong(
            format!("not taken up: {problem}"),
            "mend the file; what it said before stays in force",
        )
    }));
    findings.extend(waiting(status, screen));
    for (state, advice) in [
        (JobState::Exception, "look with `tidegate queue show`, then `tidegate queue requeue` or `cancel`"),
        (
            JobState::Error,
            "nothing to do here: their senders have been told; `tidegate queue list --state error`",
        ),
    ] {
        let count = status.jobs.get(&state).copied().unwrap_or(0);
        if count > 0 {
            findings.push(Finding::warning(format!("{} in state {state}", plural(count, "job")), advice));
        }
    }
    findings
}

/// Whether what is over goes, and what stays although it is over.
fn retention(context: &Context) -> Vec<Finding> {
    let asked = context.client().and_then(|client| client.get::<RetentionView>("/v1/retention"));
    let Ok(view) = asked else { return Vec::new() };
    let held: BTreeSet<&str> = view.legal_holds.iter().map(|hold| hold.org.as_str()).collect();
    let held = (!held.is_empty()).then(|| {
        let orgs = held.into_iter().collect::<Vec<_>>().join(", ");
        Finding::ok(format!("a legal hold keeps everything of {orgs}: see `tidegate retention status`"))
    });
    let advice = "look whether the clock is right: `timedatectl`; the next pass is in an hour";
    let pass = view.last_pass.unwrap_or_default();
    let postponed =
        pass.postponed.map(|why| Finding::warning(format!("retention is postponed: {why}"), advice));
    let broke_off = |error| format!("retention broke off: {error}");
    let failed = pass.error.map(|error| Finding::wrong(broke_off(error), "look at the server's log"));
    held.into_iter().chain(postponed).chain(failed).collect()
}

fn waiting(status: &Status, screen: &Screen) -> Option<Finding> {
    let oldest = status.oldest_queued_at?;
    let age = screen.now - oldest;
    let what = format!("the oldest waiting file came {} ago", length(age));
    if status.gate.gate.state == GateState::Open && age > WAIT_MAX {
        return Some(Finding::warning(
            what,
            "the gate is open: look at `tidegate status` and the server's log",
        ));
    }
    Some(Finding::ok(what))
}

fn store(context: &Context) -> Finding {
    if !has_store(context) {
        return Finding::ok("no store yet; `tidegate serve` begins one");
    }
    match look(context) {
        Ok(found) if found.findings.is_empty() => Finding::ok(verdict(&found)),
        Ok(found) => Finding::wrong(verdict(&found), "do what is said with each, and keep a copy first"),
        Err(failure) => Finding::wrong(format!("the store can't be looked at: {failure}"), "see above"),
    }
}

fn text(report: &Report, screen: &Screen) -> String {
    let mut lines: Vec<String> = report.findings.iter().map(|finding| line(finding, screen)).collect();
    lines.push(format!("ok       time zones: IANA tzdb {}, built in", report.tzdb));
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
    let what = finding.what.replace('\n', "\n         ");
    let advice = finding.advice.as_ref().map_or_else(String::new, |advice| format!("\n         -> {advice}"));
    format!("{}  {what}{advice}", screen.paint(ink, word))
}
