//! `tidegate alerts test`: whether alerts come where they should.

use anyhow::anyhow;
use chrono::Utc;
use tidegate_notices::alerts::{Alert, Means};

use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn test(context: &Context) -> Result<(), Failure> {
    let Some(config) = &context.loaded.config.alerts else {
        let what = "there is no section [alerts], so nobody is told of anything\n\
                    Add one, see `tidegate print-config --default`";
        return Err(Failure::Configuration(what.to_owned()));
    };
    let failed = Means::new(config.clone()).send(&Alert::test(Utc::now()));
    if failed.is_empty() {
        return Ok(Screen::print("Sent. Look whether it came.")?);
    }
    let lines: Vec<String> = failed.iter().map(ToString::to_string).collect();
    Err(anyhow!("{}\nMend it in [alerts] and try again", lines.join("\n")).into())
}
