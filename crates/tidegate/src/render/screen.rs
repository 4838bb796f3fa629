//! Where output goes and how much of colour, width and zone there is.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use tidegate_domain::maintenance::show_instant;

use super::words::length;

/// Properties of the output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) colour: bool,
    /// Room for tables, in characters; unlimited where the output is no terminal.
    pub(crate) width: Option<usize>,
    /// Zone of the times shown.
    pub(crate) zone: Tz,
    /// The present, for "in 3 h".
    pub(crate) now: DateTime<Utc>,
}

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// As it should be.
    Good,
    /// Waits, or deserves a look.
    Caution,
    /// Somebody has to do something.
    Bad,
    /// Less important than the rest.
    Faint,
}

impl Screen {
    /// Standard output, with times in `zone`.
    pub(crate) fn stdout(zone: Option<Tz>) -> Self {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|value| value == "dumb");
        let terminal = io::stdout().is_terminal();
        let width = comfy_table::Table::new().width().filter(|_| terminal).map(usize::from);
        Self { colour: terminal && !plain, width, zone: zone.unwrap_or(Tz::UTC), now: Utc::now() }
    }

    /// `text` in the colour of `ink`, if there are colours.
    pub(crate) fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let style = match ink {
            Ink::Good => Style::new().fg_color(Some(AnsiColor::Green.into())),
            Ink::Caution => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
            Ink::Bad => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
            Ink::Faint => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }

    /// An instant as it stands in tables, such as `Fri 2024-03-08 19:00 CST`.
    pub(crate) fn time(&self, at: DateTime<Utc>) -> String {
        let form = if at.second() == 0 { "%a %Y-%m-%d %H:%M %Z" } else { "%a %Y-%m-%d %H:%M:%S %Z" };
        at.with_timezone(&self.zone).format(form).to_string()
    }

    /// The same to the minute, for long lists.
    pub(crate) fn minute(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%a %Y-%m-%d %H:%M %Z").to_string()
    }

    /// The same screen for what stands `columns` to the right.
    pub(crate) fn indented(&self, columns: usize) -> Self {
        Self { width: self.width.map(|width| width.saturating_sub(columns)), ..*self }
    }

    /// An instant in a sentence, such as `Fri 2024-03-08 19:00 CST (America/Chicago)`.
    pub(crate) fn instant(&self, at: DateTime<Utc>) -> String {
        if self.zone == Tz::UTC { self.time(at) } else { show_instant(at, self.zone) }
    }

    /// How far `at` lies from the present: `in 3 h`, `2 days ago`.
    pub(crate) fn distance(&self, at: DateTime<Utc>) -> String {
        let distance = at - self.now;
        if distance > TimeDelta::zero() {
            format!("in {}", length(distance))
        } else {
            format!("{} ago", length(-distance))
        }
    }

    /// Prints text and a line end. A reader that has seen enough, such as `head`, is no failure.
    pub(crate) fn print(text: &str) -> Result<(), anyhow::Error> {
        Self::write(text.trim_end_matches('\n').as_bytes())?;
        Self::write(b"\n")
    }

    /// Writes bytes as they are.
    pub(crate) fn write(bytes: &[u8]) -> Result<(), anyhow::Error> {
        match io::stdout().write_all(bytes) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(anyhow::Error::new(error).context("while writing to standard output"))
            }
            _ => Ok(()),
        }
    }

    /// Prints what programs read.
    pub(crate) fn json(value: &impl Serialize) -> Result<(), anyhow::Error> {
        Self::print(&serde_json::to_string_pretty(value)?)
    }
}

#[cfg(test)]
impl Screen {
    /// Without colours, in Chicago, half an hour into the maintenance of 8 March 2024.
    pub(crate) fn test() -> Self {
        let now = "2024-03-09T01:30:00Z".parse().unwrap_or_default();
        Self { colour: false, width: None, zone: chrono_tz::America::Chicago, now }
    }
}
