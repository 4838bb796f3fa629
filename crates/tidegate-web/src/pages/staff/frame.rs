//! What all pages of the console have around what they say.

use axum::response::Html;
use maud::{Markup, html};

use super::console::{Console, Inside};
use crate::pages::layout::{brand, live, page};
use crate::staff::Role;

const PLACES: [(&str, &str, Role); 5] = [
    ("/staff", "Overview", Role::Viewer),
    ("/staff/jobs", "Jobs", Role::Viewer),
    ("/staff/maintenance", "Maintenance", Role::Viewer),
    ("/staff/accounts", "Accounts", Role::Viewer),
    ("/staff/audit", "Audit", Role::Administrator),
];

/// A page at one of the places; `live_s` is how often its live parts are brought up to date.
pub(super) fn frame(
    console: &Console,
    inside: &Inside,
    place: &str,
    title: &str,
    live_s: Option<u32>,
    content: &Markup,
) -> Html<String> {
    let nav = html! {
        (brand(&console.parts.names.registry, "/staff"))
        nav.places aria-label="Console" {
            @for (path, name, role) in PLACES {
                @if inside.may(role) { a href=(path) aria-current=[(path == place).then_some("page")] { (name) } }
            }
        }
        span.grow {}
        span.who { (inside.name()) " · " (inside.role) }
        form.inline method="post" action="/staff/logout" { (key(inside)) button.plain type="submit" { "Log out" } }
    };
    let content = html! {
        div.wide {
            @if let Some(news) = inside.news() {
                p class=(if news.is_good { "done" } else { "trouble" }) role="status" { (news.text) }
            }
            (content)
        }
    };
    let tail = html! { @if let Some(every) = live_s { (live(every)) } };
    Html(
        page(&format!("{title} · {}", console.parts.names.registry), &html! {}, &nav, &content, &tail)
            .into_string(),
    )
}

/// What a form proves itself with.
pub(super) fn key(inside: &Inside) -> Markup {
    html! { input type="hidden" name="key" value=(inside.form_key.reveal()); }
}

/// Why: every change has a reason. `name` tells the field from others on the page.
pub(super) fn reason(name: &str) -> Markup {
    html! {
        label for={ "reason-" (name) } { "Reason" }
        input id={ "reason-" (name) } name="reason" required maxlength="500";
    }
}
