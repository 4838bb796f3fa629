//! Organizations: adding one, looking at one, and changing what the command line's `tidegate org` changes.
//!
//! Invariant: only an administrator changes anything, by a form of the session; it goes the way that the command line goes,
//! [`tidegate_ingest::accounts::OrgEditor`], and is noted in the audit log. No password is shown, kept or noted.

mod accounts;
mod draft;
mod order;
mod page;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use tidegate_domain::{Account, Completion, OrgCode, Organization};
use tidegate_ingest::accounts::ChangeError;

use self::draft::{Draft, Form, Mistake};
use self::order::{NewPassword, Order};
use super::console::{Console, Inside};
use super::frame::frame;
use crate::control::blocking;
use crate::pages::fields::Fields;
use crate::pages::refusal::Refusal;
use crate::staff::Role;

const PLACE: &str = "/staff/accounts";

pub(super) async fn new(State(console): State<Arc<Console>>, inside: Inside) -> Result<Response, Refusal> {
    inside.need(Role::Administrator)?;
    Ok(new_page(&console, &inside, None).into_response())
}

fn new_page(console: &Console, inside: &Inside, draft: Option<&Draft<'_>>) -> Html<String> {
    let content = page::new(inside, &Form { id: "new".to_owned(), draft });
    frame(console, inside, PLACE, "Add an organization", None, &content)
}

pub(super) async fn add(
    State(console): State<Arc<Console>>,
    inside: Inside,
    form: Fields,
) -> Result<Response, Refusal> {
    inside.check(Role::Administrator, &form)?;
    let added = match read_new(&form) {
        Ok((organization, password)) => write_new(&console, organization, password).await?,
        Err(mistakes) => Err(mistakes),
    };
    match added {
        Ok(code) => {
            note(&console, &inside, &code, None, "add");
            inside.tell(true, format!("{code} is added, and may log in."));
            Ok(back_to(&code))
        }
        Err(mistakes) => {
            let draft = Draft { action: "add", account: "", fields: &form, mistakes: &mistakes };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, new_page(&console, &inside, Some(&draft))).into_response())
        }
    }
}

/// An organization with its first account, which has no password yet.
fn read_new(form: &Fields) -> Result<(Organization, NewPassword), Vec<Mistake>> {
    let code = OrgCode::new(form.get("code")).map_err(|error| Mistake::new("code", error.to_string()));
    let completion: Completion = form.get("completion").parse().unwrap_or_default();
    let password = NewPassword::read(form);
    let (code, password) = match (code, password) {
        (Ok(code), Ok(password)) => (code, password),
        (code, password) => return Err(code.err().into_iter().chain(password.err()).collect()),
    };
    let organization = Organization {
        name: form.get("name").to_owned(),
        completion,
        accounts: vec![Account::new(form.get("account"))],
        ..Organization::new(code)
    };
    Ok((organization, password))
}

async fn write_new(
    console: &Console,
    mut organization: Organization,
    password: NewPassword,
) -> Result<Result<OrgCode, Vec<Mistake>>, Refusal> {
    let parts = console.parts.clone();
    let written = move || {
        // Before a hash is made for nothing, and all that is wrong at once.
        let mut mistakes =
            parts.editor.check_new(&organization).map_or_else(|error| Mistake::of(&error), |()| Vec::new());
        let password = password.hashed(&parts.intake).map_err(|mistake| mistakes.push(mistake)).ok();
        let (true, Some(password)) = (mistakes.is_empty(), password) else { return Err(mistakes) };
        let hash = password.into_hash();
        for account in &mut organization.accounts {
            account.password_hash.clone_from(&hash);
        }
        parts.editor.add(&organization).map_err(|error| Mistake::of(&error))?;
        parts.directory.reload();
        Ok(organization.code)
    };
    Ok(blocking(written).await?)
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    inside: Inside,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    Ok(org_page(&console, &inside, &parse(&code)?, None)?.into_response())
}

fn org_page(
    console: &Console,
    inside: &Inside,
    code: &OrgCode,
    draft: Option<&Draft<'_>>,
) -> Result<Html<String>, Refusal> {
    let organizations = console.parts.directory.current();
    let organization = organizations.get(code).ok_or_else(Refusal::not_found)?;
    let content = page::show(inside, organization, &console.parts.control.site.listeners(), draft);
    Ok(frame(console, inside, PLACE, code.as_str(), None, &content))
}

fn parse(code: &str) -> Result<OrgCode, Refusal> {
    OrgCode::new(code).map_err(|_| Refusal::not_found())
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    inside: Inside,
    Path((code, action)): Path<(String, String)>,
    form: Fields,
) -> Result<Response, Refusal> {
    inside.check(Role::Administrator, &form)?;
    let code = parse(&code)?;
    let account = form.get("account").to_owned();
    let done = match Order::read(&action, &form).ok_or_else(Refusal::not_found)? {
        Ok(order) => change(&console, &code, &account, order).await?,
        Err(mistakes) => Err(mistakes),
    };
    match done {
        Ok(text) => {
            note(&console, &inside, &code, Some(account.as_str()).filter(|name| !name.is_empty()), &action);
            inside.tell(true, text);
            Ok(back_to(&code))
        }
        Err(mistakes) => {
            let draft = Draft { action: &action, account: &account, fields: &form, mistakes: &mistakes };
            let page = org_page(&console, &inside, &code, Some(&draft))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

async fn change(
    console: &Console,
    code: &OrgCode,
    account: &str,
    order: Order,
) -> Result<Result<String, Vec<Mistake>>, Refusal> {
    let (parts, code, account) = (console.parts.clone(), code.clone(), account.to_owned());
    let changed = move || {
        let order = order.hashed(&parts.intake).map_err(|mistake| vec![mistake])?;
        let changed = parts.editor.change(&code, |organization| order.apply(organization, &account));
        let done = changed.map_err(|error: ChangeError| Mistake::of(&error))?.done;
        parts.directory.reload();
        Ok(done)
    };
    Ok(blocking(changed).await?)
}

fn note(console: &Console, inside: &Inside, code: &OrgCode, account: Option<&str>, change: &str) {
    console.parts.intake.audit().note_change(code, account, inside.name(), change);
    tracing::info!(org = %code, actor = inside.name(), change, "organization changed in the console");
}

fn back_to(code: &OrgCode) -> Response {
    Redirect::to(&format!("/staff/organizations/{code}")).into_response()
}
