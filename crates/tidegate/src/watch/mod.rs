//! `tidegate status --watch`: goes on showing how the server is.
//!
//! Invariant: on a terminal it can be ended at any moment, whether the server answers or not, and leaves
//! the terminal as it was. A server that is gone ends nothing.

mod feed;
mod piped;
mod terminal;

use std::env;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use chrono_tz::Tz;
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyModifiers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tidegate_web::api::Status;

use crate::client::Client;
use crate::failure::Failure;
use crate::render::{Screen, Watched, watch_lines};
use feed::Feed;
use terminal::Terminal;

/// How long a key, an answer or a resized terminal may wait to be seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Time between two questions to the server.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// A server that takes longer is told to be gone.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Shows the server's status until somebody ends it.
pub(crate) fn watch(client: Client, zone: Option<Tz>, json: bool) -> Result<(), Failure> {
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    if json || is_dumb || !io::stdout().is_terminal() {
        return piped::watch(&client, zone, json);
    }
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&ended)).context("while listening for signals")?;
    }
    let terminal = Terminal::open().context("while taking over the terminal")?;
    Ok(on_terminal(&terminal, &Feed::open(client), zone, &ended).context("while showing the status")?)
}

fn on_terminal(terminal: &Terminal, feed: &Feed, zone: Option<Tz>, ended: &AtomicBool) -> io::Result<()> {
    let mut watched = Watched::default();
    let mut shown = (Vec::new(), (0, 0));
    while !ended.load(Ordering::Relaxed) {
        feed.news().for_each(|news| take_in(&mut watched, news));
        let size = terminal.size();
        // Nothing is written into the last column: what some terminals do there is their own.
        let width = Some(usize::from(size.0).saturating_sub(1));
        let screen = Screen { width, ..Screen::stdout(zone) };
        let now = (watch_lines(&watched, &screen, usize::from(size.1)), size);
        if now != shown {
            terminal.show(&now.0)?;
            shown = now;
        }
        if event::poll(LOOK_EVERY)? && is_end(&event::read()?) {
            break;
        }
    }
    Ok(())
}

fn take_in(watched: &mut Watched, news: Result<Status, String>) {
    match news {
        Ok(status) => *watched = Watched { answer: Some((status, Utc::now())), gone: None },
        Err(why) => {
            let before = watched.gone.as_ref().map(|(since, _)| *since);
            let since =
                before.or_else(|| watched.answer.as_ref().map(|(_, at)| *at)).unwrap_or_else(Utc::now);
            watched.gone = Some((since, why));
        }
    }
}

fn is_end(event: &Event) -> bool {
    let Event::Key(KeyEvent { code, modifiers, .. }) = event else { return false };
    match code {
        KeyCode::Char('q' | 'Q') | KeyCode::Esc => true,
        KeyCode::Char('c') => modifiers.contains(KeyModifiers::CONTROL),
        _ => false,
    }
}

/// The first line of what went wrong: there is no room for advice.
fn in_short(failure: &Failure) -> String {
    failure.to_string().lines().next().unwrap_or_default().to_owned()
}
