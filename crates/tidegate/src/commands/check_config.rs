//! `tidegate check-config`.

use std::path::Path;

use serde::Serialize;

use crate::cli::CheckConfigArgs;
use crate::config::{self, Loaded, Problem};
use crate::context::Context;
use crate::environment::{Finding, Level, examine};
use crate::failure::Failure;
use crate::render::Screen;

#[derive(Serialize)]
struct Report {
    ok: bool,
    problems: Vec<Problem>,
    findings: Vec<Finding>,
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
    let (problems, findings) = match config::load(&path) {
        Ok(loaded) => (Vec::new(), findings(&loaded, args)),
        Err(problems) => (problems.problems, Vec::new()),
    };
    let ok = problems.is_empty() && findings.iter().all(|finding| finding.level != Level::Wrong);
    Screen::json(&Report { ok, problems, findings })?;
    if ok { Ok(()) } else { Err(Failure::Configuration("the configuration is not right".to_owned())) }
}

fn summary(loaded: &Loaded) -> String {
    let config = &loaded.config;
    let door = config.ftp.as_ref().map_or_else(String::new, |ftp| format!("FTP on {}", ftp.listen));
    let windows = loaded.calendar.windows.len();
    let zone = loaded.zone().map_or_else(|| "UTC".to_owned(), |zone| zone.to_string());
    format!(
        "OK: {}\n  data in {}, {door}\n  organizations in {}\n  {windows} maintenance windows, times in {zone}",
        loaded.file.display(),
        config.data_dir.display(),
        loaded.orgs_dir().display()
    )
}
