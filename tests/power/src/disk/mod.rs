//! A disk that forgets: what is written is volatile until it is flushed.
//!
//! Invariants: a block is 4 KiB and is there as a whole or not at all; a flush makes everything durable
//! that was written before it; a snapshot is one instant of the disk, whatever is written meanwhile.

mod fuse;
mod image;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use fuse::{FILE_NAME, attach};
use image::Block;

use crate::random::Random;

pub(crate) use image::{BLOCK_BYTES, Image};

/// Longest flush of a disk that is as slow as a real one.
const LATENCY_MAX_MICROS: u64 = 8_000;

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

/// What a broken disk refuses to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It takes writes, and does not flush them.
    Flushes,
    /// It takes nothing more.
    WritesAndFlushes,
}

/// The disk did not do what it was asked: an I/O error.
#[derive(Debug, PartialEq, Eq)]
struct Broken;

/// How long flushes take.
#[derive(Debug, Default)]
enum Latency {
    #[default]
    None,
    /// Up to [`LATENCY_MAX_MICROS`], as the numbers decide.
    Some(Random),
    Each(Duration),
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
    released: Arc<Condvar>,
    len_bytes: u64,
}

#[derive(Debug)]
struct State {
    durable: Image,
    /// Written since the last flush, in order.
    pending: VecDeque<(u64, Block)>,
    /// The newest of the blocks, for reading: all that were ever written.
    newest: HashMap<u64, Block>,
    ignores_flushes: bool,
    fault: Option<Fault>,
    latency: Latency,
    counts: Counts,
    /// Whoever has the disk open: a loop device, and the program that attached it.
    users: usize,
}

/// One instant of a disk.
#[derive(Debug)]
pub(crate) struct Snapshot {
    durable: Image,
    pending: VecDeque<(u64, Block)>,
    pub(crate) counts: Counts,
}

impl Disk {
    pub(crate) fn new(image: Image) -> Self {
        let len_bytes = image.len_bytes();
        let state = State {
            durable: image,
            pending: VecDeque::new(),
            newest: HashMap::new(),
            ignores_flushes: false,
            fault: None,
            latency: Latency::None,
            counts: Counts::default(),
            users: 0,
        };
        Self { state: Arc::new(Mutex::new(state)), released: Arc::default(), len_bytes }
    }

    /// From now on the disk says that it flushed and does nothing.
    pub(crate) fn ignore_flushes(&self) {
        self.state().ignores_flushes = true;
    }

    /// From now on flushes take their time, as on a real drive: the seed decides how long.
    pub(crate) fn be_slow(&self, seed: u64) {
        self.state().latency = Latency::Some(Random::new(seed, 5));
    }

    /// From now on each flush takes this long.
    pub(crate) fn flushes_take(&self, time: Duration) {
        self.state().latency = Latency::Each(time);
    }

    /// From now on, flushes under way included, the disk answers with I/O errors.
    pub(crate) fn fail(&self, fault: Fault) {
        self.state().fault = Some(fault);
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

    /// Waits until nobody has the disk open any more; whether that came within this time.
    pub(crate) fn wait_until_released(&self, time: Duration) -> bool {
        let held = self.released.wait_timeout_while(self.state(), time, |state| state.users > 0);
        held.is_ok_and(|(state, _)| state.users == 0)
    }

    fn open(&self) {
        self.state().users += 1;
    }

    fn release(&self) {
        let mut state = self.state();
        state.users = state.users.saturating_sub(1);
        self.released.notify_all();
    }

    /// Makes everything durable that was written before, and nothing of it earlier than at the end.
    fn flush(&self) -> Result<(), Broken> {
        let (before, time) = self.state().begin_flush();
        std::thread::sleep(time);
        self.state().end_flush(before)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Broken> {
        let mut state = self.state();
        if state.fault == Some(Fault::WritesAndFlushes) {
            return Err(Broken);
        }
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
        Ok(())
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
        let time = match &mut self.latency {
            Latency::None => Duration::ZERO,
            Latency::Some(random) => Duration::from_micros(random.below(LATENCY_MAX_MICROS)),
            Latency::Each(time) => *time,
        };
        (self.counts.blocks_written, time)
    }

    fn end_flush(&mut self, before: u64) -> Result<(), Broken> {
        if self.fault.is_some() {
            return Err(Broken);
        }
        // Another flush may have come before this one.
        let durable = self.counts.blocks_written - self.pending.len() as u64;
        let writes = before.saturating_sub(durable);
        if !self.ignores_flushes {
            for (number, block) in self.pending.drain(..usize::try_from(writes).unwrap_or_default()) {
                self.durable.put(number, block);
            }
        }
        Ok(())
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
        let disk = Disk::new(Image::new(1 << 20));
        disk.write(0, &[1; 2 * BLOCK_BYTES]).unwrap();
        disk.flush().unwrap();
        disk.write(0, &[2; BLOCK_BYTES]).unwrap();
        disk.write(0, &[3; BLOCK_BYTES]).unwrap();
        assert_eq!(disk.read(0, 1), [3], "a reader sees the newest");
        let snapshot = disk.snapshot();
        disk.flush().unwrap();
        assert_eq!(byte(&snapshot.image(Survivors::Flushed), 0), 1);
        assert_eq!(byte(&snapshot.image(Survivors::Received), 0), 3);
        assert_eq!(byte(&snapshot.image(Survivors::Flushed), 1), 1);
        let of_some: Vec<u8> = (0..64).map(|seed| byte(&snapshot.image(Survivors::Some(seed)), 0)).collect();
        assert!([1, 2, 3].iter().all(|byte| of_some.contains(byte)), "{of_some:?}");
    }

    #[test]
    fn writes_across_blocks_keep_what_is_around_them() {
        let disk = Disk::new(Image::new(1 << 20));
        disk.write(0, &[1; 3 * BLOCK_BYTES]).unwrap();
        disk.write(4000, &[2; 5000]).unwrap();
        let bytes = disk.read(0, 3 * BLOCK_BYTES);
        assert!(bytes[..4000].iter().all(|byte| *byte == 1));
        assert!(bytes[4000..9000].iter().all(|byte| *byte == 2));
        assert!(bytes[9000..].iter().all(|byte| *byte == 1));
    }

    #[test]
    fn a_disk_that_ignores_flushes_keeps_nothing() {
        let disk = Disk::new(Image::new(1 << 20));
        disk.ignore_flushes();
        disk.write(0, &[1; BLOCK_BYTES]).unwrap();
        disk.flush().unwrap();
        assert_eq!(byte(&disk.snapshot().image(Survivors::Flushed), 0), 0);
    }

    #[test]
    fn a_disk_that_fails_makes_nothing_durable_and_says_so() {
        let disk = Disk::new(Image::new(1 << 20));
        disk.write(0, &[1; BLOCK_BYTES]).unwrap();
        disk.flush().unwrap();
        disk.fail(Fault::Flushes);
        disk.write(0, &[2; BLOCK_BYTES]).unwrap();
        assert_eq!(disk.flush(), Err(Broken));
        disk.fail(Fault::WritesAndFlushes);
        assert_eq!(disk.write(0, &[3; BLOCK_BYTES]), Err(Broken));
        assert_eq!(byte(&disk.snapshot().image(Survivors::Flushed), 0), 1);
        assert_eq!(byte(&disk.snapshot().image(Survivors::Received), 0), 2);
    }
}
