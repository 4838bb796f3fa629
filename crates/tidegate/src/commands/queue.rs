//! `tidegate queue ...`.

use tidegate_web::api::{JobDetail, JobView};

use super::act;
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
        QueueCommand::Requeue(args) => act::act(context, act::REQUEUE, args),
        QueueCommand::Hold(args) => act::act(context, act::HOLD, args),
        QueueCommand::Release(args) => act::act(context, act::RELEASE, args),
        QueueCommand::Cancel(args) => act::act(context, act::CANCEL, args),
    }
}

fn list(context: &Context, args: &ListArgs) -> Result<(), Failure> {
    let path = with_query(
        "/v1/jobs",
        &[
            ("org", args.org.as_ref().map(ToString::to_string)),
            ("state", args.state.map(|state| state.to_string())),
            ("since", args.since.map(String::from)),
            ("limit", Some(args.limit.to_string())),
        ],
    );
    let jobs: Vec<JobView> = context.client()?.get(&path)?;
    if args.json.json {
        return Ok(Screen::json(&jobs)?);
    }
    if jobs.is_empty() {
        return Ok(Screen::print(none(args))?);
    }
    Screen::print(&job_list(&jobs, &context.screen()))?;
    if usize::try_from(args.limit).is_ok_and(|limit| jobs.len() == limit) {
        eprintln!(
            "The newest {} jobs; see more with --limit, or narrow down with --org or --state.",
            args.limit
        );
    }
    Ok(())
}

fn none(args: &ListArgs) -> &'static str {
    if args.org.is_none() && args.state.is_none() && args.since.is_none() {
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
