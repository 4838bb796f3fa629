//! Goldens: what staff see, to the letter.

use tidegate_domain::job::{JobEvent, JobState, Outcome};
use tidegate_domain::maintenance::{
    Calendar, Hold, HoldLength, Interval, Origin, Scope, Window, gate, occurrences,
};
use tidegate_web::api::{
    ClosedOrg, ConfigurationView, Drain, FilesView, GateView, HistoryView, HoldView, JobDetail, JobView,
    Listener, MaintenanceView, Messages, OccurrenceView, Status,
};

use super::*;

fn window() -> Window {
    let at = |text: &str| text.parse().unwrap();
    let interval = Interval::new(at("2024-03-09T01:00:00Z"), at("2024-03-09T06:00:00Z")).unwrap();
    Window::new(
        "dshs-2024-03-08",
        interval,
        chrono_tz::America::Chicago,
        "DSHS IT system maintenance",
        Scope::Everyone,
        Origin::Configuration,
    )
    .unwrap()
}

fn calendar() -> Calendar {
    Calendar { windows: vec![window()], timezone: Some(chrono_tz::America::Chicago), ..Calendar::default() }
}

fn hold() -> Hold {
    let placed = "2024-03-09T01:10:00Z".parse().unwrap();
    Hold::new("hold-1", None, "router change", "jo", placed, HoldLength::UntilReleased).unwrap()
}

fn view(calendar: &Calendar, holds: &[Hold]) -> GateView {
    let now = Screen::test().now;
    GateView::new(gate(now, None, calendar, &[], holds), now, calendar.timezone)
}

fn job() -> JobView {
    JobView {
        id: "06H0AM9VH04GF06Y".parse().unwrap(),
        org: "ACME01".to_owned().try_into().unwrap(),
        account: "acme".to_owned(),
        protocol: tidegate_domain::job::Protocol::Ftp,
        name: "vxu.hl7".to_owned(),
        size_bytes: 1_500_000,
        sha256: "ab".repeat(32),
        state: JobState::Complete,
        outcome: Some(Outcome::AcceptedWithErrors),
        received_at: "2024-03-09T00:59:00Z".parse().unwrap(),
        finished_at: Some("2024-03-09T01:00:30Z".parse().unwrap()),
        attempts: 1,
        not_before: None,
        reason: None,
        messages: Messages { total: 1204, accepted: 1200, warned: 1, errored: 3, rejected: 0 },
    }
}

#[test]
fn a_closed_gate_names_every_cause_and_what_it_means() {
    assert_eq!(
        gate_text(&view(&calendar(), &[hold()]), &Screen::test()),
        "\
CLOSED until released by staff
  CAUSE   NAME             UNTIL                     BY             REASON
  window  dshs-2024-03-08  Sat 2024-03-09 00:00 CST  configuration  DSHS IT system maintenance
  hold    hold-1           released                  jo             router change
uploads are accepted; processing starts by itself when the gate opens"
    );
    let text = gate_text(&view(&calendar(), &[]), &Screen::test());
    assert!(
        text.starts_with("CLOSED until Sat 2024-03-09 00:00 CST (America/Chicago), in 4 h 30 min\n"),
        "{text}"
    );
}

#[test]
fn an_open_gate_tells_of_the_next_change_and_of_the_cutoff() {
    let mut ahead = calendar();
    ahead.windows[0].interval =
        Interval::new("2024-03-09T03:00:00Z".parse().unwrap(), "2024-03-09T06:00:00Z".parse().unwrap())
            .unwrap();
    let text = gate_text(&view(&ahead, &[]), &Screen::test());
    assert_eq!(text, "open; next change Fri 2024-03-08 21:00 CST (America/Chicago), in 1 h 30 min");
    ahead.cutoff = std::time::Duration::from_hours(2);
    let text = gate_text(&view(&ahead, &[]), &Screen::test());
    assert_eq!(
        text,
        "open, but no new files are taken up: closes Fri 2024-03-08 21:00 CST (America/Chicago), in 1 h 30 min"
    );
    assert_eq!(gate_text(&view(&Calendar::default(), &[]), &Screen::test()), "open");
}

#[test]
fn status_fits_one_screen() {
    let mut jobs: std::collections::BTreeMap<JobState, u64> =
        JobState::ALL.iter().map(|state| (*state, 0)).collect();
    jobs.extend([(JobState::Queued, 1204), (JobState::Complete, 7), (JobState::Exception, 2)]);
    let status = Status {
        version: "1.2.3".to_owned(),
        gate: view(&calendar(), &[]),
        closed_orgs: vec![ClosedOrg {
            org: "BURL01".to_owned().try_into().unwrap(),
            waiting: 1,
            gate: view(&Calendar::default(), &[hold()]),
        }],
        jobs,
        oldest_queued_at: Some("2024-03-08T22:28:00Z".parse().unwrap()),
        legal_holds: vec!["ACME01".to_owned().try_into().unwrap()],
        bans: 2,
        lanes: Vec::new(),
        lanes_more: 0,
        drain: Drain { files_per_s: 0.5, eta: Some("2024-03-09T06:40:00Z".parse().unwrap()) },
        listeners: vec![Listener { protocol: "ftp".to_owned(), address: "0.0.0.0:2121".to_owned() }],
        problems: vec!["orgs.d/BAD.toml: code: is missing".to_owned()],
        configuration: ConfigurationView {
            changed_since_read: true,
            needs_restart: vec!["alerts".to_owned(), "limits.sessions_max".to_owned()],
        },
    };
    assert_eq!(
        status_text(&status, &Screen::test()),
        "\
Gate        CLOSED until Sat 2024-03-09 00:00 CST (America/Chicago), in 4 h 30 min
              CAUSE   NAME             UNTIL                     BY             REASON
              window  dshs-2024-03-08  Sat 2024-03-09 00:00 CST  configuration  DSHS IT system maintenance
            uploads are accepted; processing starts by itself when the gate opens
Also        BURL01 CLOSED until released by staff, 1 file waiting: router change
Waiting     1,204 queued
Oldest      waits since Fri 2024-03-08 16:28 CST (3 h 2 min)
Finished    7 complete
            2 exception: tidegate queue list --state exception
Legal hold  ACME01
Bans        2 addresses turned away for failed logins: tidegate bans list
Drain       30.0 files a minute; empty Sat 2024-03-09 00:40 CST (in 5 h 10 min)
Listening   ftp 0.0.0.0:2121
Version     1.2.3
Problems    orgs.d/BAD.toml: code: is missing
Changed     in force once the server is restarted: alerts, limits.sessions_max
            tidegate.toml, after the server read it: `tidegate reload` takes it up"
    );
}

#[test]
fn jobs_stand_under_each_other_and_reasons_only_where_there_are_some() {
    let failed = JobView {
        state: JobState::Error,
        outcome: None,
        reason: Some("truncated".to_owned()),
        size_bytes: 17,
        messages: Messages::default(),
        ..job()
    };
    assert_eq!(
        job_list(&[failed, job()], &Screen::test()),
        "\
JOB               RECEIVED                  ORG     STATE                 MESSAGES              SIZE  NAME     REASON
06H0AM9VH04GF06Y  Fri 2024-03-08 18:59 CST  ACME01  error                                   17 bytes  vxu.hl7  truncated
06H0AM9VH04GF06Y  Fri 2024-03-08 18:59 CST  ACME01  accepted with errors  1,204, 3 refused   1.4 MiB  vxu.hl7"
    );
    assert!(!job_list(&[job()], &Screen::test()).contains("REASON"));
}

#[test]
fn a_narrow_terminal_wraps_text_and_does_without_what_can_be_spared() {
    let failed = JobView { reason: Some("truncated: the file ends before its BTS".to_owned()), ..job() };
    let narrow = Screen { width: Some(80), ..Screen::test() };
    assert_eq!(
        job_list(&[failed], &narrow),
        "\
JOB               RECEIVED                  STATE          NAME     REASON
06H0AM9VH04GF06Y  Fri 2024-03-08 18:59 CST  accepted with  vxu.hl7  truncated:
                                            errors                  the file
                                                                    ends before
                                                                    its BTS"
    );
}

#[test]
fn one_job_is_shown_with_its_history_and_files() {
    let entry = |at: &str, actor: &str, event: JobEvent| {
        HistoryView::from(&tidegate_domain::job::HistoryEntry {
            seq: 1,
            at: at.parse().unwrap(),
            actor: actor.to_owned(),
            event,
        })
    };
    let detail = JobDetail {
        job: job(),
        waits_for: None,
        failures: 0,
        duplicate_of: None,
        response_deleted: true,
        report_deleted: false,
        history: vec![
            entry(
                "2024-03-09T00:59:10Z",
                "staff:jo",
                JobEvent::Held { reason: "asked by the clinic".to_owned() },
            ),
            entry("2024-03-09T01:00:00Z", "worker", JobEvent::Claimed),
        ],
        files: FilesView {
            payload: None,
            response: Some("/var/lib/tidegate/orgs/ACME01/archive/06H0AM9VH04GF06Y.response".to_owned()),
            report: None,
        },
    };
    assert_eq!(
        job_text(&detail, &Screen::test()),
        format!(
            "\
Job         06H0AM9VH04GF06Y
State       accepted with errors
From        ACME01, account acme, by ftp
Name        vxu.hl7
Size        1.4 MiB
SHA-256     {}
Received    Fri 2024-03-08 18:59 CST
Finished    Fri 2024-03-08 19:00:30 CST
Messages    1,204: 1,200 accepted, 1 with warnings, 3 with errors, 0 rejected
Attempts    1
Files       response  /var/lib/tidegate/orgs/ACME01/archive/06H0AM9VH04GF06Y.response  (deleted from the outbox by the sender)

WHEN                         WHO     WHAT     DETAIL
Fri 2024-03-08 18:59:10 CST  jo      held     asked by the clinic
Fri 2024-03-08 19:00 CST     worker  claimed",
            "ab".repeat(32)
        )
    );
}

#[test]
fn windows_and_holds_are_listed_with_their_origin() {
    let screen = Screen::test();
    let (from, to) = (screen.now, chrono::DateTime::<chrono::Utc>::MAX_UTC);
    let found = occurrences(&calendar(), &[], from, to, screen.now);
    let maintenance = MaintenanceView {
        timezone: Some(screen.zone),
        gate: view(&Calendar::default(), &[]),
        occurrences: found.iter().map(OccurrenceView::from).collect(),
        more: 2,
        holds: vec![HoldView::from(&hold())],
        history: Vec::new(),
        older: 3,
    };
    assert_eq!(
        maintenance_text(&maintenance, false, &screen),
        "\
Gate: open

WINDOW           STATE  FROM                      TO                        FOR       ORIGIN         REASON
dshs-2024-03-08  RUNS   Fri 2024-03-08 19:00 CST  Sat 2024-03-09 00:00 CST  everyone  configuration  DSHS IT system maintenance
2 more; see them with -n 2

1 hold in force
HOLD    FOR       SINCE                     UNTIL     BY  REASON
hold-1  everyone  Fri 2024-03-08 19:10 CST  released  jo  router change

3 older changes; see them with --all"
    );
}

#[test]
fn colours_are_there_only_if_asked_for() {
    let colourful = Screen { colour: true, ..Screen::test() };
    assert!(gate_text(&view(&Calendar::default(), &[]), &colourful).contains('\u{1b}'));
    assert!(job_list(&[job()], &colourful).contains('\u{1b}'));
    assert!(!job_list(&[job()], &Screen::test()).contains('\u{1b}'));
}
