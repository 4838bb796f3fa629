//! Small uploads that were acknowledged and whose files are yet to be written.
//!
//! Their bytes are safe in the journal, so nobody has to wait for their files, and creating one costs more
//! than everything else about a small upload. They are written when the committer has nothing else to
//! do, when somebody looks for one, and when there are too many here.
//!
//! Invariant: as long as an upload is here, the directories do not count as durable up to its change,
//! and the segment that has its bytes is not sealed. So the next start writes the files that a killed
//! process did not.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_disk::Disk;
use tidegate_domain::{JobId, OrgCode};

use crate::layout::{Layout, Place};

/// The uploads, oldest first.
#[derive(Debug)]
pub(crate) struct Deferred {
    disk: Disk,
    layout: Layout,
    uploads: Mutex<Uploads>,
}

#[derive(Debug, Default)]
struct Uploads {
    /// By the change that accepted them.
    by_seq: BTreeMap<u64, Upload>,
    seqs: HashMap<JobId, u64>,
    bytes: usize,
    /// Those that the disk refused.
    refused: usize,
}

#[derive(Debug)]
struct Upload {
    id: JobId,
    org: OrgCode,
    bytes: Vec<u8>,
    /// Where its job's state wants it by now.
    place: Place,
    is_refused: bool,
}

impl Deferred {
    pub(crate) fn new(disk: Disk, layout: Layout) -> Self {
        Self { disk, layout, uploads: Mutex::default() }
    }

    /// Takes the bytes of an upload that change `seq` accepted.
    pub(crate) fn add(&self, seq: u64, id: JobId, org: OrgCode, bytes: Vec<u8>) {
        let mut uploads = self.lock();
        uploads.bytes += bytes.len();
        uploads.seqs.insert(id, seq);
        let upload = Upload { id, org, bytes, place: Place::Incoming, is_refused: false };
        uploads.by_seq.insert(seq, upload);
    }

    /// The change that accepted the oldest.
    pub(crate) fn oldest_seq(&self) -> Option<u64> {
        self.lock().by_seq.keys().next().copied()
    }

    /// Bytes of all of them.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Writes a job's file if that is still to be done. Whoever looks for a file calls this first.
    pub(crate) fn write(&self, id: JobId) {
        let mut uploads = self.lock();
        if let Some(seq) = uploads.seqs.get(&id).copied() {
            self.write_of(&mut uploads, seq);
        }
    }

    /// Writes the oldest; whether there was one and the disk took it.
    pub(crate) fn write_oldest(&self) -> bool {
        let mut uploads = self.lock();
        let oldest = uploads.by_seq.keys().next().copied();
        oldest.is_some_and(|seq| self.write_of(&mut uploads, seq))
    }

    /// Tries those again that the disk refused; whether it refuses any still.
    pub(crate) fn is_refused_still(&self) -> bool {
        let mut uploads = self.lock();
        if uploads.refused > 0 {
            let refused = uploads.by_seq.iter().filter(|(_, upload)| upload.is_refused);
            for seq in refused.map(|(seq, _)| *seq).collect::<Vec<u64>>() {
                self.write_of(&mut uploads, seq);
            }
        }
        uploads.refused > 0
    }

    /// Whether the disk refused any.
    pub(crate) fn has_refused(&self) -> bool {
        self.lock().refused > 0
    }

    /// Whether the disk refused a job's file.
    pub(crate) fn is_refused(&self, id: JobId) -> bool {
        let uploads = self.lock();
        let upload = uploads.seqs.get(&id).and_then(|seq| uploads.by_seq.get(seq));
        upload.is_some_and(|upload| upload.is_refused)
    }

    /// Has a job's file written to another place; false if it is written already.
    pub(crate) fn redirect(&self, id: JobId, place: Place) -> bool {
        let mut uploads = self.lock();
        let Some(seq) = uploads.seqs.get(&id).copied() else { return false };
        if let Some(upload) = uploads.by_seq.get_mut(&seq) {
            upload.place = place;
        }
        true
    }

    /// A job was purged: its file is not wanted any more.
    pub(crate) fn forget(&self, id: JobId) {
        let mut uploads = self.lock();
        if let Some(seq) = uploads.seqs.get(&id).copied() {
            uploads.remove(seq);
        }
    }

    /// What is refused leaves nothing behind: the file's place may change before it is tried again.
    fn write_of(&self, uploads: &mut Uploads, seq: u64) -> bool {
        let Some(upload) = uploads.by_seq.get_mut(&seq) else { return false };
        let path = self.layout.payload(&upload.org, upload.place, upload.id);
        let written = self.write_to(&path, &upload.bytes);
        if written.inspect_err(|_| drop(self.disk.remove_once(&path))).is_ok() {
            uploads.remove(seq);
            return true;
        }
        if !std::mem::replace(&mut upload.is_refused, true) {
            uploads.refused += 1;
        }
        false
    }

    /// Makes the directory anew if somebody has removed it.
    fn write_to(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match (self.disk.write(path, bytes), path.parent()) {
            (Err(error), Some(directory)) if error.kind() == io::ErrorKind::NotFound => {
                self.disk.create_dir_all(directory)?;
                self.disk.write(path, bytes)
            }
            (written, _) => written,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uploads {
    fn remove(&mut self, seq: u64) {
        if let Some(upload) = self.by_seq.remove(&seq) {
            self.seqs.remove(&upload.id);
            self.bytes -= upload.bytes.len();
            self.refused -= usize::from(upload.is_refused);
        }
    }
}
