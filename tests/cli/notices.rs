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
