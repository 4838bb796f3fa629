//! An answer that stays the same until something changes: made once, sent often, and not sent again to
//! whoever has it (RFC 9110, 13.1.2).

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// Bytes with their type and the tag that tells them from others.
#[derive(Debug, Clone)]
pub(super) struct Fixed {
    body: Bytes,
    tag: String,
    content_type: &'static str,
    cache: &'static str,
}

impl Fixed {
    pub(super) fn new(body: impl Into<Bytes>, content_type: &'static str, cache: &'static str) -> Self {
        let body = body.into();
        let tag = digest(&body);
        Self { body, tag, content_type, cache }
    }

    /// The bytes' own name, in hexadecimal.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// All of it, or that it has not changed.
    pub(super) fn send(&self, asked: &HeaderMap) -> Response {
        let quoted = format!("\"{}\"", self.tag);
        let known = asked.get_all(IF_NONE_MATCH).iter().any(|tags| self.is_among(tags));
        let cache = HeaderValue::from_static(self.cache);
        if known {
            return (StatusCode::NOT_MODIFIED, [(ETAG, quoted)], [(CACHE_CONTROL, cache)]).into_response();
        }
        let kind = HeaderValue::from_static(self.content_type);
        ([(CONTENT_TYPE, kind), (CACHE_CONTROL, cache)], [(ETAG, quoted)], self.body.clone()).into_response()
    }

    fn is_among(&self, tags: &HeaderValue) -> bool {
        let mut tags = tags.to_str().unwrap_or_default().split(',').map(str::trim);
        tags.any(|tag| tag == "*" || tag.trim_start_matches("W/").trim_matches('"') == self.tag)
    }
}

/// Enough of SHA-256 that two contents never share it by chance.
pub(super) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().take(12).fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
