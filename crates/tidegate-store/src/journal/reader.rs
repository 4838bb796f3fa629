//! Reads the journal from any change on.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tidegate_disk::Disk;

use super::frame::{self, Header, Item};
use super::segment::Segment;

/// The journal as it lies on disk.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    pub(crate) segments: Vec<Segment>,
    pub(crate) store_id: u64,
    pub(super) disk: Disk,
}

/// What a reading met that should not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The last batch is incomplete: it was never acknowledged.
    TornEnd {
        /// Where the whole batches end.
        segment: PathBuf,
        /// In bytes from the segment's start.
        at: u64,
    },
    /// Bytes that were once whole are unreadable.
    Hole {
        /// Where.
        segment: PathBuf,
        /// In bytes from the segment's start.
        at: u64,
    },
    /// Changes are nowhere, and nothing unreadable is in their place: a file is gone, or was cut short.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
        /// Where the changes behind them are.
        segment: PathBuf,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornEnd { segment, at } => write!(f, "torn at byte {at} of {}", segment.display()),
            Self::Hole { segment, at } => write!(f, "unreadable at byte {at} of {}", segment.display()),
            Self::Missing { first, last, segment } => {
                write!(f, "changes {first} to {last} are missing before {}", segment.display())
            }
        }
    }
}

/// How a view of a journal stands to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It shows the journal up to some change.
    Behind,
    /// It knows changes that the journal does not have.
    Ahead,
    /// It shows other changes, such as those of a copy of this store that went its own way.
    Foreign,
}

impl Journal {
    /// Finds the segments; `None` if there is no journal yet.
    pub(crate) fn find(disk: &Disk, directory: &Path) -> io::Result<Option<Self>> {
        let mut segments = Segment::list(disk, directory)?;
        // A crash while a segment is begun leaves one without a header; nothing was written to it.
        if let Some(last) = segments.last()
            && last.header(disk)?.is_none()
            && std::fs::metadata(&last.path)?.len() <= last.header_len() as u64
        {
            segments.pop();
        }
        if segments.is_empty() {
            return Ok(None);
        }
        for segment in &segments {
            if let Some(store_id) = segment.header(disk)? {
                return Ok(Some(Self { segments, store_id, disk: disk.clone() }));
            }
        }
        let what = "the beginning of every file is unreadable: restore the directory from a backup";
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    }

    /// Length of all segments in bytes, for progress.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.segments
            .iter()
            .filter_map(|segment| std::fs::metadata(&segment.path).ok())
            .map(|m| m.len())
            .sum()
    }

    /// How a view stands to the journal whose last change is `seq` and has this fingerprint.
    pub(crate) fn standing(&self, seq: u64, fingerprint: u32) -> io::Result<Standing> {
        let Some(before) = seq.checked_sub(1) else { return Ok(Standing::Behind) };
        let begun = self.segments.partition_point(|segment| segment.first_seq <= seq);
        let holder = self.segments.get(..begun).and_then(<[Segment]>::last);
        let holder = Self { segments: holder.cloned().into_iter().collect(), ..self.clone() };
        // Beyond is enough: the change itself may lie in a hole, which the view still knows.
        let stands_for = holder.compacted_through() >= seq;
        let (mut reaches, mut same) = (begun < self.segments.len() || stands_for, true);
        holder.read::<io::Error>(before, |item, _| {
            reaches |= item.entry.seq >= seq;
            same &= item.entry.seq != seq || item.entry.fingerprint() == fingerprint;
            Ok(())
        })?;
        Ok(match (same, reaches) {
            (false, _) => Standing::Foreign,
            (true, true) => Standing::Behind,
            (true, false) => Standing::Ahead,
        })
    }

    /// The last change that a compacted segment stands for. A view that ends before can't be brought up
    /// from here: what it would have to forget may have left the journal.
    pub(crate) fn compacted_through(&self) -> u64 {
        self.segments.iter().filter_map(|segment| segment.last_seq).max().unwrap_or(0)
    }

    /// Hands every item with a change after `after` to `each`, in order, and the bytes read so far.
    /// Segments that are not sealed are read even if all their changes come before: one that stays so
    /// is damaged, and that shall be told at every start.
    pub(crate) fn read<E: From<io::Error>>(
        &self,
        after: u64,
        mut each: impl FnMut(Item, u64) -> Result<(), E>,
    ) -> Result<Vec<Damage>, E> {
        let mut damage = Vec::new();
        let mut order = Order { last_seq: after, explained: 0 };
        let mut bytes_before = 0;
        for (place, segment) in self.segments.iter().enumerate() {
            let next_first = self.segments.get(place + 1).map(|next| next.first_seq);
            if segment.sealed && next_first.is_some_and(|first| first <= after + 1) {
                continue;
            }
            order.expect(segment.first_seq, segment, &mut damage);
            let named = |error| segment.named(&error);
            let mut scan = Scan::open(&self.disk, segment, self.store_id, &mut damage).map_err(named)?;
            while let Some(items) = scan.next_batch(&mut damage, next_first.is_none()).map_err(named)? {
                for item in items {
                    if item.entry.seq > order.last_seq {
                        // What is not in a compacted segment was left out of it.
                        if segment.last_seq.is_none() {
                            order.expect(item.entry.seq, segment, &mut damage);
                        }
                        order = Order { last_seq: item.entry.seq, explained: damage.len() };
                        each(item, bytes_before + scan.at)?;
                    }
                }
            }
            if let Some(last_seq) = segment.last_seq.filter(|last_seq| *last_seq > order.last_seq) {
                order = Order { last_seq, explained: damage.len() };
            }
            bytes_before += scan.at;
        }
        Ok(damage)
    }
}

/// Notices what is missing from the order of changes.
struct Order {
    last_seq: u64,
    /// How much damage was known when the last change was read.
    explained: usize,
}

impl Order {
    /// `next` is about to be read. What is unreadable before it explains whatever is missing.
    fn expect(&self, next: u64, segment: &Segment, damage: &mut Vec<Damage>) {
        if next > self.last_seq + 1 && damage.len() == self.explained {
            let (first, last) = (self.last_seq + 1, next - 1);
            damage.push(Damage::Missing { first, last, segment: segment.path.clone() });
        }
    }
}

/// A walk through one segment.
pub(super) struct Scan<'a> {
    segment: &'a Segment,
    store_id: u64,
    file: BufReader<File>,
    /// Where the next batch begins, in bytes from the segment's start.
    pub(super) at: u64,
    body: Vec<u8>,
    /// Whether its first bytes are unreadable. It was begun before anything was written to it, so then
    /// nothing else that is unreadable can be a torn end.
    is_headless: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn open(
        disk: &Disk,
        segment: &'a Segment,
        store_id: u64,
        damage: &mut Vec<Damage>,
    ) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 20, segment.open(disk)?);
        let header = segment.read_header(&mut file)?;
        if header.is_some_and(|found| found != store_id) {
            let what = "it belongs to another store: put the file back that was here";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let is_headless = header.is_none();
        if is_headless {
            damage.push(Damage::Hole { segment: segment.path.clone(), at: 0 });
        }
        let at = segment.header_len() as u64;
        file.seek(SeekFrom::Start(at))?;
        Ok(Self { segment, store_id, file, at, body: Vec::new(), is_headless })
    }

    /// The next whole batch; `None` at the end. Notes what lies between.
    pub(super) fn next_batch(
        &mut self,
        damage: &mut Vec<Damage>,
        is_last: bool,
    ) -> io::Result<Option<Vec<Item>>> {
        let start = self.at;
        if let Some(items) = self.read_batch()? {
            return Ok(Some(items));
        }
        if self.file.get_ref().metadata()?.len() <= start {
            return Ok(None);
        }
        if self.has_only_zeros_after(start)? {
            return Ok(None);
        }
        let segment = self.segment.path.clone();
        if let Some(next) = self.find_batch_after(start)? {
            damage.push(Damage::Hole { segment, at: start });
            self.seek(next)?;
            return self.read_batch();
        }
        damage.push(if is_last && !self.is_headless {
            Damage::TornEnd { segment, at: start }
        } else {
            Damage::Hole { segment, at: start }
        });
        Ok(None)
    }

    /// The batch at the present place; `None` and the place unchanged if there is no whole one. A whole
    /// one that can't be understood is no damage: a later version wrote it, and was believed.
    fn read_batch(&mut self) -> io::Result<Option<Vec<Item>>> {
        let mut header = [0; frame::HEADER_LEN];
        if !read_full(&mut self.file, &mut header)? {
            return Ok(None);
        }
        let Some(header) = Header::parse(header, self.store_id) else { return Ok(None) };
        self.body.resize(header.body_len, 0);
        if !read_full(&mut self.file, &mut self.body)? || !header.fits(&self.body) {
            return Ok(None);
        }
        let Some(items) = frame::items(&self.body) else {
            let message = "it has changes of a later version in it: use the version that wrote them";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        self.at += (frame::HEADER_LEN + header.body_len) as u64;
        Ok(Some(items))
    }

    /// Whether nothing was written behind `start`: the writer fills segments with zeros ahead of itself.
    fn has_only_zeros_after(&mut self, start: u64) -> io::Result<bool> {
        self.seek(start)?;
        loop {
            let bytes = self.file.fill_buf()?;
            if bytes.is_empty() || bytes.iter().any(|byte| *byte != 0) {
                let is_end = bytes.is_empty();
                self.seek(start)?;
                return Ok(is_end);
            }
            let count = bytes.len();
            self.file.consume(count);
        }
    }

    /// Where the next whole batch begins behind `start`.
    fn find_batch_after(&mut self, start: u64) -> io::Result<Option<u64>> {
        let marker = frame::marker(self.store_id);
        self.seek(start + 1)?;
        let mut rest = Vec::new();
        self.file.read_to_end(&mut rest)?;
        let mut from = 0;
        while let Some(found) =
            rest.get(from..).and_then(|tail| tail.windows(marker.len()).position(|window| *window == marker))
        {
            let place = start + 1 + (from + found) as u64;
            self.seek(place)?;
            if self.read_batch()?.is_some() {
                return Ok(Some(place));
            }
            from += found + 1;
        }
        self.at = start;
        Ok(None)
    }

    fn seek(&mut self, place: u64) -> io::Result<()> {
        self.at = place;
        self.file.seek(SeekFrom::Start(place)).map(drop)
    }
}

/// Fills `buffer`; `false` if the file ends before.
fn read_full(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        other => other.map(|()| true),
    }
}
