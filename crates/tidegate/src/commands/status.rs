//! `tidegate status`.

use tidegate_web::api::Status;

use crate::cli::JsonArg;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::{Screen, status_text};

pub(super) fn status(context: &Context, args: JsonArg) -> Result<(), Failure> {
    let status: Status = context.client()?.get("/v1/status")?;
    if args.json {
        Screen::json(&status)?;
    } else {
        Screen::print(&status_text(&status, &context.screen()))?;
    }
    Ok(())
}
