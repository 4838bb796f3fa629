//! `maintenance ...`.

use crate::support::Site;

#[test]
fn a_hold_has_an_end_and_a_release_opens_the_gate() {
    let site = Site::new();
    let _server = site.serve();
    let started = site.run("maintenance start --reason 'router change'").ok();
    assert!(started.contains("for everyone until") && started.contains("(30 min)"), "{started}");
    let gate = site.run("maintenance explain --json").json();
    assert_eq!((&gate["state"], &gate["causes"][0]["reason"]), (&"closed".into(), &"router change".into()));
    let released = site.run("maintenance release").ok();
    assert!(released.contains("Released 1 hold") && released.contains("Gate: open"), "{released}");
    assert_eq!(site.run("maintenance release").code, 1);
    let long = site.run("maintenance start --for 8d --reason x");
    assert!(long.code == 1 && long.err.contains("7 days"), "{long:?}");
}

#[test]
fn a_hold_of_one_organization_leaves_the_others_alone() {
    let site = Site::new();
    site.add_org("ACME01");
    let _server = site.serve();
    site.run("maintenance start --org ACME01 --for 2h --reason x").ok();
    let state = |line: &str| site.run(line).json()["state"].clone();
    assert_eq!(state("maintenance explain --json"), "open");
    assert_eq!(state("maintenance explain --org ACME01 --json"), "closed");
    assert_eq!(state("maintenance explain --org BURL01 --json"), "open");
    site.run("maintenance release --org ACME01").ok();
}

#[test]
fn a_window_is_announced_explained_and_not_opened_by_a_release() {
    let site = Site::new();
    let _server = site.serve();
    let added =
        site.run("maintenance add dshs --from '2099-03-06 19:00' --to '2099-03-07 00:00' --reason 'DSHS'");
    assert!(added.out.contains("Fri 2099-03-06 19:00 CST (America/Chicago)"), "{added:?}");
    let inside = site.run("maintenance explain --at '2099-03-06 20:00' --json").json();
    assert_eq!(
        (&inside["state"], &inside["until_local"]),
        (&"closed".into(), &"2099-03-07T00:00:00-06:00".into())
    );
    let after = site.run("maintenance explain --at 2099-03-07").ok();
    assert!(after.contains("the gate is open"), "{after}");
    let listed = site.run("maintenance list").ok();
    assert!(listed.contains("dshs") && listed.contains("added by jo"), "{listed}");
    let twice = site.run("maintenance add dshs --from 2099-03-08 --for 1h --reason again");
    assert!(twice.code == 1 && twice.err.contains("already"), "{twice:?}");
    let early = site.run("maintenance end dshs --reason x");
    assert!(early.code == 1 && early.err.contains("not active"), "{early:?}");

    site.run("maintenance add now --from 2020-01-01 --to 2099-01-01 --reason 'long one'").ok();
    site.run("maintenance start --reason 'on top'").ok();
    let released = site.run("maintenance release").ok();
    assert!(released.contains("A window still closes the gate"), "{released}");
    let ended = site.run("maintenance end now --reason finished").ok();
    assert!(ended.contains("Gate: open"), "{ended}");
    assert!(site.run("maintenance list --json").json()["occurrences"].is_array());
}
