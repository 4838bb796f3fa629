//! `tidegate maintenance ...`.

use tidegate_domain::maintenance::{CauseKind, GateState};
use tidegate_domain::units::HumanDuration;
use tidegate_web::api::{
    AddWindow, EndOccurrence, ExtendOccurrence, GateView, HoldEnd, HoldView, MaintenanceView,
    OccurrenceChanged, OccurrenceView, PlaceHold, ReleaseHolds, Released, RemoveWindow, ReportView,
    SkipOccurrence, When, WindowEnd,
};

use super::announce::{announce, announcements};
use super::notice::{notice, templates};
use crate::cli::{
    AddArgs, EndArgs, ExplainArgs, ExtendArgs, Length, MaintenanceCommand, MaintenanceListArgs,
    ReleaseHoldArgs, RemoveArgs, ReportArgs, SkipArgs, StartArgs,
};
use crate::client::with_query;
use crate::context::{Context, actor};
use crate::failure::Failure;
use crate::render::{Screen, gate_text, hold_line, maintenance_text, occurrence_line, plural, report_text};

pub(super) fn maintenance(context: &Context, command: MaintenanceCommand) -> Result<(), Failure> {
    match command {
        MaintenanceCommand::List(args) => list(context, &args),
        MaintenanceCommand::Add(args) => add(context, args),
        MaintenanceCommand::Start(args) => start(context, args),
        MaintenanceCommand::End(args) => end(context, args),
        MaintenanceCommand::Extend(args) => extend(context, args),
        MaintenanceCommand::Skip(args) => skip(context, args),
        MaintenanceCommand::Remove(args) => remove(context, args),
        MaintenanceCommand::Release(args) => release(context, args),
        MaintenanceCommand::Explain(args) => explain(context, &args),
        MaintenanceCommand::Notice(args) => notice(context, &args),
        MaintenanceCommand::Announce(args) => announce(context, &args),
        MaintenanceCommand::Announcements(args) => announcements(context, &args),
        MaintenanceCommand::Report(args) => report(context, &args),
        MaintenanceCommand::Templates(args) => templates(context, &args.directory),
    }
}

fn list(context: &Context, args: &MaintenanceListArgs) -> Result<(), Failure> {
    let all = args.all.then(|| true.to_string());
    let path = with_query("/v1/maintenance", &[("n", Some(args.count.to_string())), ("all", all)]);
    let view: MaintenanceView = context.client()?.get(&path)?;
    if args.json.json {
        Screen::json(&view)?;
    } else {
        Screen::print(&maintenance_text(&view, args.all, &context.screen()))?;
    }
    Ok(())
}

fn add(context: &Context, args: AddArgs) -> Result<(), Failure> {
    let request = AddWindow {
        name: args.name,
        from: args.from,
        end: window_end(args.to, args.length)?,
        orgs: args.org,
        reason: args.reason,
        actor: actor(),
    };
    let added: OccurrenceView = context.client()?.post("/v1/maintenance/windows", &request)?;
    Ok(Screen::print(&format!("Added {}", occurrence_line(&added, &context.screen())))?)
}

fn window_end(to: Option<When>, length: Option<HumanDuration>) -> Result<WindowEnd, Failure> {
    let end = to.map(WindowEnd::To).or(length.map(WindowEnd::For));
    end.ok_or_else(|| Failure::Usage("an end or a length is needed".to_owned()))
}

fn start(context: &Context, args: StartArgs) -> Result<(), Failure> {
    let request =
        PlaceHold { org: args.org, length: hold_end(&args.length), reason: args.reason, actor: actor() };
    let hold: HoldView = context.client()?.post("/v1/maintenance/holds", &request)?;
    let org = hold.org.as_ref().map(|org| format!(" --org {org}")).unwrap_or_default();
    Ok(Screen::print(&format!(
        "Started {}\nUploads are accepted and wait. End it sooner with `tidegate maintenance release{org}`.",
        hold_line(&hold, &context.screen())
    ))?)
}

fn hold_end(length: &Length) -> HoldEnd {
    match length {
        Length { until_released: true, .. } => HoldEnd::UntilReleased,
        Length { until: Some(until), .. } => HoldEnd::Until(*until),
        Length { lasting: Some(lasting), .. } => HoldEnd::For(*lasting),
        _ => HoldEnd::Default,
    }
}

fn end(context: &Context, args: EndArgs) -> Result<(), Failure> {
    let name = args.name.clone();
    let request = EndOccurrence { name: args.name, reason: args.reason, actor: actor() };
    let gate: GateView = context.client()?.post("/v1/maintenance/end", &request)?;
    Screen::print(&format!("Ended the running occurrence of {name}.\n{}", afterwards(&gate, context)))?;
    Ok(())
}

fn extend(context: &Context, args: ExtendArgs) -> Result<(), Failure> {
    let end = window_end(args.until, args.longer)?;
    let request = ExtendOccurrence { name: args.name, end, reason: args.reason, actor: actor() };
    let changed: OccurrenceChanged = context.client()?.post("/v1/maintenance/extend", &request)?;
    told("Extended", &changed, context)
}

fn skip(context: &Context, args: SkipArgs) -> Result<(), Failure> {
    let request = SkipOccurrence { name: args.name, at: args.at, reason: args.reason, actor: actor() };
    let changed: OccurrenceChanged = context.client()?.post("/v1/maintenance/skip", &request)?;
    told("Skipped", &changed, context)
}

fn told(what: &str, changed: &OccurrenceChanged, context: &Context) -> Result<(), Failure> {
    let screen = context.screen();
    let (line, gate) = (occurrence_line(&changed.occurrence, &screen), gate_text(&changed.gate, &screen));
    Ok(Screen::print(&format!("{what} {line}\nGate: {gate}"))?)
}

fn remove(context: &Context, args: RemoveArgs) -> Result<(), Failure> {
    let name = args.name.clone();
    let request = RemoveWindow { name: args.name, reason: args.reason, actor: actor() };
    let _: GateView = context.client()?.post("/v1/maintenance/remove", &request)?;
    Ok(Screen::print(&format!("Removed {name}."))?)
}

fn release(context: &Context, args: ReleaseHoldArgs) -> Result<(), Failure> {
    let request = ReleaseHolds { org: args.org, reason: args.reason, actor: actor() };
    let released: Released = context.client()?.post("/v1/maintenance/release", &request)?;
    let whom = request.org.as_ref().map_or_else(|| "everyone".to_owned(), ToString::to_string);
    let count = released.holds.len().try_into().unwrap_or(u64::MAX);
    let what = match count {
        0 => format!("There is no hold for {whom}; nothing was released."),
        _ => format!("Released {} for {whom}.", plural(count, "hold")),
    };
    Screen::print(&format!("{what}\n{}", afterwards(&released.gate, context)))?;
    if count == 0 { Err(Failure::Told) } else { Ok(()) }
}

/// Whether the gate is open now, and if not what still closes it.
fn afterwards(gate: &GateView, context: &Context) -> String {
    let kinds: Vec<CauseKind> = gate.gate.causes.iter().map(|cause| cause.kind).collect();
    let still = match gate.gate.state {
        GateState::Open => "",
        GateState::Closed if kinds.contains(&CauseKind::Window) => {
            "A window still closes the gate; `tidegate maintenance end NAME` would end it.\n"
        }
        GateState::Closed if kinds.contains(&CauseKind::Hold) => "A hold still closes the gate.\n",
        GateState::Closed => "The gate stays closed.\n",
    };
    format!("{still}Gate: {}", gate_text(gate, &context.screen()))
}

fn report(context: &Context, args: &ReportArgs) -> Result<(), Failure> {
    let occurrence = args.occurrence.map(|date| date.to_string());
    let path = with_query(
        "/v1/maintenance/report",
        &[("name", Some(args.name.clone())), ("occurrence", occurrence)],
    );
    let report: ReportView = context.client()?.get_long(&path)?;
    if args.json.json {
        return Ok(Screen::json(&report)?);
    }
    Ok(Screen::print(&report_text(&report, &context.screen()))?)
}

fn explain(context: &Context, args: &ExplainArgs) -> Result<(), Failure> {
    let path = with_query(
        "/v1/maintenance/explain",
        &[("at", args.at.map(|at| at.to_string())), ("org", args.org.as_ref().map(ToString::to_string))],
    );
    let gate: GateView = context.client()?.get(&path)?;
    if args.json.json {
        return Ok(Screen::json(&gate)?);
    }
    let screen = context.screen();
    let at = screen.instant(gate.at);
    let whom = args.org.as_ref().map_or_else(|| "everyone".to_owned(), ToString::to_string);
    Ok(Screen::print(&format!("At {at}, for {whom}, the gate is {}", gate_text(&gate, &screen)))?)
}
