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

#[test]
fn an_occurrence_is_extended_skipped_and_a_window_taken_back_with_who_and_why() {
    let site = Site::new();
    site.configure(&format!(
        "{}[[maintenance.window]]\nname = \"weekly\"\ncron = \"30 2 * * SUN\"\nduration = \"4h\"\n",
        std::fs::read_to_string(site.path("tidegate.toml")).unwrap()
    ));
    let _server = site.serve();
    let skipped = site.run("maintenance skip weekly --at 2098-03-03 --reason 'no backup'");
    assert!(skipped.out.contains("Skipped weekly for everyone from Sun 2098-03-09 03:00 CDT"), "{skipped:?}");
    let state =
        |at: &str| site.run(&format!("maintenance explain --at '{at}' --json")).json()["state"].clone();
    assert_eq!((state("2098-03-09 04:00"), state("2098-03-16 04:00")), ("open".into(), "closed".into()));

    let refused = site.run("maintenance extend weekly --for 1h --reason x");
    assert!(refused.code == 1, "{refused:?}");
    site.run("maintenance add later --from '2098-05-01 10:00' --for 2h --reason 'Upgrade'").ok();
    let shorter = site.run("maintenance extend later --reason x");
    assert_eq!(shorter.code, 2, "{shorter:?}");
    site.run("maintenance remove later --reason 'called off'").ok();
    let gone = site.run("maintenance remove later --reason x");
    assert!(gone.code == 1 && gone.err.contains("no window named"), "{gone:?}");
    let configured = site.run("maintenance remove weekly --reason x");
    assert!(configured.err.contains("stands in the configuration file"), "{configured:?}");

    let listed = site.run("maintenance list --json").json();
    let events: Vec<_> =
        listed["history"].as_array().unwrap().iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["window_removed", "window_added", "occurrence_skipped"]);
    assert_eq!(listed["history"][0]["reason"], "called off");
    let listed = site.run("maintenance list").ok();
    assert!(listed.contains("In the last 7 days") && listed.contains("removed later"), "{listed}");
}

#[test]
fn a_server_whose_windows_cannot_be_read_takes_uploads_and_processes_none_until_they_can() {
    let site = Site::new();
    site.add_org("ACME01");
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    site.configure(&format!(
        "{text}[[maintenance.window]]\nname = \"w\"\ncron = \"30 25 * * *\"\nend = \"06:00\"\n"
    ));
    let _server = site.serve();
    let status = site.run("status --json").json();
    assert_eq!(
        (&status["gate"]["state"], &status["gate"]["causes"][0]["name"]),
        (&"closed".into(), &"configuration".into())
    );
    assert!(status["problems"][0].as_str().unwrap().contains("maintenance.window[0].cron"), "{status}");
    let gate = site.run("maintenance explain --org ACME01 --json").json();
    assert_eq!(gate["claims_allowed"], false);
    site.configure(&text);
    site.reload();
    let status = site.run("status --json").json();
    assert_eq!((&status["gate"]["state"], status["problems"].as_array().unwrap().len()), (&"open".into(), 0));
}

/// Staff end and skip a window by its name, and did it to both.
#[test]
fn a_window_of_the_file_that_is_called_as_one_of_staff_is_refused_by_name() {
    let site = Site::new();
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    let both = format!(
        "{text}[[maintenance.window]]\nname = \"upgrade\"\nfrom = \"2099-04-01T19:00\"\nto = \"2099-04-01T20:00\"\n\
         [[maintenance.window]]\nname = \"other\"\nfrom = \"2099-05-01T19:00\"\nto = \"2099-05-01T20:00\"\n"
    );
    let server = site.serve();
    site.run("maintenance add upgrade --from '2099-03-06 19:00' --for 5h --reason DSHS").ok();
    site.configure(&both);
    site.reload();
    let problem = || site.run("status --json").json()["problems"][0].as_str().unwrap_or_default().to_owned();
    assert!(problem().contains("\"upgrade\", too: give this one another name"), "{}", problem());
    let windows = || site.run("maintenance list --json").json()["occurrences"].as_array().unwrap().len();
    assert_eq!(windows(), 1, "as before, all of it");
    server.stop();
    let _server = site.serve();
    assert!(problem().contains("upgrade"), "told after a start, too: {}", problem());
    assert_eq!(windows(), 3, "when in doubt, closed");
    site.configure(&both.replace("upgrade", "upgrade-2"));
    site.reload();
    assert_eq!((problem().as_str(), windows()), ("", 3));
}
