//! The certificate in force.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use tokio::sync::watch;

use super::files::{Certificate, TlsFiles};
use crate::config::Setting;

/// What a door proves itself with; connections that come later get what is newer.
#[derive(Debug)]
pub struct ServerTls {
    files: TlsFiles,
    current: watch::Sender<Arc<ServerConfig>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Of the files that `current` was made from.
    fingerprint: u64,
    /// The last moment at which clients take it.
    expires_at: SystemTime,
    /// What is wrong with the files since they were last read.
    problems: Vec<Setting>,
}

impl ServerTls {
    /// Reads the files for the first time, or all that is wrong with them, by key. Blocks.
    pub fn open(files: TlsFiles) -> Result<Self, Vec<Setting>> {
        let certificate = files.load()?;
        tell(&certificate);
        let Certificate { config, fingerprint, expires_at } = certificate;
        let state = Mutex::new(State { fingerprint, expires_at, problems: Vec::new() });
        Ok(Self { files, current: watch::Sender::new(config), state })
    }

    /// For the next connection.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.borrow())
    }

    /// The last moment at which clients take it.
    pub fn expires_at(&self) -> SystemTime {
        self.lock().expires_at
    }

    /// What is wrong with the files since they were last read, which `section` names; what they held
    /// before stays in force.
    pub fn problems(&self, section: &str) -> Vec<String> {
        self.lock().problems.iter().map(|(key, message)| format!("{section}.{key}: {message}")).collect()
    }

    /// Reads the files again. Blocks.
    pub fn reload(&self) {
        let loaded = self.files.load();
        let mut state = self.lock();
        match loaded {
            Ok(certificate) => {
                if certificate.fingerprint != state.fingerprint {
                    tell(&certificate);
                    state.fingerprint = certificate.fingerprint;
                    state.expires_at = certificate.expires_at;
                    self.current.send_replace(certificate.config);
                }
                state.problems.clear();
            }
            Err(problems) => {
                if problems != state.problems {
                    for (key, problem) in &problems {
                        tracing::warn!(key, %problem, "certificate refused; the old one stays in force");
                    }
                }
                state.problems = problems;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the files lie.
    fn folders(&self) -> Vec<PathBuf> {
        let files = [Some(&self.files.certificate), Some(&self.files.key), self.files.client_ca.as_ref()];
        let mut folders: Vec<PathBuf> =
            files.into_iter().flatten().filter_map(|file| file.parent()).map(Path::to_owned).collect();
        folders.sort();
        folders.dedup();
        folders
    }
}

fn tell(certificate: &Certificate) {
    if let Ok(left) = certificate.expires_at.duration_since(SystemTime::now()) {
        tracing::info!(days_left = left.as_secs() / 86_400, "certificate taken up");
    } else {
        tracing::warn!("certificate taken up although it has expired: clients will refuse it");
    }
}

/// Reloads `tls` after changes of its files and every `rescan`, until `shutdown`.
pub async fn watch_tls(tls: Arc<ServerTls>, rescan: Duration, shutdown: impl Future<Output = ()>) {
    crate::watch::watch(&tls.folders(), rescan, shutdown, || {
        let tls = Arc::clone(&tls);
        move || tls.reload()
    })
    .await;
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
