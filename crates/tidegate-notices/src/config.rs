//! The section `[notices]` of the configuration file.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use tidegate_domain::units::HumanDuration;

use crate::mail::is_address;

/// What is wrong with a key: its path below the section, and what is expected.
pub type Mistake = (&'static str, String);

/// Longest time that one step of the talk with a mail server may take: 5 minutes, as RFC 5321, 4.5.3.2 has it.
const TIMEOUT_MAX: Duration = Duration::from_mins(5);

/// What announcements say besides the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoticesConfig {
    /// What the registry is called.
    pub registry: String,
    /// Whom senders may ask, a line each.
    pub contacts: Vec<String>,
    /// Whether windows also stop a web service and web pages, here or elsewhere; as `[web]` has it where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<bool>,
    /// A directory with templates that replace built-in ones of the same name; relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<PathBuf>,
    /// Mail addresses of staff, who get reports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub staff: Vec<String>,
    /// Whether staff get a report after each window, once the files that waited are processed.
    pub report: bool,
    /// The mail server that announcements go out by; without it none is mailed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp: Option<SmtpConfig>,
}

/// The section `[notices.smtp]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Name or address of the mail server.
    pub host: String,
    /// Its port; 587, 465 or 25 as `tls` has it where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: SmtpTls,
    /// Whether `tls = "off"` is meant for another machine, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_plaintext: bool,
    /// Authorities that the server's certificate is from, as a PEM file; those of the system where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Whom mail is from, such as `Registry <registry@example.org>`.
    pub from: String,
    /// Where answers go, if not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Our account, if the server asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The file with its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// How long connecting, and each answer of the server, may take.
    #[serde(default = "default_timeout")]
    pub timeout: HumanDuration,
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// By STARTTLS (RFC 3207), which the server must know.
    #[default]
    Starttls,
    /// From the first byte on (RFC 8314, 3.3).
    Implicit,
    /// Not at all.
    Off,
}

fn default_timeout() -> HumanDuration {
    HumanDuration(Duration::from_secs(30))
}

impl SmtpConfig {
    /// The port that is meant.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            SmtpTls::Starttls => 587,
            SmtpTls::Implicit => 465,
            SmtpTls::Off => 25,
        })
    }

    /// The address alone that mails are from.
    pub fn address(&self) -> Option<String> {
        self.from.parse().ok().map(|from: Mailbox| from.email.to_string())
    }

    fn validate(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let is_host = !self.host.is_empty() && !self.host.contains(|c: char| c.is_whitespace() || c == '/');
        if !is_host {
            found.push(("smtp.host", "write the name or the address of the mail server".to_owned()));
        }
        if self.port == Some(0) {
            found.push(("smtp.port", "write a port from 1 to 65535".to_owned()));
        }
        if self.tls == SmtpTls::Off && !self.allow_plaintext && !is_loopback(&self.host) {
            let message = "\"off\" is for a mail server on this machine only, unless allow_plaintext = true";
            found.push(("smtp.tls", message.to_owned()));
        }
        let is_mailbox = |text: &String| text.parse::<Mailbox>().is_ok();
        for (key, address) in [("smtp.from", Some(&self.from)), ("smtp.reply_to", self.reply_to.as_ref())] {
            if !address.is_none_or(is_mailbox) {
                found.push((
                    key,
                    "write a mail address, such as \"Registry <registry@example.org>\"".to_owned(),
                ));
            }
        }
        if self.username.is_some() != self.password_file.is_some() {
            found.push(("smtp.username", "username and password_file go together".to_owned()));
        }
        if self.timeout.0.is_zero() || self.timeout.0 > TIMEOUT_MAX {
            found.push(("smtp.timeout", "write a time of at most \"5m\"".to_owned()));
        }
        found
    }

    /// The files that are named relative to the configuration file, for making them absolute.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.ca, &mut self.password_file].into_iter().flatten()
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Default for NoticesConfig {
    fn default() -> Self {
        Self {
            registry: "The registry".to_owned(),
            contacts: Vec::new(),
            web: None,
            templates: None,
            staff: Vec::new(),
            report: false,
            smtp: None,
        }
    }
}

impl NoticesConfig {
    /// What is wrong with values that are right in themselves: key and message.
    pub fn validate(&self) -> Vec<Mistake> {
        let mut found = self.smtp.as_ref().map(SmtpConfig::validate).unwrap_or_default();
        if self.registry.trim().is_empty() || self.registry.chars().any(char::is_control) {
            found.push(("registry", "write the registry's name, on one line".to_owned()));
        }
        if self.contacts.iter().any(|line| line.chars().any(char::is_control)) {
            found.push(("contacts", "write each contact on one line of its own".to_owned()));
        }
        if !self.staff.iter().all(|address| is_address(address)) {
            found.push(("staff", "write mail addresses alone, such as \"ops@registry.example\"".to_owned()));
        }
        if self.report && (self.staff.is_empty() || self.smtp.is_none()) {
            found.push(("report", "reports need addresses in notices.staff, and [notices.smtp]".to_owned()));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(smtp: &str) -> Vec<&'static str> {
        let text = format!("[smtp]\nfrom = 'r@x.example'\n{smtp}");
        let config: NoticesConfig = toml::from_str(&text).unwrap();
        config.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn mail_goes_in_the_clear_to_other_machines_only_if_somebody_says_so() {
        assert_eq!(problems("host = 'mail.x'\ntls = 'off'"), ["smtp.tls"]);
        assert!(problems("host = 'mail.x'\ntls = 'off'\nallow_plaintext = true").is_empty());
        for near in ["localhost", "127.0.0.1", "::1"] {
            assert!(problems(&format!("host = '{near}'\ntls = 'off'")).is_empty(), "{near}");
        }
        assert!(problems("host = 'mail.x'").is_empty());
    }

    #[test]
    fn all_mistakes_come_together_and_passwords_are_refused_in_the_open() {
        let wrong = "host = ''\nport = 0\nreply_to = 'nobody'\nusername = 'u'\ntimeout = '1h'";
        let expected = ["smtp.host", "smtp.port", "smtp.reply_to", "smtp.username", "smtp.timeout"];
        assert_eq!(problems(wrong), expected);
        let config: NoticesConfig = toml::from_str("report = true\nstaff = ['Ops <o@x.example>']").unwrap();
        assert_eq!(
            config.validate().into_iter().map(|(key, _)| key).collect::<Vec<_>>(),
            ["staff", "report"]
        );
        assert!(toml::from_str::<NoticesConfig>("[smtp]\nhost='a'\nfrom='a@b.c'\npassword='x'").is_err());
    }
}
