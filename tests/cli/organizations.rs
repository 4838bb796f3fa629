//! `org ...`.

use crate::support::{PASSWORD, Site};

#[test]
fn an_added_organization_can_upload_at_once() {
    let site = Site::new();
    let server = site.serve();
    let added =
        site.run_with("org add ACME01 --name 'Acme Clinic' --account acme01 --password-stdin", PASSWORD);
    let told = added.ok();
    assert!(told.contains("has taken it up") && told.contains("outbox/"), "{told}");
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    let listed = site.run("org list").ok();
    assert!(listed.contains("Acme Clinic"), "{listed}");
    let shown = site.run("org show ACME01 --json");
    assert!(!shown.out.contains("argon2id"), "{shown:?}");
    assert_eq!(shown.json()["accounts"][0]["password"], true);
}

#[test]
fn codes_and_accounts_are_taken_once_and_short_passwords_not_at_all() {
    let site = Site::new();
    site.add_org("ACME01");
    for (line, words) in [
        ("org add ACME01 --account other --password-stdin", "exists already"),
        ("org add BURL01 --account acme01 --password-stdin", "belongs to organization ACME01"),
        ("org passwd ACME01 nobody --password-stdin", "it has acme01"),
        ("org passwd BURL01 burl01 --password-stdin", "org list"),
        ("org show BURL01", "org list"),
    ] {
        let done = site.run_with(line, PASSWORD);
        assert!(done.code == 1 && done.err.contains(words), "{line}: {done:?}");
    }
    let short = site.run_with("org add BURL01 --account burl01 --password-stdin", "short\n");
    assert!(short.code == 1 && short.err.contains("fewer than 8"), "{short:?}");
    assert_eq!(site.run("org add BURL01 --account burl01").code, 2, "no terminal to ask on");
    assert!(!site.path("orgs.d/BURL01.toml").exists());
}

#[test]
fn a_new_password_counts_at_once() {
    let site = Site::new();
    let server = site.serve();
    site.run_with("org add ACME01 --account acme01 --password-stdin", "the first one").ok();
    site.run_with("org passwd ACME01 acme01 --password-stdin", PASSWORD).ok();
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
}

#[test]
fn no_organizations_is_told_with_what_to_do() {
    let site = Site::new();
    assert!(site.run("org list").ok().contains("org add"));
}
