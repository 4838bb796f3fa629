//! The section `[maintenance]`.

use std::time::Duration;

use tidegate_domain::maintenance::{Calendar, InFlight, MaintenanceConfig, OrgPattern, Origin, Scope};

use crate::support::{CHICAGO, utc};

fn read(text: &str) -> MaintenanceConfig {
    toml::from_str(text).unwrap()
}

fn problems(text: &str) -> Vec<String> {
    let problems = read(text).to_calendar().unwrap_err();
    problems.into_iter().map(|problem| problem.to_string()).collect()
}

/// The problems of one window with these lines and a right zone.
fn window_problems(lines: &str) -> Vec<String> {
    problems(&format!("timezone = \"America/Chicago\"\n[[window]]\n{lines}"))
}

#[test]
fn an_empty_section_is_the_default() {
    let config = read("");
    assert_eq!(config, MaintenanceConfig::default());
    assert_eq!(config.to_calendar().unwrap(), Calendar::default());
    assert_eq!((config.cutoff.0, config.grace.0), (Duration::ZERO, Duration::from_mins(5)));
    assert_eq!((config.in_flight, config.resume_ramp.0), (InFlight::FinishThenYield, Duration::from_mins(2)));
}

#[test]
fn every_key_of_the_document_is_known() {
    let config = read(
        r#"
        timezone = "America/Chicago"
        cutoff = "90s"
        grace = "1h30m"
        in_flight = "finish"
        resume_ramp = "0s"
        [[window]]
        name = "dshs-2024-03-08"
        from = "2024-03-08T19:00"
        to = "2024-03-09T00:00"
        reason = "DSHS IT system maintenance"
        [[window]]
        name = "counties"
        from = "2024-03-10 02:30"
        duration = "4h"
        orgs = ["county-*", "ACME01"]
        "#,
    );
    let calendar = config.to_calendar().unwrap();
    assert_eq!(calendar.timezone, Some(CHICAGO));
    assert_eq!((calendar.cutoff, calendar.grace), (Duration::from_secs(90), Duration::from_mins(90)));
    assert_eq!((calendar.in_flight, calendar.resume_ramp), (InFlight::Finish, Duration::ZERO));
    let [dshs, counties] = calendar.windows.as_slice() else { panic!("two windows") };
    assert_eq!(
        (dshs.interval.start(), dshs.interval.end()),
        (utc("2024-03-09T01:00"), utc("2024-03-09T06:00"))
    );
    assert_eq!((&dshs.scope, &dshs.origin, dshs.zone), (&Scope::Everyone, &Origin::Configuration, CHICAGO));
    assert_eq!(dshs.reason, "DSHS IT system maintenance");
    assert_eq!(
        (counties.interval.start(), counties.interval.end()),
        (utc("2024-03-10T08:00"), utc("2024-03-10T12:00"))
    );
    let patterns = ["county-*", "ACME01"].map(|pattern| OrgPattern::new(pattern).unwrap());
    assert_eq!(counties.scope, Scope::Orgs(patterns.to_vec()));
    let written = toml::to_string(&config).unwrap();
    assert_eq!(read(&written), config, "{written}");
}

#[test]
fn all_problems_are_told_together_with_their_keys() {
    let found = problems(
        r#"
        timezone = "Central"
        cutoff = "2d"
        [[window]]
        name = "one"
        from = "2024-03-08"
        to = "2024-03-09T00:00"
        [[window]]
        name = "one"
        from = "2024-03-08T19:00"
        to = "2024-03-08T19:00"
        orgs = ["county ?", "county-*", ""]
        "#,
    );
    let keys: Vec<_> = found.iter().map(|problem| problem.split(':').next().unwrap()).collect();
    let expected = [
        "maintenance.timezone",
        "maintenance.cutoff",
        "maintenance.window[0].from",
        "maintenance.window[1].name",
        "maintenance.window[1].orgs",
        "maintenance.window[1].orgs",
        "maintenance.window[1].to",
    ];
    assert_eq!(keys, expected, "{found:#?}");
    assert_eq!(
        found[0],
        "maintenance.timezone: \"Central\" is no IANA time zone: write one such as \"America/Chicago\""
    );
    assert_eq!(found[1], "maintenance.cutoff: 2d is too long: at most 1d");
}

#[test]
fn a_window_needs_a_zone_and_the_rest_is_checked_all_the_same() {
    let found = problems("[[window]]\nname = \"one\"\nfrom = \"2024-03-08T19:00\"\nduration = \"0s\"");
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("maintenance.timezone: is missing"), "{found:#?}");
    assert!(found[1].starts_with("maintenance.window[0].duration: "), "{found:#?}");
}

#[test]
fn each_mistake_in_a_window_is_found() {
    let cases = [
        (
            "name = \" \"\nfrom = \"2024-03-08T19:00\"\nduration = \"1h\"",
            "maintenance.window[0].name: the name is missing",
        ),
        (
            "name = \"a\"\nfrom = \"x\"\nduration = \"1h\"",
            "maintenance.window[0].from: \"x\" is no local time",
        ),
        (
            "name = \"a\"\nfrom = \"2024-03-08T19:00\"\nto = \"x\"",
            "maintenance.window[0].to: \"x\" is no local time",
        ),
        (
            "name = \"a\"\nfrom = \"2024-03-08T19:00\"\nto = \"2024-03-08T18:00\"",
            "maintenance.window[0].to: the window would end before it starts",
        ),
        ("name = \"a\"\nfrom = \"2024-03-08T19:00\"", "maintenance.window[0]: needs either"),
        (
            "name = \"a\"\nfrom = \"2024-03-08T19:00\"\nto = \"2024-03-08T20:00\"\nduration = \"1h\"",
            "maintenance.window[0]: needs either",
        ),
        (
            "name = \"a\"\nfrom = \"2024-03-08T19:00\"\nduration = \"1h\"\norgs = []",
            "maintenance.window[0].orgs: names nobody",
        ),
        (
            "name = \"a\"\nfrom = \"2024-03-08T19:00\"\nduration = \"1h\"\nreason = \"a\\nb\"",
            "maintenance.window[0].reason: the reason has a line end",
        ),
    ];
    for (lines, expected) in cases {
        let found = window_problems(lines);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{expected}: {found:#?}");
    }
}

#[test]
fn unknown_keys_are_refused() {
    for text in
        ["time_zone = \"UTC\"", "[[window]]\nname = \"a\"\ncrontab = \"30 2 * * SUN\"\nduration = \"4h\""]
    {
        let error = toml::from_str::<MaintenanceConfig>(text).unwrap_err().to_string();
        assert!(error.contains("unknown field"), "{error}");
    }
    let error = toml::from_str::<MaintenanceConfig>("grace = \"5 minutes\"").unwrap_err().to_string();
    assert!(error.contains("\"1h30m\""), "{error}");
}
