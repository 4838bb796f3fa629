//! The default target: one file for each message, `<dir>/<ORG>/<job id>.<ordinal>.hl7`.
//!
//! Invariant: a file under its final name is whole, and is that message. Names sort in the order of
//! delivery, since job ids sort by arrival and ordinals are padded.
//!
//! **Durability.** A file is written and renamed, not synced. On the data directory's file system that
//! is enough: `Store::checkpoint` and `Store::finish` make that whole file system durable (`syncfs`)
//! before they record anything, so what is recorded as delivered is durable. On another file system
//! [`Deliver::settle`] does the same there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::settle::GroupSync;
use super::{Deliver, DeliverError, Delivered, Key};

/// Messages as files, for their owner only.
#[derive(Debug)]
pub struct DirectoryTarget {
    directory: PathBuf,
    /// Only where the store's own syncs do not reach.
    sync: Option<GroupSync>,
}

impl DirectoryTarget {
    /// Opens `directory`, which is made if it is missing.
    pub fn open(directory: &Path, data_dir: &Path) -> io::Result<Self> {
        make_private(directory)?;
        let opened = File::open(directory)?;
        let is_covered = opened.metadata()?.dev() == fs::metadata(data_dir)?.dev();
        if !is_covered {
            tracing::info!(
                "delivery directory lies on a file system of its own: deliveries are synced there"
            );
        }
        let sync = (!is_covered).then(|| GroupSync::new(opened));
        Ok(Self { directory: directory.to_owned(), sync })
    }

    fn put(&self, key: &Key, message: &[u8]) -> io::Result<Delivered> {
        let home = self.directory.join(key.org.as_str());
        let name = format!("{}.{:07}.hl7", key.job, key.ordinal);
        let target = home.join(&name);
        if is_there(&target, message)? {
            return Ok(Delivered::Before);
        }
        let hidden = home.join(format!(".{name}.part"));
        match write(&hidden, message) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_private(&home)?;
                write(&hidden, message)?;
            }
            written => written?,
        }
        fs::rename(&hidden, &target)?;
        Ok(Delivered::Now)
    }
}

impl Deliver for DirectoryTarget {
    fn deliver(&self, key: &Key, message: &[u8]) -> Result<Delivered, DeliverError> {
        let failed = |error| DeliverError::Transient(format!("writing into the delivery directory: {error}"));
        self.put(key, message).map_err(failed)
    }

    fn settle(&self) -> io::Result<()> {
        self.sync.as_ref().map_or(Ok(()), GroupSync::settle)
    }
}

/// Whether the message lies there. A file with other bytes is what a power cut left of a delivery that
/// was never recorded: it is replaced.
fn is_there(target: &Path, message: &[u8]) -> io::Result<bool> {
    match fs::read(target) {
        Ok(bytes) if bytes == message => Ok(true),
        Ok(_) => {
            tracing::warn!("damaged delivery replaced");
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, message: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(message)
}

fn make_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tidegate_domain::{JobIds, OrgCode};

    use super::*;

    fn key(ordinal: u64) -> Key {
        let job = JobIds::after(None).next(chrono::DateTime::UNIX_EPOCH, 7);
        Key { job, org: OrgCode::new("ACME").unwrap(), ordinal }
    }

    fn target() -> (tempfile::TempDir, DirectoryTarget, PathBuf) {
        let data_dir = tempfile::tempdir().unwrap();
        let directory = data_dir.path().join("delivered");
        let target = DirectoryTarget::open(&directory, data_dir.path()).unwrap();
        (data_dir, target, directory.join("ACME"))
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn names_sort_in_the_order_of_delivery_and_nothing_else_is_left() {
        let (_data_dir, target, home) = target();
        for ordinal in [1, 2, 10, 1_000_000] {
            target.deliver(&key(ordinal), b"MSH|").unwrap();
        }
        let job = key(1).job;
        let expected = [1, 2, 10, 1_000_000].map(|ordinal| format!("{job}.{ordinal:07}.hl7"));
        assert_eq!(names(&home), expected);
        let file = home.join(&expected[0]);
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(home).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn the_same_key_again_is_recognised() {
        let (_data_dir, target, home) = target();
        assert_eq!(target.deliver(&key(1), b"MSH|1"), Ok(Delivered::Now));
        assert_eq!(target.deliver(&key(1), b"MSH|1"), Ok(Delivered::Before));
        assert_eq!(names(&home).len(), 1);
    }

    #[test]
    fn what_a_power_cut_left_under_the_key_is_replaced() {
        let (_data_dir, target, home) = target();
        target.deliver(&key(1), b"MSH|1").unwrap();
        let file = home.join(&names(&home)[0]);
        fs::write(&file, b"\0\0\0").unwrap();
        assert_eq!(target.deliver(&key(1), b"MSH|1"), Ok(Delivered::Now));
        assert_eq!(fs::read(file).unwrap(), b"MSH|1");
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_a_passing_failure_without_names() {
        let (_data_dir, target, home) = target();
        fs::write(&home, b"in the way").unwrap();
        let error = target.deliver(&key(1), b"MSH|1").unwrap_err();
        assert!(matches!(&error, DeliverError::Transient(text) if !text.contains("ACME")), "{error}");
    }

    #[test]
    fn only_another_file_system_needs_syncs_of_its_own() {
        let (data_dir, target, _) = target();
        assert!(target.sync.is_none());
        let elsewhere = Path::new("/dev/shm");
        if fs::metadata(elsewhere).is_ok_and(|it| it.dev() != fs::metadata(data_dir.path()).unwrap().dev()) {
            let other = tempfile::tempdir_in(elsewhere).unwrap();
            let target = DirectoryTarget::open(&other.path().join("delivered"), data_dir.path()).unwrap();
            assert!(target.sync.is_some());
            target.settle().unwrap();
        }
    }
}
