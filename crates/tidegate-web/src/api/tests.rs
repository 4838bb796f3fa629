use serde_json::{Value, json};
use tidegate_domain::job::{Job, JobEvent, JobState, Protocol, Submission};
use tidegate_domain::maintenance::{Calendar, Hold, HoldLength, gate};
use tidegate_domain::{JobIds, OrgCode, UploadName};

use super::*;

fn now() -> chrono::DateTime<chrono::Utc> {
    "2024-03-09T01:30:00Z".parse().unwrap()
}

fn job() -> Job {
    let submission = Submission {
        org: OrgCode::new("ACME01").unwrap(),
        account: "acme".to_owned(),
        protocol: Protocol::Ftp,
        name: UploadName::new("vxu.hl7").unwrap(),
        size_bytes: 1234,
        sha256: [0xab; 32],
    };
    Job::accepted(JobIds::after(None).next(now(), 2), now(), submission)
}

#[test]
fn a_job_in_a_list_has_the_contracts_keys() {
    let view = serde_json::to_value(JobView::from(&job())).unwrap();
    assert_eq!(
        view,
        json!({
            "id": job().id.to_string(), "org": "ACME01", "account": "acme", "protocol": "ftp",
            "name": "vxu.hl7", "size_bytes": 1234, "sha256": "ab".repeat(32), "state": "queued",
            "outcome": null, "received_at": "2024-03-09T01:30:00Z", "finished_at": null,
            "attempts": 0, "not_before": null, "reason": null,
            "messages": {"total": 0, "accepted": 0, "warned": 0, "errored": 0, "rejected": 0},
        })
    );
}

#[test]
fn status_has_the_contracts_keys() {
    let calendar = Calendar { timezone: Some(chrono_tz::America::Chicago), ..Calendar::default() };
    let hold = Hold::new("h1", None, "router change", "staff:jo", now(), HoldLength::default()).unwrap();
    let closed = gate(now(), None, &calendar, &[], &[hold]);
    let status = Status {
        version: "1.2.3".to_owned(),
        gate: GateView::new(closed, now(), calendar.timezone),
        closed_orgs: Vec::new(),
        jobs: JobState::ALL.iter().map(|state| (*state, 0)).collect(),
        oldest_queued_at: None,
        legal_holds: Vec::new(),
        bans: 0,
        lanes: Vec::new(),
        lanes_more: 0,
        drain: Drain { files_per_s: 0.5, eta: None },
        listeners: vec![Listener { protocol: "ftp".to_owned(), address: "127.0.0.1:2121".to_owned() }],
        problems: Vec::new(),
        configuration: ConfigurationView::default(),
    };
    let value = serde_json::to_value(&status).unwrap();
    assert_eq!(
        value,
        json!({
            "version": "1.2.3",
            "gate": {
                "state": "closed",
                "causes": [{"kind": "hold", "name": "h1", "reason": "router change", "actor": "staff:jo",
                            "until": "2024-03-09T02:00:00Z"}],
                "until": "2024-03-09T02:00:00Z", "next_change": "2024-03-09T02:00:00Z",
                "until_local": "2024-03-08T20:00:00-06:00", "next_change_local": "2024-03-08T20:00:00-06:00",
                "at": "2024-03-09T01:30:00Z", "closed_since": "2024-03-09T01:30:00Z",
                "claims_allowed": false,
            },
            "closed_orgs": [],
            "jobs": {"queued": 0, "processing": 0, "retrying": 0, "held": 0, "complete": 0, "error": 0,
                     "exception": 0, "duplicate": 0, "cancelled": 0},
            "oldest_queued_at": null,
            "lanes": [], "lanes_more": 0,
            "drain": {"files_per_s": 0.5, "eta": null},
            "bans": 0, "legal_holds": [],
            "listeners": [{"protocol": "ftp", "address": "127.0.0.1:2121"}],
            "problems": [],
            "configuration": {"changed_since_read": false, "needs_restart": []},
        })
    );
    let back: Status = serde_json::from_value(value).unwrap();
    assert_eq!(back, status);
}

#[test]
fn a_duplicate_says_whose_bytes_it_has() {
    assert_eq!(JobView::from(&job()).reason, None);
    let original = job().id;
    let duplicate = Job { duplicate_of: Some(original), ..job() };
    assert_eq!(JobView::from(&duplicate).reason, Some(format!("same bytes as {original}")));
}

#[test]
fn a_job_shown_alone_has_all_that_the_list_has() {
    let detail = JobDetail {
        job: JobView::from(&job()),
        waits_for: None,
        failures: 0,
        duplicate_of: None,
        response_deleted: false,
        report_deleted: false,
        history: Vec::new(),
        files: FilesView::default(),
    };
    let Value::Object(listed) = serde_json::to_value(&detail.job).unwrap() else {
        panic!("an object");
    };
    let shown = serde_json::to_value(&detail).unwrap();
    for (key, value) in listed {
        assert_eq!(shown[&key], value, "{key}");
    }
}

#[test]
fn the_history_says_what_was_said() {
    let entry = tidegate_domain::job::HistoryEntry {
        seq: 1,
        at: now(),
        actor: "staff:jo".to_owned(),
        event: JobEvent::Held { reason: "asked by the clinic".to_owned() },
    };
    let view = HistoryView::from(&entry);
    assert_eq!((view.event.as_str(), view.detail.as_deref()), ("held", Some("asked by the clinic")));
}
