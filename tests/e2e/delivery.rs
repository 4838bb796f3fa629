//! The real binary before a registry that speaks MLLP: killed while it delivers, and while the registry is away.

use std::net::{Ipv4Addr, TcpListener};

use tidegate_hl7::sample;

use crate::registry::Registry;
use crate::rig::Site;

const MESSAGES: u64 = 2_500;

fn file() -> Vec<u8> {
    sample::file("F", &(0..MESSAGES).map(sample::message).collect::<Vec<_>>())
}

/// Places in the registry's ledger at which the server is killed: the first message, the one that was asked again,
/// before, at and behind a checkpoint, near the end.
const KILLED_AT: &[usize] = &[1, 2, 400, 1_100, 1_101, 2_300];

/// Each message reaches the registry, and one for each kill twice: the one whose answer was outstanding.
#[test]
fn a_kill_leaves_one_message_in_doubt_and_loses_none() {
    let site = Site::new();
    let registry = Registry::start((Ipv4Addr::LOCALHOST, 0).into(), KILLED_AT);
    site.configure(&Registry::delivery(registry.address));
    let mut server = site.serve();
    server.log_in("a").put_file("march.hl7", &mut &file()[..]).unwrap();
    for count in KILLED_AT {
        registry.wait_for(*count);
        server.kill();
        server = site.serve();
    }
    server.wait_for_ends(1);

    let ledger = registry.ledger();
    let mut expected: Vec<String> = Vec::new();
    for number in 0..MESSAGES {
        expected.push(format!("SAMPLE-{number}"));
        while KILLED_AT.contains(&expected.len()) {
            expected.push(format!("SAMPLE-{number}"));
        }
    }
    assert_eq!(ledger.len() as u64, MESSAGES + KILLED_AT.len() as u64);
    assert_eq!(ledger, expected, "in order, and asked again for the one in doubt alone");
    let job = &site.jobs()[0];
    assert_eq!(job["outcome"], "accepted", "{job}");
    assert_eq!(job["messages"]["accepted"], MESSAGES);
    let response = site.run(&["queue", "response", job["id"].as_str().unwrap()]);
    assert_eq!(response.matches("MSA|AA|").count() as u64, MESSAGES);
}

#[test]
fn a_registry_that_is_away_closes_the_gate_and_opens_it_by_itself() {
    let site = Site::new();
    // On a loopback address that nobody else uses, so that the port stays free.
    let address = TcpListener::bind((Ipv4Addr::new(127, 83, 21, 11), 0)).unwrap().local_addr().unwrap();
    site.configure(&Registry::delivery(address));
    let mut server = site.serve();
    server.log_in("a").put_file("1.hl7", &mut &sample::message(1)[..]).unwrap();
    server.wait_for_line("target is away");
    server.log_in("b").put_file("2.hl7", &mut &sample::message(2)[..]).unwrap();
    let status = site.json(&["status", "--json"]);
    assert_eq!(status["gate"]["state"], "closed");
    assert_eq!(status["gate"]["causes"][0]["kind"], "downstream");
    assert!(status["gate"]["until"].is_null());
    let table = site.run(&["status"]);
    assert!(table.contains("until the registry is back") && table.contains("registry away"), "{table}");
    let registry = Registry::start(address, &[]);
    server.wait_for_ends(2);
    assert_eq!(site.json(&["status", "--json"])["gate"]["state"], "open");
    for job in site.jobs() {
        assert_eq!((&job["outcome"], &job["attempts"]), (&"accepted".into(), &1.into()), "{job}");
    }
    assert_eq!(registry.ledger().len(), 2);
}
