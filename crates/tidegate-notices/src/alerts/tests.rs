use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use chrono::TimeDelta;

use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    let midnight: DateTime<Utc> = "2024-03-09T00:00:00Z".parse().unwrap();
    midnight + TimeDelta::minutes(minute)
}

fn ended(id: &str, org: &str, minute: i64) -> Ended {
    Ended { id: id.to_owned(), org: org.to_owned(), at: at(minute) }
}

/// Looks at these minutes and tells what came of each: alert and state.
fn looks(watch: &mut Watch, seen: &[(i64, Observations)]) -> Vec<(i64, &'static str, &'static str)> {
    let mut told = Vec::new();
    for (minute, seen) in seen {
        told.extend(watch.look(seen, at(*minute)).iter().map(|one| (*minute, one.alert, one.state.name())));
    }
    told
}

fn watch() -> Watch {
    Watch::new(AlertsConfig::default(), at(0))
}

fn exceptions(count: usize) -> Observations {
    Observations { exceptions: vec![ended("J", "ACME01", -60); count], ..Observations::default() }
}

fn quiet() -> Observations {
    Observations::default()
}

#[test]
fn nothing_wrong_is_nothing_told() {
    assert!(looks(&mut watch(), &[(0, quiet()), (1, quiet()), (10_000, quiet())]).is_empty());
}

#[test]
fn what_lasts_is_told_at_once_then_every_four_hours_and_that_it_is_over_once() {
    let mut seen: Vec<_> = (0..=600).map(|minute| (minute, exceptions(1))).collect();
    seen.extend((601..900).map(|minute| (minute, quiet())));
    let expected = [(0, "raised"), (240, "raised"), (480, "raised"), (601, "cleared")];
    assert_eq!(looks(&mut watch(), &seen), expected.map(|(minute, state)| (minute, "exception", state)));
}

#[test]
fn more_of_it_is_told_sooner_but_not_at_once() {
    let seen = [
        (0, exceptions(1)),
        (1, exceptions(2)),
        (14, exceptions(3)),
        (15, exceptions(3)),
        (200, exceptions(2)),
    ];
    assert_eq!(looks(&mut watch(), &seen), [(0, "exception", "raised"), (15, "exception", "raised")]);
}

#[test]
fn what_comes_and_goes_is_told_once_in_the_quiet_time() {
    let seen: Vec<_> =
        (0..30).map(|minute| (minute, if minute % 2 == 0 { exceptions(1) } else { quiet() })).collect();
    let told = looks(&mut watch(), &seen);
    let expected = [(0, "raised"), (1, "cleared"), (16, "raised"), (17, "cleared")];
    assert_eq!(told, expected.map(|(minute, state)| (minute, "exception", state)));
}

#[test]
fn what_is_so_again_and_lasts_is_told_after_the_quiet_time() {
    let mut seen = vec![(0, exceptions(1)), (1, quiet())];
    seen.extend((2..60).map(|minute| (minute, exceptions(1))));
    let expected = [(0, "raised"), (1, "cleared"), (15, "raised")];
    assert_eq!(looks(&mut watch(), &seen), expected.map(|(minute, state)| (minute, "exception", state)));
}

#[test]
fn a_clock_that_is_put_back_silences_nothing() {
    let mut watch = watch();
    assert_eq!(looks(&mut watch, &[(10_000, exceptions(1))]).len(), 1);
    assert_eq!(looks(&mut watch, &[(5, exceptions(1))]).len(), 1);
}

#[test]
fn errors_are_told_once_gathered_and_never_over() {
    let errors = |minutes: &[i64]| Observations {
        errors: minutes.iter().map(|minute| ended(&format!("J{minute}"), "ACME01", *minute)).collect(),
        ..Observations::default()
    };
    let mut watch = watch();
    assert!(watch.look(&errors(&[-5, 0]), at(0)).is_empty(), "what was before the start is no news");
    let first = watch.look(&errors(&[1]), at(1));
    assert!(first[0].text.starts_with("1 file ended in error (ACME01: 1), the last is job J1"), "{first:?}");
    assert!(watch.look(&errors(&[5, 3, 1]), at(6)).is_empty());
    let second = watch.look(&errors(&[5, 3, 1]), at(16));
    assert!(
        second[0].text.starts_with("2 files ended in error (ACME01: 2), the last is job J5"),
        "{second:?}"
    );
    assert!(watch.look(&errors(&[5, 3, 1]), at(1000)).is_empty());
    assert!(watch.look(&quiet(), at(1001)).is_empty());
}

#[test]
fn nothing_moving_counts_only_while_something_could() {
    let seen = |may_move, progress| Observations { may_move, progress, ..Observations::default() };
    let mut watch = watch();
    let first = looks(
        &mut watch,
        &[(0, seen(true, 1)), (14, seen(true, 1)), (15, seen(true, 1)), (16, seen(true, 2))],
    );
    assert_eq!(first, [(15, "still", "raised"), (16, "still", "cleared")]);
    let later = [(30, seen(true, 2)), (40, seen(false, 2)), (54, seen(true, 2)), (55, seen(true, 2))];
    assert_eq!(looks(&mut watch, &later), [(55, "still", "raised")], "a closed gate begins anew");
}

#[test]
fn each_limit_has_an_alert_of_its_own() {
    let config = AlertsConfig::default();
    let seen = |now: i64| {
        let away = |name: &str, minute| Away { name: name.to_owned(), since: at(minute) };
        Observations {
            oldest_waiting_at: Some(at(now - 12 * 60)),
            free_bytes: Some(config.free_bytes_min.0 - 1),
            certificate_expires_at: Some(at(now + 14 * 24 * 60 - 1)),
            away: vec![away("delivery", now - 15), away("delivery of ACME01", now - 14)],
            bans: 2,
            ..Observations::default()
        }
    };
    let told = watch().look(&seen(1000), at(1000));
    let names: Vec<_> = told.iter().map(|one| (one.alert, one.subject.as_deref())).collect();
    let expected = [
        ("waiting", None),
        ("disk", None),
        ("certificate", None),
        ("bans", None),
        ("away", Some("delivery")),
    ];
    assert_eq!(names, expected);
    let fine = Observations {
        oldest_waiting_at: Some(at(1001 - 12 * 60)),
        free_bytes: Some(config.free_bytes_min.0),
        certificate_expires_at: Some(at(1000 + 14 * 24 * 60)),
        ..Observations::default()
    };
    assert!(watch().look(&fine, at(1000)).is_empty());
}

#[test]
fn what_gets_worse_is_told_again() {
    let seen = |free| Observations { free_bytes: Some(free), ..Observations::default() };
    let told = looks(&mut watch(), &[(0, seen(1 << 30)), (20, seen(1 << 20)), (21, seen(0))]);
    assert_eq!(told, [(0, "disk", "raised"), (21, "disk", "raised")]);
}

/// Names of targets that never come back must take no room for ever.
#[test]
fn what_is_long_over_is_forgotten() {
    let mut watch = watch();
    for number in 0..100 {
        let away = vec![Away { name: format!("delivery of O{number}"), since: at(number * 60 - 30) }];
        watch.look(&Observations { away, ..Observations::default() }, at(number * 60));
    }
    assert!(format!("{watch:?}").matches("delivery of").count() <= 2, "{watch:?}");
}

fn means(more: &str) -> Means {
    let config: AlertsConfig = toml::from_str(&format!("timeout = '5s'\n{more}")).unwrap();
    assert_eq!(config.validate(), []);
    Means::new(config)
}

#[test]
fn a_command_gets_the_alert_and_its_failure_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (out, alert) = (dir.path().join("out"), Alert::test(at(0)));
    let script = format!("cat > {0}; printf %s \"$TIDEGATE_STATE $TIDEGATE_ALERT\" >> {0}", out.display());
    assert!(means(&format!("command = ['/bin/sh', '-c', '''{script}''']")).send(&alert).is_empty());
    let expected = format!("{}test test", serde_json::to_string(&alert).unwrap());
    assert_eq!(std::fs::read_to_string(out).unwrap(), expected);
    let failed = means("command = ['/bin/sh', '-c', 'exit 3']").send(&alert);
    assert!(failed[0].to_string().contains("exit status: 3"), "{failed:?}");
    let absent = means("command = ['/nowhere/at/all']").send(&alert);
    assert!(absent[0].to_string().contains("/nowhere/at/all"), "{absent:?}");
}

/// The sleeper holds the write end of a pipe: its end is the end of all that the command started.
#[test]
fn a_command_that_hangs_is_killed_with_everything_it_started() {
    use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Opens at once, although nobody writes yet, and is read as any file then.
    let reader = open(&fifo, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).unwrap();
    fcntl_setfl(&reader, OFlags::empty()).unwrap();
    let script = format!("sleep 1000 > {} & exec sleep 1000", fifo.display());
    let config: AlertsConfig =
        toml::from_str(&format!("timeout = '1s'\ncommand = ['/bin/sh', '-c', '''{script}''']")).unwrap();
    let failed = Means::new(config).send(&Alert::test(at(0)));
    assert!(failed[0].to_string().contains("was killed"), "{failed:?}");
    let (sender, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(std::fs::File::from(reader).read_to_string(&mut String::new())));
    let nothing = ended.recv_timeout(std::time::Duration::from_mins(1)).expect("something lives on").unwrap();
    assert_eq!(nothing, 0);
}

#[test]
fn a_webhook_gets_the_alert_as_json_and_a_silent_one_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for status in ["204 No Content", "500 Oops"] {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_ascii_lowercase();
                length =
                    lower.strip_prefix("content-length: ").map_or(length, |it| it.trim().parse().unwrap());
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            bodies.push(serde_json::from_slice::<serde_json::Value>(&body).unwrap());
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
        (bodies, listener)
    });
    let means = means(&format!("webhook = '{url}'"));
    let alert = Alert::test(at(0));
    assert!(means.send(&alert).is_empty());
    let failed = means.send(&alert);
    assert!(failed[0].to_string().contains("HTTP 500"), "{failed:?}");
    let (bodies, listener) = server.join().unwrap();
    assert_eq!((&bodies[0]["alert"], &bodies[0]["state"]), (&"test".into(), &"test".into()));
    // It is still bound, and nobody answers any more.
    let config = toml::from_str(&format!("timeout = '300ms'\nwebhook = '{url}'")).unwrap();
    let failed = Means::new(config).send(&alert);
    let shown = format!("{failed:?} {}", failed[0]);
    assert!(shown.contains("did not answer in time") && !shown.contains("secret"), "{shown}");
    drop(listener);
}

#[test]
fn all_mistakes_of_the_section_come_together() {
    let problems = |text: &str| -> Vec<&'static str> {
        let config: AlertsConfig = toml::from_str(text).unwrap();
        config.validate().into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(problems(""), ["command"]);
    assert_eq!(
        problems("command = ['page']\nwebhook = 'http://hooks.example/x'\ntimeout = '2m'\nrepeat = '1m'"),
        ["command", "webhook", "timeout", "repeat"]
    );
    for right in
        ["https://hooks.example/x?y", "http://127.0.0.1:80/", "http://[::1]:8080/x", "http://localhost/"]
    {
        assert!(problems(&format!("webhook = '{right}'")).is_empty(), "{right}");
    }
    for wrong in ["hooks.example", "https://", "https://u:p@h/", "ftp://h/", "https://h /"] {
        assert_eq!(problems(&format!("webhook = '{wrong}'")), ["webhook"], "{wrong}");
    }
}
