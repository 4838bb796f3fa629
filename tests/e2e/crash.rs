//! `kill -9` at random moments, while real clients upload, files wait, drain and are answered.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::ledger::{self, Acknowledged};
use crate::rig::{Site, try_log_in};

const ROUNDS_DEFAULT: u64 = 50;
const SESSIONS: usize = 4;

/// The numbers of the whole run; `TIDEGATE_CRASH_SEED` replays one, `TIDEGATE_CRASH_ROUNDS` lengthens it.
fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// xorshift64 (Marsaglia 2003): enough for choosing moments.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Senders that upload until the server is gone.
struct Load {
    over: Arc<AtomicBool>,
    sessions: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(
        ftp: std::net::SocketAddr,
        next: &Arc<AtomicU64>,
        ledger: &Arc<Mutex<Vec<Acknowledged>>>,
    ) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let session = |session: usize| {
            let org = if session.is_multiple_of(2) { "a" } else { "b" };
            let (over, next, ledger) = (over.clone(), next.clone(), ledger.clone());
            std::thread::spawn(move || {
                let Ok(mut ftp) = try_log_in(ftp, org) else { return };
                while !over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(2, Ordering::Relaxed);
                    let upload = Acknowledged { org, name: format!("{seed}.hl7"), seeds: [seed, seed + 1] };
                    let staged = format!("{seed}.part");
                    let sent = if seed.is_multiple_of(3) {
                        ftp.put_file(&staged, &mut &ledger::content(upload.seeds)[..])
                            .and_then(|_| ftp.rename(&staged, &upload.name))
                    } else {
                        ftp.put_file(&upload.name, &mut &ledger::content(upload.seeds)[..]).map(drop)
                    };
                    if sent.is_err() {
                        return;
                    }
                    ledger.lock().unwrap().push(upload);
                }
            })
        };
        let sessions = (0..SESSIONS).map(session).collect();
        Self { over, sessions }
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        for session in self.sessions {
            session.join().unwrap();
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kills_at_random_moments() {
    let seed = from_environment("TIDEGATE_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()) | 1);
    println!("replay with TIDEGATE_CRASH_SEED={seed}");
    let mut random = Random(seed);
    let site = Site::new();
    let ledger = Arc::new(Mutex::new(Vec::new()));
    let next = Arc::new(AtomicU64::new(1));

    for _ in 0..from_environment("TIDEGATE_CRASH_ROUNDS").unwrap_or(ROUNDS_DEFAULT) {
        let mut server = site.serve();
        match random.below(4) {
            0 => drop(site.command(&["maintenance", "start", "--for", "1s", "--reason", "test"]).output()),
            1 => drop(site.command(&["maintenance", "release"]).output()),
            _ => {}
        }
        let load = Load::start(server.ftp, &next, &ledger);
        // The moment of the kill is what is random here; nothing is being waited for.
        std::thread::park_timeout(Duration::from_millis(random.below(400)));
        server.kill();
        load.end();
    }

    let server = site.serve();
    drop(site.command(&["maintenance", "release"]).output());
    let ledger = ledger.lock().unwrap();
    assert!(ledger.len() > 20, "only {} uploads were acknowledged", ledger.len());
    wait_until_drained(&site);
    ledger::check(&site, &server, &ledger);
    println!("{} acknowledged uploads, each found once", ledger.len());
}

/// Asks until no job waits. Each answer of the server takes its time, so this is no busy loop.
pub(crate) fn wait_until_drained(site: &Site) {
    let deadline = std::time::Instant::now() + Duration::from_mins(2);
    loop {
        let jobs = &site.json(&["status", "--json"])["jobs"];
        let open = ["queued", "processing", "retrying", "held"].map(|state| jobs[state].as_u64().unwrap());
        if open.iter().sum::<u64>() == 0 {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "the backlog does not drain: {jobs}");
    }
}
