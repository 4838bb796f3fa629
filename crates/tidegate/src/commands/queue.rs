//! `tidegate queue ...`.

use tidegate_web::api::{JobDetail, JobFilter, JobView};

use super::{act, payload};
use crate::cli::{ListArgs, QueueCommand, ResponseArgs, ShowArgs};
use crate::client::with_query;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::{Screen, job_list, job_text};

pub(super) fn queue(context: &Context, command: QueueCommand) -> Result<(), Failure> {
    match command {
        QueueCommand::List(args) => list(context, &args),
        QueueCommand::Show(args) => show(context, &args),
        QueueCommand::Response(args) => response(context, &args),
        QueueCommand::Payload(args) => payload::payload(context, args),
        QueueCommand::Requeue(args) => act::act(context, act::REQUEUE, args),
        QueueCommand::Hold(args) => act::act(context, act::HOLD, args),
        QueueCommand::Release(args) => act::act(context, act::RELEASE, args),
        QueueCommand::Cancel(args) => act::act(context, act::CANCEL, args),
    }
}

fn list(context: &Context, args: &ListArgs) -> Result<(), Failure> {
    let JobFilter { org, states, outcome, since, until, name } = args.conditions.filter();
    // One more than is shown tells whether there are more.
    let limit = args.limit.saturating_add(1);
    let path = with_query(
        "/v1/jobs",
        &[
            ("org", org.map(String::from)),
            ("state", Some(states.to_string()).filter(|states| !states.is_empty())),
            ("outcome", outcome.map(|outcome| outcome.to_string())),
            ("since", since.map(String::from)),
            ("until", until.map(String::from)),
            ("name", name),
            ("after", args.after.map(|job| job.to_string())),
            ("limit", Some(limit.to_string())),
        ],
    );
    let mut jobs: Vec<JobView> = context.client()?.get(&path)?;
    let shown = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let has_more = jobs.len() > shown;
    jobs.truncate(shown);
    if args.json.json {
        Screen::json(&jobs)?;
    } else if jobs.is_empty() {
        Screen::print(none(args))?;
    } else {
        Screen::print(&job_list(&jobs, &context.screen()))?;
    }
    if let Some(last) = jobs.last().filter(|_| has_more) {
        eprintln!("More: the same command with --after {} shows the next page", last.id);
    }
    Ok(())
}

fn none(args: &ListArgs) -> &'static str {
    if args.after.is_some() {
        "No more jobs."
    } else if args.conditions.are_none() {
        "No jobs yet. Whatever a sender uploads shows up here."
    } else {
        "No jobs match. `tidegate queue list` without conditions shows the newest of all."
    }
}

fn show(context: &Context, args: &ShowArgs) -> Result<(), Failure> {
    let detail: JobDetail = context.client()?.get(&format!("/v1/jobs/{}", args.job))?;
    if args.json.json {
        Screen::json(&detail)?;
    } else {
        Screen::print(&job_text(&detail, &context.screen()))?;
    }
    Ok(())
}

fn response(context: &Context, args: &ResponseArgs) -> Result<(), Failure> {
    let what = if args.report { "report" } else { "response" };
    context.client()?.print(&format!("/v1/jobs/{}/{what}", args.job))
}
