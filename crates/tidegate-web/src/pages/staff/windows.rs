//! What is done about windows and holds.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Redirect;
use tidegate_domain::OrgCode;
use tidegate_domain::units::{HumanDuration, parse_duration};

use super::console::{Console, Inside};
use crate::api::{
    AddWindow, EndOccurrence, ExtendOccurrence, HoldEnd, PlaceHold, ReleaseHolds, RemoveWindow,
    SkipOccurrence, When, WindowEnd,
};
use crate::control::extract::Body;
use crate::control::{Control, maintenance};
use crate::pages::fields::Fields;
use crate::pages::refusal::Refusal;
use crate::staff::Role;

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    inside: Inside,
    Path(action): Path<String>,
    form: Fields,
) -> Result<Redirect, Refusal> {
    inside.check(Role::Operator, &form)?;
    let (control, actor) = (console.control(), inside.name().to_owned());
    let done = match action.as_str() {
        "hold" => hold(control, &form, actor).await,
        "release" => release(control, &form, actor).await,
        "add" => add(control, &form, actor).await,
        "end" | "extend" | "skip" | "remove" => change(control, &action, &form, actor).await,
        _ => return Err(Refusal::not_found()),
    };
    match done {
        Ok(text) => inside.tell(true, text),
        Err(text) => inside.tell(false, text),
    }
    Ok(Redirect::to("/staff/maintenance"))
}

/// What was done, or why not, in words.
type Done = Result<String, String>;

async fn hold(control: Control, form: &Fields, actor: String) -> Done {
    let length = match form.given("for") {
        Some(text) => HoldEnd::For(duration(text)?),
        None if form.given("until_released").is_some() => HoldEnd::UntilReleased,
        None => HoldEnd::Default,
    };
    let request = PlaceHold { org: org(form)?, length, reason: form.get("reason").to_owned(), actor };
    let placed =
        maintenance::place_hold(State(control), Body(request)).await.map_err(|failure| failure.words())?;
    Ok(format!("{} stands.", placed.0.name))
}

async fn release(control: Control, form: &Fields, actor: String) -> Done {
    let request = ReleaseHolds { org: org(form)?, reason: form.get("reason").to_owned(), actor };
    let released =
        maintenance::release(State(control), Body(request)).await.map_err(|failure| failure.words())?;
    match released.0.holds.len() {
        0 => Err("No such hold stands; nothing was released.".to_owned()),
        count => Ok(format!("Released {count}. A window, or another hold, may still close the gate.")),
    }
}

async fn add(control: Control, form: &Fields, actor: String) -> Done {
    let orgs = form.get("orgs").split([',', ' ']).filter(|org| !org.is_empty());
    let request = AddWindow {
        name: form.get("name").to_owned(),
        from: when(form.get("from"))?,
        end: WindowEnd::To(when(form.get("to"))?),
        orgs: orgs.map(str::to_owned).collect(),
        reason: form.get("reason").to_owned(),
        actor,
    };
    let added =
        maintenance::add_window(State(control), Body(request)).await.map_err(|failure| failure.words())?;
    let name = added.0.name;
    Ok(format!("{name} is announced here. Its notice, below, can be mailed."))
}

async fn change(control: Control, action: &str, form: &Fields, actor: String) -> Done {
    let (name, reason) = (form.get("name").to_owned(), form.get("reason").to_owned());
    let state = State(control);
    let (done, result) = match action {
        "end" => {
            let request = EndOccurrence { name, reason, actor };
            ("ended", maintenance::end(state, Body(request)).await.map(drop))
        }
        "extend" => {
            let end = WindowEnd::For(duration(form.get("for"))?);
            let request = ExtendOccurrence { name, end, reason, actor };
            ("extended", maintenance::extend(state, Body(request)).await.map(drop))
        }
        "skip" => {
            let request = SkipOccurrence { name, at: Some(when(form.get("at"))?), reason, actor };
            ("skipped", maintenance::skip(state, Body(request)).await.map(drop))
        }
        _ => {
            let request = RemoveWindow { name, reason, actor };
            ("removed", maintenance::remove(state, Body(request)).await.map(drop))
        }
    };
    result.map(|()| format!("{} was {done}.", form.get("name"))).map_err(|failure| failure.words())
}

fn org(form: &Fields) -> Result<Option<OrgCode>, String> {
    let code = form.given("org").map(OrgCode::new).transpose();
    code.map_err(|error| error.to_string())
}

fn when(text: &str) -> Result<When, String> {
    text.parse().map_err(|error: crate::api::WhenError| error.to_string())
}

fn duration(text: &str) -> Result<HumanDuration, String> {
    parse_duration(text)
        .map(HumanDuration)
        .map_err(|_| "write a duration such as 30m, 2h or 1h30m".to_owned())
}
