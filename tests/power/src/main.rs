//! Power cuts and overload on the real code, on a disk that forgets, fails, is slow or fills up.
//!
//! **How it works.** A FUSE file system shows one file which acts as a disk with a volatile write cache
//! ([`disk`]): writes wait until a flush. A loop device sits on it, ext4 on that ([`machine`]), and the real
//! `tidegate serve` with its data directory on that, while real clients upload, fetch and delete and staff
//! hold and release the queue ([`load`]). At a random moment the disk is copied, together with the ledger of
//! what clients had been told by then ([`cut`], [`ledger`]).
//!
//! Each copy gives several images: only what was flushed, each other block with probability one half, all
//! that the drive received. Every image is mounted and opened by the real server three ways: with its
//! index (sled) as found, deleted, and overwritten in many places ([`opening`]). When it has drained, it is
//! compared with the ledger ([`check`]): whatever was acknowledged is there exactly once, and so are its
//! messages and its response; what was deleted stays away; nothing comes from nowhere.
//!
//! The rig tests itself first ([`self_check`]). Seeds decide all choices and are printed; the threads'
//! timing is not repeatable, so images that fail can be kept with `--keep`.
//!
//! [`overload`] tries the same server on disks that fail, are slow or fill up, and with a long queue.
//!
//! **Not covered.** Sectors torn within 4 KiB, drives that reorder across a flush, other file systems.

mod arguments;
mod bench;
mod check;
mod command;
mod cut;
mod disk;
mod ledger;
mod load;
mod machine;
mod namespace;
mod opening;
mod overload;
mod random;
mod run;
mod self_check;
mod server;
mod site;
mod upload;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::arguments::{Arguments, Scenario};
use crate::bench::Bench;
use crate::run::Tally;

fn main() -> ExitCode {
    match power() {
        Ok(tally) => {
            println!("{} passed, {} failed", tally.passed, tally.failed);
            if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("power: {error:#}\n0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn power() -> Result<Tally> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    namespace::enter()?;
    println!("repeat with --seed {}", arguments.seed);
    let started = Instant::now();
    let bench = Bench::new(&arguments)?;
    let tally = match arguments.scenario {
        Scenario::Cuts => {
            self_check::run(&bench, arguments.seed)?;
            run::run(&bench, &arguments)?
        }
        _ => overload::run(&bench, &arguments),
    };
    println!("{} s", started.elapsed().as_secs());
    Ok(tally)
}
