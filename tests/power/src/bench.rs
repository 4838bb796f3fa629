//! What all cuts of a run share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};

use crate::arguments::Arguments;
use crate::disk::Image;
use crate::machine::{FileSystem, Machine};
use crate::site::Site;

/// The place where machines are put together.
pub(crate) struct Bench {
    pub(crate) file_system: FileSystem,
    /// A new, empty file system.
    pub(crate) empty: Image,
    /// Openings that are checked at once.
    pub(crate) at_once: usize,
    /// Where images that fail are kept.
    pub(crate) keep: Option<PathBuf>,
    site: Site,
    home: tempfile::TempDir,
    /// Machines that were put together.
    machines: AtomicU64,
}

impl Bench {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("tidegate-power-").tempdir()?;
        // A copy, so that a build meanwhile does not change what is tested.
        let binary = home.path().join("tidegate");
        std::fs::copy(&arguments.binary, &binary)
            .with_context(|| format!("no server at {}", arguments.binary.display()))?;
        Ok(Self {
            file_system: arguments.file_system,
            empty: arguments.file_system.make(home.path()).context("making a file system")?,
            at_once: arguments.at_once,
            keep: arguments.keep.clone(),
            site: Site::first(&binary, &home.path().join("site"))?,
            home,
            machines: AtomicU64::new(0),
        })
    }

    /// A machine on an image and the site on it; nothing runs yet.
    pub(crate) fn boot(&self, image: Image) -> Result<(Machine, Site)> {
        // A short name: the path of a socket has a bound.
        let home = self.home.path().join(self.machines.fetch_add(1, Ordering::Relaxed).to_string());
        let machine = Machine::boot(image, self.file_system, &home)?;
        let site = self.site.moved(&home, machine.root().join("data"))?;
        Ok((machine, site))
    }
}
