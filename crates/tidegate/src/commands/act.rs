//! `tidegate queue requeue|hold|release|cancel`.
//!
//! Invariant: what concerns more than the jobs that were named one by one is shown first and needs a
//! yes; and what was shown is what is acted on, whatever has come meanwhile.

use tidegate_web::api::{ActRequest, ActResult, Acted, Action, Selection};

use super::confirm::confirm;
use crate::cli::ActArgs;
use crate::client::Client;
use crate::context::{Context, actor};
use crate::failure::Failure;
use crate::render::{Screen, one_line, plural};

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
    let client = context.client()?;
    let conditions = args.jobs.conditions;
    let by_name = conditions.are_none();
    let selection =
        if by_name { Selection::Jobs(args.jobs.ids) } else { Selection::Matching(conditions.filter()) };
    let request = ActRequest {
        action: verb.action,
        selection,
        actor: actor(),
        reason: args.reason,
        // What matches is known by name before anything is done to it.
        dry_run: args.dry_run || !by_name,
        limit: args.jobs.limit.and_then(|limit| usize::try_from(limit).ok()),
        only_in: conditions.filter().states,
    };
    let mut acted: Acted = client.post_long("/v1/jobs/act", &request)?;
    if !args.dry_run && !by_name && succeeded(&acted) > 0 {
        if !args.yes {
            eprintln!("{}", summary(verb, &acted));
            confirm(&format!("{} {}?", capital(verb.word), plural(succeeded(&acted), "job")))?;
        }
        acted = act_on(&client, request, acted)?;
    }
    if args.json.json {
        Screen::json(&acted)?;
    } else {
        Screen::print(&summary(verb, &acted))?;
    }
    let failed = acted.jobs.iter().any(|job| job.error.is_some());
    if failed { Err(Failure::Told) } else { Ok(()) }
}

/// Does to the jobs of a rehearsal what was rehearsed, but for those with which it would not work.
fn act_on(client: &Client, request: ActRequest, rehearsed: Acted) -> Result<Acted, Failure> {
    let (possible, refused): (Vec<_>, Vec<_>) =
        rehearsed.jobs.into_iter().partition(|job| job.error.is_none());
    let selection = Selection::Jobs(possible.into_iter().map(|job| job.id).collect());
    let request = ActRequest { selection, dry_run: false, limit: None, ..request };
    let mut acted: Acted = client.post_long("/v1/jobs/act", &request)?;
    acted.jobs.extend(refused);
    acted.more = rehearsed.more;
    Ok(acted)
}

fn succeeded(acted: &Acted) -> u64 {
    count(acted.jobs.iter().filter(|job| job.error.is_none()).count())
}

fn summary(verb: Verb, acted: &Acted) -> String {
    if acted.jobs.is_empty() {
        return "No jobs match; nothing was done.".to_owned();
    }
    let would = if acted.dry_run { "would be " } else { "" };
    let (bad, good): (Vec<_>, Vec<_>) = acted.jobs.iter().partition(|job| job.error.is_some());
    let mut lines = listed(&good, |job| {
        let news = job.state.filter(|state| !acted.dry_run && state.as_str() != verb.done);
        let state = news.map_or_else(String::new, |state| format!(", now {state}"));
        format!("{}  {would}{}{state}", which(job), verb.done)
    });
    lines.extend(listed(&bad, |job| {
        format!("{}  not {}: {}", which(job), verb.done, job.error.as_deref().unwrap_or_default())
    }));
    if acted.jobs.len() > 1 {
        let not = if bad.is_empty() { String::new() } else { format!(", {} not", bad.len()) };
        lines.push(format!("{} {would}{}{not}", plural(count(good.len()), "job"), verb.done));
    }
    if acted.more {
        let again = if acted.dry_run { "." } else { ": run the command again." };
        lines.push(format!("There are more that match{again}"));
    }
    lines.join("\n")
}

/// A line for each job, or as many as one can take in.
fn listed(jobs: &[&ActResult], line: impl Fn(&ActResult) -> String) -> Vec<String> {
    let more = jobs.len().saturating_sub(LISTED_MAX);
    let lines = jobs.iter().take(LISTED_MAX).map(|job| line(job));
    lines.chain((more > 0).then(|| format!("and {}", plural(count(more), "more job")))).collect()
}

/// A job, its organization and the name of its file.
fn which(job: &ActResult) -> String {
    let org = job.org.as_ref().map(|org| format!("  {org}"));
    let name = job.name.as_deref().map(|name| format!("  {}", one_line(name)));
    format!("{}{}{}", job.id, org.unwrap_or_default(), name.unwrap_or_default())
}

fn count(number: usize) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
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
        let result = |id: &str, name: Option<&str>, error: Option<&str>| ActResult {
            id: id.parse().unwrap(),
            org: name.map(|_| "ACME01".to_owned().try_into().unwrap()),
            name: name.map(str::to_owned),
            state: Some(JobState::Queued),
            error: error.map(str::to_owned),
        };
        let bad = "requeued is not possible while the job is complete";
        let jobs = vec![
            result("01HRFM0000000001", Some("a b.hl7"), None),
            result("01HRFM0000000002", None, Some(bad)),
        ];
        Acted { dry_run, jobs, more: false }
    }

    #[test]
    fn what_was_done_and_what_not_is_told_job_by_job() {
        assert_eq!(
            summary(REQUEUE, &acted(false)),
            "01HRFM0000000001  ACME01  a b.hl7  requeued, now queued\n\
             01HRFM0000000002  not requeued: requeued is not possible while the job is complete\n\
             1 job requeued, 1 not"
        );
        assert!(
            summary(REQUEUE, &acted(true))
                .starts_with("01HRFM0000000001  ACME01  a b.hl7  would be requeued\n")
        );
    }

    #[test]
    fn of_many_jobs_the_first_are_told_and_the_others_counted() {
        let mut many = acted(true);
        many.jobs = vec![many.jobs[0].clone(); LISTED_MAX + 3];
        let text = summary(REQUEUE, &many);
        assert_eq!(text.lines().count(), LISTED_MAX + 2);
        assert!(text.ends_with("and 3 more jobs\n23 jobs would be requeued"), "{text}");
    }
}
