//! From a file to a [`Config`].
//!
//! Invariant: a section is checked as a whole only if each of its keys could be read: else it would be
//! blamed for defaults that nobody wrote.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tidegate_domain::maintenance::Calendar;
use tidegate_ingest::config::{FolderConfig, FtpConfig, Setting, SftpConfig};
use tidegate_notices::alerts::AlertsConfig;
use tidegate_notices::config::SmtpConfig;

use super::document::Document;
use super::{Config, Loaded, Problem, Problems, modified};

/// Top-level keys, in the order of the documentation.
pub(super) const KEYS: [&str; 18] = [
    "data_dir",
    "ftp",
    "ftps_implicit",
    "sftp",
    "web",
    "folder",
    "limits",
    "uploads",
    "auth",
    "audit",
    "hl7",
    "worker",
    "delivery",
    "retention",
    "maintenance",
    "notices",
    "alerts",
    "metrics",
];

/// What a text says, as far as it can be read.
pub(super) struct Parsed {
    pub(super) config: Config,
    pub(super) calendar: Calendar,
    pub(super) problems: Vec<Problem>,
}

/// Reads the file at `path`, or all that is wrong with it.
pub(crate) fn load(path: &Path) -> Result<Loaded, Problems> {
    let (loaded, problems) = read(path)?;
    if problems.problems.is_empty() { Ok(loaded) } else { Err(problems) }
}

/// The same for whoever only wants to speak to the server, which may run although the file was broken
/// since: it is enough if `data_dir` can be trusted. Comes with what is wrong, if anything is.
pub(crate) fn load_leniently(path: &Path) -> Result<(Loaded, Option<Problems>), Problems> {
    let (loaded, problems) = read(path)?;
    let untrusted = |problem: &Problem| problem.key.is_empty() || problem.key == "data_dir";
    if problems.problems.iter().any(untrusted) {
        return Err(problems);
    }
    let some = (!problems.problems.is_empty()).then_some(problems);
    Ok((loaded, some))
}

/// The same for a server that starts: if nothing is wrong but the windows, it starts with the gate closed
/// since `now`. Comes with what is wrong with them.
pub(crate) fn load_for_start(
    path: &Path,
    now: DateTime<Utc>,
) -> Result<(Loaded, Option<Problems>), Problems> {
    let (mut loaded, problems) = read(path)?;
    if problems.problems.is_empty() {
        return Ok((loaded, None));
    }
    let is_of_windows =
        |problem: &Problem| problem.key == "maintenance" || problem.key.starts_with("maintenance.");
    if !problems.problems.iter().all(is_of_windows) {
        return Err(problems);
    }
    loaded.calendar.unreadable_since = Some(now);
    Ok((loaded, Some(problems)))
}

fn read(path: &Path) -> Result<(Loaded, Problems), Problems> {
    let of_file = |problems| Problems { file: path.to_owned(), problems };
    let unreadable = |error: std::io::Error| {
        let message = format!("can't be read: {error}");
        of_file(vec![Problem { line: None, key: String::new(), message }])
    };
    let file = std::path::absolute(path).map_err(unreadable)?;
    let modified = modified(path);
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let Parsed { mut config, calendar, mut problems } = parse(&text);
    config.data_dir = file.with_file_name(&config.data_dir);
    if let Some(ftp) = &mut config.ftp {
        for path in [&mut ftp.certificate, &mut ftp.key, &mut ftp.client_ca].into_iter().flatten() {
            *path = file.with_file_name(&path);
        }
    }
    if let Some(web) = &mut config.web {
        for path in [&mut web.certificate, &mut web.key].into_iter().flatten() {
            *path = file.with_file_name(&path);
        }
    }
    for path in config.delivery.files_mut() {
        *path = file.with_file_name(&path);
    }
    for folder in &mut config.folder {
        folder.path = file.with_file_name(&folder.path);
        folder.responses = folder.responses.as_ref().map(|path| file.with_file_name(path));
    }
    for key in config.sftp.iter_mut().flat_map(|sftp| &mut sftp.host_keys) {
        *key = file.with_file_name(&key);
    }
    for path in config.notices.smtp.iter_mut().flat_map(SmtpConfig::files_mut) {
        *path = file.with_file_name(&path);
    }
    config.notices.templates = config.notices.templates.map(|path| file.with_file_name(path));
    config.hl7.tables = config.hl7.tables.map(|path| file.with_file_name(path));
    let tables = config.hl7.load_tables().unwrap_or_else(|wrong| {
        let problem = |message| Problem { line: None, key: "hl7.tables".to_owned(), message };
        problems.extend(wrong.into_iter().map(problem));
        Arc::default()
    });
    Ok((Loaded { file, modified, config, calendar, tables }, of_file(problems)))
}

/// Reads a text; paths stay as they are written.
pub(super) fn parse(text: &str) -> Parsed {
    let mut document = Document::parse(text);
    let config = Config {
        data_dir: document.take("data_dir").unwrap_or_else(|| PathBuf::from("/var/lib/tidegate")),
        ftp: document.take("ftp"),
        ftps_implicit: document.take("ftps_implicit"),
        sftp: document.take("sftp"),
        web: document.take("web"),
        folder: document.section("folder"),
        limits: document.section("limits"),
        uploads: document.section("uploads"),
        auth: document.section("auth"),
        audit: document.section("audit"),
        hl7: document.section("hl7"),
        worker: document.section("worker"),
        delivery: document.section("delivery"),
        retention: document.section("retention"),
        maintenance: document.section("maintenance"),
        notices: document.section("notices"),
        alerts: document.take("alerts"),
        metrics: document.take("metrics"),
    };
    let calendar = validate(&config, &mut document);
    Parsed { config, calendar, problems: document.finish(&KEYS) }
}

/// Adds what is wrong with values that could be read; the calendar that they make.
fn validate(config: &Config, document: &mut Document<'_>) -> Calendar {
    let mut add = |section: &str, settings: Vec<Setting>| {
        if !document.is_broken(section) {
            for (key, message) in settings {
                document.add(&format!("{section}.{key}"), message);
            }
        }
    };
    add("ftp", config.ftp.as_ref().map(FtpConfig::validate).unwrap_or_default());
    let implicit = config.ftps_implicit.as_ref().map(|implicit| implicit.validate(config.ftp.as_ref()));
    add("ftps_implicit", implicit.unwrap_or_default());
    add("sftp", config.sftp.as_ref().map(SftpConfig::validate).unwrap_or_default());
    let web = config.web.as_ref().map(|web| web.validate(config.ftp.as_ref()));
    add("web", web.unwrap_or_default());
    add("limits", config.limits.validate());
    add("uploads", config.uploads.validate());
    add("auth", config.auth.validate());
    add("audit", config.audit.validate());
    add("worker", config.worker.validate());
    add("delivery", config.delivery.validate());
    add("retention", config.retention.validate());
    add("notices", config.notices.validate());
    add("alerts", config.alerts.as_ref().map(AlertsConfig::validate).unwrap_or_default());
    if !document.is_broken("folder") {
        for (number, key, message) in FolderConfig::validate(&config.folder) {
            document.add(&format!("folder[{number}].{key}"), message);
        }
    }
    let is_closed = config.ftp.is_none() && config.sftp.is_none() && config.folder.is_empty();
    if is_closed && !["ftp", "sftp", "folder"].iter().any(|door| document.is_broken(door)) {
        let message = "no door is open: nobody could upload; add a section [sftp], [ftp] or [[folder]]";
        document.add("ftp", message.to_owned());
    }
    if document.is_broken("maintenance") {
        return Calendar::default();
    }
    config.maintenance.to_calendar().unwrap_or_else(|problems| {
        for problem in problems {
            document.add(&problem.key, problem.message);
        }
        Calendar::default()
    })
}
