//! Coming and going.
//!
//! Invariant: a login makes a session of a new name and ends the one that the browser had, so that nobody can
//! plant a session of a name that he knows.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use zeroize::Zeroizing;

use super::door::{Door, Inside, Refused};
use super::{COOKIE, html};
use crate::pages::fields::Fields;
use crate::pages::refusal::Refusal;

pub(super) async fn log_in(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Fields,
) -> Response {
    let password = Zeroizing::new(form.exact("password").to_owned());
    let visitor = match door.log_in(peer, form.get("account"), password).await {
        Ok(visitor) => visitor,
        Err(Refused::Wrong) => {
            let page = html::login(&door.names, Some("That account and password do not go together."));
            return (StatusCode::UNAUTHORIZED, page).into_response();
        }
        Err(Refused::Away(why)) => {
            return Refusal::new(StatusCode::TOO_MANY_REQUESTS, format!("{why}.")).into_response();
        }
    };
    if let Some(before) = COOKIE.of(&headers) {
        door.sessions.end(&before);
    }
    let owner = visitor.user.org().to_string();
    let begun = door.sessions.begin(&owner, visitor).ok().and_then(|name| COOKIE.set(&name));
    match begun {
        Some(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/")).into_response(),
        None => Refusal::failed().into_response(),
    }
}

pub(super) async fn log_out(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    inside: Inside,
    form: Fields,
) -> Response {
    if !inside.form_key.is(form.get("key")) {
        return Refusal::foreign_form().into_response();
    }
    if let Some(name) = COOKIE.of(&headers) {
        door.sessions.end(&name);
    }
    match COOKIE.clear() {
        Some(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/")).into_response(),
        None => Redirect::to("/").into_response(),
    }
}
