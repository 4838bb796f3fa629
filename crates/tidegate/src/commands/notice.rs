//! `tidegate maintenance notice` and `templates`: what senders are to be told of a window.

use std::io;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, Utc};
use tidegate_notices::config::SmtpConfig;
use tidegate_notices::{BUILT_IN, Ledger, Notice, Page, Record, Templates, calendar};
use tidegate_web::api::{MaintenanceView, OccurrenceView};

use super::org_files::hand_over;
use crate::cli::{NoticeArgs, NoticeFormat, Which};
use crate::config::Loaded;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn notice(context: &Context, args: &NoticeArgs) -> Result<(), Failure> {
    let records = Ledger::read(&context.loaded.config.data_dir).context("while looking up what was told")?;
    let notice = find(context, &args.which, &records)?;
    let text = text(context, &notice, args.format)?;
    let Some(file) = &args.output else { return Ok(Screen::print(text.trim_end())?) };
    std::fs::write(file, text).with_context(|| format!("while writing {}", file.display()))?;
    Ok(Screen::print(&format!("Wrote {}.", file.display()))?)
}

fn text(context: &Context, notice: &Notice, format: NoticeFormat) -> Result<String, Failure> {
    let (templates, smtp) = (load_templates(&context.loaded)?, context.loaded.config.notices.smtp.as_ref());
    let render = |page| templates.render(page, notice, &[]).map_err(|error| anyhow!("{error}"));
    Ok(match format {
        NoticeFormat::Text => render(Page::Text)?,
        NoticeFormat::Html => render(Page::Html)?,
        NoticeFormat::Ics => {
            let organizer = smtp.and_then(SmtpConfig::address);
            calendar(notice, &render(Page::Subject)?, &render(Page::Text)?, organizer.as_deref(), Utc::now())
        }
    })
}

/// The templates that are in force.
pub(super) fn load_templates(loaded: &Loaded) -> Result<Templates, Failure> {
    loaded.announcing().templates().map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("  {error}")).collect();
        Failure::Configuration(format!("templates of announcements can't be used:\n{}", lines.join("\n")))
    })
}

/// The notice of the occurrence that is meant.
pub(super) fn find(context: &Context, which: &Which, records: &[Record]) -> Result<Notice, Failure> {
    let view: MaintenanceView = context.client()?.get("/v1/maintenance")?;
    let now = Utc::now();
    let notice = context.loaded.announcing().notice(&view, &which.name, which.occurrence, records, now);
    notice.ok_or_else(|| {
        let mine: Vec<&OccurrenceView> =
            view.occurrences.iter().filter(|one| one.name == which.name).collect();
        missing(which, &mine, now)
    })
}

fn missing(which: &Which, mine: &[&OccurrenceView], now: DateTime<Utc>) -> Failure {
    let name = &which.name;
    let what = match which.occurrence {
        _ if mine.is_empty() => format!("there is no window named {name:?}, nor was one announced"),
        Some(date) => format!("no occurrence of {name:?} starts on {date}"),
        None if mine.iter().all(|one| one.end <= now) => format!("{name:?} is over"),
        None => format!("{name:?} has no occurrence to come"),
    };
    anyhow!("{what}\n`tidegate maintenance list -n 100` shows windows and their occurrences").into()
}

pub(super) fn templates(context: &Context, directory: &Path) -> Result<(), Failure> {
    let (shown, orgs) = (directory.display(), context.loaded.orgs_dir());
    std::fs::create_dir_all(directory).with_context(|| format!("while making {shown}"))?;
    hand_over(directory, &orgs)?;
    for (name, text) in BUILT_IN {
        let path = directory.join(name);
        let kept = match std::fs::File::create_new(&path) {
            Ok(mut file) => io::Write::write_all(&mut file, text.as_bytes()).map(|()| false),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
            Err(error) => Err(error),
        };
        let kept = kept.with_context(|| format!("while writing {}", path.display()))?;
        if !kept {
            hand_over(&path, &orgs)?;
        }
        Screen::print(&format!("{} {}", if kept { "Kept " } else { "Wrote" }, path.display()))?;
    }
    let hint = "Name the directory as notices.templates, edit, and try with `tidegate check-config`. \
                A file that you delete is the built-in one again.";
    Ok(Screen::print(hint)?)
}
