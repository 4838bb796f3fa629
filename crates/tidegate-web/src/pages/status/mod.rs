//! The public status: open, or maintenance, now and next. As a page, as JSON, and for calendars.
//!
//! Invariant: without login, so it tells nothing of any one organization: windows and holds that concern only some
//! are left out, as are counts, names of staff and the reasons of holds. Made once for each change, not for
//! each request.

mod board;
mod calendar;
mod facts;
mod html;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::get;

use self::board::Board;
pub(super) use self::facts::Facts;
use super::Names;
use super::refusal::Refusal;
use crate::control::Control;

pub(super) fn router(control: Control, names: Names, data_dir: &Path) -> Router {
    Router::new()
        .route("/status", get(page))
        .route("/status.json", get(json))
        .route("/status.ics", get(ics))
        .with_state(Arc::new(Board::new(control, names, data_dir)))
}

async fn page(State(board): State<Arc<Board>>, asked: HeaderMap) -> Response {
    board.now().html.send(&asked)
}

/// Anybody's dashboard may read it.
async fn json(State(board): State<Arc<Board>>, asked: HeaderMap) -> Response {
    let mut response = board.now().json.send(&asked);
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn ics(State(board): State<Arc<Board>>, asked: HeaderMap) -> Result<Response, Refusal> {
    Ok(board.feed().await?.send(&asked))
}
