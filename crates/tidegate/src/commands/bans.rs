//! `tidegate bans ...`.

use tidegate_web::api::{BansLifted, BansView, LiftBans};

use crate::cli::{BansCommand, LiftArgs};
use crate::context::{Context, actor};
use crate::failure::Failure;
use crate::render::{Screen, ban_list, plural};

pub(super) fn bans(context: &Context, command: BansCommand) -> Result<(), Failure> {
    match command {
        BansCommand::List(args) => {
            let view: BansView = context.client()?.get("/v1/bans")?;
            if args.json {
                return Ok(Screen::json(&view.bans)?);
            }
            Ok(Screen::print(&ban_list(&view.bans, &context.screen()))?)
        }
        BansCommand::Lift(args) => lift(context, &args),
    }
}

fn lift(context: &Context, args: &LiftArgs) -> Result<(), Failure> {
    let request = LiftBans { address: args.address, actor: actor() };
    let lifted: BansLifted = context.client()?.post("/v1/bans/lift", &request)?;
    let count = lifted.bans.len();
    if args.json.json {
        Screen::json(&lifted)?;
    } else if count > 0 {
        let addresses: Vec<&str> = lifted.bans.iter().map(|ban| ban.address.as_str()).collect();
        Screen::print(&format!("Lifted {}: {}", plural(count as u64, "ban"), addresses.join(", ")))?;
    } else {
        Screen::print("No such ban stands; nothing was lifted. `tidegate bans list` shows those there are.")?;
    }
    if count == 0 && !args.all { Err(Failure::Told) } else { Ok(()) }
}
