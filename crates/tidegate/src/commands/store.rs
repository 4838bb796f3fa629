//! `tidegate store ...`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use chrono_tz::Tz;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tidegate_domain::SystemClock;
use tidegate_store::{Options, Recovery, Store};
use tidegate_web::api::VerifyView;

use super::backup::backup;
use crate::cli::{JsonArg, RebuildArgs, StoreCommand, VerifyArgs};
use crate::client::answers;
use crate::context::Context;
use crate::environment::foreign_owner;
use crate::failure::Failure;
use crate::render::{Screen, plural};
use crate::serve::open_failure;

/// A backup can be looked at without a configuration.
pub(super) fn store(
    context: impl FnOnce() -> Result<Context, Failure>,
    command: StoreCommand,
) -> Result<(), Failure> {
    match command {
        StoreCommand::Backup(args) => backup(&context()?, &args),
        StoreCommand::Verify(VerifyArgs { dir: Some(dir), json }) => verdict_on(&inspect(&dir)?, None, json),
        StoreCommand::Verify(VerifyArgs { dir: None, json }) => {
            let context = context()?;
            verdict_on(&look(&context)?, context.loaded.zone(), json)
        }
        StoreCommand::Rebuild(args) => rebuild(&context()?, &args),
    }
}

fn verdict_on(found: &VerifyView, zone: Option<Tz>, args: JsonArg) -> Result<(), Failure> {
    if args.json {
        Screen::json(found)?;
    } else {
        Screen::print(&verdict(found, &Screen::stdout(zone)))?;
    }
    if found.findings.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

/// Whether anything was ever kept here; looking into an empty directory would begin a store.
pub(super) fn has_store(context: &Context) -> bool {
    let entries = std::fs::read_dir(&context.loaded.config.data_dir);
    entries.is_ok_and(|mut entries| entries.next().is_some())
}

/// Has the running server look, or looks while none runs.
pub(super) fn look(context: &Context) -> Result<VerifyView, Failure> {
    if answers(&context.loaded.control_socket()) {
        return context.client()?.post_long("/v1/verify", &());
    }
    if !has_store(context) {
        return Err(anyhow::anyhow!("there is no store yet; `tidegate serve` begins one").into());
    }
    inspect(&context.loaded.config.data_dir)
}

/// Looks through a store that no server uses; nothing is changed in it.
fn inspect(data_dir: &Path) -> Result<VerifyView, Failure> {
    let scratch =
        tempfile::tempdir().context("while making a directory to sort in; TMPDIR names its place")?;
    let bar = progress_bar();
    let mut progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let found = Store::inspect(data_dir, scratch.path(), &mut progress).map_err(open_failure);
    bar.finish_and_clear();
    Ok(found?.into())
}

pub(super) fn verdict(found: &VerifyView, screen: &Screen) -> String {
    let looked = format!(
        "{} read, the files of {} looked for",
        plural(found.changes, "change"),
        plural(found.jobs_waiting, "waiting job")
    );
    if found.findings.is_empty() {
        let last = found.last_change_at;
        let last = last
            .map_or_else(String::new, |at| format!("; the last change was made on {}", screen.instant(at)));
        return format!("The store is sound: {looked}{last}.");
    }
    let findings: Vec<String> = found.findings.iter().map(|finding| format!("  {finding}")).collect();
    format!("The store is NOT sound ({looked}):\n{}", findings.join("\n"))
}

#[derive(Serialize)]
struct Rebuilt {
    changes: u64,
    jobs_interrupted: u64,
    strays_removed: u64,
    journal_holes: u64,
}

fn rebuild(context: &Context, args: &RebuildArgs) -> Result<(), Failure> {
    refuse_foreign(context)?;
    let data_dir = &context.loaded.config.data_dir;
    let bar = progress_bar();
    let mut progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let (store, recovery) =
        Store::rebuild(data_dir, Options::default(), Arc::new(SystemClock), &mut progress)
            .map_err(open_failure)?;
    let runtime = tokio::runtime::Runtime::new().context("while closing the store")?;
    runtime.block_on(store.close());
    bar.finish_and_clear();
    if args.json.json {
        let Recovery { changes_replayed, jobs_interrupted, strays_removed, journal_holes, .. } = recovery;
        let changes = changes_replayed;
        Screen::json(&Rebuilt { changes, jobs_interrupted, strays_removed, journal_holes })?;
    } else {
        Screen::print(&rebuilt(&recovery))?;
    }
    if recovery.journal_holes == 0 { Ok(()) } else { Err(Failure::Told) }
}

fn rebuilt(recovery: &Recovery) -> String {
    let mut lines = vec![format!(
        "The queue's index is made anew, from {}.",
        plural(recovery.changes_replayed, "change")
    )];
    if recovery.jobs_interrupted > 0 {
        lines.push(format!("{} interrupted go on.", plural(recovery.jobs_interrupted, "job")));
    }
    if recovery.journal_holes > 0 {
        lines.push(format!(
            "{} of the journal can't be read: acknowledged changes may be missing. Keep a copy of the \
             data directory and restore a backup.",
            plural(recovery.journal_holes, "part")
        ));
    }
    lines.join("\n")
}

/// Hidden where standard error is no terminal, and until it takes longer than a blink.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_message("Reading the journal");
    bar
}

/// Files that another user than the service's makes could not be read by the service.
pub(super) fn refuse_foreign(context: &Context) -> Result<(), Failure> {
    match foreign_owner(&context.loaded.config.data_dir) {
        None => Ok(()),
        Some(finding) => {
            Err(anyhow::anyhow!("{}\n{}", finding.what, finding.advice.unwrap_or_default()).into())
        }
    }
}
