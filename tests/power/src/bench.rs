//! What all cuts of a run share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::arguments::Arguments;
use crate::command::run;
use crate::disk::Image;
use crate::machine::{FileSystem, Machine};
use crate::site::Site;

/// Length of a disk.
const DISK_BYTES: u64 = 256 << 20;

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
    home: Home,
    /// Machines that were put together.
    machines: AtomicU64,
}

impl Bench {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self> {
        let home = Home::new()?;
        // A copy, so that a build meanwhile does not change what is tested.
        let binary = home.0.path().join("tidegate");
        std::fs::copy(&arguments.binary, &binary)
            .with_context(|| format!("no server at {}", arguments.binary.display()))?;
        Ok(Self {
            file_system: arguments.file_system,
            empty: arguments.file_system.make(home.0.path(), DISK_BYTES).context("making a file system")?,
            at_once: arguments.at_once,
            keep: arguments.keep.clone(),
            site: Site::first(&binary, &home.0.path().join("site"))?,
            home,
            machines: AtomicU64::new(0),
        })
    }

    /// A machine on an image and the site on it; nothing runs yet.
    pub(crate) fn boot(&self, image: Image) -> Result<(Machine, Site)> {
        let home = self.new_home();
        let machine = Machine::boot(image, self.file_system, &home)?;
        let site = self.site.moved(&home, machine.root().join("data"))?;
        Ok((machine, site))
    }

    /// A machine on a new disk of another length.
    pub(crate) fn boot_on_new(&self, len_bytes: u64) -> Result<(Machine, Site)> {
        self.boot(self.file_system.make(self.home.0.path(), len_bytes).context("making a file system")?)
    }

    /// The site with its data in memory, where nothing waits for a disk.
    pub(crate) fn site_in_memory(&self) -> Result<Site> {
        let home = self.new_home();
        self.site.moved(&home, home.join("data"))
    }

    /// A short name: the path of a socket has a bound.
    fn new_home(&self) -> PathBuf {
        self.home.0.path().join(self.machines.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

/// A directory in memory: if this process is killed, it goes with the namespace and leaves nothing.
struct Home(TempDir);

impl Home {
    fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tidegate-power-").tempdir()?;
        let arguments = ["-t", "tmpfs", "tidegate-power"].map(AsRef::as_ref);
        run("mount", arguments.into_iter().chain([directory.path().as_os_str()]))?;
        Ok(Self(directory))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(run("umount", ["--lazy".as_ref(), self.0.path().as_os_str()]));
    }
}
