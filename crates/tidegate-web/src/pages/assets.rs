//! Styles, scripts and pictures, inside the program.
//!
//! Invariant: an asset's address has the digest of its bytes, so that browsers keep it for good and a new
//! version of the program is seen at once.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::answer::Fixed;

const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// One file.
pub(super) struct Asset {
    /// Where pages find it.
    pub(super) path: String,
    content: Fixed,
}

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, text: &'static str) -> Self {
        let content = Fixed::new(text, content_type, FOR_GOOD);
        Self { path: format!("/assets/{stem}-{}.{ending}", content.tag()), content }
    }
}

pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("tidegate", "css", "text/css; charset=utf-8", include_str!("assets/tidegate.css"))
});

pub(super) static MARK: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("mark", "svg", "image/svg+xml", include_str!("assets/mark.svg")));

/// The portal's script.
pub(super) static PORTAL: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("portal", "js", "text/javascript; charset=utf-8", include_str!("assets/portal.js"))
});

/// What keeps pages up to date.
pub(super) static LIVE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("live", "js", "text/javascript; charset=utf-8", include_str!("assets/live.js"))
});

pub(super) fn router() -> Router {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>, asked: HeaderMap) -> Response {
    let all: [&Asset; 4] = [&STYLE, &MARK, &PORTAL, &LIVE];
    let found = all.into_iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(&name));
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |asset| asset.content.send(&asked))
}
