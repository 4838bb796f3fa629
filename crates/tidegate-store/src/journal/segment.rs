//! Segment files: their names and their first bytes.

use std::cmp::Reverse;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tidegate_disk::{Disk, DiskFile};

/// Length of the shortest header of a segment: magic (8), store id (8), first change (8), CRC-32C (4).
const HEADER_LEN: usize = 28;
/// A compacted segment has its last change (8) before the CRC.
const COMPACTED_HEADER_LEN: usize = 36;
const MAGIC: [u8; 8] = *b"TGJOURN1";
const COMPACTED_MAGIC: [u8; 8] = *b"TGJOURN2";

/// One file of the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    /// The first change that it holds, or held before it was compacted.
    pub(crate) first_seq: u64,
    /// If it was compacted, the last change that it stands for: changes up to there may be missing from it.
    pub(crate) last_seq: Option<u64>,
    /// Whether it was rewritten without payloads.
    pub(crate) sealed: bool,
    pub(crate) path: PathBuf,
}

impl Segment {
    pub(crate) fn new(directory: &Path, first_seq: u64, sealed: bool) -> Self {
        let ending = if sealed { "sealed" } else { "log" };
        let path = directory.join(format!("{first_seq:016x}.{ending}"));
        Self { first_seq, last_seq: None, sealed, path }
    }

    pub(super) fn compacted(directory: &Path, first_seq: u64, last_seq: u64) -> Self {
        let path = directory.join(format!("{first_seq:016x}-{last_seq:016x}.compacted"));
        Self { first_seq, last_seq: Some(last_seq), sealed: true, path }
    }

    fn of_path(path: PathBuf) -> Option<Self> {
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        let stem = path.file_stem()?.to_str()?;
        let (first_seq, last_seq, sealed) = match path.extension()?.to_str()? {
            "sealed" => (number(stem)?, None, true),
            "log" => (number(stem)?, None, false),
            "compacted" => {
                let (first, last) = stem.split_once('-')?;
                (number(first)?, Some(number(last)?), true)
            }
            _ => return None,
        };
        Some(Self { first_seq, last_seq, sealed, path })
    }

    /// The same segment in another directory, in the form that was opened.
    pub(crate) fn in_directory(&self, directory: &Path, sealed: bool) -> Self {
        match self.last_seq {
            Some(last_seq) => Self::compacted(directory, self.first_seq, last_seq),
            None => Self::new(directory, self.first_seq, sealed),
        }
    }

    pub(super) const fn header_len(&self) -> usize {
        if self.last_seq.is_some() { COMPACTED_HEADER_LEN } else { HEADER_LEN }
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
        let has_other_form = self.sealed && self.last_seq.is_none();
        if has_other_form { disk.remove_once(&self.path.with_extension("log")) } else { Ok(()) }
    }

    /// The segments of a directory in order. Where a crash left a segment beside its sealed form, or
    /// beside a compacted one that stands for it, the latter counts: it got its name only when it was
    /// whole.
    pub(crate) fn list(disk: &Disk, directory: &Path) -> io::Result<Vec<Self>> {
        Ok(Self::list_with_leftovers(disk, directory)?.0)
    }

    /// The same, and those beside them that a compacted one stands for.
    pub(crate) fn list_with_leftovers(disk: &Disk, directory: &Path) -> io::Result<(Vec<Self>, Vec<Self>)> {
        let mut found = Vec::new();
        for entry in disk.list(directory)? {
            found.extend(Self::of_path(entry.path()));
        }
        found.sort_by_key(|segment| (segment.first_seq, Reverse(segment.last_seq), !segment.sealed));
        let mut covered_seq = 0;
        let (mut segments, leftovers): (Vec<Self>, Vec<Self>) = found.into_iter().partition(|segment| {
            let is_new = segment.first_seq > covered_seq;
            covered_seq = covered_seq.max(segment.last_seq.unwrap_or(0));
            is_new
        });
        segments.dedup_by_key(|segment| segment.first_seq);
        Ok((segments, leftovers))
    }

    /// Begins a file with the header of this segment.
    pub(super) fn write_header(&self, file: &mut DiskFile, store_id: u64) -> io::Result<()> {
        let mut header = Vec::with_capacity(COMPACTED_HEADER_LEN);
        header.extend_from_slice(self.magic());
        header.extend_from_slice(&store_id.to_le_bytes());
        header.extend_from_slice(&self.first_seq.to_le_bytes());
        header.extend(self.last_seq.map(u64::to_le_bytes).iter().flatten());
        header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
        file.write_all(&header)
    }

    const fn magic(&self) -> &'static [u8; 8] {
        if self.last_seq.is_some() { &COMPACTED_MAGIC } else { &MAGIC }
    }

    /// Reads the header: the store's id, if it is whole. A whole one that belongs to another name fails:
    /// taken for what its name says, the file would put changes out of their order.
    pub(super) fn read_header(&self, file: &mut impl Read) -> io::Result<Option<u64>> {
        let mut header = vec![0; self.header_len()];
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let Some((store_id, first_seq, last_seq)) = self.parse(&header) else { return Ok(None) };
        if (first_seq, last_seq) == (self.first_seq, self.last_seq) {
            return Ok(Some(store_id));
        }
        let last = last_seq.map(|last| format!("-{last:016x}")).unwrap_or_default();
        let what =
            format!("it was called {first_seq:016x}{last} when it was written: give it that name again");
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

    /// Store id, first and last change of a header that is whole.
    fn parse(&self, header: &[u8]) -> Option<(u64, u64, Option<u64>)> {
        let (covered, crc) = header.split_last_chunk::<4>()?;
        let (magic, rest) = covered.split_first_chunk::<8>()?;
        let (store_id, rest) = rest.split_first_chunk::<8>()?;
        let (first_seq, rest) = rest.split_first_chunk::<8>()?;
        let last_seq = rest.first_chunk::<8>().copied().map(u64::from_le_bytes);
        let whole = magic == self.magic() && crc32c::crc32c(covered) == u32::from_le_bytes(*crc);
        whole.then(|| (u64::from_le_bytes(*store_id), u64::from_le_bytes(*first_seq), last_seq))
    }
}
