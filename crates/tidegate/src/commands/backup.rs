//! `tidegate store backup`.
//!
//! Invariant: the server makes the backup if it runs; nothing is opened behind its back.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use tidegate_domain::SystemClock;
use tidegate_store::{BackupDone, BackupError, BackupProgress, Options, Store};
use tidegate_web::api::{BackupNews, BackupRequest, BackupView};

use super::store::{has_store, refuse_foreign};
use crate::cli::BackupArgs;
use crate::client::{answers, refused};
use crate::context::Context;
use crate::failure::Failure;
use crate::render::{Screen, plural, size};
use crate::serve::{beside_store, open_failure};

pub(super) fn backup(context: &Context, args: &BackupArgs) -> Result<(), Failure> {
    let directory = std::path::absolute(&args.dir).context("while looking for the directory")?;
    let made = if answers(&context.loaded.control_socket()) {
        by_server(context, directory)?
    } else {
        by_ourselves(context, directory)?
    };
    if args.json.json {
        Screen::json(&made)?;
    } else {
        Screen::print(&told(&made, &context.screen()))?;
    }
    if made.jobs_without_bytes == 0 { Ok(()) } else { Err(Failure::Told) }
}

fn by_server(context: &Context, directory: PathBuf) -> Result<BackupView, Failure> {
    let bar = progress_bar();
    let mut ended = None;
    let request = BackupRequest { directory };
    let told = context.client()?.post_for_news("/v1/store/backup", &request, |news| match news {
        BackupNews::Progress { jobs, jobs_all, bytes } => {
            show(&bar, &BackupProgress { jobs, jobs_all, bytes });
        }
        BackupNews::Done(made) => ended = Some(Ok(made)),
        BackupNews::Failed(error) => ended = Some(Err(refused(error))),
    });
    bar.finish_and_clear();
    told?;
    let made = ended.unwrap_or_else(|| Err(anyhow!(BackupError::Interrupted).into()))?;
    check_is_seen(&made.directory)?;
    Ok(made)
}

/// The server may have a `/tmp` of its own.
fn check_is_seen(directory: &Path) -> Result<(), Failure> {
    match directory.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let directory = directory.display();
            Err(anyhow!(
                "the server made the backup, but there is no {directory} to be seen from here\n\
                 It may run with directories of its own (such as PrivateTmp= of systemd): name another place"
            )
            .into())
        }
        _ => Ok(()),
    }
}

fn by_ourselves(context: &Context, directory: PathBuf) -> Result<BackupView, Failure> {
    if !has_store(context) {
        return Err(anyhow!("there is no store yet; `tidegate serve` begins one").into());
    }
    refuse_foreign(context)?;
    let begun = Instant::now();
    let config = &context.loaded.config;
    let options = Options { free_bytes_min: config.limits.free_bytes_min.0, ..Options::default() };
    let opened = Store::open(&config.data_dir, options, Arc::new(SystemClock));
    let (store, _) = opened.map_err(open_failure)?;
    let runtime = tokio::runtime::Runtime::new().context("while starting up")?;
    let made = runtime.block_on(async {
        let made = copy(&store, context, directory.clone()).await;
        store.close().await;
        made
    });
    let done = made.map_err(anyhow::Error::new)?;
    Ok(BackupView::new(directory, done, begun.elapsed().as_secs_f64()))
}

async fn copy(store: &Store, context: &Context, directory: PathBuf) -> Result<BackupDone, BackupError> {
    let backup = store.backup(directory, beside_store(&context.loaded)).await?;
    let bar = progress_bar();
    let done = tokio::task::block_in_place(|| {
        backup.copy(&mut |progress| {
            show(&bar, &progress);
            ControlFlow::Continue(())
        })
    });
    bar.finish_and_clear();
    done
}

/// Hidden where standard error is no terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len} jobs, {eta} left") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, progress: &BackupProgress) {
    bar.set_length(progress.jobs_all);
    bar.set_position(progress.jobs);
    bar.set_message(format!("Copying, {}", size(progress.bytes)));
}

fn told(made: &BackupView, screen: &Screen) -> String {
    let (jobs, files) = (plural(made.jobs, "job"), plural(made.files, "file"));
    let (bytes, seconds, at) = (size(made.bytes), made.seconds, screen.time(made.at));
    let directory = made.directory.display();
    let mut lines = vec![format!(
        "The backup in {directory} is whole: {jobs}, {files}, {bytes}, as of {at}; it took {seconds:.1} s."
    )];
    if made.jobs_without_bytes > 0 {
        lines.push(format!(
            "The bytes of {} that wait are missing, here and in the backup: see `tidegate store verify`.",
            plural(made.jobs_without_bytes, "job")
        ));
    }
    lines.join("\n")
}
