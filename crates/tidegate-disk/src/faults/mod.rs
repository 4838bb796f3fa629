//! Disks that fail on purpose, and books of what a power cut would leave of them.
//!
//! A [`FaultyDisk`] counts the calls of a [`Disk`] from the moment it is armed, lets one of them fail as
//! its [`Plan`] says, and notes what each call makes durable. From these notes it draws the directory as a
//! machine would find it after its power was cut: see [`Survivors`].
//!
//! **What a disk guarantees here.** The bytes of a file are durable once the file, or everything, was
//! synced; a name once its directory was. Everything else may have happened or not, alone or in part; only
//! a rename is one. A sync that fails drops the bytes it could not write: they still read well, and a later
//! sync does not write them. Where that was a sync of everything, the next sync of each file that lost bytes
//! fails as well, once, as the kernel tells of it (fsync(2)). Syncs are pretended, so no test waits for a real disk.
//!
//! A call counts as made when it is asked for. Who writes in several threads at once may so see a sync
//! cover a write that was asked for before it and made after it.

mod image;
mod plan;
mod random;
mod record;

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use image::Survivors;
pub use plan::{Fault, Kind, Part, Plan};
pub use random::Random;

use crate::{Call, Disk, Grant, Watch};
use record::Record;

/// A directory on a disk that fails when it shall; clones share it.
#[derive(Debug, Clone)]
pub struct FaultyDisk(Arc<Books>);

#[derive(Debug)]
struct Books(Mutex<State>);

#[derive(Debug)]
struct State {
    record: Record,
    calls: Vec<Kind>,
    plan: Option<Plan>,
    hit: Option<(Kind, String)>,
    /// Files that lost bytes to a sync of everything, and of which nobody was told yet.
    untold: HashSet<u64>,
    has_power: bool,
}

impl FaultyDisk {
    /// Keeps the books of `root`, where everything is durable that is there now. What lies in the directories
    /// `apart` is written by somebody else: no books are kept of it, and images lack it.
    pub fn new(root: &Path, apart: &[&str]) -> io::Result<Self> {
        let record = Record::of(root, apart)?;
        let state = State {
            record,
            calls: Vec::new(),
            plan: None,
            hit: None,
            untold: HashSet::new(),
            has_power: true,
        };
        Ok(Self(Arc::new(Books(Mutex::new(state)))))
    }

    /// The disk.
    pub fn disk(&self) -> Disk {
        Disk::watched(Arc::<Books>::clone(&self.0))
    }

    /// Counts calls from here on, and lets one fail if there is a plan. What went wrong before is told to nobody.
    pub fn arm(&self, plan: Option<Plan>) {
        let mut state = self.0.state();
        state.calls.clear();
        state.hit = None;
        state.untold.clear();
        state.plan = plan;
    }

    /// The calls since the disk was armed.
    pub fn calls(&self) -> Vec<Kind> {
        self.0.state().calls.clone()
    }

    /// Lets every call fail from here on, or none any more: who writes is killed, and nothing that was
    /// written is lost.
    pub fn stop(&self, stop: bool) {
        self.0.state().has_power = !stop;
    }

    /// Which call was hit, for people; none if the plan's moment has not come.
    pub fn hit(&self) -> Option<(Kind, String)> {
        self.0.state().hit.clone()
    }

    /// Draws into the empty directory `to` what a power cut would leave now, or left when it was cut.
    pub fn draw(&self, survivors: Survivors, to: &Path) -> io::Result<()> {
        self.0.state().record.draw(survivors, to)
    }
}

impl Books {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Books {
    fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
        let mut state = self.state();
        if !state.has_power {
            return Err(io::Error::other("the power is cut"));
        }
        let (number, kind) = (state.calls.len(), Kind::of(call));
        state.calls.push(kind);
        if state.is_untold(call) {
            state.record.note_failed_sync(call);
            return Err(Fault::FailedSync.error());
        }
        let Some(plan) = state.plan.take_if(|plan| plan.strikes(number, kind)) else {
            state.record.note(call);
            return Ok(if kind == Kind::Sync { Grant::Pretence } else { Grant::Whole });
        };
        state.hit = Some((kind, state.record.describe(call)));
        state.strike(plan.fault, call)
    }
}

impl State {
    fn strike(&mut self, fault: Fault, call: &Call<'_>) -> io::Result<Grant> {
        if fault == Fault::PowerCut {
            self.has_power = false;
        }
        if let (Fault::Short(part), Call::Write { path, at, bytes }) = (fault, call) {
            let bytes = part.of(bytes);
            self.record.note(&Call::Write { path, at: *at, bytes });
            return Ok(Grant::Bytes(bytes.len()));
        }
        if matches!(call, Call::SyncAll) {
            self.untold = self.record.unsynced().collect();
        }
        if Kind::of(call) == Kind::Sync {
            self.record.note_failed_sync(call);
        }
        Err(fault.error())
    }

    /// Whether the call is the first sync of a file since it lost bytes to one of everything.
    fn is_untold(&mut self, call: &Call<'_>) -> bool {
        let Call::Sync(path) = call else { return false };
        self.record.number(path).is_some_and(|number| self.untold.remove(&number))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    fn begin() -> (TempDir, FaultyDisk, Disk, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let faulty = FaultyDisk::new(root.path(), &[]).unwrap();
        let (disk, home) = (faulty.disk(), root.path().join("home"));
        disk.create_dir_all(&home).unwrap();
        (root, faulty, disk, home)
    }

    /// What is left of `home/file`.
    fn left(faulty: &FaultyDisk, survivors: Survivors) -> Option<Vec<u8>> {
        let image = tempfile::tempdir().unwrap();
        faulty.draw(survivors, image.path()).unwrap();
        fs::read(image.path().join("home/file")).ok()
    }

    #[test]
    fn bytes_and_names_and_those_above_are_durable_each_by_its_own_sync() {
        let (root, faulty, disk, home) = begin();
        let mut file = disk.create(&home.join("file")).unwrap();
        file.write_all(b"bytes").unwrap();
        file.sync_all().unwrap();
        assert_eq!(left(&faulty, Survivors::Nothing), None);
        disk.sync_dir(&home).unwrap();
        assert_eq!(left(&faulty, Survivors::Nothing), None, "its directory has no durable name");
        disk.sync_dir(root.path()).unwrap();
        file.write_all(b" more").unwrap();
        assert_eq!(left(&faulty, Survivors::Nothing).unwrap(), b"bytes");
        assert_eq!(left(&faulty, Survivors::Everything).unwrap(), b"bytes more");
        disk.remove(&home.join("file")).unwrap();
        assert_eq!(left(&faulty, Survivors::Losses), None);
    }

    #[test]
    fn two_directories_exchange_their_names_both_or_neither() {
        let (root, faulty, disk, home) = begin();
        let other = root.path().join("other");
        disk.create_dir_all(&other).unwrap();
        for (directory, bytes) in [(&home, b"1"), (&other, b"2")] {
            disk.write(&directory.join("file"), bytes).unwrap();
        }
        disk.sync_all_of(&fs::File::open(root.path()).unwrap()).unwrap();
        disk.exchange(&home, &other).unwrap();
        assert_eq!(fs::read(home.join("file")).unwrap(), b"2");
        let files = |survivors| {
            let image = tempfile::tempdir().unwrap();
            faulty.draw(survivors, image.path()).unwrap();
            ["home/file", "other/file"].map(|name| fs::read(image.path().join(name)).unwrap())
        };
        assert_eq!(files(Survivors::Nothing), [b"1", b"2"]);
        assert_eq!(files(Survivors::Everything), [b"2", b"1"]);
        for seed in 0..20 {
            assert_ne!(files(Survivors::Chance(seed))[0], files(Survivors::Chance(seed))[1], "{seed}");
        }
        disk.sync_dir(root.path()).unwrap();
        assert_eq!(files(Survivors::Nothing), [b"2", b"1"]);
    }

    #[test]
    fn what_a_failed_sync_lost_is_not_brought_back_by_the_next_one() {
        let (root, faulty, disk, home) = begin();
        let mut file = disk.create(&home.join("file")).unwrap();
        disk.sync_dir(&home).and_then(|()| disk.sync_dir(root.path())).unwrap();
        file.write_all(b"lost").unwrap();
        faulty.arm(Some(Plan { call: 0, fault: Fault::FailedSync }));
        assert!(crate::is_failed_sync(&file.sync_all().unwrap_err()));
        file.sync_all().unwrap();
        assert_eq!(left(&faulty, Survivors::Nothing).unwrap(), b"");
        disk.overwrite(&home.join("file"), 0, b"lost").and_then(|file| file.sync_all()).unwrap();
        assert_eq!(left(&faulty, Survivors::Nothing).unwrap(), b"lost");
    }

    #[test]
    fn what_a_failed_sync_of_everything_lost_is_told_once_by_the_next_sync_of_the_file() {
        let (root, faulty, disk, home) = begin();
        let mut file = disk.create(&home.join("file")).unwrap();
        let mut whole = disk.create(&home.join("whole")).unwrap();
        disk.sync_dir(&home).and_then(|()| disk.sync_dir(root.path())).unwrap();
        whole.write_all(b"whole").and_then(|()| whole.sync_all()).unwrap();
        file.write_all(b"lost").unwrap();
        faulty.arm(Some(Plan { call: 0, fault: Fault::FailedSync }));
        disk.sync_all_of(&fs::File::open(root.path()).unwrap()).unwrap_err();
        whole.sync_all().unwrap();
        assert!(crate::is_failed_sync(&file.sync_all().unwrap_err()));
        file.sync_all().unwrap();
        assert_eq!(left(&faulty, Survivors::Nothing).unwrap(), b"");
    }

    #[test]
    fn a_call_fails_as_planned_and_the_next_one_does_not() {
        let (_root, faulty, disk, home) = begin();
        let mut file = disk.create(&home.join("file")).unwrap();
        faulty.arm(Some(Plan { call: 0, fault: Fault::Short(Part::Half) }));
        assert_eq!(file.write_all(b"12345678").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(home.join("file")).unwrap(), b"1234");
        file.write_all(b"abc").unwrap();
        assert_eq!(left(&faulty, Survivors::Everything).unwrap(), b"abc4");
        faulty.arm(Some(Plan { call: 0, fault: Fault::PowerCut }));
        assert!(disk.open_read(&home.join("file")).is_err());
        assert!(file.write_all(b"d").is_err(), "the power stays away");
    }
}
