//! Files that something else writes into a directory, the real server, and kills.

use std::fs;

use crate::doors;
use crate::ledger;
use crate::rig::{Server, Site};

fn site() -> Site {
    let site = Site::new();
    fs::create_dir(site.path("drop")).unwrap();
    fs::create_dir(site.path("responses")).unwrap();
    site.configure(
        "[[folder]]\npath = 'drop'\norg = 'A'\nresponses = 'responses'\nsettle = '1s'\nrescan = '1s'",
    );
    site
}

fn publish(site: &Site, seed: u64) {
    doors::publish(&site.path("drop"), &format!("{seed}.hl7"), [seed, seed + 1]);
}

#[test]
fn a_file_in_a_watched_folder_is_processed_and_answered_without_any_login() {
    let site = site();
    publish(&site, 1);
    let mut server = site.serve();
    server.wait_for_ends(1);
    fs::write(site.path("drop/3.hl7"), ledger::content([3, 4])).unwrap();
    server.wait_for_ends(2);
    let jobs = site.jobs();
    for job in &jobs {
        assert_eq!(job["protocol"], "folder");
        assert_eq!(job["outcome"], "accepted");
        assert_eq!(job["account"], site.path("drop").to_str().unwrap());
    }
    let responses = || fs::read_dir(site.path("responses")).unwrap().count();
    while responses() < 4 {
        server.wait_for_line("responses brought");
    }
    assert!(fs::read_dir(site.path("drop")).unwrap().next().is_none());
    let listeners = site.json(&["status", "--json"])["listeners"].clone();
    assert_eq!(listeners[1]["protocol"], "folder", "{listeners}");
    let log = server.stop();
    assert!(!log.contains("3.hl7"), "{log}");
}

#[test]
fn a_file_that_is_taken_while_the_server_is_killed_is_delivered_once() {
    let site = site();
    let mut published = 0;
    for _ in 0..10 {
        let mut server = site.serve();
        for _ in 0..20 {
            publish(&site, 2 * published);
            published += 1;
        }
        server.wait_for_line("file of a watched folder accepted");
        server.kill();
    }
    let mut server = site.serve();
    drain(&site, &mut server, 2 * published);
    let delivered = ledger::delivered(&site);
    assert_eq!(delivered.len() as u64, 2 * published + 2);
    assert!(delivered.values().all(|times| *times == 1), "{delivered:?}");
}

/// Publishes one file more and waits for its end: files of an organization end in their order.
fn drain(site: &Site, server: &mut Server, last: u64) {
    // A file that is seen to come may overtake those that were there before and have to be quiet first.
    while fs::read_dir(site.path("drop")).unwrap().next().is_some() {
        server.wait_for_line("file of a watched folder accepted");
    }
    let mut ends = 0;
    publish(site, last);
    let name = format!("{last}.hl7");
    let is_over = |job: &serde_json::Value| job["name"] == name && job["state"] == "complete";
    while !site.jobs().iter().any(is_over) {
        ends += 1;
        server.wait_for_ends(ends);
    }
}
