//! The web service of the real server: answered in the call, 503 while the gate is shut, and nothing lost or doubled.

mod client;
mod gate;
mod kills;

use tidegate_hl7::sample;

use self::client::{SENTENCE, post};
use crate::registry::Registry;
use crate::rig::Site;

fn site() -> Site {
    let site = Site::new();
    site.configure("[web]\nlisten = \"127.0.0.1:0\"\ntls = \"off\"");
    site
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
    let several = [sample::message(3), sample::message(4)].concat();
    assert_eq!(post(web, &several).unwrap().status, 413);
    let log = server.stop();
    let audit = std::fs::read_to_string(site.path("data/audit.log")).unwrap();
    let events = |event: &str| audit.lines().filter(|line| line.contains(&format!("\"{event}\""))).count();
    assert_eq!((events("accepted"), events("refused")), (2, 1), "{audit}");
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
