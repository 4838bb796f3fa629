//! Segment files: their names and their first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tidegate_disk::{Disk, DiskFile};

/// Length of a segment's header in bytes: magic (8), store id (8), first change (8), CRC-32C (4).
pub(super) const HEADER_LEN: usize = 28;
const MAGIC: [u8; 8] = *b"TGJOURN1";

/// One file of the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    /// The first change that it holds.
    pub(crate) first_seq: u64,
    /// Whether it was rewritten without payloads.
    pub(crate) sealed: bool,
    pub(crate) path: PathBuf,
}

impl Segment {
    pub(crate) fn new(directory: &Path, first_seq: u64, sealed: bool) -> Self {
        let ending = if sealed { "sealed" } else { "log" };
        Self { first_seq, sealed, path: directory.join(format!("{first_seq:016x}.{ending}")) }
    }

    fn of_path(path: PathBuf) -> Option<Self> {
        let sealed = match path.extension()?.to_str()? {
            "sealed" => true,
            "log" => false,
            _ => return None,
        };
        let first_seq = u64::from_str_radix(path.file_stem()?.to_str()?, 16).ok()?;
        Some(Self { first_seq, sealed, path })
    }

    /// Opens it, in its sealed form if it was sealed since it was listed.
    pub(crate) fn open(&self, disk: &Disk) -> io::Result<File> {
        self.open_as_it_is(disk).map(|(file, _)| file)
    }

    /// The same, and whether it is the sealed form that was opened.
    pub(crate) fn open_as_it_is(&self, disk: &Disk) -> io::Result<(File, bool)> {
        match disk.open_read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.sealed => {
                disk.open_read(&self.path.with_extension("sealed")).map(|file| (file, true))
            }
            other => other.map(|file| (file, self.sealed)),
        }
    }

    /// Removes the form with payloads that a crash left beside the sealed one.
    pub(crate) fn remove_leftover(&self, disk: &Disk) -> io::Result<()> {
        if self.sealed { disk.remove_once(&self.path.with_extension("log")) } else { Ok(()) }
    }

    /// The segments of a directory in order. Where a crash left a segment beside its sealed form the
    /// sealed one counts: it got its name only when it was whole.
    pub(crate) fn list(disk: &Disk, directory: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in disk.list(directory)? {
            found.extend(Self::of_path(entry.path()));
        }
        found.sort_by_key(|segment| (segment.first_seq, !segment.sealed));
        found.dedup_by_key(|segment| segment.first_seq);
        Ok(found)
    }

    pub(super) fn write_header(file: &mut DiskFile, store_id: u64, first_seq: u64) -> io::Result<()> {
        let mut header = Vec::with_capacity(HEADER_LEN);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&store_id.to_le_bytes());
        header.extend_from_slice(&first_seq.to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
        file.write_all(&header)
    }

    /// Reads the header: the store's id, if it is whole. A whole one that belongs to another name fails:
    /// taken for what its name says, the file would put changes out of their order.
    pub(super) fn read_header(&self, file: &mut impl Read) -> io::Result<Option<u64>> {
        let mut header = [0; HEADER_LEN];
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let Some((store_id, first_seq)) = parse(&header) else { return Ok(None) };
        if first_seq == self.first_seq {
            return Ok(Some(store_id));
        }
        let what = format!("it was called {first_seq:016x} when it was written: give it that name again");
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    }

    /// The store's id, if the header is whole.
    pub(super) fn header(&self, disk: &Disk) -> io::Result<Option<u64>> {
        self.open(disk).and_then(|mut file| self.read_header(&mut file)).map_err(|error| self.named(&error))
    }

    /// Says of an error which file it is about.
    pub(super) fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

fn parse(header: &[u8; HEADER_LEN]) -> Option<(u64, u64)> {
    let (covered, crc) = header.split_last_chunk::<4>()?;
    let (magic, rest) = covered.split_first_chunk::<8>()?;
    let (store_id, rest) = rest.split_first_chunk::<8>()?;
    let (first_seq, _) = rest.split_first_chunk::<8>()?;
    let whole = *magic == MAGIC && crc32c::crc32c(covered) == u32::from_le_bytes(*crc);
    whole.then(|| (u64::from_le_bytes(*store_id), u64::from_le_bytes(*first_seq)))
}
