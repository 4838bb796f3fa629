//! `status --watch`, on a terminal and piped.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::support::Site;
use crate::terminal::Terminal;

const LEFT: &str = "\u{1b}[?1049l";

#[test]
fn a_terminal_shows_what_changes_and_is_given_back_after_q() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    let mut watch = Terminal::run(site.command("status --watch"));
    watch.until("open");
    assert!(watch.is_raw());
    site.run("maintenance start --for 2h --reason 'router change'").ok();
    watch.until("router change");
    watch.until("Opens in");
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    watch.until("1 queued");
    watch.until("ACME01");
    watch.resize(2, 12);
    // The last of two rows, clipped.
    watch.until("Gate       \u{1b}[33m\u{1b}[0m\u{1b}[K\u{1b}[J");
    watch.type_in("q");
    watch.until(LEFT);
    assert_eq!(watch.ends(), Some(0));
}

#[test]
fn a_server_that_goes_and_comes_is_told_of_and_ctrl_c_ends_the_watch() {
    let site = Site::new();
    let server = site.serve();
    let mut watch = Terminal::run(site.command("status --watch"));
    watch.until("open");
    server.stop();
    watch.until("NO ANSWER for");
    watch.until("the server does not run");
    let _server = site.serve();
    // The line on the silence gives way to the gate.
    watch.until("q ends\u{1b}[K\u{1b}[1EGate");
    watch.type_in("\x03");
    watch.until(LEFT);
    assert_eq!(watch.ends(), Some(0));
}

#[test]
fn piped_it_tells_each_change_once_and_ends_with_its_reader() {
    let site = Site::new();
    let _server = site.serve();
    let mut child =
        site.command("status --watch --json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    };
    assert_eq!(next()["gate"]["state"], "open");
    site.run("maintenance start --until-released --reason 'one'").ok();
    let second = next();
    assert_eq!(second["gate"]["causes"].as_array().unwrap().len(), 1, "{second}");
    site.run("maintenance release").ok();
    assert_eq!(next()["gate"]["state"], "open");
    drop(lines);
    assert!(child.wait().unwrap().success());
}
