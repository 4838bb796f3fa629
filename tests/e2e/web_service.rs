//! The web service of the real server: answered in the call, 503 while the gate is shut, and nothing lost or doubled.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use tidegate_hl7::sample;

use crate::ledger::delivered;
use crate::registry::Registry;
use crate::rig::{DEADLINE, Site};

const SENTENCE: &str = "The server is temporarily unable to service your request due to maintenance downtime or \
    capacity problems. Please try again later.";

/// How often the gate is shut and opened.
const MOVES: u64 = 20;

/// Senders at once.
const SENDERS: u64 = 4;

fn site() -> Site {
    let site = Site::new();
    site.configure("[web]\nlisten = \"127.0.0.1:0\"\ntls = \"off\"");
    site
}

/// What a server said.
#[derive(Debug)]
struct Told {
    status: u16,
    head: String,
    body: String,
}

/// Sends a message of account `a` by `POST /hl7`; `None` if the connection broke off.
fn post(web: SocketAddr, message: &[u8]) -> Option<Told> {
    let mut connection = TcpStream::connect(web).ok()?;
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    // a:correct horse battery
    let head = format!(
        "POST /hl7 HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Basic \
         YTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=\r\ncontent-type: application/hl7-v2\r\ncontent-length: {}\r\n\r\n",
        message.len()
    );
    connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(message)).ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Told { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

/// The control id of a sample.
fn id(seed: u64) -> String {
    format!("SAMPLE-{seed}")
}

#[test]
fn a_message_is_answered_in_its_call_and_told_503_while_the_gate_is_shut() {
    let registry = Registry::start("127.0.0.1:0".parse().unwrap(), &[]);
    let site = site();
    site.configure(&Registry::delivery(registry.address));
    let server = site.serve();
    let web = server.web.unwrap();
    let told = post(web, &sample::message(1)).unwrap();
    assert!(told.status == 200 && told.body.contains("\rMSA|AA|SAMPLE-1\r"), "{told:?}");
    assert_eq!(registry.ledger(), [id(1)]);
    let job = &site.jobs()[0];
    assert_eq!((job["protocol"].as_str(), job["state"].as_str()), (Some("http"), Some("complete")));

    site.run(&["maintenance", "start", "--for", "30m", "--reason", "test"]);
    let told = post(web, &sample::message(2)).unwrap();
    assert_eq!((told.status, told.body.as_str()), (503, SENTENCE));
    let wait = told.head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=1800).contains(&wait.parse::<u32>().unwrap()), "{told:?}");
    assert_eq!((site.jobs().len(), registry.ledger().len()), (1, 1), "nothing is recorded or passed on");
    site.run(&["maintenance", "release", "--reason", "done"]);
    assert_eq!(post(web, &sample::message(2)).unwrap().status, 200);
    assert_eq!(registry.ledger(), [id(1), id(2)]);
    let status = site.json(&["status", "--json"]);
    assert!(status["listeners"].as_array().unwrap().iter().any(|one| one["protocol"] == "web"));
    let log = server.stop();
    for secret in ["SAMPLE-", "TESTPATIENT"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_query_is_answered_by_the_registry_and_never_while_the_gate_is_shut() {
    let registry = Registry::start("127.0.0.1:0".parse().unwrap(), &[]);
    let site = site();
    site.configure(&Registry::delivery(registry.address));
    let server = site.serve();
    let web = server.web.unwrap();
    let query =
        b"MSH|^~\\&|EHR|CLINIC|IIS|STATE|20240301||QBP^Q11^QBP_Q11|Q-1|P|2.5.1\nQPD|Z44|1|TESTPATIENT\n";
    let told = post(web, query).unwrap();
    // What the registry of the tests says to anything, and nothing of ours.
    let said = "MSH|^~\\&|IIS|STATE|||20240301||ACK|9|P|2.5.1\rMSA|AA|Q-1\r";
    assert_eq!((told.status, told.body.as_str()), (200, said));
    site.run(&["maintenance", "start", "--for", "30m", "--reason", "test"]);
    let told = post(web, query).unwrap();
    assert_eq!((told.status, told.body.as_str()), (503, SENTENCE));
    assert_eq!((registry.ledger(), site.jobs().len()), (vec!["Q-1".to_owned()], 0));
    let log = server.stop();
    assert!(!log.contains("Q-1") && !log.contains("TESTPATIENT"));
}

/// One request of a sender.
struct Sent {
    sender: u64,
    seed: u64,
    /// How often the gate was moved when it began, and when it was answered.
    phases: (u64, u64),
    told: Option<Told>,
}

/// Sends one message after the other until it is told to stop, and tells what became of each.
fn senders(web: SocketAddr, phase: &Arc<AtomicU64>, stop: &Arc<AtomicBool>) -> Receiver<Sent> {
    let (tell, told) = channel();
    for sender in 0..SENDERS {
        let (tell, phase, stop) = (tell.clone(), Arc::clone(phase), Arc::clone(stop));
        std::thread::spawn(move || {
            for number in 0.. {
                let seed = number * SENDERS + sender + 1;
                let begun = phase.load(Ordering::SeqCst);
                let told = post(web, &sample::message(seed));
                let is_over = told.is_none() || stop.load(Ordering::SeqCst);
                let phases = (begun, phase.load(Ordering::SeqCst));
                if tell.send(Sent { sender, seed, phases, told }).is_err() || is_over {
                    return;
                }
            }
        });
    }
    told
}

fn next(told: &Receiver<Sent>) -> Sent {
    told.recv_timeout(DEADLINE).expect("senders go on")
}

#[test]
fn a_gate_that_opens_and_shuts_under_load_lets_nothing_through_and_says_200_or_503() {
    let registry = Registry::start("127.0.0.1:0".parse().unwrap(), &[]);
    let site = site();
    site.configure(&Registry::delivery(registry.address));
    let server = site.serve();
    let (phase, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let told = senders(server.web.unwrap(), &phase, &stop);
    let mut all = Vec::new();
    for round in 1..=MOVES {
        // The gate stands still between two moves; each sender has some requests answered meanwhile.
        let mut left: BTreeMap<u64, u32> = (0..SENDERS).map(|sender| (sender, 3)).collect();
        let now = phase.load(Ordering::SeqCst);
        // What was out when the gate shut has come to its end once each sender asks anew.
        let mut arrived = None;
        while left.values().any(|left| *left > 0) {
            let sent = next(&told);
            if sent.phases == (now, now) {
                let left = left.get_mut(&sent.sender).unwrap();
                *left = left.saturating_sub(1);
            }
            all.push(sent);
            if arrived.is_none() && left.values().all(|left| *left < 3) {
                arrived = Some(registry.ledger().len());
            }
        }
        let is_shut = round % 2 == 0;
        assert!(
            !is_shut || arrived == Some(registry.ledger().len()),
            "a message came through in round {round}"
        );
        // Odd while it moves, twice odd while it is shut.
        phase.fetch_add(1, Ordering::SeqCst);
        if round % 2 == 1 {
            site.run(&["maintenance", "start", "--for", "30m", "--reason", "test"]);
        } else {
            site.run(&["maintenance", "release", "--reason", "done"]);
        }
        phase.fetch_add(1, Ordering::SeqCst);
    }
    stop.store(true, Ordering::SeqCst);
    all.extend(told.iter());
    let log = server.stop();
    let mut answered = BTreeSet::new();
    for Sent { seed, phases: (begun, ended), told, .. } in all {
        let told = told.unwrap();
        match told.status {
            200 => assert!(answered.insert(id(seed))),
            503 => assert_eq!(told.body, SENTENCE),
            other => panic!("{other}: {told:?}\n{log}"),
        }
        if begun == ended && begun % 2 == 0 {
            let expected = if begun % 4 == 0 { 200 } else { 503 };
            assert_eq!(told.status, expected, "message {seed} in phase {begun}");
        }
    }
    let mut ledger = registry.ledger();
    ledger.sort();
    assert_eq!(ledger, answered.into_iter().collect::<Vec<_>>(), "each 200 once, and nothing else");
}

#[test]
fn after_a_kill_each_message_that_was_answered_is_there_once_and_the_others_may_be_sent_again() {
    let site = site();
    let mut server = site.serve();
    let (phase, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let told = senders(server.web.unwrap(), &phase, &stop);
    let mut all: Vec<Sent> = (0..40).map(|_| next(&told)).collect();
    server.kill();
    all.extend(told.iter());
    let mut again = site.serve();
    // What the kill interrupted goes on like files.
    let begun = Instant::now();
    let is_over =
        |job: &serde_json::Value| ["complete", "duplicate"].contains(&job["state"].as_str().unwrap());
    while !site.jobs().iter().all(is_over) {
        assert!(begun.elapsed() < DEADLINE, "{:?}", site.jobs());
    }
    let times = delivered(&site);
    let (answered, open): (Vec<_>, Vec<_>) = all.iter().partition(|sent| sent.told.is_some());
    assert!(answered.len() >= 40 && open.len() as u64 == SENDERS, "each sender had one under way or coming");
    for sent in &answered {
        assert_eq!(sent.told.as_ref().unwrap().status, 200);
        assert_eq!(times.get(&id(sent.seed)), Some(&1), "message {}", sent.seed);
    }
    for sent in &open {
        assert_eq!(post(again.web.unwrap(), &sample::message(sent.seed)).unwrap().status, 200);
    }
    let times = delivered(&site);
    assert!(all.iter().all(|sent| times.get(&id(sent.seed)) == Some(&1)), "{times:?}");
    assert_eq!(times.len(), all.len());
    again.kill();
}
