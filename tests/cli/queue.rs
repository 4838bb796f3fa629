//! `queue ...` and `status`, with the gate held so that jobs stay where they are.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use crate::support::{Server, Site};
use crate::terminal::Terminal;

struct Held {
    site: Site,
    server: Server,
    ids: Vec<String>,
}

fn two_waiting_jobs() -> Held {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    site.run("maintenance start --until-released --reason 'keep them waiting'").ok();
    for name in ["a.hl7", "b.hl7"] {
        assert!(server.upload("ACME01", name, name.as_bytes()).starts_with("226"), "uploads go on");
    }
    let jobs = site.run("queue list --json").json();
    let ids = jobs.as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect();
    Held { site, server, ids }
}

#[test]
fn uploads_show_up_in_the_list_and_in_status() {
    let held = two_waiting_jobs();
    let table = held.site.run("queue list").ok();
    assert!(table.contains("b.hl7") && table.contains(&held.ids[0]), "{table}");
    assert!(table.contains("CST") || table.contains("CDT"), "local time with its zone: {table}");
    let status = held.site.run("status").ok();
    assert!(status.contains("2 queued") && status.contains("keep them waiting"), "{status}");
    assert!(status.contains("jo"), "who: {status}");
    let none = held.site.run("queue list --state error").ok();
    assert!(none.starts_with("No jobs match"), "{none}");
    let limited = held.site.run("queue list --limit 1");
    let after = format!("--after {}", held.ids[0]);
    assert!(limited.err.contains(&after), "{limited:?}");
    let rest = held.site.run(&format!("queue list --limit 1 {after} --json"));
    assert_eq!(rest.err, "", "there are no more");
    assert_eq!(rest.json()[0]["id"], held.ids[1]);
    let none = held.site.run(&format!("queue list --after {}", held.ids[1])).ok();
    assert_eq!(none, "No more jobs.\n");
    let both = held.site.run("queue list --state error,queued --since 1h --name *.HL7 --json").json();
    assert_eq!(both.as_array().unwrap().len(), 2);
    let shown = held.site.run(&format!("queue show {}", held.ids[0].to_lowercase())).ok();
    assert!(shown.contains("account acme01, by ftp") && shown.contains("incoming"), "{shown}");
    assert!(shown.contains("Waits for") && shown.contains("keep them waiting"), "why it waits: {shown}");
}

#[test]
fn jobs_are_held_released_and_cancelled_by_name() {
    let held = two_waiting_jobs();
    let (site, id) = (&held.site, &held.ids[0]);
    site.run(&format!("queue hold {id} --reason 'asked by the clinic'")).ok();
    let again = site.run(&format!("queue hold {id} --reason x"));
    assert_eq!(again.code, 1, "{again:?}");
    site.run(&format!("queue release {id} --reason 'asked again'")).ok();
    site.run(&format!("queue cancel {id} --reason wrong")).ok();
    let job = site.run(&format!("queue show {id} --json")).json();
    assert_eq!((&job["state"], &job["reason"]), (&"cancelled".into(), &"wrong".into()));
    let actors: Vec<&str> =
        job["history"].as_array().unwrap().iter().map(|entry| entry["actor"].as_str().unwrap()).collect();
    assert_eq!(actors, ["sender:acme01", "staff:jo", "staff:jo", "staff:jo"]);
    site.run(&format!("queue requeue {id} --reason 'was right after all'")).ok();
}

#[test]
fn many_jobs_need_a_yes_and_can_be_rehearsed() {
    let held = two_waiting_jobs();
    let site = &held.site;
    let unasked = site.run("queue hold --org ACME01 --state queued --reason x");
    assert_eq!(unasked.code, 2, "{unasked:?}");
    assert!(unasked.err.contains("Hold 2 jobs?"), "{}", unasked.err);
    let rehearsed = site.run("queue hold --org ACME01 --state queued --reason x --dry-run").ok();
    assert!(rehearsed.ends_with("2 jobs would be held\n"), "{rehearsed}");
    assert_eq!(site.run("status --json").json()["jobs"]["held"], 0);
    let done = site.run("queue hold --org ACME01 --state queued --reason x --yes").ok();
    assert!(done.ends_with("2 jobs held\n"), "{done}");
    let rest = site.run("queue release --state held --limit 1 --reason x --yes").ok();
    assert!(rest.contains(&held.ids[1]) && rest.ends_with("run the command again.\n"), "the oldest: {rest}");
    site.run("queue hold --state queued --reason x --yes").ok();
    let none = site.run("queue hold --org ACME01 --state queued --reason x --yes").ok();
    assert!(none.starts_with("No jobs match"), "{none}");
}

#[test]
fn a_yes_is_for_the_jobs_that_were_shown_and_for_no_other() {
    let held = two_waiting_jobs();
    let site = &held.site;
    let mut asked = Terminal::run(site.command("queue cancel --state queued --reason wrong"));
    asked.until("Cancel 2 jobs? [y/N]");
    assert!(held.server.upload("ACME01", "c.hl7", b"MSH|").starts_with("226"));
    site.run(&format!("queue hold {} --reason 'not this one'", held.ids[1])).ok();
    asked.type_in("y\n");
    asked.until("it has gone on meanwhile and is held by now");
    asked.until("1 job cancelled, 1 not");
    assert_eq!(asked.ends(), Some(1));
    let jobs = &site.run("status --json").json()["jobs"];
    assert_eq!((&jobs["queued"], &jobs["held"], &jobs["cancelled"]), (&1.into(), &1.into(), &1.into()));
    let mut refused = Terminal::run(site.command("queue release --state held --reason x"));
    refused.until("Release 1 job? [y/N]");
    refused.type_in("\n");
    refused.until("Nothing was done.");
    assert_eq!(refused.ends(), Some(1));
}

#[test]
fn an_upload_is_written_byte_for_byte_to_whoever_says_why() {
    let held = two_waiting_jobs();
    let (site, id) = (&held.site, &held.ids[1]);
    assert_eq!(site.run(&format!("queue payload {id}")).code, 2, "a reason is needed");
    assert_eq!(site.run(&format!("queue payload {id} --reason 'the clinic asks'")).ok(), "a.hl7");
    let file = site.path("upload");
    let command = format!("queue payload {id} --reason 'again' --output {}", file.display());
    assert!(site.run(&command).ok().starts_with("Wrote 5 bytes"));
    assert_eq!(std::fs::read(&file).unwrap(), b"a.hl7");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let twice = site.run(&command);
    assert!(twice.code == 1 && twice.err.contains("is there already"), "{twice:?}");
    let nowhere = site.path("nowhere");
    let unknown = format!("queue payload 0000000000000000 --reason x --output {}", nowhere.display());
    assert_eq!(site.run(&unknown).code, 1);
    assert!(!nowhere.exists(), "half a file is worse than none");
    let mut refused = Terminal::run(site.command(&format!("queue payload {id} --reason x")));
    refused.until("insist with --output -");
    assert_eq!(refused.ends(), Some(2));
    let mut shown = Terminal::run(site.command(&format!("queue payload {id} --reason insisted --output -")));
    shown.until("a.hl7");
    assert_eq!(shown.ends(), Some(0));
    let job = site.run(&format!("queue show {id} --json")).json();
    let history = job["history"].as_array().unwrap().iter();
    let read = history.filter(|entry| entry["event"] == "payload_read");
    let reasons: Vec<&str> = read.map(|entry| entry["detail"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["the clinic asks", "again", "insisted"]);
}

#[test]
fn a_processed_file_has_a_response_and_a_report() {
    let held = two_waiting_jobs();
    let (site, id) = (&held.site, &held.ids[1]);
    site.run("maintenance release").ok();
    let deadline = Instant::now() + Duration::from_secs(30);
    let job = loop {
        let job = site.run(&format!("queue show {id} --json")).json();
        if job["state"] == "error" {
            break job;
        }
        assert!(Instant::now() < deadline, "it is {}", job["state"]);
    };
    assert!(!job["reason"].as_str().unwrap().is_empty());
    let response = site.run(&format!("queue response {id}")).ok();
    assert!(response.starts_with("FHS|") && response.contains("MSA|AR"), "{response}");
    let report = site.run(&format!("queue response {id} --report")).ok();
    assert!(report.contains(id), "{report}");
    let shown = site.run(&format!("queue show {id}")).ok();
    assert!(shown.contains("archive") && shown.contains("refused"), "{shown}");
    site.run(&format!("queue requeue {id} --reason 'mended our side'")).ok();
}

#[test]
fn a_job_that_is_not_there_is_a_failure_with_words() {
    let held = two_waiting_jobs();
    let done = held.site.run("queue show 0000000000000000");
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("no such job") && done.err.contains("queue list"), "{}", done.err);
    let early = held.site.run(&format!("queue response {}", held.ids[0]));
    assert!(early.code == 1 && early.err.contains("it is queued"), "{early:?}");
}

/// Tables show `rejected` where others show a state, and nothing was found by it.
#[test]
fn complete_jobs_are_found_by_how_they_ended() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    let refused =
        "MSH|^~\\&|EHR|CLINIC|IIS|REGISTRY|20240308190000-0600||VXU^V04^VXU_V04|M1|P|2.5.1\rPID|1\r";
    assert!(server.upload("ACME01", "bad.hl7", refused.as_bytes()).starts_with("226"));
    let deadline = Instant::now() + Duration::from_secs(30);
    while site.run("status --json").json()["jobs"]["complete"] != 1 {
        assert!(Instant::now() < deadline, "{}", site.run("queue list").out);
    }
    let names = |line: &str| {
        let jobs = site.run(&format!("queue list {line} --json")).json();
        jobs.as_array()
            .unwrap()
            .iter()
            .map(|job| job["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("--outcome rejected"), ["bad.hl7"]);
    assert_eq!(names("--outcome accepted"), [""; 0]);
    assert_eq!(names("--outcome rejected --state error"), [""; 0]);
    let advised = site.run("queue list --state rejected");
    assert!(advised.code == 2 && advised.err.contains("--outcome rejected"), "{advised:?}");
    let asked = site.run("queue requeue --state complete --outcome accepted --reason x --yes --json").json();
    assert_eq!(asked["jobs"], serde_json::json!([]));
}
