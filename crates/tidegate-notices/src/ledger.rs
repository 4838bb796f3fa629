//! Who was told what, and when: a file of JSON lines, `notices.jsonl` in the data directory.
//!
//! Invariant: a line is appended as a whole and synced before the next mail goes out, so that a kill
//! forgets at most the mail that the mail server took last. Lines are never changed. A line that was cut by a kill is
//! passed over. Whoever sends holds the file's lock, so that nobody is told twice by two at once.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::{Event, State};

/// Longest file that is read: some hundred thousand mails.
const BYTES_MAX: u64 = 256 << 20;

/// One mail that a mail server took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: DateTime<Utc>,
    /// Who had it sent: `staff:NAME` or `tidegate`.
    pub actor: String,
    /// Whom it went to.
    pub address: String,
    /// Organizations whose contact that is; none for staff.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orgs: Vec<String>,
    /// What it said.
    pub told: Told,
    /// The occurrence, as it was told.
    pub event: Event,
}

/// What a mail said about an occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Told {
    /// An announcement.
    Announcement {
        /// Name of the occurrence in calendars, the same for all that is said about it.
        uid: String,
        /// How many states of it were announced before this one.
        sequence: u32,
        /// What was said.
        state: State,
    },
    /// What became of the files that waited, for staff.
    Report,
}

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It can't be read or written.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else is sending.
    #[error("somebody else is sending announcements just now ({} is locked); try again when that has ended", .0.display())]
    Locked(PathBuf),
    /// It has grown beyond all reason.
    #[error("{} is longer than 256 MiB: move it away; what it tells will count as not told", .0.display())]
    TooLong(PathBuf),
}

/// The file, open and locked for whoever sends.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    records: Vec<Record>,
}

impl Ledger {
    /// Name of the file in the data directory.
    pub const FILE: &'static str = "notices.jsonl";

    /// What was told so far; nothing where the file is not there.
    pub fn read(data_dir: &Path) -> Result<Vec<Record>, LedgerError> {
        let path = data_dir.join(Self::FILE);
        match File::open(&path) {
            Ok(mut file) => Ok(records(&mut file, &path)?.0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(LedgerError::Io { doing: "reading", path, source }),
        }
    }

    /// Opens the file for sending; nobody else can until this is dropped.
    pub fn open(data_dir: &Path) -> Result<Self, LedgerError> {
        let path = data_dir.join(Self::FILE);
        let failed = |doing| {
            let path = path.clone();
            move |source| LedgerError::Io { doing, path, source }
        };
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let mut file = opened.map_err(failed("opening"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(LedgerError::Locked(path)),
            locked => locked.map_err(io::Error::from).map_err(failed("locking"))?,
        }
        // The name of a new file must outlive a power cut as its lines do.
        let synced = File::open(data_dir).and_then(|directory| directory.sync_all());
        synced.map_err(failed("keeping"))?;
        let (records, is_cut) = records(&mut file, &path)?;
        if is_cut {
            file.write_all(b"\n").map_err(failed("mending the end of"))?;
        }
        Ok(Self { path, file, records })
    }

    /// Everything that was told, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Keeps that a mail was taken over. Durable when it returns.
    pub fn append(&mut self, record: Record) -> Result<(), LedgerError> {
        let failed = |source| LedgerError::Io { doing: "writing", path: self.path.clone(), source };
        let mut line = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(failed)?;
        self.records.push(record);
        Ok(())
    }
}

/// The lines that can be read, and whether the last one was cut.
fn records(file: &mut File, path: &Path) -> Result<(Vec<Record>, bool), LedgerError> {
    let failed = |source| LedgerError::Io { doing: "reading", path: path.to_owned(), source };
    if file.metadata().map_err(failed)?.len() > BYTES_MAX {
        return Err(LedgerError::TooLong(path.to_owned()));
    }
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut text)).map_err(failed)?;
    let lines = text.split(|byte| *byte == b'\n');
    let records = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    Ok((records, text.last().is_some_and(|last| *last != b'\n')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::event;

    fn record(address: &str) -> Record {
        let told = Told::Announcement { uid: "u".to_owned(), sequence: 0, state: State::Announced };
        let (at, actor, address) = (event().start, "staff:jo".to_owned(), address.to_owned());
        Record { at, actor, address, orgs: vec!["ACME01".to_owned()], told, event: event() }
    }

    #[test]
    fn what_was_told_is_known_to_the_next_who_asks() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Ledger::read(dir.path()).unwrap(), []);
        let mut ledger = Ledger::open(dir.path()).unwrap();
        ledger.append(record("a@x.example")).unwrap();
        ledger.append(Record { told: Told::Report, ..record("b@x.example") }).unwrap();
        let expected = [record("a@x.example"), Record { told: Told::Report, ..record("b@x.example") }];
        assert_eq!(Ledger::read(dir.path()).unwrap(), expected);
        drop(ledger);
        assert_eq!(Ledger::open(dir.path()).unwrap().records(), expected);
    }

    #[test]
    fn a_line_cut_by_a_kill_is_passed_over_and_takes_no_other_with_it() {
        let whole = serde_json::to_vec(&record("a@x.example")).unwrap();
        for cut in 0..whole.len() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(Ledger::FILE);
            std::fs::write(&path, [&whole[..], b"\n", &whole[..cut]].concat()).unwrap();
            Ledger::open(dir.path()).unwrap().append(record("b@x.example")).unwrap();
            let addresses: Vec<_> =
                Ledger::read(dir.path()).unwrap().into_iter().map(|record| record.address).collect();
            assert_eq!(addresses, ["a@x.example", "b@x.example"], "cut at {cut}");
        }
    }

    #[test]
    fn two_never_send_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        assert!(matches!(Ledger::open(dir.path()), Err(LedgerError::Locked(_))));
        drop(ledger);
        assert!(Ledger::open(dir.path()).is_ok());
    }
}
