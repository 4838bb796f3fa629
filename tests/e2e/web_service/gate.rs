//! Windows and holds that come and go while many send, both ways, messages and queries.
//!
//! Nothing here is a matter of luck: between two moves the gate stands still, and a request that began and ended
//! meanwhile has one right answer, to the nanosecond. Of one that was under way during a move either answer is right, but
//! it has to be true. A slow machine gets longer windows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use tidegate_hl7::sample;

use super::client::{SENTENCE, Told, Way, ask, request};
use crate::registry::Registry;
use crate::rig::{DEADLINE, Server, Site};

/// Senders at once: way, account, and whether they ask instead of telling.
const SENDERS: [(Way, &str, bool); 8] = [
    (Way::Hl7, "a", false),
    (Way::Soap, "a", false),
    (Way::Hl7, "b", false),
    (Way::Soap, "b", false),
    (Way::Hl7, "b", false),
    (Way::Soap, "a", false),
    (Way::Hl7, "a", true),
    (Way::Soap, "b", true),
];

/// The first window's length, and how long it is announced before.
const LENGTH_MIN: TimeDelta = TimeDelta::milliseconds(300);

/// On a machine that can't use such a long window something else is wrong.
const LENGTH_MAX: TimeDelta = TimeDelta::minutes(2);

/// From an instant on and up to another one.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// One request of a sender.
struct Sent {
    sender: usize,
    id: String,
    /// When it began and when its answer was there.
    span: Span,
    told: Told,
}

impl Sent {
    fn is_within(&self, (from, to): Span) -> bool {
        from <= self.span.0 && self.span.1 < to
    }
}

/// Sends one message after the other until it is told to stop.
fn sender(web: SocketAddr, sender: usize, stop: &AtomicBool, mut tell: impl FnMut(Sent) -> bool) {
    let (way, account, is_query) = SENDERS[sender];
    for number in 0.. {
        let seed = (number * SENDERS.len() + sender) as u64;
        let (id, message) =
            if is_query { query(seed) } else { (format!("SAMPLE-{seed}"), sample::message(seed)) };
        let request = request(way, account, &message);
        let begun = Utc::now();
        let told = ask(web, &request).expect("an answer");
        let goes_on = tell(Sent { sender, id, span: (begun, Utc::now()), told });
        if !goes_on || stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn query(seed: u64) -> (String, Vec<u8>) {
    let id = format!("QUERY-{seed}");
    let text =
        format!("MSH|^~\\&|EHR|CLINIC|IIS|STATE|20240301||QBP^Q11^QBP_Q11|{id}|P|2.5.1\rQPD|Z44|1|TEST\r");
    (id, text.into_bytes())
}

/// A server under load, and what is known of its gate.
struct Scene {
    site: Site,
    server: Server,
    /// What the configuration says without windows.
    configuration: String,
    told: Receiver<Sent>,
    stop: Arc<AtomicBool>,
    sent: Vec<Sent>,
    /// Between these instants it was shut.
    shut: Vec<Span>,
    /// Between these instants it may have been either.
    moving: Vec<Span>,
    length: TimeDelta,
}

impl Scene {
    fn new(site: Site) -> Self {
        let configuration = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
        let server = site.serve();
        let ((tell, told), stop) = (channel(), Arc::new(AtomicBool::new(false)));
        for number in 0..SENDERS.len() {
            let (tell, stop, web) = (tell.clone(), Arc::clone(&stop), server.web.unwrap());
            std::thread::spawn(move || sender(web, number, &stop, |sent| tell.send(sent).is_ok()));
        }
        let (sent, shut, moving) = (Vec::new(), Vec::new(), Vec::new());
        Self { site, server, configuration, told, stop, sent, shut, moving, length: LENGTH_MIN }
    }

    /// Waits until each sender has begun anew since an instant and been answered; which of the answers came meanwhile.
    fn all_have_asked_since(&mut self, instant: DateTime<Utc>) -> usize {
        let mut left: Vec<usize> = (0..SENDERS.len()).collect();
        let from = self.sent.len();
        while !left.is_empty() {
            let sent = self.told.recv_timeout(DEADLINE).expect("senders go on");
            if sent.span.0 >= instant {
                left.retain(|sender| *sender != sent.sender);
            }
            self.sent.push(sent);
        }
        from
    }

    fn reload(&mut self) {
        self.server.signal("HUP");
        self.server.wait_for_line("maintenance windows taken up");
    }

    /// A window that shuts the gate and opens it again, each at its own instant. If it was over before everybody had
    /// been sent away, there is another one, twice as long.
    fn window(&mut self, step: TimeDelta, announce: impl Fn(&mut Self, DateTime<Utc>, DateTime<Utc>)) {
        loop {
            let from = (Utc::now() + self.length).duration_trunc(step).unwrap() + step;
            let to = (from + self.length.max(step)).duration_trunc(step).unwrap();
            announce(self, from, to);
            let announced = Utc::now();
            let shut = announced.clamp(from, to);
            self.moving.push((from, shut));
            self.shut.push((shut, to));
            let first = self.all_have_asked_since(to);
            let was_sent_away = |sender| {
                self.sent[first..].iter().any(|sent| sent.sender == sender && sent.is_within((shut, to)))
            };
            if announced < from && (0..SENDERS.len()).all(was_sent_away) {
                return;
            }
            self.length = self.length * 2;
            assert!(self.length < LENGTH_MAX, "windows pass without anybody");
        }
    }

    fn window_of_staff(&mut self, reload: bool) {
        self.window(TimeDelta::milliseconds(1), |scene, from, to| {
            let (from, to) = (&from.to_rfc3339(), &to.to_rfc3339());
            let name = format!("staff-{}", scene.shut.len());
            let add = ["maintenance", "add", &name, "--from", from, "--to", to, "--reason", "test"];
            // Refused if it is over by then; the next one is longer.
            drop(scene.site.command(&add).output().unwrap());
            if reload {
                scene.reload();
            }
        });
    }

    /// A file's windows are told to the second.
    fn window_of_the_configuration(&mut self) {
        self.window(TimeDelta::seconds(1), |scene, from, to| {
            let [from, to] = [from, to].map(|instant| instant.format("%Y-%m-%dT%H:%M:%S"));
            let window = format!(
                "[[maintenance.window]]\nname = \"file\"\ntimezone = \"UTC\"\nfrom = \"{from}\"\nto = \"{to}\"\n\
                 reason = \"test\"\n"
            );
            std::fs::write(scene.site.path("tidegate.toml"), scene.configuration.clone() + &window).unwrap();
            scene.reload();
        });
    }

    fn hold(&mut self) {
        let begun = Utc::now();
        self.site.run(&["maintenance", "start", "--until-released", "--reason", "test"]);
        let shut = Utc::now();
        self.all_have_asked_since(shut);
        let opening = Utc::now();
        self.site.run(&["maintenance", "release", "--reason", "done"]);
        let open = Utc::now();
        self.moving.extend([(begun, shut), (opening, open)]);
        self.shut.push((shut, opening));
        self.all_have_asked_since(open);
    }

    /// Everything that was sent, and answered.
    fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.sent.extend(self.told.iter());
    }

    /// Whether an answer is the one that had to come.
    fn check_answer(&self, sent: &Sent) {
        let Sent { id, span, told, .. } = sent;
        let touches = |one: &Span| one.0 <= span.1 && span.0 <= one.1;
        if self.shut.iter().any(|shut| sent.is_within(*shut)) {
            assert_eq!(told.status, 503, "{id} in {span:?} came through a shut gate");
        } else if !self.shut.iter().chain(&self.moving).any(touches) {
            assert_eq!(told.status, 200, "{id} in {span:?} was refused at an open gate");
        }
        match told.status {
            200 => assert!(told.acknowledgment().contains(&format!("\rMSA|AA|{id}\r")), "{told:?}"),
            503 => assert_eq!(told.body, SENTENCE),
            other => panic!("{id}: {other}: {told:?}"),
        }
    }

    /// By the journal: no job was accepted while the gate was shut by staff, from the record of that on.
    fn check_journal(&self) {
        let list = self.site.json(&["maintenance", "list", "--json"]);
        let instant = |value: &serde_json::Value| value.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        let (mut shut, mut held) = (self.shut.clone(), None);
        let mut history = list["history"].as_array().unwrap().clone();
        history.sort_by_key(|happened| instant(&happened["at"]));
        for happened in history {
            let at = instant(&happened["at"]);
            match happened["event"].as_str().unwrap() {
                "hold_placed" => held = Some(at),
                "hold_released" => shut.extend(held.take().map(|since| (since, at))),
                _ => {}
            }
        }
        assert!(shut.len() > self.shut.len(), "{list}");
        let jobs = self.site.jobs();
        for job in &jobs {
            let accepted = instant(&job["received_at"]);
            assert!(
                !shut.iter().any(|(from, to)| *from <= accepted && accepted < *to),
                "{job} was let through: {shut:?}"
            );
        }
        // What was taken back was answered with 503.
        let (complete, others): (Vec<_>, Vec<_>) = jobs.iter().partition(|job| job["state"] == "complete");
        assert!(others.iter().all(|job| job["state"] == "cancelled"), "{others:?}");
        let is_acknowledged = |sent: &&Sent| sent.told.status == 200 && !SENDERS[sent.sender].2;
        assert_eq!(complete.len(), self.sent.iter().filter(is_acknowledged).count());
    }
}

#[test]
fn a_gate_that_opens_and_shuts_under_load_lets_nothing_through_and_says_200_or_503() {
    let registry = Registry::start("127.0.0.1:0".parse().unwrap(), &[]);
    let site = super::site();
    site.configure(&Registry::delivery(registry.address));
    let mut scene = Scene::new(site);
    scene.all_have_asked_since(Utc::now());
    scene.window_of_staff(false);
    scene.hold();
    scene.window_of_the_configuration();
    scene.window_of_staff(true);
    scene.hold();
    scene.end();
    let read = registry.times();
    for sent in &scene.sent {
        scene.check_answer(sent);
        // Each 200 is with the registry once, read while its sender waited; nothing else is.
        let read = read.get(&sent.id).map(Vec::as_slice).unwrap_or_default();
        let is_read_in_time = |at: &DateTime<Utc>| sent.span.0 <= *at && *at <= sent.span.1;
        let is_true = match sent.told.status {
            200 => read.len() == 1 && read.iter().all(is_read_in_time),
            _ => read.is_empty(),
        };
        assert!(is_true, "{} in {:?} was told {} and read at {read:?}", sent.id, sent.span, sent.told.status);
    }
    scene.check_journal();
    let acknowledged = scene.sent.iter().filter(|sent| sent.told.status == 200).count();
    assert_eq!(registry.ledger().len(), acknowledged, "nothing that nobody sent");
    println!(
        "{acknowledged} let in, {} sent away, windows of {} ms",
        scene.sent.len() - acknowledged,
        scene.length.num_milliseconds()
    );
    let log = scene.server.stop();
    assert!(!log.contains("SAMPLE-") && !log.contains("QUERY-"));
}
