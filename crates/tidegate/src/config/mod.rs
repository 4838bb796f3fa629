//! The configuration: one TOML file, its sections owned by the crates that use them.
//!
//! Invariant: a [`Config`] that was loaded is right in itself, and everything wrong with a file is
//! said at once. Whether directories exist and ports are free is the business of
//! [`crate::environment`].

mod changes;
mod document;
mod hl7;
mod load;
mod locate;
mod problem;
mod wording;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use chrono_tz::Tz;
use serde::Serialize;
use tidegate_domain::maintenance::{Calendar, MaintenanceConfig};
use tidegate_domain::{DeliveryConfig, OrgCode};
use tidegate_hl7::Tables;
use tidegate_ingest::config::{
    AuditConfig, AuthConfig, FolderConfig, FtpConfig, FtpsImplicitConfig, LimitsConfig, Setting, SftpConfig,
    Tls, UploadsConfig,
};
use tidegate_notices::Channels;
use tidegate_notices::alerts::AlertsConfig;
use tidegate_notices::config::NoticesConfig;
use tidegate_web::announcing::Announcing;
use tidegate_web::config::{MetricsConfig, WebConfig};
use tidegate_web::staff::StaffFolder;
use tidegate_worker::config::{RetentionConfig, WorkerConfig};

pub(crate) use changes::needs_restart;
pub(crate) use hl7::Hl7Config;

pub(crate) use load::{load, load_for_start, load_leniently};
pub(crate) use locate::locate;
pub(crate) use problem::{Problem, Problems};

/// The commented default, which documents every key.
pub(crate) const DEFAULT: &str = include_str!("default.toml");

/// What stands in `tidegate.toml`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Config {
    /// Where everything durable lies; relative to the file's directory.
    pub(crate) data_dir: PathBuf,
    /// The FTP door; closed where the section is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ftp: Option<FtpConfig>,
    /// Its second listener, for TLS from the first byte on; closed where the section is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ftps_implicit: Option<FtpsImplicitConfig>,
    /// The SFTP door; closed where the section is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sftp: Option<SftpConfig>,
    /// Status, portal and console for browsers; nobody listens where the section is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) web: Option<WebConfig>,
    /// Watched folders; relative to the file's directory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) folder: Vec<FolderConfig>,
    pub(crate) limits: LimitsConfig,
    pub(crate) uploads: UploadsConfig,
    pub(crate) auth: AuthConfig,
    pub(crate) audit: AuditConfig,
    pub(crate) hl7: Hl7Config,
    pub(crate) worker: WorkerConfig,
    pub(crate) delivery: DeliveryConfig,
    pub(crate) retention: RetentionConfig,
    pub(crate) maintenance: MaintenanceConfig,
    pub(crate) notices: NoticesConfig,
    /// What staff are woken for; nothing if the section is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alerts: Option<AlertsConfig>,
    /// Where monitoring may ask; nowhere if the section is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<MetricsConfig>,
}

/// A configuration and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// The file.
    pub(crate) file: PathBuf,
    /// When it was last changed before it was read.
    pub(crate) modified: Option<SystemTime>,
    /// What stands in it, paths made absolute.
    pub(crate) config: Config,
    /// The windows of its `[maintenance]`.
    pub(crate) calendar: Calendar,
    /// The code tables of its `[hl7]`; those that are compiled in where it names none.
    pub(crate) tables: Arc<Tables>,
}

/// When the file was last changed, if it is there.
pub(crate) fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().ok()?.modified().ok()
}

impl Loaded {
    /// Where the organizations' files lie.
    pub(crate) fn orgs_dir(&self) -> PathBuf {
        self.file.with_file_name("orgs.d")
    }

    /// Watched folders, and whose files they bring.
    pub(crate) fn watched(&self) -> Vec<(OrgCode, PathBuf)> {
        self.config.folder.iter().map(|folder| (folder.org.clone(), folder.path.clone())).collect()
    }

    /// What announces windows.
    pub(crate) fn announcing(&self) -> Announcing {
        let (data_dir, config) = (self.config.data_dir.clone(), self.config.notices.clone());
        Announcing { data_dir, config, channels: self.channels() }
    }

    /// Where the accounts of staff lie.
    pub(crate) fn staff(&self) -> StaffFolder {
        StaffFolder::new(self.file.with_file_name("staff.d"))
    }

    /// Where the audit log is, if there is one.
    pub(crate) fn audit_log(&self) -> Option<PathBuf> {
        let audit = &self.config.audit;
        audit.enabled.then(|| self.config.data_dir.join(&audit.path))
    }

    /// What is wrong with settings of a section although each is right in itself.
    pub(crate) fn problems_of(&self, section: &str, settings: Vec<Setting>) -> String {
        let problem = |(key, message)| Problem { line: None, key: format!("{section}.{key}"), message };
        let problems = settings.into_iter().map(problem).collect();
        Problems { file: self.file.clone(), problems }.to_string()
    }

    /// The zone in which people are shown times.
    pub(crate) fn zone(&self) -> Option<Tz> {
        let written = || self.config.maintenance.timezone.as_ref()?.parse().ok();
        self.calendar.timezone.or_else(written)
    }

    /// What announcements tell of each way by which senders come.
    pub(crate) fn channels(&self) -> Channels {
        let (web, notices) = (self.config.web.as_ref(), &self.config.notices);
        let public_url = web.and_then(|web| web.public_url.as_deref());
        Channels {
            doors: self.doors(),
            web_service: notices.web.unwrap_or(web.is_some()),
            web_pages: notices.web.unwrap_or(web.is_some_and(|web| !web.takes_files_always())),
            status_page: public_url.map(|url| format!("{}/status", url.trim_end_matches('/'))),
        }
    }

    /// The ways by which files come whether the gate is open or not.
    fn doors(&self) -> String {
        let Config { ftp, ftps_implicit, sftp, web, folder, .. } = &self.config;
        let has_tls = ftps_implicit.is_some() || ftp.as_ref().is_some_and(|ftp| ftp.tls != Tls::Off);
        let doors = [
            ("FTP", ftp.is_some()),
            ("FTPS", has_tls),
            ("SFTP", sftp.is_some()),
            ("the web portal", web.as_ref().is_some_and(WebConfig::takes_files_always)),
            ("watched folders", !folder.is_empty()),
        ];
        let open: Vec<&str> =
            doors.into_iter().filter(|(_, is_open)| *is_open).map(|(name, _)| name).collect();
        match open.split_last() {
            Some((last, others @ [_, ..])) => format!("{} and {last}", others.join(", ")),
            _ => open.concat(),
        }
    }

    /// Where a running server answers.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.config.data_dir.join("control.sock")
    }
}
