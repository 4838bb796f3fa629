//! Organizations with their accounts, bans, and the staff.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono_tz::Tz;
use maud::{Markup, html};
use tidegate_domain::Organization;

use super::console::{Console, Inside};
use super::frame::{frame, key};
use crate::api::{BanView, LiftBans};
use crate::control::extract::Body;
use crate::control::{bans as control_bans, blocking};
use crate::pages::fields::Fields;
use crate::pages::refusal::Refusal;
use crate::pages::times::short;
use crate::staff::{Account, Role};

pub(super) async fn show(State(console): State<Arc<Console>>, inside: Inside) -> Result<Response, Refusal> {
    let organizations = console.parts.directory.current();
    let bans = control_bans::list(State(console.control())).await.0.bans;
    let folder = console.parts.staff.clone();
    let staff = blocking(move || folder.list()).await?.unwrap_or_default();
    let staff: Vec<Account> = staff.into_iter().filter_map(Result::ok).collect();
    let content = html! {
        h1 { "Accounts" }
        section.card {
            h2 { "Organizations" }
            @if organizations.iter().next().is_none() { p { "There is none yet." } }
            @else {
                table.stack {
                    thead { tr { th { "Code" } th { "Name" } th { "Accounts" } th { "State" } } }
                    tbody { @for organization in organizations.iter() { (row(organization)) } }
                }
            }
            @if inside.may(Role::Administrator) {
                p.actions { a.button href="/staff/add-organization" { "Add an organization" } }
            }
        }
        (banned(&inside, &bans, console.zone()))
        section.card {
            h2 { "Staff" }
            table.stack {
                thead { tr { th { "Name" } th { "Role" } th { "One-time password" } th { "State" } } }
                tbody { @for one in &staff { tr {
                    td { (one.name) }
                    td data-label="Role" { (one.role) }
                    td data-label="One-time password" { (if one.totp_secret.is_some() { "yes" } else { "no" }) }
                    td data-label="State" { (open(one.disabled)) }
                } } }
            }
            p.quiet { code { "tidegate staff" } " adds people and sets passwords." }
        }
    };
    Ok(frame(&console, &inside, "/staff/accounts", "Accounts", None, &content).into_response())
}

pub(super) fn open(is_disabled: bool) -> Markup {
    html! {
        @if is_disabled { span class="tag is-bad" { "shut out" } } @else { span class="tag is-good" { "open" } }
    }
}

fn row(organization: &Organization) -> Markup {
    let word = |account: &tidegate_domain::Account| {
        if account.disabled { format!("{} (shut out)", account.name) } else { account.name.clone() }
    };
    let accounts: Vec<String> = organization.accounts.iter().map(word).collect();
    html! {
        tr {
            td { a href={ "/staff/organizations/" (organization.code) } { (organization.code) } }
            td.name data-label="Name" { (organization.name) }
            td.name data-label="Accounts" { (accounts.join(", ")) }
            td data-label="State" { (open(organization.disabled)) @if organization.hl7.is_test() { " " span.tag { "test" } } }
        }
    }
}

fn banned(inside: &Inside, bans: &[BanView], zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "Bans" }
            @if bans.is_empty() { p { "No address is banned." } }
            @else {
                table.stack {
                    thead { tr { th { "Address" } th { "Until" } th { "In a row" } @if inside.may(Role::Administrator) { th { span.sr { "Actions" } } } } }
                    tbody {
                        @for ban in bans {
                            tr {
                                td { (ban.address) }
                                td data-label="Until" { (short(ban.until, zone)) }
                                td data-label="In a row" { (ban.times) }
                                @if inside.may(Role::Administrator) {
                                    td {
                                        form.inline method="post" action="/staff/accounts/lift" {
                                            (key(inside))
                                            input type="hidden" name="address" value=(ban.address);
                                            button type="submit" aria-label={ "Lift the ban of " (ban.address) } { "Lift" }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    inside: Inside,
    Path(action): Path<String>,
    form: Fields,
) -> Result<Redirect, Refusal> {
    inside.check(Role::Administrator, &form)?;
    let done = match action.as_str() {
        "lift" => lift(&console, &inside, &form).await,
        _ => return Err(Refusal::not_found()),
    };
    match done {
        Ok(text) => inside.tell(true, text),
        Err(text) => inside.tell(false, text),
    }
    Ok(Redirect::to("/staff/accounts"))
}

async fn lift(console: &Console, inside: &Inside, form: &Fields) -> Result<String, String> {
    let text = form.get("address");
    let address =
        text.strip_suffix("/64").unwrap_or(text).parse().map_err(|_| "That is no address.".to_owned())?;
    let request = LiftBans { address: Some(address), actor: inside.name().to_owned() };
    let lifted = control_bans::lift(State(console.control()), Body(request)).await;
    match lifted.map_err(|failure| failure.words())?.0.bans.len() {
        0 => Err("That ban stands no more.".to_owned()),
        _ => Ok(format!("{text} may come in again.")),
    }
}
