//! `tidegate status`.

use tidegate_web::api::Status;

use crate::cli::StatusArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::{Screen, status_text};

pub(super) fn status(context: &Context, args: &StatusArgs) -> Result<(), Failure> {
    let client = context.client()?;
    if args.watch {
        return crate::watch::watch(client, context.loaded.zone(), args.json.json);
    }
    let status: Status = client.get("/v1/status")?;
    if args.json.json {
        Screen::json(&status)?;
    } else {
        Screen::print(&status_text(&status, &context.screen()))?;
    }
    Ok(())
}
