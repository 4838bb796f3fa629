//! A file that comes in during maintenance, by the eyes of its sender and of staff.

use std::time::{Duration, Instant};

use tidegate_hl7::sample;

use crate::rig::{Server, Site};

#[test]
fn an_upload_in_a_window_waits_and_is_answered_after_it_by_itself() {
    let site = Site::new();
    let mut server = site.serve();
    let length = format!("{}s", 2 + 5 * looking(&site, &server).as_secs());
    site.run(&["maintenance", "start", "--for", &length, "--reason", "disk swap"]);

    let mut sender = server.log_in("a");
    sender.put_file("march.hl7", &mut &sample::file("F1", &[sample::message(1)])[..]).unwrap();
    assert_eq!(sender.nlst(Some("/inbox")).unwrap(), ["march.hl7"]);
    assert!(sender.nlst(Some("/outbox")).unwrap().is_empty());

    assert_eq!(site.jobs()[0]["state"], "queued");
    let status = site.json(&["status", "--json"]);
    assert_eq!(status["gate"]["state"], "closed");
    assert_eq!(status["gate"]["causes"][0]["reason"], "disk swap");
    assert!(status["gate"]["until"].is_string());
    assert!(site.files("delivered/A").is_empty());

    server.wait_for_ends(1);
    let names = sender.nlst(Some("/outbox")).unwrap();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("march.hl7.")), "{names:?}");
    assert!(sender.nlst(Some("/inbox")).unwrap().is_empty());
    assert_eq!(site.files("delivered/A").len(), 1);
}

/// How long it takes here to do about what the test does inside the window, which must not be over by then.
fn looking(site: &Site, server: &Server) -> Duration {
    let start = Instant::now();
    let mut sender = server.log_in("b");
    assert!(sender.nlst(Some("/inbox")).unwrap().is_empty());
    assert!(site.jobs().is_empty());
    assert_eq!(site.json(&["status", "--json"])["gate"]["state"], "open");
    start.elapsed()
}

#[test]
fn a_restart_inside_a_window_stays_closed_and_a_release_drains() {
    let site = Site::new();
    let mut server = site.serve();
    site.run(&["maintenance", "start", "--until-released", "--reason", "disk swap"]);
    server.log_in("a").put_file("1.hl7", &mut &sample::message(1)[..]).unwrap();
    server.kill();

    let mut server = site.serve();
    assert_eq!(site.json(&["status", "--json"])["gate"]["state"], "closed");
    server.log_in("b").put_file("2.hl7", &mut &sample::message(2)[..]).unwrap();
    assert!(site.jobs().iter().all(|job| job["state"] == "queued"));
    site.run(&["maintenance", "release"]);
    server.wait_for_ends(2);
    assert!(site.jobs().iter().all(|job| job["outcome"] == "accepted"));
}

#[test]
fn a_sender_fetches_and_deletes_its_response_and_sees_no_one_elses() {
    let site = Site::new();
    let mut server = site.serve();
    let mut sender = server.log_in("a");
    sender.put_file("1.hl7", &mut &sample::message(1)[..]).unwrap();
    server.wait_for_ends(1);
    let names = sender.nlst(Some("/outbox")).unwrap();
    let response = names.iter().find(|name| name.ends_with(".response")).unwrap();
    let text = sender.retr_as_buffer(&format!("/outbox/{response}")).unwrap().into_inner();
    assert!(String::from_utf8(text).unwrap().contains("MSA|AA|SAMPLE-1"));
    sender.rm(format!("/outbox/{response}")).unwrap();
    assert_eq!(sender.nlst(Some("/outbox")).unwrap().len(), 1);

    let mut other = server.log_in("b");
    for path in ["/outbox", "/", "/inbox"] {
        assert!(!other.nlst(Some(path)).unwrap_or_default().iter().any(|name| name.contains("1.hl7")));
    }
    let id = site.jobs()[0]["id"].as_str().unwrap().to_owned();
    assert!(site.run(&["queue", "response", &id]).contains("MSA|AA"), "staff keep it");
    server.kill();
    let server = site.serve();
    assert_eq!(server.log_in("a").nlst(Some("/outbox")).unwrap().len(), 1, "what was deleted stays away");
}

#[test]
fn after_a_window_a_report_tells_what_waited_and_what_became_of_it() {
    let site = Site::new();
    let mut server = site.serve();
    let (from, to) = ("2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z");
    site.run(&["maintenance", "add", "upgrade", "--from", from, "--to", to, "--reason", "upgrade"]);
    let file = sample::file("F1", &[sample::message(1), sample::message(2)]);
    server.log_in("a").put_file("1.hl7", &mut &file[..]).unwrap();
    server.log_in("a").put_file("2.hl7", &mut &b"no HL7 at all"[..]).unwrap();
    server.log_in("b").put_file("3.hl7", &mut &sample::message(3)[..]).unwrap();
    let report = || site.json(&["maintenance", "report", "upgrade", "--json"]);
    let before = report();
    assert_eq!((&before["all"]["files"], &before["all"]["left"]), (&3.into(), &3.into()), "{before}");
    site.run(&["maintenance", "end", "upgrade", "--reason", "done"]);
    server.wait_for_ends(3);
    server.log_in("b").put_file("4.hl7", &mut &sample::message(4)[..]).unwrap();
    server.wait_for_ends(4);
    let after = report();
    let all = &after["all"];
    assert_eq!((&all["files"], &all["left"], &all["errors"]), (&3.into(), &0.into(), &1.into()), "{after}");
    assert_eq!(all["messages"]["total"], 3);
    assert!(all["drained_at"].is_string() && all["longest_wait_s"].is_u64(), "{after}");
    let orgs: Vec<_> =
        after["orgs"].as_array().unwrap().iter().map(|org| (&org["org"], &org["files"])).collect();
    assert_eq!(orgs, [(&"A".into(), &2.into()), (&"B".into(), &1.into())]);
    let text = site.run(&["maintenance", "report", "upgrade"]);
    assert!(text.contains("3 files of 2 organizations") && text.contains("1 in error"), "{text}");
}
