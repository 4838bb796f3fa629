//! A file of records that never changes, sorted by key.
//!
//! Records of equal length, then a trailer: CRC-32C of the records, the newest job among them, how many they are,
//! and what kind of file it is. One whose trailer does not fit its length is none: its writing was cut off.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use tidegate_disk::{Disk, DiskFile};
use tidegate_domain::JobId;

const KIND: &[u8; 8] = b"TGKNOWN1";
const TRAILER_BYTES: usize = 4 + JobId::LEN + 8 + KIND.len();
const ENDING: &str = ".run";

/// One message that was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) key: u128,
    pub(super) content: u64,
    /// The job that delivered it.
    pub(super) job: JobId,
}

impl Record {
    pub(super) const BYTES: usize = 16 + 8 + JobId::LEN;

    /// Big-endian, so that bytes sort as records do.
    pub(super) fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = self.key.to_be_bytes().into_iter().chain(self.content.to_be_bytes());
        for (to, from) in bytes.iter_mut().zip(parts.chain(self.job.to_bytes())) {
            *to = from;
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk()?;
        let (content, rest) = rest.split_first_chunk()?;
        let job = JobId::from_bytes(*rest.first_chunk()?);
        Some(Self { key: u128::from_be_bytes(*key), content: u64::from_be_bytes(*content), job })
    }
}

/// A file that was found whole as far as its trailer tells.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) path: PathBuf,
    pub(super) number: u64,
    pub(super) file: File,
    /// Records in it; at least one.
    pub(super) count: u64,
    pub(super) newest: JobId,
    /// CRC-32C of all records.
    pub(super) checksum: u32,
}

/// The runs of a directory, the oldest first; none if there is no directory.
pub(super) fn list(disk: &Disk, directory: &Path) -> io::Result<Vec<Run>> {
    let entries = match disk.list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut runs = Vec::new();
    for entry in entries {
        let Some(number) = number_of(&entry.file_name()) else { continue };
        match disk.open_read(&entry.path()) {
            // Merged or forgotten meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => runs.extend(Run::of(entry.path(), number, file?)?),
        }
    }
    runs.sort_by_key(|run| run.number);
    Ok(runs)
}

fn number_of(name: &std::ffi::OsStr) -> Option<u64> {
    name.to_str()?.strip_suffix(ENDING)?.parse().ok()
}

impl Run {
    fn of(path: PathBuf, number: u64, file: File) -> io::Result<Option<Self>> {
        let length = file.metadata()?.len();
        let mut trailer = [0; TRAILER_BYTES];
        let Some(records) = length.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        file.read_exact_at(&mut trailer, records)?;
        Ok(parse(&trailer)
            .filter(|(_, _, count)| {
                *count > 0 && count.checked_mul(Record::BYTES as u64).is_some_and(|bytes| bytes == records)
            })
            .map(|(checksum, newest, count)| Self { path, number, file, count, newest, checksum }))
    }

    /// So many records, from one on.
    pub(super) fn read(&self, from: u64, count: u64) -> io::Result<Vec<Record>> {
        let length = usize::try_from(count).map_err(io::Error::other)? * Record::BYTES;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, from * Record::BYTES as u64)?;
        Ok(bytes.as_chunks().0.iter().filter_map(Record::decode).collect())
    }
}

fn parse(trailer: &[u8; TRAILER_BYTES]) -> Option<(u32, JobId, u64)> {
    let (checksum, rest) = trailer.split_first_chunk()?;
    let (newest, rest) = rest.split_first_chunk()?;
    let (count, kind) = rest.split_first_chunk()?;
    (kind == KIND)
        .then(|| (u32::from_be_bytes(*checksum), JobId::from_bytes(*newest), u64::from_be_bytes(*count)))
}

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// A run while it is written, under a name that nobody looks for.
pub(super) struct Writing {
    file: DiskFile,
    buffer: Vec<u8>,
    part: PathBuf,
    path: PathBuf,
    checksum: u32,
    newest: Option<JobId>,
    count: u64,
}

impl Writing {
    pub(super) fn begin(disk: &Disk, directory: &Path, number: u64) -> io::Result<Self> {
        let part = directory.join(format!(".{number:010}.part"));
        let path = directory.join(format!("{number:010}{ENDING}"));
        let file = disk.create(&part)?;
        Ok(Self { file, buffer: Vec::new(), part, path, checksum: 0, newest: None, count: 0 })
    }

    /// Adds a record; they come sorted.
    pub(super) fn push(&mut self, record: &Record) -> io::Result<()> {
        let bytes = record.encode();
        self.checksum = crc32c::crc32c_append(self.checksum, &bytes);
        self.newest = self.newest.max(Some(record.job));
        self.count += 1;
        self.put(&bytes)
    }

    /// Makes it durable under its name, which nothing may have, unless it has no record.
    pub(super) fn finish(mut self, disk: &Disk, directory: &Path) -> io::Result<()> {
        if let Some(newest) = self.newest {
            self.put(&self.checksum.to_be_bytes())?;
            self.put(&newest.to_bytes())?;
            self.put(&self.count.to_be_bytes())?;
            self.put(KIND)?;
            self.file.write_all(&self.buffer)?;
            self.file.sync_all()?;
            disk.link(&self.part, &self.path)?;
        }
        disk.remove_once(&self.part)?;
        disk.sync_dir(directory)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.file.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }
}
