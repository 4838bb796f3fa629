//! Jobs as a table, and one job in full.

use tidegate_domain::job::JobState;
use tidegate_web::api::{HistoryView, JobDetail, JobView, Messages};

use super::{Ink, KEYS_WIDTH, Keys, Screen, Table, by, gate_text, number, one_line, size};

/// Jobs under each other; the reason is shown where a job has one.
pub(crate) fn job_list(jobs: &[JobView], screen: &Screen) -> String {
    let mut headings = vec!["JOB", "RECEIVED", "ORG", "STATE", "MESSAGES", "SIZE", "NAME"];
    let reasons = jobs.iter().any(|job| job.reason.is_some());
    if reasons {
        headings.push("REASON");
    }
    let mut table = Table::new(*screen, &headings)
        .wraps(&["STATE", "NAME", "REASON"])
        .spares(&["SIZE", "MESSAGES", "ORG", "RECEIVED"])
        .right(&["SIZE"]);
    for job in jobs {
        let plain = |text: String| (text, None);
        let mut cells = vec![
            plain(job.id.to_string()),
            plain(screen.minute(job.received_at)),
            plain(job.org.to_string()),
            (state(job), Some(ink(job.state))),
            plain(messages(&job.messages)),
            plain(size(job.size_bytes)),
            plain(job.name.clone()),
        ];
        if reasons {
            cells.push(plain(job.reason.clone().unwrap_or_default()));
        }
        table.row(cells);
    }
    table.to_string()
}

/// One job with its history and its files.
pub(crate) fn job_text(detail: &JobDetail, screen: &Screen) -> String {
    let job = &detail.job;
    let mut keys = Keys::default();
    keys.add("Job", job.id.to_string());
    keys.add("State", screen.paint(ink(job.state), &state(job)));
    let reason = job.reason.as_deref().filter(|_| detail.duplicate_of.is_none());
    keys.add_some("Reason", reason.map(one_line));
    keys.add_some("Waits for", waits_for(detail, screen));
    keys.add_some(
        "Next try",
        job.not_before.map(|at| format!("{} ({})", screen.time(at), screen.distance(at))),
    );
    keys.add_some(
        "Same as",
        detail.duplicate_of.map(|id| format!("{id}, whose response stands for this one")),
    );
    keys.add("From", format!("{}, account {}, by {}", job.org, job.account, job.protocol));
    keys.add("Name", one_line(&job.name));
    keys.add("Size", size(job.size_bytes));
    keys.add("SHA-256", &job.sha256);
    keys.add("Received", screen.time(job.received_at));
    keys.add_some("Finished", job.finished_at.map(|at| screen.time(at)));
    keys.add("Messages", messages_in_full(&job.messages));
    keys.add("Attempts", attempts(detail));
    keys.add("Files", files(detail));
    format!("{}\n\n{}", keys.fitted(screen), history(&detail.history, screen))
}

/// Why a job that waits is not processed.
fn waits_for(detail: &JobDetail, screen: &Screen) -> Option<String> {
    let gate = |gate| format!("the gate: {}", gate_text(gate, &screen.indented(KEYS_WIDTH)));
    let turn = || format!("its turn: files of {} are processed one after the other", detail.job.org);
    let is_queued = detail.job.state == JobState::Queued;
    detail.waits_for.as_ref().map(gate).or_else(|| is_queued.then(turn))
}

/// What failed in passing is tried again, and counted.
fn attempts(detail: &JobDetail) -> String {
    match (detail.job.attempts, detail.failures) {
        (0, _) => "none yet".to_owned(),
        (attempts, 0) => attempts.to_string(),
        (attempts, failures) => format!("{attempts}, {failures} failed"),
    }
}

fn state(job: &JobView) -> String {
    let outcome = job.outcome.filter(|_| job.state == JobState::Complete);
    outcome.map_or_else(|| job.state.to_string(), |outcome| outcome.as_str().replace('_', " "))
}

fn ink(state: JobState) -> Ink {
    match state {
        JobState::Complete => Ink::Good,
        JobState::Queued | JobState::Processing => Ink::Faint,
        JobState::Retrying | JobState::Held | JobState::Duplicate | JobState::Cancelled => Ink::Caution,
        JobState::Error | JobState::Exception => Ink::Bad,
    }
}

fn messages(messages: &Messages) -> String {
    let refused = messages.errored + messages.rejected;
    match (messages.total, refused) {
        (0, _) => String::new(),
        (total, 0) => number(total),
        (total, refused) => format!("{}, {} refused", number(total), number(refused)),
    }
}

fn messages_in_full(messages: &Messages) -> String {
    if messages.total == 0 {
        return "none looked at".to_owned();
    }
    format!(
        "{}: {} accepted, {} with warnings, {} with errors, {} rejected",
        number(messages.total),
        number(messages.accepted),
        number(messages.warned),
        number(messages.errored),
        number(messages.rejected)
    )
}

fn files(detail: &JobDetail) -> String {
    let files = &detail.files;
    let mut lines: Vec<String> = Vec::new();
    lines.extend(files.payload.as_ref().map(|path| format!("upload    {path}")));
    let gone = |deleted: bool| if deleted { "  (deleted from the outbox by the sender)" } else { "" };
    let response = |path| format!("response  {path}{}", gone(detail.response_deleted));
    lines.extend(files.response.as_ref().map(response));
    let report = |path| format!("report    {path}{}", gone(detail.report_deleted));
    lines.extend(files.report.as_ref().map(report));
    if lines.is_empty() { "none kept".to_owned() } else { lines.join("\n") }
}

fn history(history: &[HistoryView], screen: &Screen) -> String {
    let mut table =
        Table::new(*screen, &["WHEN", "WHO", "WHAT", "DETAIL"]).wraps(&["DETAIL"]).spares(&["WHO"]);
    for entry in history {
        let detail = entry.detail.clone().unwrap_or_default();
        let cells =
            [screen.time(entry.at), by(&entry.actor).to_owned(), entry.event.replace('_', " "), detail];
        table.row(cells.map(|cell| (cell, None)));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(state: &str, attempts: u32, failures: u32, duplicate_of: Option<&str>) -> String {
        let detail = json!({
            "id": "06H0AM9VH04GF06Y", "org": "ACME01", "account": "acme", "protocol": "ftp", "name": "vxu.hl7",
            "size_bytes": 17, "sha256": "ab", "state": state, "outcome": null, "received_at": "2024-03-09T01:00:00Z",
            "finished_at": null, "attempts": attempts, "not_before": null,
            "reason": duplicate_of.map(|of| format!("same bytes as {of}")),
            "messages": {"total": 0, "accepted": 0, "warned": 0, "errored": 0, "rejected": 0},
            "waits_for": null, "failures": failures, "duplicate_of": duplicate_of, "response_deleted": false,
            "report_deleted": false, "history": [], "files": {"payload": null, "response": null, "report": null}
        });
        job_text(&serde_json::from_value(detail).unwrap(), &Screen::test())
    }

    #[test]
    fn a_queued_job_whose_gate_is_open_waits_for_its_turn() {
        let turn = "Waits for   its turn: files of ACME01 are processed one after the other";
        assert!(shown("queued", 0, 0, None).contains(turn));
        assert!(!shown("processing", 1, 0, None).contains("Waits for"));
    }

    #[test]
    fn failures_are_told_where_there_were_some() {
        assert!(shown("exception", 1, 0, None).contains("Attempts    1\n"));
        assert!(shown("retrying", 3, 2, None).contains("Attempts    3, 2 failed\n"));
    }

    #[test]
    fn a_duplicate_says_once_of_what() {
        let text = shown("duplicate", 1, 0, Some("06H0AM9VH04GF06Z"));
        assert!(text.contains("Same as     06H0AM9VH04GF06Z") && !text.contains("Reason"), "{text}");
    }
}
