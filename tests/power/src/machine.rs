//! A machine's disk while the machine is on: FUSE file, loop device, mounted ext4.
//!
//! Dropping it takes everything away again in the opposite order. If the process dies without that, the
//! private mount namespace (see [`crate::namespace`]) goes with it, and the loop device detaches itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use fuser::BackgroundSession;

use crate::command::run;
use crate::disk::{self, Disk, Image};

/// A disk that is not let go by then is held by something that outlives the test.
const RELEASE_MAX: Duration = Duration::from_secs(30);

/// Whether the file system keeps a journal of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSystem {
    /// ext4 as it is made by default.
    Journal,
    /// ext4 without a journal; checked with `e2fsck` before it is mounted after a cut.
    NoJournal,
}

impl FileSystem {
    /// A new file system, made in a file below `directory`. Nothing of it is kept back for root, as
    /// whom the server runs here.
    pub(crate) fn make(self, directory: &Path, len_bytes: u64) -> Result<Image> {
        let path = directory.join("new");
        Image::new(len_bytes).write(&path)?;
        let mut arguments =
            vec!["-q", "-F", "-b", "4096", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0"];
        if self == Self::NoJournal {
            arguments.extend(["-O", "^has_journal"]);
        }
        let arguments = arguments.into_iter().map(AsRef::as_ref).chain([path.as_os_str()]);
        run("mkfs.ext4", arguments)?;
        let image = Image::read(&path)?;
        std::fs::remove_file(path)?;
        Ok(image)
    }
}

/// A mounted disk.
pub(crate) struct Machine {
    pub(crate) disk: Disk,
    home: PathBuf,
    loop_device: String,
    session: Option<BackgroundSession>,
    mounted: bool,
}

impl Machine {
    /// Attaches and mounts an image, which replays the journal of ext4 if a cut left one. Everything
    /// that belongs to the machine lies below `home`.
    pub(crate) fn boot(image: Image, file_system: FileSystem, home: &Path) -> Result<Self> {
        for below in ["fuse", "mount"] {
            std::fs::create_dir_all(home.join(below))?;
        }
        let disk = Disk::new(image);
        let session = disk::attach(disk.clone(), &home.join("fuse")).context("mounting with FUSE")?;
        let (home, loop_device) = (home.to_owned(), String::new());
        let mut machine = Self { disk, home, loop_device, session: Some(session), mounted: false };
        machine.attach_loop().context("attaching a loop device")?;
        if file_system == FileSystem::NoJournal {
            machine.check()?;
        }
        machine.mount().context("mounting ext4")?;
        Ok(machine)
    }

    /// Where the file system is mounted.
    pub(crate) fn root(&self) -> PathBuf {
        self.home.join("mount")
    }

    fn attach_loop(&mut self) -> Result<()> {
        let file = self.home.join("fuse").join(disk::FILE_NAME);
        let arguments = ["--find", "--show", "--direct-io=on"].map(AsRef::as_ref);
        let device = run("losetup", arguments.into_iter().chain([file.as_os_str()]))?;
        device.trim().clone_into(&mut self.loop_device);
        Ok(())
    }

    /// What a boot does for a file system without a journal; exit code 1 says that it mended something.
    fn check(&self) -> Result<()> {
        let status = std::process::Command::new("e2fsck")
            .args(["-fy", &self.loop_device])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()?;
        anyhow::ensure!(status.code().is_some_and(|code| code <= 1), "e2fsck: {status}");
        Ok(())
    }

    fn mount(&mut self) -> Result<()> {
        let root = self.root();
        run("mount", ["-t", "ext4", &self.loop_device, &root.to_string_lossy()])?;
        self.mounted = true;
        // While it is mounted this only arranges for the device to detach itself afterwards.
        run("losetup", ["--detach", &self.loop_device]).map(drop)
    }

    /// Another thread may just be starting a program, which has this one's open files for a moment. So both
    /// file systems are only taken out of the tree here, and go when nobody has anything open in them. What
    /// is waited for is that the loop device lets go of the disk: by then ext4 has written what it had to.
    fn take_down(&mut self) -> Result<()> {
        if self.mounted {
            run("umount", ["--lazy".as_ref(), self.root().as_os_str()])?;
        } else if !self.loop_device.is_empty() {
            run("losetup", ["--detach", &self.loop_device])?;
        }
        let Some(session) = self.session.take() else { return Ok(()) };
        let released = self.disk.wait_until_released(RELEASE_MAX);
        run("umount", ["--lazy".as_ref(), self.home.join("fuse").as_os_str()])?;
        anyhow::ensure!(released, "the disk is still in use after {} s", RELEASE_MAX.as_secs());
        Ok(session.join()?)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Err(error) = self.take_down() {
            eprintln!("{}: could not be taken down: {error:#}", self.home.display());
        }
    }
}
