//! What follows when a file of `orgs.d/` was written.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context as _;
use rustix::fs::{Gid, Uid, chown};
use tidegate_web::api::Reloaded;

use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

/// Gives a file that root wrote to the owner of its directory, the service's user: else the server
/// could not read it.
pub(super) fn hand_over(file: &Path, folder: &Path) -> Result<(), Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = folder.metadata().with_context(|| format!("while looking at {}", folder.display()))?;
    let (user, group) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    chown(file, Some(user), Some(group))
        .with_context(|| format!("while giving {} to the service's user", file.display()))?;
    Ok(())
}

/// Has a running server take up the files, and tells what came of it.
pub(super) fn poke(context: &Context) -> Result<(), Failure> {
    match context.client()?.post::<Reloaded>("/v1/reload", &()) {
        Ok(reloaded) if reloaded.problems.is_empty() => {
            Screen::print("The running server has taken it up.")?;
        }
        Ok(reloaded) => {
            Screen::print(
                "The running server has read the files. Its problems, as `tidegate status` tells them:",
            )?;
            Screen::print(&reloaded.problems.join("\n"))?;
        }
        Err(Failure::Unreachable(_)) => {
            Screen::print("The server does not run; it takes it up when it starts.")?;
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}
