//! Staff that hold the queue and release it again.

use std::time::Duration;

use super::Client;
use crate::site::Site;

const HOLD: [&str; 5] = ["maintenance", "start", "--until-released", "--reason", "disk swap"];
const RELEASE: [&str; 2] = ["maintenance", "release"];
/// Longest time between two commands.
const PAUSE_MAX_MS: u64 = 400;

/// Holds and releases until the server is gone.
pub(super) fn run(mut client: Client, site: &Site) {
    let mut hold = client.random.one_in(2);
    while client.goes_on() {
        client.ledger.lock().held = None;
        if site.run(if hold { &HOLD } else { &RELEASE }).is_err() {
            // A release with nothing to release, or no server any more: nothing is known.
            hold = true;
        } else {
            client.ledger.lock().held = Some(hold);
            hold = !hold;
        }
        std::thread::sleep(Duration::from_millis(client.random.below(PAUSE_MAX_MS)));
    }
}
