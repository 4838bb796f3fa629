//! Staff that look at the queue and hold it, with a watch in their hands.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::check::Problems;
use crate::site::Site;

/// Commands have to answer within a second; three times that is allowed for a machine that does other
/// things besides.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Commands that only look.
const LOOKS: [&[&str]; 5] = [
    &["status"],
    &["queue", "list"],
    &["queue", "list", "--state", "queued"],
    &["queue", "list", "--org", "B"],
    &["maintenance", "list"],
];
pub(super) const HOLD: &[&str] = &["maintenance", "start", "--until-released", "--reason", "overload"];
pub(super) const RELEASE: &[&str] = &["maintenance", "release"];
pub(super) const VERIFY: &[&str] = &["store", "verify"];

/// What staff asked, and how long the answers took.
#[derive(Debug, Default)]
pub(super) struct Staff {
    slowest: BTreeMap<String, Duration>,
    /// Commands that were answered with an error.
    refused: Vec<String>,
}

impl Staff {
    /// Runs one command; an error is an answer too.
    pub(super) fn ask(&mut self, site: &Site, command: &[&str]) {
        let begun = Instant::now();
        let answer = site.run(command);
        self.note(command.join(" "), begun.elapsed());
        if let Err(error) = answer {
            self.refused.push(format!("{error:#}"));
        }
    }

    /// Runs every command that only looks.
    pub(super) fn look(&mut self, site: &Site) -> Result<()> {
        for command in LOOKS {
            self.ask(site, command);
        }
        let newest = site.json(&["queue", "list", "--limit", "1", "--json"])?;
        let id = newest.pointer("/0/id").and_then(|id| id.as_str()).context("no job is listed")?;
        let begun = Instant::now();
        site.run(&["queue", "show", id])?;
        self.note("queue show".to_owned(), begun.elapsed());
        Ok(())
    }

    fn note(&mut self, command: String, took: Duration) {
        let slowest = self.slowest.entry(command).or_default();
        *slowest = took.max(*slowest);
    }

    /// Says how slow the slowest answer to each command was; errors, and what was too slow, are problems.
    pub(super) fn tell(&self, when: &str, problems: &mut Problems) {
        let words: Vec<String> =
            self.slowest.iter().map(|(command, took)| format!("{command} {} ms", took.as_millis())).collect();
        println!("  slowest answers {when}: {}", words.join(", "));
        for (command, took) in self.slowest.iter().filter(|(_, took)| **took > ANSWER_MAX) {
            problems.0.push(format!("{when}, `{command}` took {} ms", took.as_millis()));
        }
        problems.0.extend(self.refused.iter().map(|error| format!("{when}, staff read: {error}")));
    }
}
