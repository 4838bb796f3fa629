//! `GET /soap?wsdl`: the description of the service, in our words to CDC's contract.
//!
//! Invariant: the only thing in it that comes from a request is a host that could be nothing else.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::door::Door;

const DESCRIPTION: &str = include_str!("iis.wsdl");

/// Stands in the description where the address belongs.
const ADDRESS: &str = "https://address.invalid/soap";

pub(super) async fn describe(
    State(door): State<Arc<Door>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if !query.is_some_and(|query| query.eq_ignore_ascii_case("wsdl")) {
        let text = "This is a SOAP service: POST envelopes here. /soap?wsdl describes it.\n";
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "POST")], text).into_response();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let (public_url, is_encrypted) = (door.service.public_url.as_deref(), door.service.is_encrypted);
    match address(public_url, host, is_encrypted) {
        Some(address) => {
            let kind = [(CONTENT_TYPE, "text/xml; charset=utf-8")];
            (kind, DESCRIPTION.replace(ADDRESS, &address)).into_response()
        }
        None => (StatusCode::BAD_REQUEST, "The header Host names no host.\n").into_response(),
    }
}

fn address(public_url: Option<&str>, host: Option<&str>, is_encrypted: bool) -> Option<String> {
    if let Some(url) = public_url {
        return Some(format!("{}/soap", url.trim_end_matches('/')));
    }
    let scheme = if is_encrypted { "https" } else { "http" };
    host.filter(|host| is_host(host)).map(|host| format!("{scheme}://{host}/soap"))
}

/// A name or an address with or without a port, of characters that mean nothing in XML.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let is_sound = bare.map_or_else(|| is_name(name), |bare| bare.parse::<std::net::Ipv6Addr>().is_ok());
    is_sound && (1..=255).contains(&name.len()) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_gets_into_the_description() {
        for host in ["registry.example", "registry.example:8443", "127.0.0.1:1", "[::1]:8443", "[::1]"] {
            assert_eq!(address(None, Some(host), true), Some(format!("https://{host}/soap")));
        }
        for odd in
            ["", ":80", "a b", "a/b", "a\"b", "a<b", "a:b", "a:99999", "::1", "[x]:1", "a@b", "a&b", "a'b"]
        {
            assert_eq!(address(None, Some(odd), true), None, "{odd}");
        }
        assert_eq!(address(None, None, true), None);
        let public = address(Some("https://public.example/"), Some("evil.example"), false);
        assert_eq!(public.as_deref(), Some("https://public.example/soap"));
        assert!(address(None, Some("a"), false).unwrap().starts_with("http://a"));
        assert_eq!(DESCRIPTION.matches(ADDRESS).count(), 1);
    }
}
