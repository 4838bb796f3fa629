//! A disk that forgets: what is written is volatile until it is flushed.
//!
//! Invariants: a block is 4 KiB and is there as a whole or not at all; a flush makes everything durable
//! that was written before it; a snapshot is one instant of the disk, whatever is written meanwhile.

mod fuse;
mod image;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use fuse::{FILE_NAME, attach};
use image::Block;

use crate::random::Random;

/// Longest flush of a slow disk.
const LATENCY_MAX_MICROS: u64 = 8_000;
pub(crate) use image::{BLOCK_BYTES, Image};

/// Which of the writes that were not flushed a power cut left on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survivors {
    /// None: only what was flushed.
    Flushed,
    /// Each block with probability one half; the number decides which.
    Some(u64),
    /// All that the drive received: only what the kernel still kept is lost.
    Received,
}

/// What a disk has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) flushes: u64,
    pub(crate) blocks_written: u64,
}

/// A handle on a disk; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
    len_bytes: u64,
}

#[derive(Debug, Default)]
struct State {
    durable: Image,
    /// Written since the last flush, in order.
    pending: VecDeque<(u64, Block)>,
    /// The newest of the blocks, for reading: all that were ever written.
    newest: HashMap<u64, Block>,
    ignores_flushes: bool,
    /// How long flushes take; none if it has no numbers to choose from.
    latency: Option<Random>,
    counts: Counts,
}

/// One instant of a disk.
#[derive(Debug)]
pub(crate) struct Snapshot {
    durable: Image,
    pending: VecDeque<(u64, Block)>,
    pub(crate) counts: Counts,
}

impl Disk {
    pub(crate) fn new(image: Image, len_bytes: u64) -> Self {
        let state = State { durable: image, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), len_bytes }
    }

    /// From now on the disk says that it flushed and does nothing.
    pub(crate) fn ignore_flushes(&self) {
        self.state().ignores_flushes = true;
    }

    /// From now on flushes take their time, as on a real drive: the seed decides how long.
    pub(crate) fn be_slow(&self, seed: u64) {
        self.state().latency = Some(Random::new(seed, 5));
    }

    /// Blocks that were received and not flushed.
    pub(crate) fn unflushed(&self) -> usize {
        self.state().pending.len()
    }

    /// What a power cut at this instant would find.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let state = self.state();
        Snapshot { durable: state.durable.clone(), pending: state.pending.clone(), counts: state.counts }
    }

    /// Makes everything durable that was written before, and nothing of it earlier than at the end.
    fn flush(&self) {
        let (before, time) = self.state().begin_flush();
        std::thread::sleep(time);
        self.state().end_flush(before);
    }

    fn write(&self, offset: u64, data: &[u8]) {
        let mut state = self.state();
        for (number, at, piece) in pieces(offset, data) {
            let block = if piece.len() == BLOCK_BYTES {
                Block::from(piece)
            } else {
                let mut bytes = state.read(number).to_vec();
                let room = bytes.iter_mut().skip(at);
                room.zip(piece).for_each(|(old, new)| *old = *new);
                Block::from(bytes)
            };
            state.counts.blocks_written += 1;
            state.newest.insert(number, Arc::clone(&block));
            state.pending.push_back((number, block));
        }
    }

    fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let end = self.len_bytes.min(offset + length as u64);
        let mut bytes = Vec::with_capacity(length);
        let state = self.state();
        let mut position = offset;
        while position < end {
            let block = state.read(position / BLOCK_BYTES as u64);
            let skip = within(position);
            let wanted = usize::try_from(end - position).unwrap_or(BLOCK_BYTES);
            let before = bytes.len();
            bytes.extend(block.iter().skip(skip).take(wanted));
            position += (bytes.len() - before) as u64;
        }
        bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Up to which write everything shall be durable, and how long that takes.
    fn begin_flush(&mut self) -> (u64, Duration) {
        self.counts.flushes += 1;
        let micros = self.latency.as_mut().map_or(0, |random| random.below(LATENCY_MAX_MICROS));
        (self.counts.blocks_written, Duration::from_micros(micros))
    }

    fn end_flush(&mut self, before: u64) {
        // Another flush may have come before this one.
        let durable = self.counts.blocks_written - self.pending.len() as u64;
        let writes = before.saturating_sub(durable);
        if !self.ignores_flushes {
            for (number, block) in self.pending.drain(..usize::try_from(writes).unwrap_or_default()) {
                self.durable.put(number, block);
            }
        }
    }

    fn read(&self, number: u64) -> Block {
        self.newest.get(&number).cloned().unwrap_or_else(|| self.durable.get(number))
    }
}

impl Snapshot {
    /// Blocks that the drive had received but not been told to flush.
    pub(crate) fn unflushed(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn image(&self, survivors: Survivors) -> Image {
        let mut image = self.durable.clone();
        let mut random = match survivors {
            Survivors::Flushed => return image,
            Survivors::Some(seed) => Some(Random::new(seed, 0)),
            Survivors::Received => None,
        };
        for (number, block) in &self.pending {
            if random.as_mut().is_none_or(|random| random.one_in(2)) {
                image.put(*number, Arc::clone(block));
            }
        }
        image
    }
}

/// Cuts a write at the borders of blocks: number of the block, offset in it, bytes.
fn pieces(offset: u64, data: &[u8]) -> impl Iterator<Item = (u64, usize, &[u8])> {
    let (first, rest) = data.split_at(data.len().min(BLOCK_BYTES - within(offset)));
    let number = offset / BLOCK_BYTES as u64;
    let whole = rest.chunks(BLOCK_BYTES).zip(number + 1..).map(|(piece, number)| (number, 0, piece));
    std::iter::once((number, within(offset), first)).chain(whole)
}

fn within(offset: u64) -> usize {
    usize::try_from(offset % BLOCK_BYTES as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte(image: &Image, number: u64) -> u8 {
        image.get(number)[0]
    }

    #[test]
    fn what_is_not_flushed_is_forgotten_and_an_older_block_can_outlive_a_newer_one() {
        let disk = Disk::new(Image::default(), 1 << 20);
        disk.write(0, &[1; 2 * BLOCK_BYTES]);
        disk.flush();
        disk.write(0, &[2; BLOCK_BYTES]);
        disk.write(0, &[3; BLOCK_BYTES]);
        assert_eq!(disk.read(0, 1), [3], "a reader sees the newest");
        let snapshot = disk.snapshot();
        disk.flush();
        assert_eq!(byte(&snapshot.image(Survivors::Flushed), 0), 1);
        assert_eq!(byte(&snapshot.image(Survivors::Received), 0), 3);
        assert_eq!(byte(&snapshot.image(Survivors::Flushed), 1), 1);
        let of_some: Vec<u8> = (0..64).map(|seed| byte(&snapshot.image(Survivors::Some(seed)), 0)).collect();
        assert!([1, 2, 3].iter().all(|byte| of_some.contains(byte)), "{of_some:?}");
    }

    #[test]
    fn writes_across_blocks_keep_what_is_around_them() {
        let disk = Disk::new(Image::default(), 1 << 20);
        disk.write(0, &[1; 3 * BLOCK_BYTES]);
        disk.write(4000, &[2; 5000]);
        let bytes = disk.read(0, 3 * BLOCK_BYTES);
        assert!(bytes[..4000].iter().all(|byte| *byte == 1));
        assert!(bytes[4000..9000].iter().all(|byte| *byte == 2));
        assert!(bytes[9000..].iter().all(|byte| *byte == 1));
    }

    #[test]
    fn a_disk_that_ignores_flushes_keeps_nothing() {
        let disk = Disk::new(Image::default(), 1 << 20);
        disk.ignore_flushes();
        disk.write(0, &[1; BLOCK_BYTES]);
        disk.flush();
        assert_eq!(byte(&disk.snapshot().image(Survivors::Flushed), 0), 0);
    }
}
