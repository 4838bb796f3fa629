//! The cookie that names a session (RFC 6265bis).
//!
//! Invariant: the prefix `__Host-` makes browsers refuse it unless it is for this host and every path of it, and
//! came over an encrypted connection; so no other host can plant one.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use super::Secret;

/// One kind of sessions has one cookie.
#[derive(Debug, Clone, Copy)]
pub(in crate::pages) struct Cookie(pub(in crate::pages) &'static str);

impl Cookie {
    /// What the browser brings.
    pub(in crate::pages) fn of(self, headers: &HeaderMap) -> Option<String> {
        let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.0).map(|(_, value)| value.to_owned())
    }

    /// It ends with the browser; the server's own limits are shorter.
    pub(in crate::pages) fn set(self, name: &Secret) -> Option<HeaderValue> {
        let text = format!("{}={}; Path=/; Secure; HttpOnly; SameSite=Strict", self.0, name.reveal());
        HeaderValue::from_str(&text).ok()
    }

    pub(in crate::pages) fn clear(self) -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("{}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict", self.0))
            .ok()
    }
}
