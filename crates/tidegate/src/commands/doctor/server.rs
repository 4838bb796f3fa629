//! What the running server tells of itself.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use tidegate_domain::job::JobState;
use tidegate_domain::maintenance::GateState;
use tidegate_web::api::{ConfigurationView, LaneView, RetentionView, Status};

use super::doors::doors;
use crate::context::Context;
use crate::environment::Finding;
use crate::render::{Screen, length, plural, some_of};

/// A file that waits longer than this while the gate is open deserves a look.
const WAIT_MAX: TimeDelta = TimeDelta::hours(1);

/// Lanes that are named; the others are counted.
const LANES_MAX: usize = 5;

pub(super) fn server(context: &Context) -> Vec<Finding> {
    let asked = context.client().and_then(|client| client.get::<Status>("/v1/status"));
    match asked {
        Ok(status) => {
            let running = running(&status, &context.screen()).into_iter();
            running.chain(retention(context)).chain(doors(&status.listeners)).collect()
        }
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
    findings.extend(changed(&status.configuration));
    findings.extend(waiting(status, screen));
    findings.extend(lanes(status, screen));
    findings.extend(bans(status));
    let count = |state| status.jobs.get(&state).copied().unwrap_or(0);
    if count(JobState::Exception) > 0 {
        let what = format!("{} in state exception", plural(count(JobState::Exception), "job"));
        let advice = "look with `tidegate queue list --state exception` and `tidegate queue show`, then requeue or cancel";
        findings.push(Finding::warning(what, advice));
    }
    if count(JobState::Error) > 0 {
        let errors = plural(count(JobState::Error), "job");
        findings.push(Finding::ok(format!("{errors} in state error, whose senders have been told")));
    }
    findings
}

/// Whether what stands in the configuration file is in force.
fn changed(configuration: &ConfigurationView) -> Vec<Finding> {
    let keys = &configuration.needs_restart;
    let restart = (!keys.is_empty()).then(|| {
        let what = format!("changed in tidegate.toml and not in force: {}", some_of(keys));
        Finding::warning(what, "restart the server when it suits; uploads that run are waited for")
    });
    let reload = configuration.changed_since_read.then(|| {
        let what = "tidegate.toml was changed after the server had read it";
        Finding::warning(what, "look at it with `tidegate check-config`, then `tidegate reload`")
    });
    restart.into_iter().chain(reload).collect()
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
    let what = format!("the oldest waiting file came {} ago", length(screen.now - status.oldest_queued_at?));
    stuck(status, screen).is_empty().then(|| Finding::ok(what))
}

/// Organizations whose first file waits although nothing of theirs is in hand and their gate is open.
fn stuck<'a>(status: &'a Status, screen: &Screen) -> Vec<&'a LaneView> {
    let is_stuck = |lane: &&LaneView| {
        let is_open = status.gate.gate.state == GateState::Open
            && !status.closed_orgs.iter().any(|closed| closed.org == lane.org);
        is_open && !lane.in_hand && lane.oldest_at.is_some_and(|at| screen.now - at > WAIT_MAX)
    };
    status.lanes.iter().filter(is_stuck).collect()
}

fn lanes(status: &Status, screen: &Screen) -> Vec<Finding> {
    let stuck = stuck(status, screen);
    let named = stuck.iter().take(LANES_MAX).map(|lane| {
        let age = lane.oldest_at.map(|at| length(screen.now - at)).unwrap_or_default();
        let (org, waiting) = (&lane.org, plural(lane.waiting, "file"));
        let advice = format!(
            "see what the first says, and hold it if the others may pass: \
             tidegate queue list --org {org} --state queued,retrying"
        );
        Finding::warning(
            format!("{org} is stuck: {waiting} waiting for up to {age}, and the gate is open"),
            advice,
        )
    });
    let more = stuck.len().saturating_sub(LANES_MAX) as u64;
    let counted = (more > 0).then(|| {
        let are = if more == 1 { "is" } else { "are" };
        let what = format!("{} more {are} stuck in the same way", plural(more, "organization"));
        Finding::warning(what, "see `tidegate status --watch`")
    });
    named.chain(counted).collect()
}

fn bans(status: &Status) -> Option<Finding> {
    let advice = "see `tidegate bans list`; if a sender of ours is among them: tidegate bans lift ADDRESS";
    let addresses = match status.bans {
        0 => return None,
        1 => "1 address is".to_owned(),
        more => format!("{more} addresses are"),
    };
    Some(Finding::warning(format!("{addresses} turned away for failed logins"), advice))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn status(word: &str, lanes: &Value) -> Status {
        let gate = |state: &str| {
            json!({"state": state, "causes": [], "until": null, "next_change": null, "claims_allowed": true,
                   "closed_since": null, "opened_at": null, "at": "2024-03-09T01:30:00Z", "until_local": null,
                   "next_change_local": null})
        };
        serde_json::from_value(json!({
            "version": env!("CARGO_PKG_VERSION"), "gate": gate(word), "jobs": {}, "lanes": lanes,
            "closed_orgs": [{"org": "SHUT01", "waiting": 9, "gate": gate("closed")}],
            "oldest_queued_at": "2024-03-08T21:30:00Z", "drain": {"files_per_s": 0.0, "eta": null},
            "legal_holds": [], "bans": 2, "listeners": [], "problems": []
        }))
        .unwrap()
    }

    fn lane(org: &str, oldest_at: &str, in_hand: bool) -> Value {
        json!({"org": org, "waiting": 12, "in_hand": in_hand, "oldest_at": oldest_at})
    }

    fn told(gate: &str, lanes: &Value) -> Vec<String> {
        let findings = running(&status(gate, lanes), &Screen::test());
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_lane_is_stuck_whose_gate_is_open_and_whose_first_file_is_in_nobodys_hand() {
        let (old, new) = ("2024-03-08T21:30:00Z", "2024-03-09T00:31:00Z");
        let lanes = json!([
            lane("ACME01", old, false),
            lane("SHUT01", old, false),
            lane("BUSY01", old, true),
            lane("NEW01", new, false),
        ]);
        let open = told("open", &lanes);
        let stuck: Vec<&String> = open.iter().filter(|what| what.contains("stuck")).collect();
        assert_eq!(stuck, ["ACME01 is stuck: 12 files waiting for up to 4 h, and the gate is open"]);
        assert!(!open.iter().any(|what| what.starts_with("the oldest")), "said once: {open:?}");
        let closed = told("closed", &lanes);
        assert!(closed.contains(&"the oldest waiting file came 4 h ago".to_owned()), "{closed:?}");
        let many: Vec<Value> = (0..7).map(|number| lane(&format!("ORG{number}"), old, false)).collect();
        assert!(
            told("open", &json!(many)).contains(&"2 organizations more are stuck in the same way".to_owned())
        );
    }

    #[test]
    fn whoever_is_turned_away_is_counted() {
        let told = |count: usize| {
            let found = bans(&Status { bans: count, ..status("open", &json!([])) });
            found.map(|finding| finding.what)
        };
        let words = |addresses: &str| Some(format!("{addresses} turned away for failed logins"));
        assert_eq!([told(0), told(1), told(2)], [None, words("1 address is"), words("2 addresses are")]);
    }
}
