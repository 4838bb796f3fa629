//! What a registry answered since the last checkpoint, so that a kill leaves one message in doubt and not a thousand.
//!
//! Invariant: an answer is noted here before the next message goes out, in order, and is worth nothing once a
//! checkpoint covers it. A note that is torn or damaged ends the ledger: what stands behind it is asked for again.
//! Notes are written and not synced: they outlive the process, and a power cut only if the disk was quick.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;

use postcard::{from_bytes, to_allocvec};
use serde::{Deserialize, Serialize};

use crate::deliver::Code;

/// More than the notes between two checkpoints ever take.
const BYTES_MAX: u64 = 16 << 20;

/// Length and checksum before each note.
const HEAD_BYTES: usize = 8;

/// What the target said about a message: `None` if it took it, else its code and words.
pub(super) type Said = Option<(Code, String)>;

/// The notes of one job.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    file: Option<File>,
    length: u64,
    /// Read at the start and not yet asked for.
    known: VecDeque<(u64, Said)>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    ordinal: u64,
    /// Whether it was refused, and whether as AR; then the words.
    refused: Option<(bool, String)>,
}

impl Ledger {
    /// Reads what an attempt before noted about messages behind `ordinal`, the last that a checkpoint covers.
    pub(super) fn open(path: PathBuf, ordinal: u64) -> io::Result<Self> {
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened?),
        };
        let mut bytes = Vec::new();
        if let Some(file) = &file {
            file.take(BYTES_MAX).read_to_end(&mut bytes)?;
        }
        let (mut rest, mut known) = (bytes.as_slice(), VecDeque::new());
        while let Some((note, behind)) = read(rest) {
            if note.ordinal > ordinal {
                let code = |is_reject| if is_reject { Code::Reject } else { Code::Error };
                known
                    .push_back((note.ordinal, note.refused.map(|(is_reject, text)| (code(is_reject), text))));
            }
            rest = behind;
        }
        let length = (bytes.len() - rest.len()) as u64;
        Ok(Self { path, file, length, known })
    }

    /// What was noted about a message; asked for in order.
    pub(super) fn recall(&mut self, ordinal: u64) -> Option<Said> {
        while self.known.front().is_some_and(|(first, _)| *first < ordinal) {
            self.known.pop_front();
        }
        self.known.pop_front_if(|(first, _)| *first == ordinal).map(|(_, outcome)| outcome)
    }

    /// Notes what was said about a message.
    pub(super) fn note(&mut self, ordinal: u64, outcome: &Said) -> io::Result<()> {
        let refused = outcome.as_ref().map(|(code, text)| (*code == Code::Reject, text.clone()));
        let note = to_allocvec(&Note { ordinal, refused }).map_err(io::Error::other)?;
        let length = u32::try_from(note.len()).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(HEAD_BYTES + note.len());
        bytes.extend(length.to_le_bytes());
        bytes.extend(crc32c::crc32c(&note).to_le_bytes());
        bytes.extend(note);
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.path)?
            }
        };
        let written = file.write_all_at(&bytes, self.length);
        self.file = Some(file);
        written?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// A checkpoint covers everything.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| self.length > 0) {
            file.set_len(0)?;
            self.length = 0;
        }
        Ok(())
    }
}

/// The next note and the bytes behind it.
fn read(bytes: &[u8]) -> Option<(Note, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let (note, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let is_sound = !note.is_empty() && crc32c::crc32c(note) == u32::from_le_bytes(*checksum);
    is_sound.then(|| from_bytes(note).ok()).flatten().map(|note| (note, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        (folder, path)
    }

    fn refused() -> (Code, String) {
        (Code::Reject, "not for us".to_owned())
    }

    #[test]
    fn what_was_noted_is_known_to_the_next_and_what_a_checkpoint_covers_is_not() {
        let (_folder, path) = place();
        let mut ledger = Ledger::open(path.clone(), 0).unwrap();
        ledger.note(1, &None).unwrap();
        ledger.note(3, &Some(refused())).unwrap();
        drop(ledger);
        let mut next = Ledger::open(path.clone(), 1).unwrap();
        assert_eq!(
            [next.recall(1), next.recall(2), next.recall(3), next.recall(4)],
            [None, None, Some(Some(refused())), None]
        );
        next.note(4, &None).unwrap();
        assert_eq!(Ledger::open(path.clone(), 3).unwrap().recall(4), Some(None));
        next.clear().unwrap();
        next.note(5, &None).unwrap();
        let mut after = Ledger::open(path, 0).unwrap();
        assert_eq!([after.recall(4), after.recall(5)], [None, Some(None)]);
    }

    #[test]
    fn a_torn_or_damaged_note_ends_the_ledger_and_is_written_over() {
        let (_folder, path) = place();
        let mut ledger = Ledger::open(path.clone(), 0).unwrap();
        ledger.note(1, &None).unwrap();
        let whole = usize::try_from(ledger.length).unwrap();
        ledger.note(2, &Some(refused())).unwrap();
        let two = usize::try_from(ledger.length).unwrap();
        ledger.note(3, &None).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for at in whole..two {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            for left in [&bytes[..at], &damaged] {
                std::fs::write(&path, left).unwrap();
                let mut left = Ledger::open(path.clone(), 0).unwrap();
                assert_eq!(
                    [left.recall(1), left.recall(2), left.recall(3)],
                    [Some(None), None, None],
                    "at {at}"
                );
            }
        }
        std::fs::write(&path, &bytes[..whole + 3]).unwrap();
        let mut ledger = Ledger::open(path.clone(), 0).unwrap();
        ledger.note(2, &None).unwrap();
        let mut next = Ledger::open(path.clone(), 0).unwrap();
        assert_eq!([next.recall(1), next.recall(2)], [Some(None), Some(None)]);
        std::fs::write(&path, [0; 4096]).unwrap();
        assert_eq!(Ledger::open(path, 0).unwrap().recall(1), None, "zeros are no note");
    }
}
