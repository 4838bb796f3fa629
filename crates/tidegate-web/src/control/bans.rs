//! Bans: who is turned away for failed logins, and letting them in again.

use axum::Json;
use axum::extract::State;

use super::Control;
use super::extract::Body;
use super::failure::Failure;
use crate::api::{BansLifted, BansView, LiftBans};

/// Longest user name, in bytes.
const ACTOR_BYTES_MAX: usize = 128;

pub(crate) async fn list(State(control): State<Control>) -> Json<BansView> {
    Json(BansView { bans: control.site.bans() })
}

pub(crate) async fn lift(
    State(control): State<Control>,
    Body(request): Body<LiftBans>,
) -> Result<Json<BansLifted>, Failure> {
    let actor = request.actor.trim();
    if actor.is_empty() || actor.len() > ACTOR_BYTES_MAX {
        return Err(Failure::bad_request("a change needs an actor, of up to 128 bytes"));
    }
    let bans = control.site.lift_bans(request.address, actor);
    for ban in &bans {
        tracing::info!(address = %ban.address, ?actor, "ban lifted");
    }
    Ok(Json(BansLifted { bans }))
}
