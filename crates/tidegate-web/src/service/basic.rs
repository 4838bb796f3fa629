//! Name and password of a request (RFC 7617).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Longest header that is looked at.
const BYTES_MAX: usize = 4 << 10;

/// Name and password, if they are there and can be read.
pub(super) fn credentials(headers: &HeaderMap) -> Option<(String, Zeroizing<String>)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok().filter(|value| value.len() <= BYTES_MAX)?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((name.to_owned(), Zeroizing::new(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
        credentials(&headers).map(|(name, password)| (name, password.to_string()))
    }

    #[test]
    fn a_password_may_have_colons_and_anything_odd_is_nobody() {
        assert_eq!(read("basic YTpiOmM="), Some(("a".to_owned(), "b:c".to_owned())));
        for odd in ["", "Basic", "Basic !", "Bearer YTpi", "Basic YWI=", "Basic /zp/"] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(read(&format!("Basic {}", "YTpi".repeat(2_000))), None);
    }
}
