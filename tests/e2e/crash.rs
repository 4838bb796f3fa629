//! `kill -9` at random moments, while real clients upload at every door, files wait, drain and are answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::doors::{self, Book, Door, Load};
use crate::ledger;
use crate::rig::{DEADLINE, Site};

const ROUNDS_DEFAULT: u64 = 50;

/// The numbers of the whole run; `TIDEGATE_CRASH_SEED` replays one, `TIDEGATE_CRASH_ROUNDS` lengthens it.
pub(crate) fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// xorshift64 (Marsaglia 2003): enough for choosing moments.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kills_at_random_moments() {
    let seed = from_environment("TIDEGATE_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()) | 1);
    println!("replay with TIDEGATE_CRASH_SEED={seed}");
    let mut random = Random(seed);
    let site = doors::site();
    let book = Arc::new(Book::default());

    for round in 0..from_environment("TIDEGATE_CRASH_ROUNDS").unwrap_or(ROUNDS_DEFAULT) {
        let mut server = site.serve();
        match random.below(4) {
            0 => drop(site.command(&["maintenance", "start", "--for", "1s", "--reason", "test"]).output()),
            1 => drop(site.command(&["maintenance", "release"]).output()),
            _ => {}
        }
        let load = Load::start(&site, &server, &book);
        wait_for_a_moment(round, &mut random, &book);
        server.kill();
        // What fails is the kill's doing; a door without uploads is noticed.
        load.end();
    }

    let mut server = site.serve();
    drop(site.command(&["maintenance", "release"]).output());
    doors::wait_until_taken(&site, &mut server);
    wait_until_drained(&site);
    let (uploads, counts) = book.close();
    ledger::check(&site, &server, &uploads);
    println!("{} acknowledged uploads, each found once: {counts:?}", uploads.len());
}

/// Waits for a random time, or, by turns, until some uploads have come through one of the doors: so each
/// door is under load in some rounds however slow the machine is.
fn wait_for_a_moment(round: u64, random: &mut Random, book: &Book) {
    if round.is_multiple_of(2) {
        let uploads = 1 + usize::try_from(random.below(12)).unwrap();
        let turn = usize::try_from(round / 2).unwrap() % Door::ALL.len();
        book.wait_for_more(Door::ALL[turn], uploads);
    } else {
        // The moment of the kill is what is random here; nothing is being waited for.
        std::thread::park_timeout(Duration::from_millis(random.below(400)));
    }
}

/// Asks until no job waits, as long as they become fewer. Each answer of the server takes its time, so this is
/// no busy loop.
pub(crate) fn wait_until_drained(site: &Site) {
    let (mut least, mut deadline) = (u64::MAX, Instant::now() + DEADLINE);
    loop {
        let jobs = &site.json(&["status", "--json"])["jobs"];
        let open = ["queued", "processing", "retrying", "held"].map(|state| jobs[state].as_u64().unwrap());
        let left = open.iter().sum::<u64>();
        if left == 0 {
            return;
        }
        if left < least {
            (least, deadline) = (left, Instant::now() + DEADLINE);
        }
        assert!(Instant::now() < deadline, "the backlog does not drain: {jobs}");
    }
}
