//! The thread that writes the audit log.
//!
//! Invariant: lines are whole. What the disk takes only in part is taken back, and the file is opened anew
//! before the next try. Nothing is synced: after a power cut the last seconds may be missing.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use tidegate_domain::Clock;
use tokio::sync::mpsc::Receiver;

use super::entry::Lost;
use super::{Order, Shared};

/// Lines that are written at once, in bytes.
const BATCH_BYTES_MAX: usize = 64 << 10;

/// How long entries gather behind those that were just written. Waking this thread for each one took a
/// twentieth of the CPU of a busy door; a lone entry is still written at once.
const GATHERED_FOR: Duration = Duration::from_millis(10);

/// For its owner only.
const MODE: u32 = 0o600;

pub(super) struct Writer {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    file: Option<File>,
}

impl Writer {
    pub(super) fn new(path: PathBuf, clock: Arc<dyn Clock>, shared: Arc<Shared>) -> Self {
        let mut writer = Self { path, clock, shared, file: None };
        // So that staff hear of a file that can't be opened before something should be in it.
        writer.write(&[], 0);
        writer
    }

    /// Writes until nobody can send any more.
    pub(super) fn run(mut self, mut orders: Receiver<Order>) {
        let mut next = orders.blocking_recv();
        while let Some(order) = next.take() {
            match order {
                Order::Reopen => {
                    self.file = None;
                    self.write(&[], 0);
                }
                // Nobody waits any more if this fails.
                Order::Tell(told) => _ = told.send(()),
                Order::Write(entry) => {
                    let (mut lines, mut count) = (Vec::new(), 1);
                    push(&mut lines, &entry);
                    while lines.len() < BATCH_BYTES_MAX {
                        match orders.try_recv() {
                            Ok(Order::Write(entry)) => {
                                push(&mut lines, &entry);
                                count += 1;
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.write(&lines, count);
                    thread::sleep(GATHERED_FOR);
                }
            }
            if next.is_none() {
                next = orders.blocking_recv();
            }
        }
    }

    /// Appends so many lines, and what became of them to what is told.
    fn write(&mut self, lines: &[u8], count: u64) {
        let lost = self.shared.lost.swap(0, Ordering::Relaxed);
        let mut bytes = Vec::new();
        if lost > 0 {
            push(&mut bytes, &Lost { at: self.clock.now(), event: "lost", entries: lost });
        }
        bytes.extend_from_slice(lines);
        match self.append(&bytes) {
            Ok(()) => self.tell(None),
            Err(error) => {
                self.file = None;
                let lost = self.shared.lost.fetch_add(lost + count, Ordering::Relaxed) + lost + count;
                let path = self.path.display();
                let entries = if lost == 1 { "entry" } else { "entries" };
                self.tell(Some(format!(
                    "{path}: the audit log can't be written: {error}; {lost} {entries} lost"
                )));
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => open(&self.path)?,
        };
        let length = file.metadata()?.len();
        if let Err(error) = file.write_all(bytes) {
            // If this fails, too, half a line stays; the next one begins behind it.
            let _ = file.set_len(length);
            return Err(error);
        }
        self.file = Some(file);
        Ok(())
    }

    fn tell(&self, now: Option<String>) {
        let mut trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*trouble, &now) {
            (None, Some(trouble)) => {
                tracing::error!(%trouble, "audit log not written; everything else goes on");
            }
            (Some(_), None) => tracing::info!("audit log written again"),
            _ => {}
        }
        *trouble = now;
    }
}

fn open(path: &PathBuf) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
    if file.metadata()?.permissions().mode() & 0o777 != MODE {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    Ok(file)
}

fn push(lines: &mut Vec<u8>, entry: &impl Serialize) {
    // Neither a vector nor these entries ever refuse.
    if serde_json::to_writer(&mut *lines, entry).is_ok() {
        lines.push(b'\n');
    }
}
