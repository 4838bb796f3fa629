//! `kill -9` at random moments under calls, some of whose senders vanish before their answer or within their message.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tidegate_hl7::sample;

use super::client::{SENTENCE, Told, Way, ask, request, send};
use crate::crash::{Random, from_environment, wait_until_drained};
use crate::ledger::delivered;
use crate::registry::Registry;
use crate::rig::{DEADLINE, Site};

const ROUNDS_DEFAULT: u64 = 9;

/// Senders at once. Those of `a` deliver into the directory, those of `b` to a registry by MLLP.
const SENDERS: [(Way, &str); 6] =
    [(Way::Hl7, "a"), (Way::Soap, "a"), (Way::Hl7, "b"), (Way::Soap, "b"), (Way::Hl7, "a"), (Way::Soap, "b")];

/// What became of a request, as far as its sender knows.
#[derive(Debug)]
enum End {
    Told(Told),
    /// The sender left within its message, which therefore never was one.
    Cut,
    /// The sender left before the answer, or the server did.
    Unknown,
}

#[derive(Debug)]
struct Sent {
    way: Way,
    account: &'static str,
    seed: u64,
    end: End,
}

impl Sent {
    fn id(&self) -> String {
        format!("SAMPLE-{}", self.seed)
    }

    fn is_acknowledged(&self) -> bool {
        matches!(&self.end, End::Told(told) if told.status == 200)
    }

    /// Once more, by somebody who waits for the answer.
    fn again(&self, web: SocketAddr) -> Told {
        ask(web, &request(self.way, self.account, &sample::message(self.seed))).unwrap()
    }
}

/// Sends until the server is gone, in a thread for each sender.
fn load(web: SocketAddr, seeds: &Arc<AtomicU64>, random: &mut Random) -> Receiver<Sent> {
    let (tell, told) = channel();
    for (way, account) in SENDERS {
        let (tell, seeds, mut random) = (tell.clone(), Arc::clone(seeds), Random(random.below(u64::MAX) | 1));
        std::thread::spawn(move || {
            loop {
                let seed = seeds.fetch_add(1, Ordering::Relaxed);
                let (end, is_over) = one(web, way, account, seed, &mut random);
                if tell.send(Sent { way, account, seed, end }).is_err() || is_over {
                    return;
                }
            }
        });
    }
    told
}

/// One message; whether the server is gone.
fn one(web: SocketAddr, way: Way, account: &str, seed: u64, random: &mut Random) -> (End, bool) {
    let request = request(way, account, &sample::message(seed));
    match random.below(30) {
        0 => {
            // Its head is sent, and some of its body, but never all.
            let cut = request.len() - 1 - usize::try_from(random.below(1_000)).unwrap();
            (End::Cut, send(web, &request[..cut]).is_none())
        }
        1 => (End::Unknown, send(web, &request).is_none()),
        _ => match ask(web, &request) {
            Some(told) => (End::Told(told), false),
            None => (End::Unknown, true),
        },
    }
}

/// The job that an acknowledgment is of, by the number that it has itself.
fn job_of(told: &Told) -> String {
    let acknowledgment = told.acknowledgment();
    let id = acknowledgment.split('|').nth(9).unwrap();
    id.split('-').next().unwrap().to_owned()
}

/// A round: what was sent until the kill.
struct Round<'a> {
    site: &'a Site,
    told: Receiver<Sent>,
    sent: Vec<Sent>,
}

impl Round<'_> {
    /// Waits for so many answers of a status.
    fn wait_for(&mut self, status: u16, mut left: u64) {
        while left > 0 {
            let sent = self.told.recv_timeout(DEADLINE).expect("senders go on");
            left -= u64::from(matches!(&sent.end, End::Told(told) if told.status == status));
            self.sent.push(sent);
        }
    }

    fn hold(&self) {
        self.site.run(&["maintenance", "start", "--until-released", "--reason", "test"]);
    }

    fn release(&self) {
        self.site.run(&["maintenance", "release", "--reason", "done"]);
    }

    /// Goes on until the moment of the kill, by turns: under calls that are answered, after the gate has shut and opened
    /// under them, and after some time while it may just be moved.
    fn go_on(&mut self, round: u64, random: &mut Random) {
        match round % 3 {
            0 => self.wait_for(200, 1 + random.below(30)),
            1 => {
                self.hold();
                self.wait_for(503, 1 + random.below(10));
                self.release();
                self.wait_for(200, 1 + random.below(5));
            }
            _ => {
                let mut hold =
                    self.site.command(&["maintenance", "start", "--for", "1s", "--reason", "test"]);
                let mut hold = hold.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                // The moment of the kill is what is random here; nothing is being waited for.
                std::thread::park_timeout(Duration::from_millis(random.below(400)));
                drop(hold.kill());
                hold.wait().unwrap();
            }
        }
    }
}

#[test]
fn kills_and_senders_that_vanish_leave_no_call_half_done() {
    let seed = from_environment("TIDEGATE_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()) | 1);
    println!("replay with TIDEGATE_CRASH_SEED={seed}");
    let (mut random, seeds) = (Random(seed), Arc::new(AtomicU64::new(1)));
    let registry = Registry::start("127.0.0.1:0".parse().unwrap(), &[]);
    let site = super::site();
    let orgs = site.path("orgs.d/B.toml");
    let b = std::fs::read_to_string(&orgs).unwrap() + "\n" + &Registry::delivery(registry.address);
    std::fs::write(orgs, b).unwrap();

    let mut all: Vec<Sent> = Vec::new();
    let kills = from_environment("TIDEGATE_CRASH_ROUNDS").unwrap_or(ROUNDS_DEFAULT);
    for number in 0..kills {
        let mut server = site.serve();
        let told = load(server.web.unwrap(), &seeds, &mut random);
        let mut round = Round { site: &site, told, sent: Vec::new() };
        round.go_on(number, &mut random);
        server.kill();
        all.extend(round.sent);
        all.extend(round.told.iter());
    }

    let server = site.serve();
    // There may be none any more.
    drop(site.command(&["maintenance", "release"]).output());
    wait_until_drained(&site);
    let times = || Times { directory: delivered(&site), registry: registry.times() };
    check_deliveries(&all, &times(), kills);
    let (again_since, mut others) = (Utc::now(), 0);
    // Of those who know what became of their messages, some are enough.
    all.retain(|sent| {
        others += usize::from(matches!(&sent.end, End::Told(told) if told.status == 503));
        sent.is_acknowledged() || !matches!(sent.end, End::Told(_)) || others < 50
    });
    let again: Vec<Told> = all.iter().map(|sent| sent.again(server.web.unwrap())).collect();
    assert!(again.iter().all(|told| told.status == 200), "{again:?}");
    check_deliveries_of_all(&all, &times(), kills);
    check_jobs(&all, &again, again_since, &site.jobs());
    let count = |is: fn(&End) -> bool| all.iter().filter(|sent| is(&sent.end)).count();
    println!(
        "{} acknowledged, {} sent away, {} cut, {} without an answer",
        all.iter().filter(|sent| sent.is_acknowledged()).count(),
        count(|end| matches!(end, End::Told(told) if told.status == 503)),
        count(|end| matches!(end, End::Cut)),
        count(|end| matches!(end, End::Unknown)),
    );
}

/// How often messages were delivered, by whoever knows: the directory, or the registry.
struct Times {
    directory: BTreeMap<String, usize>,
    registry: BTreeMap<String, Vec<DateTime<Utc>>>,
}

impl Times {
    fn of(&self, sent: &Sent) -> usize {
        match sent.account {
            "a" => self.directory.get(&sent.id()).copied().unwrap_or(0),
            _ => self.registry.get(&sent.id()).map_or(0, Vec::len),
        }
    }
}

/// A registry by MLLP is asked again about a message whose answer a kill took.
fn times_max(sent: &Sent, kills: u64) -> usize {
    let kills = usize::try_from(kills).unwrap();
    if sent.account == "b" && matches!(sent.end, End::Unknown) { 1 + kills } else { 1 }
}

fn check_deliveries(all: &[Sent], times: &Times, kills: u64) {
    for sent in all {
        let times = times.of(sent);
        match &sent.end {
            End::Told(told) if told.status == 200 => {
                assert!(told.acknowledgment().contains(&format!("\rMSA|AA|{}\r", sent.id())), "{told:?}");
                assert_eq!(times, 1, "{sent:?}");
            }
            End::Told(told) => {
                assert_eq!((told.status, told.body.as_str()), (503, SENTENCE));
                assert_eq!(times, 0, "{sent:?}");
            }
            End::Cut => assert_eq!(times, 0, "{sent:?}"),
            End::Unknown => assert!(times <= times_max(sent, kills), "{sent:?}: {times} times"),
        }
    }
}

fn check_deliveries_of_all(all: &[Sent], times: &Times, kills: u64) {
    for sent in all {
        let times = times.of(sent);
        assert!((1..=times_max(sent, kills)).contains(&times), "{sent:?}: {times} times");
    }
    assert_eq!(times.directory.len() + times.registry.len(), all.len(), "nothing that nobody sent");
}

/// Each message has one job that is complete; all others of its bytes are duplicates or were taken back. Whoever sent it
/// again was given that job's answer.
fn check_jobs(all: &[Sent], again: &[Told], again_since: DateTime<Utc>, jobs: &[Value]) {
    let is_another = |job: &&Value| ["duplicate", "cancelled"].contains(&job["state"].as_str().unwrap());
    let complete: Vec<_> = jobs.iter().filter(|job| !is_another(job)).collect();
    let contents: BTreeSet<_> = complete.iter().map(|job| job["sha256"].as_str().unwrap()).collect();
    assert_eq!((complete.len(), contents.len()), (all.len(), all.len()), "each message once");
    let by_id: BTreeMap<_, _> = complete.iter().map(|job| (job["id"].as_str().unwrap(), *job)).collect();
    for (sent, again) in all.iter().zip(again) {
        let job = by_id[job_of(again).as_str()];
        assert!(job["state"] == "complete" && job["outcome"] == "accepted", "{sent:?}: {job}");
        let received_at: DateTime<Utc> = job["received_at"].as_str().unwrap().parse().unwrap();
        match &sent.end {
            End::Told(told) if told.status == 200 => {
                assert_eq!(told.acknowledgment(), again.acknowledgment(), "the answer of the first");
            }
            End::Told(_) | End::Cut => assert!(received_at >= again_since, "{sent:?} was recorded: {job}"),
            End::Unknown => {}
        }
    }
}
