//! Uploads that are too large to ride in the journal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};
use tidegate_disk::{Call, Disk, Grant, Watch};
use tidegate_store::{Options, StoreError};
use tokio::io::AsyncReadExt;

use crate::rig::{Rig, org, payload, sender, upload_name};

const SMALL: usize = 64 << 10;
const BLOCK: usize = 1 << 20;

/// Lengths around every border: of what rides in the journal, of a block, of a page.
const LENGTHS: [usize; 19] = [
    0,
    1,
    4095,
    4096,
    SMALL - 1,
    SMALL,
    SMALL + 1,
    SMALL + 2,
    2 * SMALL,
    3 * SMALL + 4097,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    BLOCK + 4095,
    BLOCK + 4096,
    2 * BLOCK - 1,
    2 * BLOCK,
    2 * BLOCK + 1,
    5 * BLOCK + 4321,
];

/// A disk on which something about large uploads does not work, and the longest write it has seen.
#[derive(Debug, Default)]
struct Odd {
    oddity: Oddity,
    longest: AtomicUsize,
    opened: AtomicUsize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Oddity {
    #[default]
    None,
    /// No file can be opened for direct writes.
    NoDirect,
    /// It turns out with the second block that direct writes don't work.
    DirectFails,
    /// Half of the second block fits.
    Full,
}

impl Watch for Odd {
    fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
        match call {
            Call::Open(path) if is_upload(path) => {
                self.opened.fetch_add(1, Ordering::Relaxed);
                if self.oddity == Oddity::NoDirect {
                    return Err(io::ErrorKind::InvalidInput.into());
                }
            }
            Call::Write { path, at, bytes } if is_upload(path) => {
                self.longest.fetch_max(bytes.len(), Ordering::Relaxed);
                let is_second = *at == BLOCK as u64;
                match self.oddity {
                    Oddity::Full if is_second => return Ok(Grant::Bytes(bytes.len() / 2 + 1)),
                    // Once for each file that was opened: the same bytes come again through the cache.
                    Oddity::DirectFails
                        if is_second
                            && bytes.len() == BLOCK
                            && self.opened.swap(0, Ordering::Relaxed) > 0 =>
                    {
                        return Err(io::ErrorKind::InvalidInput.into());
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(Grant::Whole)
    }
}

fn is_upload(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|extension| extension == "part")
}

fn odd_rig(oddity: Oddity) -> (Rig, Arc<Odd>) {
    let odd = Arc::new(Odd { oddity, ..Odd::default() });
    let options = Options { disk: Disk::watched(Arc::clone(&odd) as _), ..Options::default() };
    (Rig::open_with(tempfile::tempdir().unwrap(), options), odd)
}

/// Bytes of which no part looks like another.
fn bytes(len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 8);
    let mut number = 0u64;
    while bytes.len() < len {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(len as u64 | 1);
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

async fn check_every_length(rig: &Rig) {
    for len in LENGTHS {
        let bytes = bytes(len);
        let job = rig.accept("A", "a.hl7", &bytes).await;
        assert_eq!(job.submission.size_bytes, len as u64);
        assert_eq!(job.submission.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)), "{len}");
        assert!(payload(&rig.store, &job) == bytes, "{len}");
    }
    let jobs = rig.store.inbox(&org("A")).unwrap().len();
    assert_eq!(jobs, LENGTHS.len());
    assert_eq!(rig.files("uploads"), Vec::<String>::new());
    let after = rig.after_kill();
    assert_eq!(after.store.verify().await.unwrap().findings, Vec::<String>::new());
}

#[tokio::test]
async fn every_length_is_kept_to_the_byte() {
    let (rig, odd) = odd_rig(Oddity::None);
    check_every_length(&rig).await;
    assert_eq!(odd.longest.load(Ordering::Relaxed), BLOCK);
    // Direct writes are asked for once for each file that has a whole block.
    let with_blocks = LENGTHS.iter().filter(|len| **len >= BLOCK).count();
    assert_eq!(odd.opened.load(Ordering::Relaxed), with_blocks);
}

#[tokio::test]
async fn an_upload_that_rides_in_the_journal_touches_no_file() {
    let (rig, odd) = odd_rig(Oddity::None);
    rig.accept("A", "a.hl7", &bytes(SMALL)).await;
    assert_eq!(odd.longest.load(Ordering::Relaxed), 0);
    rig.accept("A", "a.hl7", &bytes(SMALL + 1)).await;
    assert_eq!(odd.longest.load(Ordering::Relaxed), SMALL + 1);
}

#[tokio::test]
async fn every_length_is_kept_where_no_file_is_written_directly() {
    for oddity in [Oddity::NoDirect, Oddity::DirectFails] {
        let (rig, _) = odd_rig(oddity);
        check_every_length(&rig).await;
    }
}

#[tokio::test]
async fn pieces_of_any_length_make_the_same_file() {
    let rig = Rig::new();
    let bytes = bytes(3 * BLOCK + 17);
    for piece in [1000, SMALL, SMALL + 1, BLOCK - 1, 2 * BLOCK + 3] {
        let mut upload = rig.store.upload().unwrap();
        for piece in bytes.chunks(piece) {
            upload.write(piece).await.unwrap();
        }
        let job = upload.accept(&org("A"), sender(), upload_name("a.hl7")).await.unwrap();
        assert_eq!(job.submission.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert!(payload(&rig.store, &job) == bytes, "{piece}");
    }
}

#[tokio::test]
async fn an_upload_is_read_to_its_end_and_no_further() {
    let rig = Rig::new();
    for len in LENGTHS {
        let bytes = bytes(len + 7);
        let mut input = &bytes[..];
        let mut upload = rig.store.upload().unwrap();
        let mut file = (&mut input).take(len as u64);
        while upload.room().await.unwrap().fill(&mut file).await.unwrap() > 0 {}
        assert_eq!(upload.size_bytes(), len as u64);
        let job = upload.accept(&org("A"), sender(), upload_name("a.hl7")).await.unwrap();
        assert!(payload(&rig.store, &job) == bytes[..len], "{len}");
        assert_eq!(input, &bytes[len..]);
    }
}

#[tokio::test]
async fn a_disk_that_is_full_half_way_refuses_the_upload_and_keeps_nothing() {
    let (rig, _) = odd_rig(Oddity::Full);
    for len in [BLOCK + 4097, 2 * BLOCK, 5 * BLOCK] {
        let refused = rig.try_accept("A", "a.hl7", &bytes(len)).await;
        assert!(matches!(refused, Err(StoreError::NoSpace)), "{len}: {refused:?}");
        assert_eq!(rig.files("uploads"), Vec::<String>::new());
    }
    assert_eq!(rig.store.inbox(&org("A")).unwrap(), []);
    rig.accept("A", "a.hl7", &bytes(3 * SMALL)).await;
}

/// An upload that lost a block must not go on as if nothing had been.
#[tokio::test]
async fn an_upload_that_lost_a_block_takes_nothing_more() {
    let (rig, _) = odd_rig(Oddity::Full);
    let mut upload = rig.store.upload().unwrap();
    // More than can be on its way.
    assert!(upload.write(&bytes(8 * BLOCK)).await.is_err());
    assert!(upload.write(b"x").await.is_err());
    assert!(upload.accept(&org("A"), sender(), upload_name("a.hl7")).await.is_err());
    assert_eq!(rig.files("uploads"), Vec::<String>::new());
}

/// Memory for large blocks is shared: who comes late makes do with less, and nobody waits.
#[tokio::test]
async fn many_large_uploads_at_once_share_what_memory_there_is() {
    let (rig, odd) = odd_rig(Oddity::None);
    let mut early = Vec::new();
    for _ in 0..16 {
        let mut upload = rig.store.upload().unwrap();
        upload.write(&bytes(2 * SMALL)).await.unwrap();
        early.push(upload);
    }
    let bytes = bytes(2 * BLOCK + 5);
    let late = rig.accept("A", "a.hl7", &bytes).await;
    assert!(payload(&rig.store, &late) == bytes);
    assert_eq!(odd.longest.load(Ordering::Relaxed), 128 << 10);
    early.pop();
    rig.accept("A", "a.hl7", &bytes).await;
    assert_eq!(odd.longest.load(Ordering::Relaxed), BLOCK);
    drop(early);
    assert_eq!(rig.files("uploads"), Vec::<String>::new());
}
