//! Callers that each wait for their file, and one thread that commits whatever has piled up.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use crate::FILE_BYTES;

/// Most files that share one sync; what the store's journal takes.
const BATCH_MAX: usize = 256;

/// A file that waits for its sync.
struct Waiting {
    bytes: Vec<u8>,
    done: SyncSender<()>,
}

/// Files a second that `commit` makes durable for so many callers.
pub(crate) fn rate(callers: usize, time: Duration, mut commit: impl FnMut(&[Vec<u8>]) + Send) -> f64 {
    let (files, inbox) = channel::<Waiting>();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || commit_all(&inbox, &mut commit));
        let callers = (0..callers).map(|_| {
            let files = files.clone();
            scope.spawn(move || {
                count(begun, time, || {
                    let (done, answer) = sync_channel(1);
                    files.send(Waiting { bytes: vec![b'x'; FILE_BYTES], done }).unwrap();
                    answer.recv().unwrap();
                })
            })
        });
        let callers: Vec<_> = callers.collect();
        drop(files);
        let count: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
        count as f64 / begun.elapsed().as_secs_f64()
    })
}

/// The same without a committer: each caller does it all.
pub(crate) fn rate_alone(callers: usize, time: Duration, one: impl Fn(&Path) + Sync, dir: &Path) -> f64 {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let callers = (0..callers).map(|caller| {
            let one = &one;
            scope.spawn(move || {
                let mut number = 0;
                count(begun, time, || {
                    one(&dir.join(format!("{caller}-{number}")));
                    number += 1;
                })
            })
        });
        let callers: Vec<_> = callers.collect();
        let count: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
        count as f64 / begun.elapsed().as_secs_f64()
    })
}

fn count(begun: Instant, time: Duration, mut one: impl FnMut()) -> usize {
    let mut count = 0;
    while begun.elapsed() < time {
        one();
        count += 1;
    }
    count
}

fn commit_all(inbox: &Receiver<Waiting>, commit: &mut impl FnMut(&[Vec<u8>])) {
    while let Ok(first) = inbox.recv() {
        let mut bytes = vec![first.bytes];
        let mut waiting = vec![first.done];
        while bytes.len() < BATCH_MAX
            && let Ok(next) = inbox.try_recv()
        {
            bytes.push(next.bytes);
            waiting.push(next.done);
        }
        commit(&bytes);
        for done in waiting {
            done.send(()).unwrap();
        }
    }
}
