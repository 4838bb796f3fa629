//! `tidegate hl7 ...`.
//!
//! Invariant: the file takes the same steps as in the server, and nothing of it is kept or delivered.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use chrono::Utc;
use chrono_tz::Tz;
use serde::Serialize;
use tidegate_domain::{Hl7Profile, OrgCode};
use tidegate_hl7::{Examined, Outcome, Profile, Reply, State, Summary, examine};
use tidegate_ingest::accounts::load_folder;
use tidegate_web::api::Messages;

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

fn check(config: Option<&Path>, args: &Hl7CheckArgs) -> Result<(), Failure> {
    let (profile, zone) = settings(config, args.org.as_ref())?;
    let mut file = open(&args.file)?;
    let mut response = tempfile::tempfile().context("while making room for the response")?;
    let reply = Reply::new(NO_JOB, Utc::now().with_timezone(&zone).fixed_offset());
    let examined = examine(&mut file, &profile, &reply, io::BufWriter::new(&response))
        .with_context(|| format!("while reading {}", args.file.display()))?;
    if args.json.json {
        Screen::json(&CheckView::from(&examined.summary))?;
    } else {
        response.rewind().context("while reading the response")?;
        print(&examined, response)?;
    }
    let accepted = examined.summary.state == State::Complete && examined.summary.outcome == Outcome::Accepted;
    if accepted { Ok(()) } else { Err(Failure::Told) }
}

/// The profile of the organization and the zone of the calendar; the defaults where neither a
/// configuration nor an organization is named.
fn settings(config: Option<&Path>, org: Option<&OrgCode>) -> Result<(Profile, Tz), Failure> {
    if config.is_none() && org.is_none() {
        return Ok((profile(&Hl7Profile::default()), Tz::UTC));
    }
    let loaded = Context::load(config)?.loaded;
    let zone = loaded.zone().unwrap_or(Tz::UTC);
    let Some(code) = org else {
        return Ok((profile(&Hl7Profile::default()), zone));
    };
    let folder = load_folder(&loaded.orgs_dir());
    let (_, found) = folder.find(code).ok_or_else(|| {
        anyhow!("there is no organization {code}; `tidegate org list` shows those there are")
    })?;
    Ok((profile(&found.hl7), found.timezone.unwrap_or(zone)))
}

fn profile(settings: &Hl7Profile) -> Profile {
    Profile {
        versions: settings.versions.clone(),
        processing_ids: vec![settings.processing_id.clone()],
        strict_counts: settings.strict_counts,
        forward_on_group_error: settings.forward_on_group_error,
        ..Profile::default()
    }
}

/// The file; standard input is copied first, because a file is read three times.
fn open(path: &Path) -> Result<File, Failure> {
    if path != Path::new("-") {
        return Ok(File::open(path).with_context(|| format!("while opening {}", path.display()))?);
    }
    let mut copy = tempfile::tempfile().context("while making room for standard input")?;
    io::copy(&mut io::stdin().lock(), &mut copy).context("while reading standard input")?;
    copy.rewind().context("while reading standard input")?;
    Ok(copy)
}

/// The report, then the response with a line for each segment.
fn print(examined: &Examined, mut response: File) -> Result<(), Failure> {
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
    state: &'static str,
    outcome: Option<&'static str>,
    reason: Option<String>,
    messages: Messages,
}

impl From<&Summary> for CheckView {
    fn from(summary: &Summary) -> Self {
        let counts = &summary.counts;
        Self {
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
