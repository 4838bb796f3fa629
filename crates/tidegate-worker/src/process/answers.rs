//! The response file while it is written.
//!
//! Invariant: what is written depends on the bytes handed in alone; after a failed write the same
//! bytes go to the same place again. Nothing is written when it is dropped, so that a job which lost
//! its claim leaves the file alone. It does not sync; the store does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// A file that only grows, and knows how long it is.
#[derive(Debug)]
pub(super) struct ResponseFile {
    file: File,
    buffer: Vec<u8>,
    written: u64,
}

impl ResponseFile {
    /// A new file, for its owner only. What lay there is unlinked, not overwritten: the sender may be
    /// reading it under its other name.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: create_anew(path)?, buffer: Vec::new(), written: 0 })
    }

    /// Goes on with a file that was `length` bytes long; `None` if it is gone or shorter.
    pub(super) fn reopen(path: &Path, length: u64) -> io::Result<Option<Self>> {
        let file = open_at_least(path, length)?;
        let cut = |file: File| file.set_len(length).map(|()| file);
        Ok(file.map(cut).transpose()?.map(|file| Self { file, buffer: Vec::new(), written: length }))
    }

    /// Length in bytes, those included that are still in memory.
    pub(super) fn length(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }
}

impl Write for ResponseFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

pub(super) fn create_anew(path: &Path) -> io::Result<File> {
    remove_once(path)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Opens a file that must have `length` bytes or more.
pub(super) fn open_at_least(path: &Path, length: u64) -> io::Result<Option<File>> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    Ok((file.metadata()?.len() >= length).then_some(file))
}

pub(super) fn remove_once(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_back_and_continued() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("response");
        let mut file = ResponseFile::create(&path).unwrap();
        file.write_all(b"kept, lost").unwrap();
        file.flush().unwrap();
        let mut file = ResponseFile::reopen(&path, 4).unwrap().unwrap();
        file.write_all(b" on").unwrap();
        assert_eq!(file.length(), 7);
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"kept", "a drop writes nothing");
        assert!(ResponseFile::reopen(&path, 5).unwrap().is_none());
        assert!(ResponseFile::reopen(&directory.path().join("none"), 0).unwrap().is_none());
    }

    #[test]
    fn a_new_file_leaves_the_readers_of_the_old_one_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (path, published) = (directory.path().join("response"), directory.path().join("published"));
        fs::write(&path, b"old").unwrap();
        fs::hard_link(&path, &published).unwrap();
        let mut file = ResponseFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.flush().unwrap();
        assert_eq!(fs::read(published).unwrap(), b"old");
    }

    #[test]
    fn memory_is_bounded_and_order_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("response");
        let mut file = ResponseFile::create(&path).unwrap();
        let mut expected = Vec::new();
        for byte in 0..200_u8 {
            let bytes = vec![byte; 1_000];
            file.write_all(&bytes).unwrap();
            expected.extend(bytes);
            assert!(file.buffer.len() <= BUFFER_BYTES);
        }
        file.flush().unwrap();
        assert_eq!((file.length(), fs::read(path).unwrap()), (200_000, expected));
    }
}
