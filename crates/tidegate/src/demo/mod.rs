//! `tidegate demo`: the main job in one go, on loopback, with throw-away data.
//!
//! Invariant: nothing is acted. The server is this program in a process of its own, the commands shown
//! are the ones that ran, uploads and downloads go through libraries of FTP and SFTP clients over TCP, and a step
//! that did not happen ends the demo with an error.

mod files;
mod sender;
mod stage;
mod story;

use crate::cli::DemoArgs;
use crate::failure::Failure;

/// Tells the story; with `--keep` the server runs on until it is interrupted.
pub(crate) fn demo(args: &DemoArgs) -> Result<(), Failure> {
    let mut stage = stage::Stage::set()?;
    story::tell(&mut stage)?;
    if args.keep { stage.keep() } else { stage.clear() }
}
