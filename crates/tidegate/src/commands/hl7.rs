//! `tidegate hl7 ...`.
//!
//! Invariant: the file takes the same steps as in the server, and nothing of it is kept or delivered.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use chrono::Utc;
use chrono_tz::Tz;
use serde::Serialize;
use tidegate_domain::{Hl7Profile, OrgCode};
use tidegate_hl7::{Examined, Outcome, Profile, Reply, State, Summary, examine};
use tidegate_ingest::accounts::load_folder;
use tidegate_web::api::Messages;
use tidegate_worker::profile;

use crate::cli::{Hl7CheckArgs, Hl7Command};
use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

/// Stands where a job's id stands in the response of an accepted file.
const NO_JOB: &str = "CHECK";

const BLOCK_BYTES: usize = 64 << 10;

pub(super) fn hl7(config: Option<&Path>, command: Hl7Command) -> Result<(), Failure> {
    let Hl7Command::Check(args) = command;
    check(config, &args)
}

/// Takes each file through; one that can't be read does not keep the others from it.
fn check(config: Option<&Path>, args: &Hl7CheckArgs) -> Result<(), Failure> {
    let (profile, zone) = settings(config, args.org.as_ref())?;
    let (mut views, mut all_accepted) = (Vec::new(), true);
    for path in &args.files {
        let examined = match examine_file(path, &profile, zone) {
            Ok((examined, response)) => {
                if !args.json.json {
                    print((args.files.len() > 1).then_some(path), &examined, response)?;
                }
                examined
            }
            Err(failure) => {
                eprintln!("tidegate: {failure:#}");
                all_accepted = false;
                continue;
            }
        };
        let summary = &examined.summary;
        all_accepted &= summary.state == State::Complete && summary.outcome == Outcome::Accepted;
        views.push(CheckView::new(path, summary));
    }
    if args.json.json {
        match (args.files.len(), views.first()) {
            (1, Some(view)) => Screen::json(view)?,
            (1, None) => {}
            _ => Screen::json(&views)?,
        }
    }
    if all_accepted { Ok(()) } else { Err(Failure::Told) }
}

fn examine_file(path: &Path, profile: &Profile, zone: Tz) -> anyhow::Result<(Examined, File)> {
    let mut file = open(path)?;
    let response = tempfile::tempfile().context("while making room for the response")?;
    let reply = Reply::new(NO_JOB, Utc::now().with_timezone(&zone).fixed_offset());
    let examined = examine(&mut file, profile, &reply, io::BufWriter::new(&response))
        .with_context(|| format!("while reading {}", path.display()))?;
    Ok((examined, response))
}

/// The profile of the organization and the zone of the calendar; the defaults where neither a
/// configuration nor an organization is named.
fn settings(config: Option<&Path>, org: Option<&OrgCode>) -> Result<(Profile, Tz), Failure> {
    if config.is_none() && org.is_none() {
        return Ok((profile(&Hl7Profile::default(), &Arc::default()), Tz::UTC));
    }
    let loaded = Context::load(config)?.loaded;
    let zone = loaded.zone().unwrap_or(Tz::UTC);
    let Some(code) = org else {
        return Ok((profile(&Hl7Profile::default(), &loaded.tables), zone));
    };
    let folder = load_folder(&loaded.orgs_dir());
    let (_, found) = folder.find(code).ok_or_else(|| {
        anyhow!("there is no organization {code}; `tidegate org list` shows those there are")
    })?;
    Ok((profile(&found.hl7, &loaded.tables), found.timezone.unwrap_or(zone)))
}

/// The file; standard input is copied first, because a file is read three times.
fn open(path: &Path) -> anyhow::Result<File> {
    if path != Path::new("-") {
        return File::open(path).with_context(|| format!("while opening {}", path.display()));
    }
    let mut copy = tempfile::tempfile().context("while making room for standard input")?;
    io::copy(&mut io::stdin().lock(), &mut copy).context("while reading standard input")?;
    copy.rewind().context("while reading standard input")?;
    Ok(copy)
}

/// The report, then the response with a line for each segment; under the file's name if there are several.
fn print(path: Option<&PathBuf>, examined: &Examined, mut response: File) -> Result<(), Failure> {
    if let Some(path) = path {
        Screen::print(&format!("== {}", path.display()))?;
    }
    response.rewind().context("while reading the response")?;
    Screen::print(&format!("{}\n\nThe response:", examined.report.trim_end()))?;
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = response.read(&mut block).context("while reading the response")?;
        let Some(read) = block.get_mut(..count).filter(|read| !read.is_empty()) else {
            return Ok(());
        };
        read.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Screen::write(read)?;
    }
}

/// `--json`.
#[derive(Serialize)]
struct CheckView {
    file: String,
    state: &'static str,
    outcome: Option<&'static str>,
    reason: Option<String>,
    messages: Messages,
}

impl CheckView {
    fn new(path: &Path, summary: &Summary) -> Self {
        let counts = &summary.counts;
        Self {
            file: path.display().to_string(),
            state: summary.state.as_str(),
            outcome: (summary.state == State::Complete).then(|| summary.outcome.as_str()),
            reason: summary.reason().map(str::to_owned),
            messages: Messages {
                total: counts.total(),
                accepted: counts.accepted,
                warned: counts.warned,
                errored: counts.errored,
                rejected: counts.rejected,
            },
        }
    }
}
