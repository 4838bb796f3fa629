//! Watched folders: files that another server, a share or a script writes into a directory.
//!
//! Invariant: a file leaves its folder only after the store has accepted it durably, and only if it is
//! still what was read; until then it is only read. Which files are whole is `candidates`' business.
//! A crash between the two makes the same file come twice; the second job is a duplicate, and nothing
//! is delivered twice.

mod candidates;
mod hints;
mod identity;
mod listing;
mod responses;
mod take;
mod trouble;
mod writers;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::sync::Arc;

use tidegate_domain::{Completion, Organizations};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

pub use trouble::Trouble;

use crate::audit::Event;
use crate::config::FolderConfig;
use crate::intake::Intake;
use candidates::{Candidates, Verdict};
use hints::{Hint, Hints};
use identity::Identity;
use take::Left;
use writers::Writers;

/// What a watched folder needs.
#[derive(Debug)]
pub struct FolderDoor {
    /// Its section; validated.
    pub config: FolderConfig,
    /// Store and limits.
    pub intake: Arc<Intake>,
    /// Files are taken while the folder's organization is among these and not disabled.
    pub organizations: watch::Receiver<Arc<Organizations>>,
    /// Where staff find what is wrong with it.
    pub trouble: Arc<Trouble>,
}

/// Watches a folder until `stop` turns true; what is being accepted then is finished.
pub async fn run(door: FolderDoor, mut stop: watch::Receiver<bool>) {
    let mut rescans = tokio::time::interval(door.config.rescan.0);
    rescans.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The watch stands before the first scan, so that nothing falls between the two.
    let mut hints = Hints::of(&door.config.path);
    let mut folder = Folder::new(door, stop.clone());
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            _ = rescans.tick() => {
                if hints.have_ended().await {
                    hints = Hints::of(&folder.door.config.path);
                    folder.candidates.doubt();
                }
                folder.rescan(&mut hints).await;
            }
            hint = hints.next() => folder.follow(hint, &mut hints).await,
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, which is a stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A folder and what is known of its files.
struct Folder {
    door: FolderDoor,
    stop: watch::Receiver<bool>,
    candidates: Candidates,
    /// Accepted files that could not be removed.
    accepted: HashMap<OsString, Identity>,
    /// Files that were refused, and noted as that.
    refused: HashMap<OsString, Identity>,
    /// Files of the organization's outbox that answer other uploads than this folder's.
    others: HashSet<Vec<u8>>,
}

impl Folder {
    fn new(door: FolderDoor, stop: watch::Receiver<bool>) -> Self {
        let candidates = Candidates::new(door.config.settle.0);
        let (accepted, refused) = (HashMap::new(), HashMap::new());
        Self { door, stop, candidates, accepted, refused, others: HashSet::new() }
    }

    /// Takes up all hints that wait, then the files that they call finished.
    async fn follow(&mut self, first: Hint, hints: &mut Hints) {
        let waiting = std::iter::once(first).chain(std::iter::from_fn(|| hints.waiting()));
        let finished: Vec<OsString> = waiting.filter_map(|hint| self.heed(hint)).collect();
        if self.refusal().is_some() {
            return;
        }
        let mut writers = Writers::default();
        for name in finished {
            // What is left is found, and told of, by the next rescan.
            if let Some(identity) = listing::look(&self.door.config.path, &name).await {
                drop(self.consider(&name, identity, &mut writers).await);
            }
        }
    }

    fn heed(&mut self, hint: Hint) -> Option<OsString> {
        match hint {
            Hint::Written(name) => self.candidates.written(name),
            Hint::Gone(name) => self.candidates.gone(&name),
            Hint::Finished(name) if self.is_temporary(&name) => {}
            Hint::Finished(name) => {
                self.candidates.finished(name.clone());
                return Some(name);
            }
        }
        None
    }

    /// Looks through the whole folder and brings responses back; what is in the way becomes the
    /// folder's trouble.
    async fn rescan(&mut self, hints: &mut Hints) {
        std::iter::from_fn(|| hints.waiting()).for_each(|hint| drop(self.heed(hint)));
        if hints.take_lost() {
            self.candidates.doubt();
        }
        let mut trouble = Vec::new();
        match self.refusal() {
            Some(refusal) => trouble.push(refusal),
            None => match self.take_all().await {
                Ok(left) => trouble.extend(left),
                Err(error) => trouble.push(format!("can't be read: {error}")),
            },
        }
        if let Err(error) = self.bring_responses().await {
            trouble.push(format!("responses can't be brought to it: {error}"));
        }
        self.door.trouble.set(&self.door.config.path, &trouble);
    }

    /// Takes every file that is whole; what was left, in words with numbers.
    async fn take_all(&mut self) -> std::io::Result<Vec<String>> {
        let files = listing::list(&self.door.config.path, Arc::clone(&self.door.intake)).await?;
        let there: HashSet<&OsString> = files.iter().map(|(name, _)| name).collect();
        self.candidates.keep(|name| there.contains(&name.to_owned()));
        self.accepted.retain(|name, _| there.contains(name));
        self.refused.retain(|name, _| there.contains(name));
        let (mut waits, mut left) = (None, BTreeMap::<String, u64>::new());
        let mut writers = Writers::default();
        for (name, identity) in &files {
            if *self.stop.borrow() {
                break;
            }
            match self.consider(name, *identity, &mut writers).await {
                Ok(()) => {}
                // Without a number, which would be another one each time: it is said once.
                Err(reason) if reason.is_for_all() => waits = Some(reason.to_string()),
                Err(reason) => *left.entry(reason.to_string()).or_default() += 1,
            }
        }
        let left = left.into_iter().map(|(reason, count)| format!("{count} not taken: {reason}"));
        Ok(waits.into_iter().chain(left).collect())
    }

    /// Takes a file if it is whole.
    async fn consider(
        &mut self,
        name: &OsString,
        identity: Identity,
        writers: &mut Writers,
    ) -> Result<(), Left> {
        if self.accepted.get(name) == Some(&identity) {
            return self.remove(name, identity).await;
        }
        match self.candidates.look(name, identity, Instant::now()) {
            Verdict::Wait => return Ok(()),
            // It was renamed while it is open, or has more than one writer. The last close is seen as well.
            Verdict::Whole if writers.have(identity.inode()).await => return Ok(()),
            Verdict::Whole => {}
        }
        let taken = self.take(name, identity).await;
        if let Err(reason) = &taken
            && !reason.is_wait()
            && self.refused.insert(name.clone(), identity) != Some(identity)
        {
            self.note(Event::Refused { reason: reason.to_string() });
        }
        taken?;
        self.candidates.gone(name);
        Ok(())
    }

    /// Why nothing is taken, if so.
    fn refusal(&self) -> Option<String> {
        let code = &self.door.config.org;
        let organizations = self.door.organizations.borrow();
        match organizations.get(code).filter(|one| !one.disabled).map(|one| one.completion) {
            Some(Completion::Close) => None,
            Some(other) => Some(format!("organization {code} asks for a {other}, which can't be told here")),
            None => Some(format!("organization {code} is not known, or disabled")),
        }
    }

    fn is_temporary(&self, name: &OsString) -> bool {
        self.door.intake.temporary_names().contains(name.as_encoded_bytes())
    }
}
