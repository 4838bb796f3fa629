//! `tidegate retention ...`.

use tidegate_web::api::{
    LegalHoldView, LegalHoldsReleased, PassView, PlaceLegalHold, ReleaseLegalHolds, RetentionView,
    RunRetention,
};

use crate::cli::{LegalHoldArgs, RetentionCommand, RunRetentionArgs};
use crate::context::{Context, actor};
use crate::failure::Failure;
use crate::render::{Screen, legal_hold_line, pass_text, plural, retention_text};

pub(super) fn retention(context: &Context, command: RetentionCommand) -> Result<(), Failure> {
    match command {
        RetentionCommand::Status(args) => {
            let view: RetentionView = context.client()?.get("/v1/retention")?;
            if args.json {
                return Ok(Screen::json(&view)?);
            }
            Ok(Screen::print(&retention_text(&view, &context.screen()))?)
        }
        RetentionCommand::Run(args) => run(context, &args),
        RetentionCommand::Hold(args) => hold(context, args),
        RetentionCommand::Release(args) => release(context, args),
    }
}

fn run(context: &Context, args: &RunRetentionArgs) -> Result<(), Failure> {
    let request = RunRetention { dry_run: args.dry_run };
    let pass: PassView = context.client()?.post_long("/v1/retention/run", &request)?;
    if args.json.json {
        Screen::json(&pass)?;
    } else {
        Screen::print(&pass_text(&pass, &context.screen()))?;
    }
    if pass.postponed.is_some() || pass.error.is_some() { Err(Failure::Told) } else { Ok(()) }
}

fn hold(context: &Context, args: LegalHoldArgs) -> Result<(), Failure> {
    let request = PlaceLegalHold { org: args.org, reason: args.reason, actor: actor() };
    let hold: LegalHoldView = context.client()?.post("/v1/retention/holds", &request)?;
    if args.json.json {
        return Ok(Screen::json(&hold)?);
    }
    let line = legal_hold_line(&hold, &context.screen());
    let end =
        format!("Nothing of {0} is deleted until `tidegate retention release {0} --reason ...`.", hold.org);
    Ok(Screen::print(&format!("Legal hold for {line}\n{end}"))?)
}

fn release(context: &Context, args: LegalHoldArgs) -> Result<(), Failure> {
    let request = ReleaseLegalHolds { org: args.org, reason: args.reason, actor: actor() };
    let released: LegalHoldsReleased = context.client()?.post("/v1/retention/release", &request)?;
    let count = released.legal_holds.len().try_into().unwrap_or(u64::MAX);
    if args.json.json {
        Screen::json(&released)?;
    } else if count > 0 {
        let lines = released.legal_holds.iter().map(|hold| legal_hold_line(hold, &context.screen()));
        let told =
            format!("Released {} of {}: its terms count again.", plural(count, "legal hold"), request.org);
        Screen::print(&[told].into_iter().chain(lines).collect::<Vec<_>>().join("\n"))?;
    } else {
        Screen::print(&format!("There is no legal hold for {}; nothing was released.", request.org))?;
    }
    if count == 0 { Err(Failure::Told) } else { Ok(()) }
}
