//! What a start may find after a power cut.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tidegate_disk::faults::{Random, Survivors};

use crate::world::World;

/// The index, which sled writes by itself, so that no books are kept of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Queue {
    AsItIs,
    Deleted,
    Older,
    Garbage,
    /// The next one in its place, as before the two were exchanged or after it.
    Next,
}

impl Queue {
    pub(crate) const ALL: [Self; 5] = [Self::AsItIs, Self::Deleted, Self::Older, Self::Garbage, Self::Next];
}

/// A directory for one case. Nothing here waits for a disk but sled, which does it in vain: so in memory
/// if there is a file system there, else wherever temporary files go.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Draws what is left of a world, the store of which is closed. `base` is the directory as it was at first.
pub(crate) fn draw(world: &World, base: &Path, survivors: Survivors, queue: Queue, seed: u64) -> TempDir {
    let image = scratch();
    world.disk.draw(survivors, image.path()).unwrap();
    let (target, next) = (image.path().join("queue"), world.path().join("queue.next"));
    copy(&next, &image.path().join("queue.next"));
    match queue {
        Queue::Next if next.exists() => copy(&next, &target),
        Queue::AsItIs | Queue::Next => copy(&world.path().join("queue"), &target),
        Queue::Deleted => drop(fs::remove_dir_all(target)),
        Queue::Older => copy(&base.join("queue"), &target),
        Queue::Garbage => {
            copy(&world.path().join("queue"), &target);
            // An index is believed after a clean end, from which no power cut takes anything.
            drop(fs::remove_file(image.path().join("clean")));
            spoil(&target.join("db"), &mut Random::new(seed));
        }
    }
    image
}

fn spoil(path: &Path, random: &mut Random) {
    let Ok(mut bytes) = fs::read(path) else { return };
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    for _ in 0..40 {
        let place = random.up_to(used);
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= u8::try_from(random.up_to(255)).unwrap();
        }
    }
    fs::write(path, bytes).unwrap();
}

pub(crate) fn copy(from: &Path, to: &Path) {
    copy_with_links(from, to, &mut HashMap::new());
}

/// Files with several names stay so.
fn copy_with_links(from: &Path, to: &Path, copied: &mut HashMap<u64, PathBuf>) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).unwrap();
    for entry in entries.map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_with_links(&entry.path(), &target, copied);
        } else if let Some(other) = copied.get(&entry.ino()) {
            fs::hard_link(other, target).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
            copied.insert(entry.ino(), target);
        }
    }
}
