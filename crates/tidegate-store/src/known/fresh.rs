//! The newest records: a file that is appended to, short enough to be read whole.
//!
//! Each record has a checksum of its own: after a power cut the file may end in anything, and what is not sound is
//! passed over.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tidegate_disk::Disk;

use super::run::Record;

/// With so many records, 156 KB, it becomes a run.
pub(crate) const FULL: usize = 4096;
const CHECKSUM_BYTES: usize = 4;
const BYTES: usize = Record::BYTES + CHECKSUM_BYTES;
/// A file is read up to here; one checkpoint adds a quarter of [`FULL`] at most.
const READ_MAX: u64 = 4 * (FULL * BYTES) as u64;

#[derive(Debug)]
pub(super) struct Fresh {
    /// As they were when the file was read; sorted.
    records: Vec<Record>,
    places: usize,
}

pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("fresh")
}

impl Fresh {
    pub(super) fn open(disk: &Disk, directory: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        match disk.open_read(&path(directory)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => drop(file?.take(READ_MAX).read_to_end(&mut bytes)?),
        }
        let (places, cut_off) = bytes.as_chunks();
        let mut records: Vec<Record> = places.iter().filter_map(sound).collect();
        records.sort_unstable();
        Ok(Self { records, places: places.len() + usize::from(!cut_off.is_empty()) })
    }

    /// Places in the file, sound or not.
    pub(super) fn places(&self) -> usize {
        self.places
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// Those of a key that were there when the file was read.
    pub(super) fn find(&self, key: u128) -> Vec<Record> {
        let from = self.records.partition_point(|record| record.key < key);
        let rest = self.records.get(from..).unwrap_or_default();
        rest.iter().take_while(|record| record.key == key).copied().collect()
    }

    /// Writes records behind those that are there.
    pub(super) fn append(&mut self, disk: &Disk, directory: &Path, records: &[Record]) -> io::Result<()> {
        let path = path(directory);
        if self.places == 0 {
            drop(disk.create(&path)?);
        }
        let mut bytes = Vec::with_capacity(records.len() * BYTES);
        for record in records {
            let encoded = record.encode();
            bytes.extend(encoded);
            bytes.extend(crc32c::crc32c(&encoded).to_be_bytes());
        }
        let written = disk.overwrite(&path, (self.places * BYTES) as u64, &bytes).map(drop);
        match written {
            // Forgotten since it was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                drop(disk.create(&path)?);
                self.places = 0;
                disk.overwrite(&path, 0, &bytes)?;
            }
            written => written?,
        }
        self.places += records.len();
        Ok(())
    }
}

/// A place that was written whole.
fn sound(place: &[u8; BYTES]) -> Option<Record> {
    let (record, checksum) = place.split_first_chunk()?;
    (crc32c::crc32c(record).to_be_bytes() == *checksum).then(|| Record::decode(record)).flatten()
}
