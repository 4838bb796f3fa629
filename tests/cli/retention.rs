//! `retention ...`.

use crate::support::Site;

#[test]
fn a_legal_hold_is_placed_shown_everywhere_and_released() {
    let site = Site::new();
    site.add_org("ACME01");
    let _server = site.serve();
    let status = site.run("retention status").ok();
    assert!(status.contains("30d after the end") && status.contains("none yet"), "{status}");
    let placed = site.run("retention hold ACME01 --reason 'case 7'").ok();
    assert!(placed.contains("ACME01 since") && placed.contains("by jo: case 7"), "{placed}");
    assert_eq!(site.run("status --json").json()["legal_holds"][0], "ACME01");
    for line in ["retention status", "org show ACME01", "doctor", "status"] {
        let told = site.run(line).out;
        assert!(told.contains("ACME01") && told.to_lowercase().contains("legal hold"), "{line}: {told}");
    }
    let listed = site.run("retention status --json").json();
    assert_eq!((&listed["legal_holds"][0]["reason"], &listed["last_pass"]), (&"case 7".into(), &().into()));
    let released = site.run("retention release ACME01 --reason settled").ok();
    assert!(released.contains("Released 1 legal hold of ACME01"), "{released}");
    assert_eq!(site.run("retention release ACME01 --reason settled").code, 1);
    let unknown = site.run("retention hold BURL01 --reason 'case 7'");
    assert!(unknown.code == 1 && unknown.err.contains("no organization BURL01"), "{unknown:?}");
    assert_eq!(site.run("retention hold ACME01").code, 2, "a legal hold needs a reason");
}

#[test]
fn a_pass_is_run_by_hand_and_rehearsed() {
    let site = Site::new();
    let _server = site.serve();
    let dry = site.run("retention run --dry-run").ok();
    assert!(dry.contains("0 jobs would be deleted"), "{dry}");
    assert_eq!(site.run("retention run --dry-run --json").json()["dry_run"], true);
    let run = site.run("retention run").ok();
    assert!(run.contains("0 jobs deleted, 0 kept by legal holds"), "{run}");
    let status = site.run("retention status").ok();
    assert!(status.contains("0 jobs deleted"), "{status}");
}
