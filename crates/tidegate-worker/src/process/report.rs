//! The report for people while it is written.
//!
//! Its first page says how everything ended, so it is written last; until then the paragraphs are kept
//! in memory (they are bounded, see [`tidegate_hl7::report`]), and at a checkpoint also in a file
//! beside the report's place.
//!
//! Invariant: up to the recorded length that file holds what memory held at the checkpoint.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use tidegate_hl7::{Reply, Summary, report};

use super::answers::{create_anew, open_at_least, remove_once};

/// Where a report goes, and its paragraphs as far as they were kept.
#[derive(Debug)]
pub(super) struct Report {
    path: PathBuf,
    kept: Option<File>,
    kept_bytes: u64,
}

impl Report {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, kept: None, kept_bytes: 0 }
    }

    /// Reads `length` bytes of paragraphs back; `None` if they are gone.
    pub(super) fn reopen(path: PathBuf, length: u64) -> io::Result<Option<(Self, Vec<u8>)>> {
        let mut report = Self::new(path);
        let mut details = Vec::new();
        if length > 0 {
            let Some(file) = open_at_least(&report.kept_path(), length)? else { return Ok(None) };
            (&file).take(length).read_to_end(&mut details)?;
            (report.kept, report.kept_bytes) = (Some(file), length);
        }
        Ok(Some((report, details)))
    }

    /// Keeps the first `length` bytes of `details` in the file.
    pub(super) fn keep(&mut self, details: &[u8], length: u64) -> io::Result<()> {
        let range = usize::try_from(self.kept_bytes).ok().zip(usize::try_from(length).ok());
        let new = range.and_then(|(from, to)| details.get(from..to)).unwrap_or_default();
        if new.is_empty() {
            return Ok(());
        }
        let file = match self.kept.take() {
            Some(file) => file,
            None => create_anew(&self.kept_path())?,
        };
        file.write_all_at(new, self.kept_bytes)?;
        (self.kept, self.kept_bytes) = (Some(file), length);
        Ok(())
    }

    /// Writes the report and takes the paragraphs' file away.
    pub(super) fn finish(self, reply: &Reply, summary: &Summary, details: &[u8]) -> io::Result<()> {
        let mut text = report::render(reply, summary).into_bytes();
        text.extend_from_slice(details);
        create_anew(&self.path)?.write_all(&text)?;
        // A worker before this one may have left its file.
        remove_once(&self.kept_path())
    }

    fn kept_path(&self) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(".part");
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_read_back_up_to_the_recorded_length() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report");
        let mut report = Report::new(path.clone());
        report.keep(b"one two", 3).unwrap();
        report.keep(b"one two three", 7).unwrap();
        let (mut report, details) = Report::reopen(path.clone(), 3).unwrap().unwrap();
        assert_eq!(details, b"one");
        report.keep(b"one 2", 5).unwrap();
        assert_eq!(Report::reopen(path.clone(), 5).unwrap().unwrap().1, b"one 2");
        assert!(Report::reopen(path.clone(), 8).unwrap().is_none());
        let reply = Reply::new("JOB", chrono::DateTime::UNIX_EPOCH.fixed_offset());
        let refused = tidegate_hl7::sniff(b"").unwrap_err();
        report.finish(&reply, &Summary::refused(refused), b"one 2").unwrap();
        assert!(std::fs::read(&path).unwrap().ends_with(b"one 2"));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
