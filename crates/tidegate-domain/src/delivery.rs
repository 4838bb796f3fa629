//! The section `[delivery]`, of the service and of an organization: where accepted messages go.
//!
//! Invariant: every key has a default, and a key that the kind has no use for is a mistake, so that nobody
//! believes in a setting without effect. Secrets stand in files that are named here, never here.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::HumanDuration;

/// A connection and an answer together take no longer than this: well within the lease of a minute that a worker
/// has its file for.
const TIME_MAX: Duration = Duration::from_secs(50);

/// Why a connection has to be encrypted.
const EXPOSED: &str = "messages would go in the clear to another machine";
const OR: &str = "or set allow_plaintext = true";

/// Where accepted messages go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// What kind of target it is.
    pub kind: DeliveryKind,
    /// `directory`: the directory; `delivered` in the data directory where absent. On the data directory's
    /// own file system a delivery costs no sync of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// `mllp`: host and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `http`, `soap`: where messages are posted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `soap`: the name of our account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `soap`: the file with its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// `soap`: the facility that messages come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facility_id: Option<String>,
    /// `mllp`: whether the connection is encrypted; `required` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<DeliveryTls>,
    /// `mllp` with TLS: the name that the certificate must have; the host of `address` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Encrypted kinds: authorities that are trusted, in PEM form; those of the system where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Whether messages may go in the clear to another machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_plaintext: bool,
    /// Network kinds: how long a connection may take to come about.
    pub connect_time_max: HumanDuration,
    /// Network kinds: how long the answer to a message may take.
    pub answer_time_max: HumanDuration,
    /// Network kinds: whether the registry's own words about a message it refuses go into the response.
    pub pass_on_text: bool,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            kind: DeliveryKind::default(),
            path: None,
            address: None,
            url: None,
            username: None,
            password_file: None,
            facility_id: None,
            tls: None,
            server_name: None,
            ca: None,
            allow_plaintext: false,
            connect_time_max: HumanDuration(Duration::from_secs(10)),
            answer_time_max: HumanDuration(Duration::from_secs(30)),
            pass_on_text: false,
        }
    }
}

/// The kinds of targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// One file for each message.
    #[default]
    Directory,
    /// HL7's Minimal Lower Layer Protocol, release 1: a connection that carries framed messages.
    Mllp,
    /// One HTTP POST for each message.
    Http,
    /// CDC's web service for immunization registries, SOAP 1.2.
    Soap,
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryTls {
    /// Or there is none.
    Required,
    /// It is not.
    Off,
}

impl DeliveryConfig {
    /// Everything that makes the section unusable: keys, and what to do about them.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut found = self.foreign_keys();
        let mut add = |key, message: &str| found.push((key, message.to_owned()));
        if self.path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            add("path", "name a directory, or leave the key out");
        }
        match self.kind {
            DeliveryKind::Directory => {}
            DeliveryKind::Mllp => match self.address.as_deref().map(host_of) {
                None => add("address", "say where the registry listens: \"host:port\""),
                Some(None) => add("address", "write host and port: \"registry.example:2575\""),
                Some(Some(host)) if self.is_exposed(host) => {
                    add("tls", &format!("{EXPOSED}; use \"required\", {OR}"));
                }
                Some(Some(_)) => {}
            },
            DeliveryKind::Http | DeliveryKind::Soap => match self.url.as_deref().map(host_of_url) {
                None => add("url", "say where messages are posted to: \"https://registry.example/iis\""),
                Some(None) => {
                    add("url", "write an address that begins with https://, without user and password");
                }
                Some(Some(host)) if self.is_exposed(host) => {
                    add("url", &format!("{EXPOSED}; use https://, {OR}"));
                }
                Some(Some(_)) => {}
            },
        }
        for (key, time) in
            [("connect_time_max", self.connect_time_max), ("answer_time_max", self.answer_time_max)]
        {
            if time.0.is_zero() {
                add(key, "use at least \"1ms\"");
            }
        }
        if self.connect_time_max.0.saturating_add(self.answer_time_max.0) > TIME_MAX {
            add("answer_time_max", "connect_time_max and answer_time_max may be \"50s\" together");
        }
        found
    }

    /// Keys that were set and that the kind has no use for.
    fn foreign_keys(&self) -> Vec<(&'static str, String)> {
        use DeliveryKind::{Directory, Http, Mllp, Soap};
        let encrypted = self.is_encrypted();
        let keys = [
            ("path", self.path.is_some(), self.kind == Directory),
            ("address", self.address.is_some(), self.kind == Mllp),
            ("url", self.url.is_some(), matches!(self.kind, Http | Soap)),
            ("username", self.username.is_some(), self.kind == Soap),
            ("password_file", self.password_file.is_some(), self.kind == Soap),
            ("facility_id", self.facility_id.is_some(), self.kind == Soap),
            ("tls", self.tls.is_some(), self.kind == Mllp),
            ("server_name", self.server_name.is_some(), self.kind == Mllp && encrypted),
            ("ca", self.ca.is_some(), encrypted),
            ("allow_plaintext", self.allow_plaintext, self.kind != Directory),
            ("pass_on_text", self.pass_on_text, self.kind != Directory),
        ];
        let foreign = keys.into_iter().filter(|(_, is_set, is_known)| *is_set && !is_known);
        foreign
            .map(|(key, ..)| (key, "has no effect with the other settings here; take it out".to_owned()))
            .collect()
    }

    /// Whether messages go through TLS.
    pub fn is_encrypted(&self) -> bool {
        match self.kind {
            DeliveryKind::Directory => false,
            DeliveryKind::Mllp => self.tls != Some(DeliveryTls::Off),
            DeliveryKind::Http | DeliveryKind::Soap => {
                self.url.as_ref().is_some_and(|url| url.starts_with("https://"))
            }
        }
    }

    /// Whether messages would go in the clear to another machine although nobody asked for that.
    fn is_exposed(&self, host: &str) -> bool {
        !self.is_encrypted() && !self.allow_plaintext && !is_loopback(host)
    }

    /// The name by which the other side's certificate is checked.
    pub fn certificate_name(&self) -> Option<&str> {
        self.server_name.as_deref().or_else(|| host_of(self.address.as_deref()?))
    }

    /// The directory that messages go to, if they go to one; a relative path starts at `data_dir`.
    pub fn directory(&self, data_dir: &Path) -> Option<PathBuf> {
        let path = self.path.as_deref().unwrap_or(Path::new("delivered"));
        (self.kind == DeliveryKind::Directory).then(|| data_dir.join(path))
    }

    /// The files that are named relative to the configuration file, for making them absolute.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.ca, &mut self.password_file].into_iter().flatten()
    }
}

/// The host of `host:port`, without the brackets of an IPv6 address.
fn host_of(address: &str) -> Option<&str> {
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_clear = bare.is_some() || !host.contains([':', '[', ']', '/', ' ']);
    (port != 0 && is_clear && !host.is_empty()).then(|| bare.unwrap_or(host))
}

/// The host of a URL without user and password.
fn host_of_url(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_clear =
        !url.contains(|char: char| char.is_whitespace() || char.is_control()) && !authority.contains('@');
    let host = host_of(authority).or_else(|| {
        let bare = authority.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        bare.or((!authority.contains([':', '[', ']'])).then_some(authority))
    })?;
    (is_clear && !host.is_empty()).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<&'static str> {
        let config: DeliveryConfig = toml::from_str(text).unwrap();
        config.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn the_default_is_a_directory_and_other_keys_and_kinds_are_refused() {
        assert_eq!(
            toml::from_str::<DeliveryConfig>("kind = 'directory'").unwrap(),
            DeliveryConfig::default()
        );
        assert!(problems("").is_empty());
        assert!(toml::from_str::<DeliveryConfig>("kind = 'pigeon'").is_err());
        assert!(toml::from_str::<DeliveryConfig>("password = 'x'").is_err());
        let data_dir = Path::new("/data");
        assert_eq!(DeliveryConfig::default().directory(data_dir), Some("/data/delivered".into()));
    }

    #[test]
    fn all_mistakes_of_a_section_come_together() {
        assert_eq!(problems("path = ''"), ["path"]);
        assert_eq!(
            problems("kind = 'mllp'\npath = 'x'\nanswer_time_max = '0s'"),
            ["path", "address", "answer_time_max"]
        );
        assert_eq!(
            problems("address = 'a:1'\ntls = 'off'\nca = 'x'\npass_on_text = true"),
            ["address", "tls", "ca", "pass_on_text"]
        );
        for bad in ["registry", "registry:0", "registry:99999", ":2575", "::1:2575", "http://a:1"] {
            assert_eq!(problems(&format!("kind = 'mllp'\naddress = '{bad}'")), ["address"], "{bad}");
        }
    }

    #[test]
    fn messages_go_in_the_clear_to_other_machines_only_if_somebody_says_so() {
        assert_eq!(problems("kind = 'mllp'\naddress = 'registry:2575'\ntls = 'off'"), ["tls"]);
        assert!(
            problems("kind = 'mllp'\naddress = 'registry:2575'\ntls = 'off'\nallow_plaintext = true")
                .is_empty()
        );
        for near in ["127.0.0.1", "localhost", "[::1]"] {
            assert!(
                problems(&format!("kind = 'mllp'\naddress = '{near}:2575'\ntls = 'off'")).is_empty(),
                "{near}"
            );
        }
        assert!(problems("kind = 'mllp'\naddress = 'registry:2575'").is_empty());
        assert_eq!(problems("kind = 'http'\nurl = 'http://registry/iis'"), ["url"]);
        for right in [
            "https://registry/iis",
            "http://127.0.0.1:80/x",
            "http://[::1]/",
            "http://localhost",
            "https://r:8443?a",
        ] {
            assert!(problems(&format!("kind = 'soap'\nurl = '{right}'")).is_empty(), "{right}");
        }
    }

    #[test]
    fn a_password_stands_in_a_file_and_never_in_the_address() {
        for bad in [
            "registry/iis",
            "ftp://registry/",
            "https://",
            "https://me:secret@registry/",
            "https://r /",
            "https://r:x/",
        ] {
            assert_eq!(problems(&format!("kind = 'http'\nurl = '{bad}'")), ["url"], "{bad}");
        }
        assert_eq!(
            problems(
                "kind = 'http'\nurl = 'https://r/'\nusername = 'me'\npassword_file = 'f'\nfacility_id = 'F'"
            ),
            ["username", "password_file", "facility_id"]
        );
        assert!(
            problems(
                "kind = 'soap'\nurl = 'https://r/'\nusername = 'me'\npassword_file = 'f'\nfacility_id = 'F'"
            )
            .is_empty()
        );
    }
}
