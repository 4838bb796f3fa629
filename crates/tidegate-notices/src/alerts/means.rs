//! How an alert gets out: by a command, by a webhook, or both.
//!
//! Invariant: neither takes longer than it may. A command that does is killed, with everything that it started. What
//! goes wrong names the means and never its address, which may be a secret.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{Alert, AlertsConfig};

/// How often is looked whether a command has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How long a command that was killed may take to be gone.
const KILLED_MAX: Duration = Duration::from_secs(1);

/// Means to send alerts by.
#[derive(Debug, Clone)]
pub struct Means {
    config: AlertsConfig,
    agent: Agent,
}

/// Why an alert did not get out.
#[derive(Debug, thiserror::Error)]
pub enum MeansError {
    /// By the command.
    #[error("alerts.command: {0}")]
    Command(String),
    /// By the webhook.
    #[error("alerts.webhook: {0}")]
    Webhook(String),
}

impl Means {
    /// Those of a section with nothing wrong in it. Connects to nobody.
    pub fn new(config: AlertsConfig) -> Self {
        let authorities: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|one| Certificate::from_der(one).to_owned())
            .collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&authorities))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent("tidegate")
            .timeout_global(Some(config.timeout.0))
            .tls_config(tls)
            .build()
            .new_agent();
        Self { config, agent }
    }

    /// Each means by itself, so that one that fails is tried again alone.
    pub fn each(&self) -> Vec<Self> {
        let command = AlertsConfig { webhook: None, ..self.config.clone() };
        let webhook = AlertsConfig { command: Vec::new(), ..self.config.clone() };
        let both =
            [command, webhook].into_iter().filter(|one| !one.command.is_empty() || one.webhook.is_some());
        both.map(|config| Self { config, agent: self.agent.clone() }).collect()
    }

    /// Sends an alert by every means there is; what went wrong with each. Blocks.
    pub fn send(&self, alert: &Alert) -> Vec<MeansError> {
        let Ok(json) = serde_json::to_vec(alert) else {
            return vec![MeansError::Command("the alert can't be written as JSON".to_owned())];
        };
        let command = self.run(alert, &json).err().map(MeansError::Command);
        let webhook = self.post(&json).err().map(MeansError::Webhook);
        command.into_iter().chain(webhook).collect()
    }

    fn post(&self, json: &[u8]) -> Result<(), String> {
        let Some(url) = &self.config.webhook else { return Ok(()) };
        let sent = self.agent.post(url).content_type("application/json").send(json);
        let status = sent.map_err(|error| webhook_error(&error))?.status();
        if status.is_success() { Ok(()) } else { Err(format!("it answers HTTP {status}")) }
    }

    fn run(&self, alert: &Alert, json: &[u8]) -> Result<(), String> {
        let Some((program, arguments)) = self.config.command.split_first() else { return Ok(()) };
        let mut child = Command::new(program)
            .args(arguments)
            .env("TIDEGATE_ALERT", alert.alert)
            .env("TIDEGATE_STATE", alert.state.name())
            .env("TIDEGATE_TEXT", &alert.text)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        // An alert fits a pipe; a program that does not read it is its own business.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(json));
        self.wait(&mut child).map_err(|what| format!("{program}: {what}"))
    }

    fn wait(&self, child: &mut Child) -> Result<(), String> {
        let deadline = Instant::now() + self.config.timeout.0;
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("ended with {status}")),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
                Ok(None) => {
                    kill_group(child);
                    return Err(format!("took longer than {} and was killed", self.config.timeout));
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// Ends a command and everything that it started and that did not leave its group.
fn kill_group(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    // One that even that does not end, such as one that waits for a dead disk, is not waited for.
    let deadline = Instant::now() + KILLED_MAX;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
}

/// In words that do not have the address.
fn webhook_error(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "it did not answer in time".to_owned(),
        ureq::Error::HostNotFound => "its host is not known".to_owned(),
        ureq::Error::ConnectionFailed => "it can't be reached".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            "no encrypted connection can be made: is its certificate good?".to_owned()
        }
        _ => "it can't be used; is the address right?".to_owned(),
    }
}
