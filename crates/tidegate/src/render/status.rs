//! `tidegate status` in words.

use tidegate_domain::job::JobState;
use tidegate_web::api::{ClosedOrg, ConfigurationView, Status};

use super::{Ink, KEYS_WIDTH, Keys, Screen, gate_text, headline, length, number, one_line, plural, some_of};

/// One screen that answers: is it up, are we in a window, how deep is the queue, what failed.
pub(crate) fn status_text(status: &Status, screen: &Screen) -> String {
    let mut keys = Keys::default();
    keys.add("Gate", gate_text(&status.gate, &screen.indented(KEYS_WIDTH)));
    if !status.closed_orgs.is_empty() {
        let lines: Vec<String> =
            status.closed_orgs.iter().map(|closed| closed_line(closed, screen)).collect();
        keys.add("Also", lines.join("\n"));
    }
    keys.add("Waiting", waiting(status));
    keys.add_some(
        "Oldest",
        status
            .oldest_queued_at
            .map(|at| format!("waits since {} ({})", screen.time(at), length(screen.now - at))),
    );
    keys.add("Finished", finished(status, screen));
    let held: Vec<&str> = status.legal_holds.iter().map(tidegate_domain::OrgCode::as_str).collect();
    keys.add_some("Legal hold", (!held.is_empty()).then(|| held.join(", ")));
    keys.add_some("Bans", bans(status));
    keys.add_some("Drain", drain(status, screen));
    let listeners: Vec<String> =
        status.listeners.iter().map(|one| format!("{} {}", one.protocol, one.address)).collect();
    keys.add("Listening", listeners.join("\n"));
    keys.add("Version", &status.version);
    if !status.problems.is_empty() {
        let problems: Vec<String> =
            status.problems.iter().map(|problem| screen.paint(Ink::Bad, problem)).collect();
        keys.add("Problems", problems.join("\n"));
    }
    keys.add_some("Changed", changed(&status.configuration, screen));
    keys.fitted(screen).to_string()
}

/// What stands in the configuration file and is not in force.
pub(super) fn changed(configuration: &ConfigurationView, screen: &Screen) -> Option<String> {
    let ConfigurationView { changed_since_read, needs_restart } = configuration;
    let reload = changed_since_read
        .then(|| "tidegate.toml, after the server read it: `tidegate reload` takes it up".to_owned());
    let restart = (!needs_restart.is_empty())
        .then(|| format!("in force once the server is restarted: {}", some_of(needs_restart)));
    let lines: Vec<String> =
        restart.iter().chain(&reload).map(|line| screen.paint(Ink::Caution, line)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// One organization's own gate: most have one cause of their own, and the details are one command away.
pub(super) fn closed_line(closed: &ClosedOrg, screen: &Screen) -> String {
    let reasons: Vec<&str> = closed.gate.gate.causes.iter().map(|cause| cause.reason.as_str()).collect();
    format!(
        "{} {}, {} waiting: {}",
        closed.org,
        headline(&closed.gate, screen),
        plural(closed.waiting, "file"),
        one_line(&reasons.join("; "))
    )
}

fn count(status: &Status, state: JobState) -> u64 {
    status.jobs.get(&state).copied().unwrap_or(0)
}

pub(super) fn waiting(status: &Status) -> String {
    list(status, &[JobState::Queued, JobState::Processing, JobState::Retrying, JobState::Held])
        .unwrap_or_else(|| "nothing".to_owned())
}

pub(super) fn finished(status: &Status, screen: &Screen) -> String {
    let good = list(status, &[JobState::Complete, JobState::Duplicate, JobState::Cancelled]);
    let bad: Vec<String> = [JobState::Error, JobState::Exception]
        .iter()
        .filter(|state| count(status, **state) > 0)
        .map(|state| {
            let text =
                format!("{} {state}: tidegate queue list --state {state}", number(count(status, *state)));
            let ink = if *state == JobState::Exception { Ink::Bad } else { Ink::Caution };
            screen.paint(ink, &text)
        })
        .collect();
    let lines: Vec<String> = good.into_iter().chain(bad).collect();
    if lines.is_empty() { "nothing yet".to_owned() } else { lines.join("\n") }
}

/// Those states that have jobs.
fn list(status: &Status, wanted: &[JobState]) -> Option<String> {
    let some = wanted.iter().filter(|state| count(status, **state) > 0);
    let counts: Vec<String> =
        some.map(|state| format!("{} {state}", number(count(status, *state)))).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

fn bans(status: &Status) -> Option<String> {
    (status.bans > 0).then(|| {
        let addresses = match status.bans {
            1 => "1 address".to_owned(),
            count => format!("{} addresses", number(count as u64)),
        };
        format!("{addresses} turned away for failed logins: tidegate bans list")
    })
}

pub(super) fn drain(status: &Status, screen: &Screen) -> Option<String> {
    if status.drain.files_per_s <= 0.0 {
        return None;
    }
    let rate = status.drain.files_per_s;
    let rate = if rate >= 1.0 {
        format!("{rate:.1} files a second")
    } else {
        format!("{:.1} files a minute", rate * 60.0)
    };
    let end = status.drain.eta.map(|eta| format!("; empty {} ({})", screen.time(eta), screen.distance(eta)));
    Some(rate + &end.unwrap_or_default())
}
