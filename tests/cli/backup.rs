//! `store backup` and `store verify DIR`, with and without a server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Done, Site, tidegate};

fn site_with_a_file_that_waits() -> Site {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    site.run("maintenance start --until-released --reason 'keep it waiting'").ok();
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    server.stop();
    site
}

/// Runs without any configuration, somewhere else.
fn elsewhere(arguments: &[&str]) -> Done {
    let nowhere = tempfile::tempdir().unwrap();
    Done::of(tidegate().current_dir(nowhere.path()).args(arguments).output().unwrap())
}

fn is_private(path: &Path) -> bool {
    let mode = path.metadata().unwrap().permissions().mode() & 0o777;
    let is_dir = path.is_dir();
    let below =
        |path: &Path| std::fs::read_dir(path).unwrap().all(|entry| is_private(&entry.unwrap().path()));
    mode == if is_dir { 0o700 } else { 0o600 } && (!is_dir || below(path))
}

#[test]
fn a_backup_is_made_with_a_server_and_without() {
    let site = site_with_a_file_that_waits();
    let offline = site.run(&format!("store backup {} --json", site.path("offline").display())).json();
    let server = site.serve();
    let online = site.run(&format!("store backup {} --json", site.path("online").display())).json();
    for (made, name) in [(&offline, "offline"), (&online, "online")] {
        assert_eq!((&made["jobs"], &made["jobs_without_bytes"]), (&1.into(), &0.into()), "{made}");
        assert!(
            made["at"].is_string() && made["seconds"].is_number() && made["bytes"].as_u64() > Some(4),
            "{made}"
        );
        let directory = site.path(name);
        assert_eq!(made["directory"], directory.to_str().unwrap());
        assert!(is_private(&directory), "{name}");
        assert!(
            directory.join("config/tidegate.toml").exists()
                && directory.join("config/orgs.d/ACME01.toml").exists()
        );
        let looked = elsewhere(&["store", "verify", directory.to_str().unwrap(), "--json"]).json();
        assert_eq!((&looked["jobs_waiting"], &looked["findings"]), (&1.into(), &serde_json::json!([])));
    }
    let told = site.run(&format!("store backup {}", site.path("third").display())).ok();
    assert!(told.contains("is whole: 1 job, ") && told.contains(" as of "), "{told}");
    server.stop();
}

#[test]
fn what_stands_in_the_way_of_a_backup_is_told_with_what_to_do() {
    let site = site_with_a_file_that_waits();
    std::fs::create_dir(site.path("full")).unwrap();
    std::fs::write(site.path("full/thesis.txt"), "").unwrap();
    let server = site.serve();
    refuses(&site);
    server.stop();
    refuses(&site);
}

fn refuses(site: &Site) {
    for (name, advice) in [
        ("full", "not empty: name a directory that does not exist"),
        ("data/backup", "inside the data directory: name a directory elsewhere"),
        ("no/such/place", "No such file"),
    ] {
        let refused = site.run(&format!("store backup {}", site.path(name).display()));
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains(advice) && refused.out.is_empty(), "{refused:?}");
    }
}

#[test]
fn a_backup_is_looked_through_without_a_configuration_and_without_changing_it() {
    let site = site_with_a_file_that_waits();
    let directory = site.path("copy");
    site.run(&format!("store backup {}", directory.display())).ok();
    let path = directory.to_str().unwrap();
    let listed = || {
        let output =
            std::process::Command::new("find").args([path, "-printf", "%p %s %T@\n"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let before = listed();
    let sound = elsewhere(&["store", "verify", path]).ok();
    assert!(sound.contains("sound") && sound.contains("the last change was made on"), "{sound}");
    assert_eq!(listed(), before);

    let journal = directory.join("journal");
    let segment = std::fs::read_dir(&journal).unwrap().next().unwrap().unwrap().path();
    std::fs::rename(&segment, directory.join("elsewhere")).unwrap();
    let lost = elsewhere(&["store", "verify", path]);
    assert!(lost.code == 1 && lost.err.contains("restore it from a backup"), "{lost:?}");
    std::fs::rename(directory.join("elsewhere"), segment).unwrap();
    std::fs::remove_file(directory.join("layout")).unwrap();
    let foreign = elsewhere(&["store", "verify", path]);
    assert!(foreign.code == 1 && foreign.err.contains("no data directory of tidegate"), "{foreign:?}");
    std::fs::write(directory.join("incomplete-backup"), "").unwrap();
    let rest = elsewhere(&["store", "verify", path]);
    assert!(rest.code == 1 && rest.err.contains("interrupted"), "{rest:?}");
    let absent = elsewhere(&["store", "verify", "/no/such/place"]);
    assert!(absent.code == 1 && absent.err.contains("/no/such/place"), "{absent:?}");
}

#[test]
fn looking_through_a_stopped_store_changes_nothing() {
    let site = site_with_a_file_that_waits();
    let listed = || {
        let data = site.path("data");
        let output =
            std::process::Command::new("find").arg(data).args(["-printf", "%p %s %T@\n"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let before = listed();
    site.run("store verify").ok();
    site.run("doctor --json");
    assert_eq!(listed(), before);
    let server = site.serve();
    let in_use = elsewhere(&["store", "verify", site.path("data").to_str().unwrap()]);
    assert_eq!(in_use.code, 75, "{in_use:?}");
    server.stop();
}
