//! `tidegate check-config`.

use std::path::Path;

use chrono::Utc;
use serde::Serialize;
use tidegate_ingest::config::{FtpConfig, Tls};
use tidegate_web::api::OccurrenceView;
use tidegate_web::config::{WebConfig, WebTls};

use super::windows::{Windows, lines};
use crate::cli::CheckConfigArgs;
use crate::config::{self, Loaded, Problem};
use crate::context::Context;
use crate::environment::{Finding, Level, examine};
use crate::failure::Failure;
use crate::render::{Keys, Screen};

#[derive(Serialize)]
struct Report {
    ok: bool,
    problems: Vec<Problem>,
    findings: Vec<Finding>,
    /// One-off windows that are not over, and occurrences of recurring ones in the next 30 days.
    occurrences: Vec<OccurrenceView>,
    /// Occurrences of the next 24 months in which the clocks change, or that begin or end where they do.
    touched_by_clock_change: Vec<OccurrenceView>,
}

pub(super) fn check_config(named: Option<&Path>, args: &CheckConfigArgs) -> Result<(), Failure> {
    if args.json.json {
        return json(named, args);
    }
    let loaded = Context::load(named)?.loaded;
    let findings = findings(&loaded, args);
    let wrong: Vec<&Finding> = findings.iter().filter(|finding| finding.level == Level::Wrong).collect();
    if wrong.is_empty() {
        return Ok(Screen::print(&summary(&loaded))?);
    }
    let lines: Vec<String> = wrong
        .iter()
        .map(|finding| format!("  {}\n    {}", finding.what, finding.advice.as_deref().unwrap_or_default()))
        .collect();
    Err(Failure::Configuration(format!(
        "{} is right in itself, but this machine is not ready for it:\n{}",
        loaded.file.display(),
        lines.join("\n")
    )))
}

fn findings(loaded: &Loaded, args: &CheckConfigArgs) -> Vec<Finding> {
    if args.no_environment { Vec::new() } else { examine(loaded) }
}

fn json(named: Option<&Path>, args: &CheckConfigArgs) -> Result<(), Failure> {
    let path = config::locate(named).ok_or_else(Context::no_configuration)?;
    let (problems, findings, windows) = match config::load(&path) {
        Ok(loaded) => (Vec::new(), findings(&loaded, args), Windows::of(&loaded.calendar, Utc::now())),
        Err(problems) => (problems.problems, Vec::new(), Windows::default()),
    };
    let ok = problems.is_empty() && findings.iter().all(|finding| finding.level != Level::Wrong);
    let Windows { occurrences, touched_by_clock_change } = windows;
    Screen::json(&Report { ok, problems, findings, occurrences, touched_by_clock_change })?;
    if ok { Ok(()) } else { Err(Failure::Configuration("the configuration is not right".to_owned())) }
}

fn web(web: &WebConfig) -> String {
    let tls = match web.tls {
        WebTls::Required => "TLS required",
        WebTls::Off => "in the clear",
    };
    format!("{}, {tls}", web.listen)
}

fn summary(loaded: &Loaded) -> String {
    let config = &loaded.config;
    let mut keys = Keys::default();
    keys.add("OK", loaded.file.display().to_string());
    keys.add("Data", config.data_dir.display().to_string());
    keys.add_some("FTP", config.ftp.as_ref().map(ftp_door));
    keys.add_some("FTPS", config.ftps_implicit.as_ref().map(|ftps| format!("{}, implicit", ftps.listen)));
    keys.add_some("SFTP", config.sftp.as_ref().map(|sftp| sftp.listen.to_string()));
    keys.add_some("Web", config.web.as_ref().map(web));
    let folders: Vec<String> = config.folder.iter().map(|folder| folder.path.display().to_string()).collect();
    keys.add_some("Folders", (!folders.is_empty()).then(|| folders.join("\n")));
    keys.add("Orgs", loaded.orgs_dir().display().to_string());
    keys.add("Times in", loaded.zone().map_or_else(|| "UTC".to_owned(), |zone| zone.to_string()));
    let screen = Screen::stdout(loaded.zone());
    let windows = Windows::of(&loaded.calendar, screen.now);
    keys.add("Windows", lines(&windows.occurrences, &screen).unwrap_or_else(|| "none to come".to_owned()));
    keys.add_some("Clock changes", lines(&windows.touched_by_clock_change, &screen));
    keys.to_string()
}

fn ftp_door(ftp: &FtpConfig) -> String {
    let encryption = match ftp.tls {
        Tls::Required => "TLS required",
        Tls::Optional => "TLS as the sender asks",
        Tls::Off => "in the clear",
    };
    format!("{}, {encryption}", ftp.listen)
}
