//! The server: start, stop, reload, and what is in its way.

use serde_json::json;

use crate::support::Site;

#[test]
fn it_says_where_it_listens_and_stops_when_told() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    let status = site.run("status --json").json();
    assert_eq!(status["listeners"][0]["address"], server.ftp().to_string());
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    assert!(!site.path("data/control.sock").exists());
}

#[test]
fn no_level_of_the_log_has_names_of_files_or_what_is_in_them() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve_with("serve --log trace,libunftp=trace,sled=trace");
    assert!(server.upload("ACME01", "SMITH_JOHN.hl7", b"MSH|^~\\&|TESTPATIENT\r").starts_with("226"));
    let listed = site.run("queue list").ok();
    assert!(listed.contains("SMITH_JOHN.hl7"), "staff see it: {listed}");
    let (_, log) = server.stop();
    assert!(log.contains("upload accepted"), "{log}");
    for secret in ["SMITH", "TESTPATIENT", crate::support::PASSWORD] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn the_log_is_json_when_asked_for() {
    let site = Site::new();
    let server = site.serve_with("serve --log-format json --log debug");
    let (_, log) = server.stop();
    let mut lines = log.lines().peekable();
    assert!(lines.peek().is_some());
    for line in lines {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn without_a_server_commands_end_with_69() {
    let site = Site::new();
    for line in ["status", "queue list", "maintenance list", "maintenance start --reason x"] {
        let done = site.run(line);
        assert_eq!(done.code, 69, "{line}: {done:?}");
        assert!(done.err.contains("tidegate serve"), "{}", done.err);
    }
}

#[test]
fn a_second_server_and_a_rebuild_find_the_store_locked() {
    let site = Site::new();
    let server = site.serve();
    for line in ["serve", "store rebuild"] {
        let done = site.run(line);
        assert_eq!(done.code, 75, "{line}: {done:?}");
    }
    site.run("status").ok();
    drop(server);
}

#[test]
fn a_server_that_was_killed_is_followed_by_the_next() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    site.run("maintenance start --until-released --reason 'keep it waiting'").ok();
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    drop(server);
    assert!(site.path("data/control.sock").exists(), "left over");
    let _server = site.serve();
    let status = site.run("status --json").json();
    assert_eq!(status["jobs"]["queued"], 1);
    assert_eq!(status["gate"]["state"], "closed", "the hold survives");
}

#[test]
fn a_reload_takes_up_windows_and_keeps_the_old_when_the_file_is_broken() {
    let site = Site::new();
    let server = site.serve();
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    let window =
        "[[maintenance.window]]\nname = \"now\"\nfrom = \"2020-01-01T00:00\"\nduration = \"3650d\"\n";
    site.configure(&format!("{text}{window}"));
    site.reload();
    assert_eq!(site.run("status --json").json()["gate"]["causes"][0]["name"], "now");

    site.configure(&format!("{text}{window}colour = 1\n"));
    site.reload();
    let status = site.run("status --json").json();
    assert_eq!(status["gate"]["state"], "closed");
    assert!(status["problems"][0].as_str().unwrap().contains("maintenance.window[0].colour"), "{status}");
    assert!(site.run("status").ok().contains("colour"));
    assert_eq!(site.run("doctor").code, 1);
    drop(server);
}

/// Whoever changes a key that only a start reads was told nothing.
#[test]
fn a_reload_tells_what_waits_for_a_restart_and_a_change_that_nobody_took_up() {
    let site = Site::new();
    let server = site.serve();
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    let configuration = || site.run("status --json").json()["configuration"].clone();
    assert_eq!(configuration(), json!({"changed_since_read": false, "needs_restart": []}));

    let changed = text.replace("\"1MiB\"", "\"2MiB\"");
    site.configure(&format!("{changed}cutoff = \"1m\"\n[alerts]\ncommand = [\"/bin/true\"]\n"));
    assert_eq!(configuration(), json!({"changed_since_read": true, "needs_restart": []}));
    assert!(site.run("status").ok().contains("`tidegate reload` takes it up"));
    let told = site.run("reload").ok();
    assert!(told.contains("Not before the server is restarted: alerts, limits.free_bytes_min"), "{told}");
    let keys = ["alerts", "limits.free_bytes_min"];
    assert_eq!(configuration(), json!({"changed_since_read": false, "needs_restart": keys}));
    assert!(site.run("doctor").out.contains("not in force: alerts, limits.free_bytes_min"));

    site.configure(&format!("colour = 1\n{text}"));
    let refused = site.run("reload");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("Refused") && refused.out.contains("colour"), "{refused:?}");
    assert_eq!(configuration()["needs_restart"], json!(keys), "as before");

    site.configure(&text);
    assert_eq!(site.run("reload --json").json()["needs_restart"], json!([]));
    drop(server);
}

#[test]
fn a_taken_port_and_a_closed_directory_are_named() {
    let site = Site::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    let address = taken.local_addr().unwrap();
    site.configure(&text.replace("127.0.0.1:0", &address.to_string()));
    let done = site.run("serve");
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("ftp.listen") && done.err.contains(&address.to_string()), "{}", done.err);
}
