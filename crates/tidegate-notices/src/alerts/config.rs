//! The section `[alerts]` of the configuration file.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_domain::units::{ByteSize, HumanDuration};

use crate::config::{Mistake, is_loopback};

/// Longest time that a command or a webhook may take.
const TIMEOUT_MAX: Duration = Duration::from_mins(1);

/// What is worth an alert, and how it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertsConfig {
    /// Program and arguments; gets the alert as JSON on standard input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Where the alert is posted to as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// How long either may take.
    pub timeout: HumanDuration,
    /// At most one message on the same matter in this time, and one that it is over.
    pub quiet: HumanDuration,
    /// How long after a message it is told again that something still is so.
    pub repeat: HumanDuration,
    /// Longest that a file may wait.
    pub waiting_max: HumanDuration,
    /// Longest that nothing may move although the gate is open and files wait.
    pub still_max: HumanDuration,
    /// Longest that a registry may be away.
    pub away_max: HumanDuration,
    /// How long a certificate should still be valid.
    pub certificate_min: HumanDuration,
    /// Space that should be free above `limits.free_bytes_min`.
    pub free_bytes_min: ByteSize,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            webhook: None,
            timeout: HumanDuration(Duration::from_secs(10)),
            quiet: HumanDuration(Duration::from_mins(15)),
            repeat: HumanDuration(Duration::from_hours(4)),
            waiting_max: HumanDuration(Duration::from_hours(12)),
            still_max: HumanDuration(Duration::from_mins(15)),
            away_max: HumanDuration(Duration::from_mins(15)),
            certificate_min: HumanDuration(Duration::from_hours(14 * 24)),
            free_bytes_min: ByteSize(2 << 30),
        }
    }
}

impl AlertsConfig {
    /// What is wrong with values that are right in themselves.
    pub fn validate(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if self.command.is_empty() && self.webhook.is_none() {
            let message = "name a command, a webhook or both; without them leave the section [alerts] out";
            found.push(("command", message.to_owned()));
        }
        if self.command.first().is_some_and(|program| !program.starts_with('/')) {
            found.push((
                "command",
                "write the program with its whole path, such as \"/usr/local/bin/page\"".to_owned(),
            ));
        }
        if self.webhook.as_ref().is_some_and(|url| !is_safe(url)) {
            let message = "write an address that begins with https://, without user and password; http:// is \
                           for this machine alone";
            found.push(("webhook", message.to_owned()));
        }
        if self.timeout.0.is_zero() || self.timeout.0 > TIMEOUT_MAX {
            found.push(("timeout", "write a time of at most \"1m\"".to_owned()));
        }
        if self.repeat.0 < self.quiet.0 {
            found.push(("repeat", "write a time that is not shorter than alerts.quiet".to_owned()));
        }
        found
    }
}

fn is_safe(url: &str) -> bool {
    let is_plain = !url.contains(|char: char| char.is_whitespace() || char.is_control());
    let (rest, encrypted) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => return false,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, _)) => inside,
        None => authority.split(':').next().unwrap_or_default(),
    };
    is_plain && !host.is_empty() && !authority.contains('@') && (encrypted || is_loopback(host))
}
