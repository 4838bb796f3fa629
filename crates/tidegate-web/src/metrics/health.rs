//! Is the process alive, and does it take uploads?

use axum::extract::State;
use axum::http::StatusCode;

use crate::control::{Control, blocking};

type Answer = (StatusCode, &'static str);

const OK: Answer = (StatusCode::OK, "ok\n");
const FAILED: Answer = (StatusCode::SERVICE_UNAVAILABLE, "the store failed: the server ends\n");
const NO_SPACE: Answer =
    (StatusCode::SERVICE_UNAVAILABLE, "too little free space: uploads are refused until there is more\n");

/// Whether the process should be left running. A closed gate is no illness.
pub(super) async fn healthz(State(control): State<Control>) -> Answer {
    if *control.store.failed().borrow() { FAILED } else { OK }
}

/// Whether uploads are taken.
pub(super) async fn readyz(State(control): State<Control>) -> Answer {
    if *control.store.failed().borrow() {
        return FAILED;
    }
    let store = control.store.clone();
    match blocking(move || store.free_bytes().map(|free| free > 0)).await {
        Ok(Ok(true)) => OK,
        Ok(Ok(false)) => NO_SPACE,
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the data directory can't be looked at\n"),
    }
}
