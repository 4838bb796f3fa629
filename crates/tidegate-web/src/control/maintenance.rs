//! Windows and holds: looking at them, announcing, starting, ending.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tidegate_domain::OrgCode;
use tidegate_domain::maintenance::{
    Extension, Hold, HoldLength, Interval, OccurrenceState, OrgPattern, Origin, Override, Scope, Window,
    check_reason, gate, occurrences,
};

use tidegate_store::Happened;

use super::Control;
use super::extract::{Body, Parameters};
use super::failure::Failure;
use crate::api::{
    AddWindow, Edge, EndOccurrence, ExtendOccurrence, GateView, HappenedView, HoldEnd, HoldView,
    MaintenanceView, OccurrenceChanged, OccurrenceView, PlaceHold, ReleaseHolds, Released, RemoveWindow,
    SkipOccurrence, When, WindowEnd,
};

/// How far back a listing goes, so that what was ended early is still seen.
const LISTED_PAST: TimeDelta = TimeDelta::days(7);

/// How far back one of everything goes; what staff did is told as far as it is kept.
const ALL_PAST: TimeDelta = TimeDelta::days(366);

/// Most occurrences that are over in one answer: the latest.
const PAST_MAX: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    pub(crate) n: Option<usize>,
    #[serde(default)]
    pub(crate) all: bool,
}

pub(crate) async fn list(
    State(control): State<Control>,
    Parameters(query): Parameters<ListQuery>,
) -> Json<MaintenanceView> {
    let (now, maintenance) = (control.now(), control.store.maintenance());
    let from = now.checked_sub_signed(if query.all { ALL_PAST } else { LISTED_PAST }).unwrap_or(now);
    let found =
        occurrences(&maintenance.calendar, &maintenance.overrides, from, DateTime::<Utc>::MAX_UTC, now);
    let (coming, mut shown): (Vec<_>, Vec<_>) =
        found.iter().map(OccurrenceView::from).partition(|one| one.state == OccurrenceState::Coming);
    let wanted = query.n.unwrap_or(usize::MAX);
    let more = coming.len().saturating_sub(wanted);
    let over = shown.iter().filter(|one| one.end <= now).count();
    let mut spared = over.saturating_sub(PAST_MAX);
    shown.retain(|one| {
        let goes = spared > 0 && one.end <= now;
        spared -= usize::from(goes);
        !goes
    });
    shown.extend(coming.into_iter().take(wanted));
    let is_listed = |happened: &&Happened| query.all || from <= happened.at;
    let history: Vec<_> =
        maintenance.history.iter().rev().filter(is_listed).map(HappenedView::from).collect();
    let in_force = |hold: &&Hold| hold.until.is_none_or(|until| until > now);
    Json(MaintenanceView {
        timezone: maintenance.calendar.timezone,
        gate: control.gate(None),
        occurrences: shown,
        more,
        holds: maintenance.holds.iter().filter(in_force).map(HoldView::from).collect(),
        older: maintenance.history.len() - history.len(),
        history,
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainQuery {
    at: Option<When>,
    org: Option<OrgCode>,
}

pub(super) async fn explain(
    State(control): State<Control>,
    Parameters(query): Parameters<ExplainQuery>,
) -> Result<Json<GateView>, Failure> {
    let (now, maintenance) = (control.now(), control.store.maintenance());
    let zone = maintenance.calendar.timezone;
    let at = query.at.map_or(Ok(now), |at| at.resolve(Edge::Start, zone, now))?;
    let answer =
        gate(at, query.org.as_ref(), &maintenance.calendar, &maintenance.overrides, &maintenance.holds);
    Ok(Json(GateView::new(answer, at, zone)))
}

pub(crate) async fn add_window(
    State(control): State<Control>,
    Body(request): Body<AddWindow>,
) -> Result<Json<OccurrenceView>, Failure> {
    let _turn = control.turn.lock().await;
    let (now, mut calendar) = (control.now(), control.store.maintenance().calendar.clone());
    let from = request.from.resolve(Edge::Start, calendar.timezone, now)?;
    let to = match request.end {
        WindowEnd::To(to) => Some(to.resolve(Edge::End, calendar.timezone, from)?),
        WindowEnd::For(length) => {
            TimeDelta::from_std(length.0).ok().and_then(|length| from.checked_add_signed(length))
        }
    };
    let interval = to.and_then(|to| Interval::new(from, to));
    let interval = interval.ok_or_else(|| Failure::bad_request("the window would end before it starts"))?;
    if interval.end() <= now {
        return Err(Failure::bad_request("the window would be over already"));
    }
    let origin = Origin::Staff { actor: request.actor.clone(), at: now };
    let zone = calendar.timezone.unwrap_or(chrono_tz::UTC);
    let window = Window::new(&request.name, interval, zone, request.reason, scope(&request.orgs)?, origin)?;
    calendar.add_window(window.clone())?;
    control.store.add_window(window, &request.actor).await?;
    occurrence(&control, &request.name, interval.start(), now).map(Json)
}

/// The occurrence of that window that starts then.
fn occurrence(
    control: &Control,
    name: &str,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<OccurrenceView, Failure> {
    let maintenance = control.store.maintenance();
    let end = start + TimeDelta::milliseconds(1);
    let found = occurrences(&maintenance.calendar, &maintenance.overrides, start, end, now);
    let found = found.iter().find(|occurrence| occurrence.window == name && occurrence.start == start);
    found.map(OccurrenceView::from).ok_or_else(|| Failure::not_found("the window is gone"))
}

fn scope(orgs: &[String]) -> Result<Scope, Failure> {
    if orgs.is_empty() {
        return Ok(Scope::Everyone);
    }
    let patterns: Result<Vec<_>, _> = orgs.iter().map(OrgPattern::new).collect();
    Ok(Scope::Orgs(patterns?))
}

pub(crate) async fn place_hold(
    State(control): State<Control>,
    Body(request): Body<PlaceHold>,
) -> Result<Json<HoldView>, Failure> {
    let now = control.now();
    let length = match request.length {
        HoldEnd::Default => HoldLength::default(),
        HoldEnd::For(length) => HoldLength::For(length.0),
        HoldEnd::Until(when) => HoldLength::Until(when.resolve(Edge::End, control.zone(), now)?),
        HoldEnd::UntilReleased => HoldLength::UntilReleased,
    };
    if let Some(org) = request.org.as_ref().filter(|org| !control.site.organizations().contains(org)) {
        return Err(Failure::not_found(format!("there is no organization {org}"))
            .hint("`tidegate org list` shows those there are"));
    }
    let name = hold_name(request.org.as_ref(), now);
    let hold = Hold::new(name, request.org, request.reason, request.actor, now, length)?;
    control.store.place_hold(hold.clone()).await?;
    Ok(Json(HoldView::from(&hold)))
}

/// A name that tells holds apart in histories.
fn hold_name(org: Option<&OrgCode>, now: DateTime<Utc>) -> String {
    let stamp = now.format("%Y%m%d-%H%M%SZ");
    org.map_or_else(|| format!("hold-{stamp}"), |org| format!("hold-{org}-{stamp}"))
}

pub(crate) async fn end(
    State(control): State<Control>,
    Body(request): Body<EndOccurrence>,
) -> Result<Json<GateView>, Failure> {
    let _turn = control.turn.lock().await;
    let maintenance = control.store.maintenance();
    let change = Override::end(
        &request.name,
        control.now(),
        &maintenance.calendar,
        &maintenance.overrides,
        &request.actor,
        request.reason,
    )?;
    control.store.override_window(change, &request.actor).await?;
    Ok(Json(control.gate(None)))
}

pub(crate) async fn extend(
    State(control): State<Control>,
    Body(request): Body<ExtendOccurrence>,
) -> Result<Json<OccurrenceChanged>, Failure> {
    let _turn = control.turn.lock().await;
    let (now, maintenance) = (control.now(), control.store.maintenance());
    let by = match request.end {
        WindowEnd::To(to) => Extension::To(to.resolve(Edge::End, maintenance.calendar.timezone, now)?),
        WindowEnd::For(length) => Extension::By(TimeDelta::from_std(length.0).unwrap_or(TimeDelta::MAX)),
    };
    let who = (&request.actor, request.reason);
    let change =
        Override::extend(&request.name, by, now, &maintenance.calendar, &maintenance.overrides, who)?;
    make(&control, change, &request.actor).await
}

pub(crate) async fn skip(
    State(control): State<Control>,
    Body(request): Body<SkipOccurrence>,
) -> Result<Json<OccurrenceChanged>, Failure> {
    let _turn = control.turn.lock().await;
    let (now, maintenance) = (control.now(), control.store.maintenance());
    let zone = maintenance.calendar.timezone;
    let at = request.at.map(|at| at.resolve(Edge::Start, zone, now)).transpose()?;
    let who = (&request.actor, request.reason);
    let change = Override::skip(&request.name, at, now, &maintenance.calendar, &maintenance.overrides, who)?;
    make(&control, change, &request.actor).await
}

async fn make(control: &Control, change: Override, actor: &str) -> Result<Json<OccurrenceChanged>, Failure> {
    let (name, start) = (change.window().to_owned(), change.occurrence_start());
    control.store.override_window(change, actor).await?;
    let occurrence = occurrence(control, &name, start, control.now())?;
    Ok(Json(OccurrenceChanged { occurrence, gate: control.gate(None) }))
}

pub(crate) async fn remove(
    State(control): State<Control>,
    Body(request): Body<RemoveWindow>,
) -> Result<Json<GateView>, Failure> {
    let _turn = control.turn.lock().await;
    let maintenance = control.store.maintenance();
    maintenance.calendar.clone().remove_window(&request.name, &maintenance.overrides, control.now())?;
    check_reason(&request.reason)?;
    control.store.remove_window(&request.name, &request.reason, &request.actor).await?;
    Ok(Json(control.gate(None)))
}

pub(crate) async fn release(
    State(control): State<Control>,
    Body(request): Body<ReleaseHolds>,
) -> Result<Json<Released>, Failure> {
    let holds = control.store.release_holds(request.org.as_ref(), &request.actor, &request.reason).await?;
    Ok(Json(Released {
        holds: holds.iter().map(HoldView::from).collect(),
        gate: control.gate(request.org.as_ref()),
    }))
}
