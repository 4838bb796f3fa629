//! Without a terminal: the status again whenever something has changed, until nobody reads any more.

use std::io::{self, Write as _};

use anyhow::Context as _;
use chrono::DateTime;
use chrono_tz::Tz;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tidegate_web::api::{Drain, Status};

use super::{ANSWER_MAX, ASK_EVERY, in_short};
use crate::client::Client;
use crate::failure::Failure;
use crate::render::{Screen, status_text};

/// Prints blocks for people, or a JSON value a line.
pub(super) fn watch(client: &Client, zone: Option<Tz>, json: bool) -> Result<(), Failure> {
    let (mut shown, mut gone): (Option<Status>, bool) = (None, false);
    loop {
        match client.get_within::<Status>("/v1/status", ANSWER_MAX) {
            Ok(status) => {
                if gone || is_news(&status, shown.as_ref()) {
                    print(&status, zone, json)?;
                }
                (shown, gone) = (Some(status), false);
            }
            Err(failure) if !gone => {
                eprintln!("tidegate: {}; trying again", in_short(&failure));
                gone = true;
            }
            Err(_) => {}
        }
        if is_unread()? {
            return Ok(());
        }
    }
}

/// What changes with the time alone is no news: it is told with what is.
fn is_news(status: &Status, shown: Option<&Status>) -> bool {
    let timeless = |status: &Status| {
        let mut status = status.clone();
        status.gate.at = DateTime::UNIX_EPOCH;
        status.drain = Drain { files_per_s: 0.0, eta: None };
        status.closed_orgs.iter_mut().for_each(|closed| closed.gate.at = DateTime::UNIX_EPOCH);
        status
    };
    shown.is_none_or(|shown| timeless(status) != timeless(shown))
}

fn print(status: &Status, zone: Option<Tz>, json: bool) -> Result<(), Failure> {
    let screen = Screen::stdout(zone);
    let text = if json {
        serde_json::to_string(status).context("while writing the status")?
    } else {
        format!("{}\n{}\n", screen.time(screen.now), status_text(status, &screen))
    };
    Screen::write(text.as_bytes())?;
    Screen::write(b"\n")?;
    // A reader that has gone is noticed before the next question.
    let _ = io::stdout().flush();
    Ok(())
}

/// Waits until it is time to ask again; whether the reader of a pipe has gone meanwhile.
fn is_unread() -> Result<bool, Failure> {
    let stdout = io::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    let pause = Timespec { tv_sec: ASK_EVERY.as_secs().try_into().unwrap_or(1), tv_nsec: 0 };
    poll(&mut fds, Some(&pause)).context("while waiting")?;
    Ok(fds.iter().any(|fd| fd.revents().intersects(PollFlags::ERR | PollFlags::HUP)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(at: &str, queued: u64, files_per_s: f64) -> Status {
        let gate = json!({"state": "open", "causes": [], "until": null, "next_change": null,
                          "claims_allowed": true, "closed_since": null, "opened_at": null,
                          "at": at, "until_local": null, "next_change_local": null});
        let closed = json!({"org": "ACME01", "waiting": 1, "gate": gate.clone()});
        serde_json::from_value(json!({
            "version": "1.2.3", "gate": gate, "closed_orgs": [closed], "jobs": {"queued": queued},
            "oldest_queued_at": null, "drain": {"files_per_s": files_per_s, "eta": null},
            "legal_holds": [], "bans": 0, "listeners": [], "problems": []
        }))
        .unwrap()
    }

    #[test]
    fn time_that_passes_is_no_news_and_a_file_that_comes_is() {
        let shown = status("2024-03-09T01:30:00Z", 1, 0.0);
        assert!(is_news(&shown, None));
        assert!(!is_news(&status("2024-03-09T01:30:01Z", 1, 0.5), Some(&shown)));
        assert!(is_news(&status("2024-03-09T01:30:01Z", 2, 0.0), Some(&shown)));
    }
}
