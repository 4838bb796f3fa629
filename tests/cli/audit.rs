//! The audit log of a server.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{PASSWORD, Site};

#[test]
fn the_audit_log_is_there_from_the_start_and_follows_a_rotation() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    assert!(server.upload("ACME01", "SMITH.hl7", b"MSH|").starts_with("226"));
    let (log, old) = (site.path("data/audit.log"), site.path("data/audit.log.1"));
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::rename(&log, &old).unwrap();
    site.reload();
    assert!(server.fail_login("acme01").starts_with("530"));
    server.stop();
    let (old, new) = (std::fs::read_to_string(old).unwrap(), std::fs::read_to_string(log).unwrap());
    assert!(old.contains("\"event\":\"accepted\"") && !new.contains("accepted"), "{old}{new}");
    assert!(new.contains("\"event\":\"login_refused\"") && new.contains("acme01"), "{new}");
    assert!(!old.contains("SMITH") && !new.contains("wrong horse"), "{old}{new}");
}

#[test]
fn an_audit_log_that_can_not_be_written_is_told_and_everything_else_goes_on() {
    let site = Site::new();
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    site.configure(&format!("{text}[audit]\npath = \"audit/today.log\"\n"));
    site.add_org("ACME01");
    let server = site.serve();
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    let status = site.run("status").ok();
    assert!(status.contains("the audit log can't be written"), "{status}");
    std::fs::create_dir(site.path("data/audit")).unwrap();
    site.reload();
    let (_, log) = server.stop();
    assert!(log.contains("audit log written again"), "{log}");
    let written = std::fs::read_to_string(site.path("data/audit/today.log")).unwrap();
    assert!(written.contains("\"event\":\"lost\""), "{written}");
}

#[test]
fn without_an_audit_log_there_is_no_file() {
    let site = Site::new();
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    site.configure(&format!("{text}[audit]\nenabled = false\n"));
    site.run_with("org add ACME01 --account acme01 --password-stdin", PASSWORD).ok();
    let server = site.serve();
    assert!(server.login("acme01").starts_with("230"));
    server.stop();
    assert!(!site.path("data/audit.log").exists());
}
