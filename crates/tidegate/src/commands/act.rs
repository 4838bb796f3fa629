//! `tidegate queue requeue|hold|release|cancel`.
//!
//! Invariant: what concerns more than the jobs that were named one by one is shown first and needs a
//! yes.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;
use tidegate_web::api::{ActRequest, Acted, Action, Selection};

use crate::cli::ActArgs;
use crate::context::{Context, actor};
use crate::failure::Failure;
use crate::render::{Screen, plural};

/// An action and its words.
#[derive(Clone, Copy)]
pub(super) struct Verb {
    action: Action,
    word: &'static str,
    done: &'static str,
}

pub(super) const REQUEUE: Verb = Verb { action: Action::Requeue, word: "requeue", done: "requeued" };
pub(super) const HOLD: Verb = Verb { action: Action::Hold, word: "hold", done: "held" };
pub(super) const RELEASE: Verb = Verb { action: Action::Release, word: "release", done: "released" };
pub(super) const CANCEL: Verb = Verb { action: Action::Cancel, word: "cancel", done: "cancelled" };

/// Jobs listed one by one; of more only the number is told.
const LISTED_MAX: usize = 20;

pub(super) fn act(context: &Context, verb: Verb, args: ActArgs) -> Result<(), Failure> {
    let matching = args.jobs.org.zip(args.jobs.state);
    let ask = matching.is_some() && !args.yes && !args.dry_run;
    let selection = match matching {
        Some((org, state)) => Selection::Matching { org, state },
        None => Selection::Jobs(args.jobs.ids),
    };
    let request = ActRequest {
        action: verb.action,
        selection,
        actor: actor(),
        reason: args.reason,
        dry_run: args.dry_run || ask,
    };
    let client = context.client()?;
    let mut acted: Acted = client.post_long("/v1/jobs/act", &request)?;
    if ask && succeeded(&acted) > 0 {
        confirm(verb, &acted)?;
        acted = client.post_long("/v1/jobs/act", &ActRequest { dry_run: false, ..request })?;
    }
    if args.json.json {
        Screen::json(&acted)?;
    } else {
        Screen::print(&summary(verb, &acted))?;
    }
    let failed = acted.jobs.iter().any(|job| job.error.is_some());
    if failed { Err(Failure::Told) } else { Ok(()) }
}

fn succeeded(acted: &Acted) -> u64 {
    acted.jobs.iter().filter(|job| job.error.is_none()).count().try_into().unwrap_or(u64::MAX)
}

fn confirm(verb: Verb, rehearsed: &Acted) -> Result<(), Failure> {
    let question = format!("{} {}?", capital(verb.word), plural(succeeded(rehearsed), "job"));
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{question} Say so with --yes, or look first with --dry-run")));
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush().context("while asking")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("while reading the answer")?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    eprintln!("Nothing was done.");
    Err(Failure::Told)
}

fn summary(verb: Verb, acted: &Acted) -> String {
    if acted.jobs.is_empty() {
        return "No jobs match; nothing was done.".to_owned();
    }
    let mut lines = Vec::new();
    let done = succeeded(acted);
    let would = if acted.dry_run { "would be " } else { "" };
    let failed = acted.jobs.len().saturating_sub(usize::try_from(done).unwrap_or(usize::MAX));
    for job in acted.jobs.iter().filter(|job| job.error.is_none()).take(LISTED_MAX) {
        let news = job.state.filter(|state| !acted.dry_run && state.as_str() != verb.done);
        let state = news.map_or_else(String::new, |state| format!(", now {state}"));
        lines.push(format!("{} {would}{}{state}", job.id, verb.done));
    }
    for job in acted.jobs.iter().filter(|job| job.error.is_some()).take(LISTED_MAX) {
        lines.push(format!("{} not {}: {}", job.id, verb.done, job.error.as_deref().unwrap_or_default()));
    }
    if acted.jobs.len() > 1 {
        let not = if failed > 0 { format!(", {failed} not") } else { String::new() };
        lines.push(format!("{} {would}{}{not}", plural(done, "job"), verb.done));
    }
    if acted.more {
        lines.push("There may be more: run the command again.".to_owned());
    }
    lines.join("\n")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use tidegate_domain::job::JobState;
    use tidegate_web::api::ActResult;

    use super::*;

    fn acted(dry_run: bool) -> Acted {
        let result = |id: &str, error: Option<&str>| ActResult {
            id: id.parse().unwrap(),
            state: Some(JobState::Queued),
            error: error.map(str::to_owned),
        };
        let bad = "requeued is not possible while the job is complete";
        let jobs = vec![result("01HRFM0000000001", None), result("01HRFM0000000002", Some(bad))];
        Acted { dry_run, jobs, more: false }
    }

    #[test]
    fn what_was_done_and_what_not_is_told_job_by_job() {
        assert_eq!(
            summary(REQUEUE, &acted(false)),
            "01HRFM0000000001 requeued, now queued\n\
             01HRFM0000000002 not requeued: requeued is not possible while the job is complete\n\
             1 job requeued, 1 not"
        );
        assert!(summary(REQUEUE, &acted(true)).starts_with("01HRFM0000000001 would be requeued\n"));
    }
}
