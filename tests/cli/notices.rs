//! What senders are told of windows.

use crate::support::{CONFIGURATION, Site};

const WINDOW: &str =
    "maintenance add dshs --from '2098-03-07 19:00' --to '2098-03-08 00:00' --reason 'DSHS IT'";

#[test]
fn a_notice_is_written_as_text_as_a_page_and_for_calendars() {
    let site = Site::new();
    site.configure(&format!(
        "{CONFIGURATION}[notices]\nregistry = 'ImmTrac2'\ncontacts = ['help: 555-0100']\n"
    ));
    let _server = site.serve();
    site.run(WINDOW).ok();
    let text = site.run("maintenance notice dshs").ok();
    for part in [
        "ImmTrac2",
        "DSHS IT",
        "Fri 2098-03-07 19:00 CST (America/Chicago, UTC-06:00)",
        "Files (FTP)",
        "help: 555-0100",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let page = site.path("notice.html");
    let line =
        format!("maintenance notice dshs --format html --occurrence 2098-03-07 --output {}", page.display());
    site.run(&line).ok();
    assert!(std::fs::read_to_string(page).unwrap().contains("<h1"));
    let calendar = site.run("maintenance notice dshs --format ics").ok();
    for part in ["METHOD:PUBLISH", "DTSTART:20980308T010000Z", "DTEND:20980308T060000Z", "SEQUENCE:0"] {
        assert!(calendar.contains(part), "{part:?} is missing in\n{calendar}");
    }
}

#[test]
fn what_staff_do_to_an_occurrence_is_what_its_notice_says() {
    let site = Site::new();
    let _server = site.serve();
    site.run("maintenance add long --from 2020-01-01 --to 2090-01-01 --reason x").ok();
    site.run("maintenance end long --reason 'all done'").ok();
    let ended = site.run("maintenance notice long").ok();
    assert!(ended.contains("ENDED EARLY") && ended.contains("all done"), "{ended}");
    site.run(WINDOW).ok();
    site.run("maintenance skip dshs --reason 'not needed'").ok();
    let cancelled = site.run("maintenance notice dshs --format ics").ok();
    assert!(cancelled.contains("METHOD:CANCEL") && cancelled.contains("STATUS:CANCELLED"), "{cancelled}");
    for line in ["maintenance notice nobody", "maintenance notice dshs --occurrence 2097-03-07"] {
        let missing = site.run(line);
        assert!(missing.code == 1 && missing.err.contains("maintenance list"), "{missing:?}");
    }
}

#[test]
fn staff_edit_the_templates_and_check_config_names_what_is_wrong_with_one() {
    let site = Site::new();
    site.configure(&format!("{CONFIGURATION}[notices]\ntemplates = 'words'\n"));
    std::fs::create_dir(site.path("data")).unwrap();
    let words = site.path("words");
    let line = format!("maintenance templates {}", words.display());
    assert!(site.run(&line).ok().contains("Wrote"));
    let file = words.join("notice.txt");
    std::fs::write(&file, "Hear ye\n{{ widnow }}\n").unwrap();
    assert!(site.run(&line).ok().contains("Kept"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Hear ye\n{{ widnow }}\n");
    let wrong = site.run("check-config");
    assert!(
        wrong.code == 78 && wrong.err.contains("notice.txt line 2") && wrong.err.contains("delete it"),
        "{wrong:?}"
    );
    let _server = site.serve();
    site.run(WINDOW).ok();
    let wrong = site.run("maintenance notice dshs");
    assert!(wrong.code == 1 && wrong.err.contains("notice.txt line 2"), "{wrong:?}");
    std::fs::write(&file, "Hear ye\n{{ window }}\n").unwrap();
    assert_eq!(site.run("maintenance notice dshs").ok(), "Hear ye\ndshs\n");
}

#[test]
fn whom_an_announcement_goes_to_is_shown_first_and_nothing_goes_without_a_yes() {
    let site = Site::new();
    site.add_org("ACME01");
    site.add_org("BURL01");
    site.run("org set ACME01 --contact it@acme.example").ok();
    let _server = site.serve();
    site.run(WINDOW).ok();
    let shown = site.run("maintenance announce dshs --dry-run").ok();
    for part in ["1 recipient", "it@acme.example  (ACME01)", "BURL01  (no contact)"] {
        assert!(shown.contains(part), "{part:?} is missing in\n{shown}");
    }
    assert_eq!(site.run("maintenance announce dshs").code, 2);
    let nowhere = site.run("maintenance announce dshs --yes");
    assert!(nowhere.code == 78 && nowhere.err.contains("[notices.smtp]"), "{nowhere:?}");
    assert_eq!(site.run("maintenance announcements --json").json(), serde_json::json!([]));
}

/// Nobody listens at the port; what was told before counts, and errors name what to do and no secret.
#[test]
fn who_was_told_is_not_told_again_and_a_mail_server_that_is_away_is_named() {
    // A connection's own port: nobody listens there, and nobody else gets it.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = std::net::TcpStream::connect(other.local_addr().unwrap()).unwrap();
    let port = connection.local_addr().unwrap().port();
    let site = Site::new();
    site.configure(&format!(
        "{CONFIGURATION}[notices.smtp]\nhost = '127.0.0.1'\nport = {port}\ntls = 'off'\nfrom = 'r@x.example'\n\
         username = 'u'\npassword_file = 'secret'\n"
    ));
    std::fs::write(site.path("secret"), "hunter2\n").unwrap();
    site.add_org("ACME01");
    site.run("org set ACME01 --contact it@acme.example").ok();
    let _server = site.serve();
    site.run(WINDOW).ok();
    let away = site.run("maintenance announce dshs --yes");
    assert!(
        away.code == 1 && away.err.contains("run the command again") && !away.err.contains("hunter2"),
        "{away:?}"
    );
    let uid = "dshs-20980308T010000Z@the-registry.tidegate";
    let record = serde_json::json!({
        "at": "2026-01-01T00:00:00Z", "actor": "staff:jo", "address": "it@acme.example", "orgs": ["ACME01"],
        "told": {"kind": "announcement", "uid": uid, "sequence": 0, "state": "announced"},
        "event": {"window": "dshs", "start": "2098-03-08T01:00:00Z", "end": "2098-03-08T06:00:00Z",
                  "timezone": "America/Chicago", "reason": "DSHS IT"},
    });
    std::fs::write(site.path("data/notices.jsonl"), format!("{record}\n")).unwrap();
    let again = site.run("maintenance announce dshs --yes").ok();
    assert!(again.contains("1 recipient told already") && again.contains("nothing was sent"), "{again}");
    assert!(site.run("maintenance announcements dshs").ok().contains("it@acme.example"));
    site.run("maintenance remove dshs --reason 'called off'").ok();
    let gone = site.run("maintenance notice dshs --format ics").ok();
    assert!(gone.contains("METHOD:CANCEL") && gone.contains("SEQUENCE:1") && gone.contains(uid), "{gone}");
}
