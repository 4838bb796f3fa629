//! The page of one organization, and the one that adds one.

use maud::{Markup, html};
use tidegate_domain::{Completion, Mode, OrgLimits, Organization, WhenClosed};

use super::accounts::accounts;
use super::draft::{Draft, Form};
use super::order::seen;
use crate::api::Listener;
use crate::org_words::{how_to_upload, what_becomes, what_submits};
use crate::pages::staff::accounts::open;
use crate::pages::staff::console::Inside;
use crate::pages::staff::frame::key;
use crate::staff::Role;

const NEW_FIELDS: [&str; 6] = ["code", "name", "account", "password", "again", "completion"];

const FIELDS: [&str; 11] = [
    "name",
    "contacts",
    "timezone",
    "completion",
    "mode",
    "when_closed",
    "facilities",
    "sessions_max",
    "upload_bytes_max",
    "files_waiting_max",
    "uploads_per_minute_max",
];

pub(super) fn new(inside: &Inside, form: &Form<'_>) -> Markup {
    html! {
        p { a href="/staff/accounts" { "Accounts" } }
        section.card {
            h1 { "Add an organization" }
            p.quiet { "With its first account, by which it sends files over FTP, SFTP and here." }
            (form.troubles(&NEW_FIELDS))
            form method="post" action="/staff/add-organization" {
                (key(inside))
                div.fields {
                    (form.input("code", "Code", "such as ACME01; it never changes", ""))
                    (form.input("name", "Name", "for people", ""))
                    (form.input("account", "Account", "its user name", ""))
                    (form.choice("completion", "What submits an upload", &completions(), ""))
                    (form.password("Password", "8 characters or more; tell it its owner, it is not shown again"))
                }
                p.actions { button.primary type="submit" { "Add" } a.button href="/staff/accounts" { "Leave it" } }
            }
        }
    }
}

pub(super) fn show(
    inside: &Inside,
    organization: &Organization,
    listeners: &[Listener],
    draft: Option<&Draft<'_>>,
) -> Markup {
    let Organization { code, name, .. } = organization;
    html! {
        p { a href="/staff/accounts" { "Accounts" } }
        div.head {
            h1.name { (code) @if !name.is_empty() { " " span.quiet { (name) } } }
            p {
                (open(organization.disabled))
                @if organization.hl7.is_test() { " " span.tag { "test: nothing is delivered" } }
                " " a href={ "/staff/jobs?org=" (code) } { "Its jobs" }
            }
        }
        // What went wrong elsewhere, such as with an account that is gone meanwhile.
        @if let Some(draft) = draft { @if !is_shown(organization, draft) { (Form { id: String::new(), draft: Some(draft) }.troubles(&[])) } }
        @if inside.may(Role::Administrator) { (settings(inside, organization, draft)) } @else { (facts(organization)) }
        (accounts(inside, organization, draft))
        (for_the_sender(organization, listeners))
        @if inside.may(Role::Administrator) { (shutting_out(inside, organization)) }
    }
}

/// Whether one of the forms on the page is the one that came back, and shows what is wrong.
fn is_shown(organization: &Organization, draft: &Draft<'_>) -> bool {
    let has_account = organization.accounts.iter().any(|account| account.name == draft.account);
    matches!(draft.action, "set" | "add-account")
        || has_account && matches!(draft.action, "set-password" | "add-keys" | "bind" | "allow-from")
}

fn completions() -> Vec<(&'static str, String)> {
    Completion::ALL.map(|one| (one.as_str(), format!("{one}: {}", what_submits(one)))).to_vec()
}

fn modes(organization: &Organization) -> Vec<(&'static str, String)> {
    let mut modes = Vec::new();
    if organization.hl7.mode.is_none() {
        let word = if organization.hl7.is_test() { Mode::Test } else { Mode::Production };
        modes.push(("", format!("{word}, by the processing id {}", organization.hl7.processing_id)));
    }
    modes.push((Mode::Production.as_str(), "production: messages are delivered".to_owned()));
    modes
        .push((Mode::Test.as_str(), "test: messages are checked and answered, none is delivered".to_owned()));
    modes
}

fn choices() -> Vec<(&'static str, String)> {
    WhenClosed::ALL.map(|one| (one.as_str(), format!("{one}: {}", what_becomes(one)))).to_vec()
}

/// What an administrator may change.
fn settings(inside: &Inside, organization: &Organization, draft: Option<&Draft<'_>>) -> Markup {
    let form = Form { id: "set".to_owned(), draft: draft.filter(|draft| draft.action == "set") };
    let Organization { code, hl7, completion, when_closed, limits, .. } = organization;
    html! {
        section.card {
            h2 { "Settings" }
            (form.troubles(&FIELDS))
            form method="post" action={ "/staff/organizations/" (code) "/set" } {
                (key(inside))
                input type="hidden" name="seen" value=(seen(organization));
                div.fields {
                    (form.input("name", "Name", "for people", &organization.name))
                    (form.input("timezone", "Time zone", "of its reports; the calendar's if empty", &zone(organization)))
                    (form.area("contacts", "Contacts", "mail addresses that hear of maintenance, one a line", &organization.contacts.join("\n")))
                    (form.area("facilities", "Facilities", "besides its code, for the web service; one a line", &organization.facilities.join("\n")))
                    (form.choice("mode", "Delivery", &modes(organization), hl7.mode.map_or("", Mode::as_str)))
                    (form.choice("completion", "What submits an upload", &completions(), completion.as_str()))
                    (form.choice("when_closed", "While the gate is closed", &choices(), when_closed.as_str()))
                }
                fieldset {
                    legend { "Limits of its own " span.quiet { "beside the service's; none where empty" } }
                    div.four {
                        (form.input("sessions_max", "Sessions at once", "", &number(limits.sessions_max)))
                        (form.input("upload_bytes_max", "Longest upload", "such as 50MiB", &limits.upload_bytes_max.map(|max| max.to_string()).unwrap_or_default()))
                        (form.input("files_waiting_max", "Files waiting", "", &number(limits.files_waiting_max)))
                        (form.input("uploads_per_minute_max", "Uploads a minute", "", &number(limits.uploads_per_minute_max)))
                    }
                }
                p.actions { button.primary type="submit" { "Save" } }
            }
        }
    }
}

fn zone(organization: &Organization) -> String {
    organization.timezone.map(|zone| zone.to_string()).unwrap_or_default()
}

fn number(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// The same for those who only look.
fn facts(organization: &Organization) -> Markup {
    let Organization { contacts, hl7, completion, when_closed, facilities, limits, .. } = organization;
    let mode = if hl7.is_test() { Mode::Test } else { Mode::Production };
    let all = [
        ("Contacts", contacts.join(", ")),
        ("Time zone", zone(organization)),
        ("Delivery", mode.to_string()),
        ("Completion", format!("{completion}: {}", what_submits(*completion))),
        ("While the gate is closed", format!("{when_closed}: {}", what_becomes(*when_closed))),
        ("Facilities", facilities.join(", ")),
        ("Limits", limits_line(limits)),
    ];
    html! {
        section.card {
            h2 { "Settings" }
            dl.facts { @for (name, value) in &all { @if !value.is_empty() { dt { (name) } dd { (value) } } } }
        }
    }
}

fn limits_line(limits: &OrgLimits) -> String {
    let parts = [
        limits.sessions_max.map(|max| format!("{max} sessions at once")),
        limits.upload_bytes_max.map(|max| format!("uploads up to {max}")),
        limits.files_waiting_max.map(|max| format!("{max} files waiting")),
        limits.uploads_per_minute_max.map(|max| format!("{max} uploads a minute")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What a sender has to know, to be copied into a mail.
fn for_the_sender(organization: &Organization, listeners: &[Listener]) -> Markup {
    let doors =
        listeners.iter().filter(|one| ["ftp", "ftps", "sftp", "web"].contains(&one.protocol.as_str()));
    let name = |one: &Listener| {
        if one.protocol == "web" { "this portal".to_owned() } else { one.protocol.to_uppercase() }
    };
    let port = |one: &Listener| one.address.rsplit(':').next().unwrap_or_default().to_owned();
    let doors: Vec<String> = doors.map(|one| format!("{} port {}", name(one), port(one))).collect();
    html! {
        section.card {
            h2 { "What to tell its sender" }
            dl.facts {
                dt { "Doors" } dd { (doors.join(", ")) }
                dt { "Upload" } dd { (how_to_upload(organization.completion)) }
                dt { "Fetch" } dd { "from outbox/: NAME.JOB.response and NAME.JOB.report.txt; delete them when read" }
            }
        }
    }
}

fn shutting_out(inside: &Inside, organization: &Organization) -> Markup {
    let (action, word, meaning) = if organization.disabled {
        ("enable", "Let the organization in again", "Its accounts can log in again.")
    } else {
        (
            "disable",
            "Shut the organization out",
            "None of its accounts can log in any more. What was accepted is still processed.",
        )
    };
    html! {
        section.card {
            h2 { (word) }
            p { (meaning) }
            form method="post" action={ "/staff/organizations/" (organization.code) "/" (action) } {
                (key(inside))
                p.actions { button.danger[!organization.disabled] type="submit" { (word) } }
            }
        }
    }
}
