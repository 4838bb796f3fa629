//! Retention: what it did and would do, and legal holds.

use axum::Json;
use axum::extract::State;
use tidegate_domain::OrgCode;

use super::Control;
use super::act::check_wording;
use super::extract::Body;
use super::failure::Failure;
use super::status::blocking;
use crate::api::{
    LegalHoldView, LegalHoldsReleased, PassView, PlaceLegalHold, ReleaseLegalHolds, RetentionView,
    RunRetention,
};

pub(super) async fn show(State(control): State<Control>) -> Result<Json<RetentionView>, Failure> {
    let holds = control.store.legal_holds()?;
    Ok(Json(RetentionView {
        terms: control.retention.terms().into(),
        last_pass: control.retention.last().map(PassView::from),
        legal_holds: holds.into_iter().map(LegalHoldView::from).collect(),
    }))
}

pub(super) async fn run(
    State(control): State<Control>,
    Body(request): Body<RunRetention>,
) -> Result<Json<PassView>, Failure> {
    if request.dry_run {
        return Ok(Json(PassView::rehearsed(control.now(), control.retention.due().await?)));
    }
    // The client may leave; the pass goes on to its end.
    let retention = control.retention.clone();
    let pass = tokio::spawn(async move { retention.pass().await }).await;
    pass.map(|pass| Json(pass.into())).map_err(|_| Failure::bad_request("the server stops"))
}

pub(super) async fn hold(
    State(control): State<Control>,
    Body(request): Body<PlaceLegalHold>,
) -> Result<Json<LegalHoldView>, Failure> {
    let PlaceLegalHold { org, reason, actor } = request;
    let (reason, actor) = (reason.trim().to_owned(), actor.trim().to_owned());
    check_wording(&actor, &reason)?;
    if !is_known(&control, &org).await? {
        return Err(Failure::not_found(format!("there is no organization {org}"))
            .hint("`tidegate org list` shows those there are"));
    }
    control.store.place_legal_hold(org.clone(), reason, &actor).await?;
    let placed = control.store.legal_holds()?.into_iter().rfind(|hold| hold.org == org);
    let placed = placed.ok_or_else(|| Failure::not_found("the legal hold was released at once"))?;
    Ok(Json(placed.into()))
}

/// Organizations that have no file any more may still have jobs.
async fn is_known(control: &Control, org: &OrgCode) -> Result<bool, Failure> {
    if control.site.organizations().contains(org) {
        return Ok(true);
    }
    let (control, org) = (control.clone(), org.clone());
    blocking(move || control.store.has_files_of(&org)).await
}

pub(super) async fn release(
    State(control): State<Control>,
    Body(request): Body<ReleaseLegalHolds>,
) -> Result<Json<LegalHoldsReleased>, Failure> {
    let ReleaseLegalHolds { org, reason, actor } = request;
    let (reason, actor) = (reason.trim().to_owned(), actor.trim().to_owned());
    check_wording(&actor, &reason)?;
    let released = control.store.release_legal_holds(&org, reason, &actor).await?;
    Ok(Json(LegalHoldsReleased { legal_holds: released.into_iter().map(LegalHoldView::from).collect() }))
}
