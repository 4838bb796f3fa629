//! Coming and going of staff.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use maud::html;
use tidegate_ingest::TurnedAway;
use tidegate_ingest::accounts::LoginRefused;
use zeroize::Zeroizing;

use super::COOKIE;
use super::console::{Console, Inside};
use crate::pages::Names;
use crate::pages::fields::Fields;
use crate::pages::layout::{brand, page as whole};
use crate::pages::refusal::Refusal;
use crate::staff::Role;

pub(super) fn page(names: &Names, trouble: Option<&str>) -> Html<String> {
    let content = html! {
        div.narrow.login {
            section.card {
                h1 { "Staff console" }
                @if let Some(trouble) = trouble { p.trouble role="alert" { (trouble) } }
                form method="post" action="/staff/login" {
                    label for="name" { "Name" }
                    input #name name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required
                        autofocus[trouble.is_none()];
                    label for="password" { "Password" }
                    input #password name="password" type="password" autocomplete="current-password" required;
                    label for="code" { "One-time password " span.quiet { "(if you have an authenticator)" } }
                    input #code name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="8";
                    button.primary type="submit" { "Log in" }
                }
            }
        }
    };
    let title = format!("Staff console · {}", names.registry);
    Html(whole(&title, &html! {}, &brand(&names.registry, "/staff"), &content, &html! {}).into_string())
}

pub(super) async fn log_in(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Fields,
) -> Response {
    let password = Zeroizing::new(form.exact("password").to_owned());
    let name = form.get("name").to_owned();
    let colleague = match console.log_in(peer, &name, password, form.get("code")).await {
        Ok(colleague) => colleague,
        Err(LoginRefused::Banned) => {
            return Refusal::new(StatusCode::TOO_MANY_REQUESTS, format!("{}.", TurnedAway::Banned))
                .into_response();
        }
        Err(_) => {
            let page = page(
                &console.parts.names,
                Some("These do not go together, or the one-time password was used."),
            );
            return (StatusCode::UNAUTHORIZED, page).into_response();
        }
    };
    if let Some(before) = COOKIE.of(&headers) {
        console.sessions.end(&before);
    }
    let begun = console.sessions.begin(&name, colleague).ok().and_then(|name| COOKIE.set(&name));
    match begun {
        Some(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/staff")).into_response(),
        None => Refusal::failed().into_response(),
    }
}

pub(super) async fn log_out(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    inside: Inside,
    form: Fields,
) -> Result<Response, Refusal> {
    inside.check(Role::Viewer, &form)?;
    if let Some(name) = COOKIE.of(&headers) {
        console.sessions.end(&name);
    }
    Ok(match COOKIE.clear() {
        Some(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/staff")).into_response(),
        None => Redirect::to("/staff").into_response(),
    })
}
