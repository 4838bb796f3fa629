//! Organizations with their accounts, bans, and the staff.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono_tz::Tz;
use maud::{Markup, html};
use tidegate_domain::{OrgCode, Organization};
use tidegate_ingest::accounts::{load_folder, save_organization};

use super::console::{Console, Inside};
use super::fields::Fields;
use super::frame::{frame, key};
use crate::api::{BanView, LiftBans};
use crate::control::extract::Body;
use crate::control::{bans as control_bans, blocking};
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
            table.stack {
                thead { tr { th { "Code" } th { "Name" } th { "Accounts" } th { "State" } @if inside.may(Role::Administrator) { th { span.sr { "Actions" } } } } }
                tbody { @for organization in organizations.iter() { (row(&inside, organization)) } }
            }
            p.quiet { code { "tidegate org" } " adds organizations and accounts, and sets passwords, keys and limits." }
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

fn open(is_disabled: bool) -> Markup {
    html! {
        @if is_disabled { span class="tag is-bad" { "shut out" } } @else { span class="tag is-good" { "open" } }
    }
}

fn row(inside: &Inside, organization: &Organization) -> Markup {
    let accounts = organization.accounts.iter();
    let accounts: Vec<String> = accounts
        .map(
            |account| {
                if account.disabled { format!("{} (shut out)", account.name) } else { account.name.clone() }
            },
        )
        .collect();
    let (action, word) =
        if organization.disabled { ("enable", "Let in again") } else { ("disable", "Shut out") };
    html! {
        tr {
            td { a href={ "/staff/jobs?org=" (organization.code) } { (organization.code) } }
            td.name data-label="Name" { (organization.name) }
            td.name data-label="Accounts" { (accounts.join(", ")) }
            td data-label="State" { (open(organization.disabled)) }
            @if inside.may(Role::Administrator) {
                td {
                    form.inline method="post" action={ "/staff/accounts/" (action) } {
                        (key(inside))
                        input type="hidden" name="org" value=(organization.code);
                        button type="submit" aria-label={ (word) ": " (organization.code) } { (word) }
                    }
                }
            }
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
        "disable" => set_disabled(&console, &inside, &form, true).await,
        "enable" => set_disabled(&console, &inside, &form, false).await,
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

/// Writes the organization's file, as the command line does.
async fn set_disabled(
    console: &Console,
    inside: &Inside,
    form: &Fields,
    disabled: bool,
) -> Result<String, String> {
    let code = OrgCode::new(form.get("org")).map_err(|error| error.to_string())?;
    let directory = Arc::clone(&console.parts.directory);
    let (written, shown) = (code.clone(), code.to_string());
    let done = blocking(move || {
        let folder = load_folder(directory.path());
        let (path, organization) = folder
            .organizations
            .iter()
            .find(|(_, organization)| organization.code == written)
            .ok_or_else(|| format!("There is no organization {written}."))?;
        let organization = Organization { disabled, ..organization.clone() };
        save_organization(path, &organization).map_err(|error| error.to_string())?;
        directory.reload();
        Ok::<(), String>(())
    });
    done.await.map_err(|failure| failure.words())??;
    tracing::info!(org = %code, actor = inside.name(), disabled, "organization changed from the console");
    Ok(format!("{shown} is {}.", if disabled { "shut out" } else { "let in again" }))
}
