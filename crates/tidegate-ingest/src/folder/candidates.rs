//! Which files of a folder are whole.
//!
//! Invariant: a file that was seen being written is not whole until its writer was seen closing it. Of
//! a file whose writer nobody saw (it was there at the start, came by a share, or notifications were
//! lost) only quiet tells: it has to stay as it is for the time of `settle`. An empty file says nothing
//! by its quiet: many programs make one and fill it later.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use tokio::time::Instant;

use super::identity::Identity;

/// Most files that are kept in mind at once; others wait until some of these are gone.
const CANDIDATES_MAX: usize = 100_000;

/// What is known of the files that are not taken yet.
#[derive(Debug)]
pub(super) struct Candidates {
    settle: Duration,
    known: HashMap<OsString, Candidate>,
}

#[derive(Debug)]
struct Candidate {
    writer: Writer,
    /// As it was when it was last looked at, and since when it is so.
    seen: Option<(Identity, Instant)>,
}

/// What was seen of a file's writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Unseen,
    AtWork,
    /// It closed the file, or the file was renamed to here.
    Done,
}

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may grow.
    Wait,
    /// Its writer is done, or nobody saw one and it has been quiet for long enough; whole unless a process is found to
    /// have it open.
    Whole,
}

impl Candidates {
    pub(super) fn new(settle: Duration) -> Self {
        Self { settle, known: HashMap::new() }
    }

    /// Something was written to a file.
    pub(super) fn written(&mut self, name: OsString) {
        self.note(name, Writer::AtWork);
    }

    /// A file was closed by its writer, or renamed to here.
    pub(super) fn finished(&mut self, name: OsString) {
        self.note(name, Writer::Done);
    }

    /// A file was taken, deleted or renamed away.
    pub(super) fn gone(&mut self, name: &OsStr) {
        self.known.remove(name);
    }

    /// Notifications were lost: what they told does not count any more.
    pub(super) fn doubt(&mut self) {
        self.known.values_mut().for_each(|one| one.writer = Writer::Unseen);
    }

    /// Forgets the files that `is_there` does not know.
    pub(super) fn keep(&mut self, is_there: impl Fn(&OsStr) -> bool) {
        self.known.retain(|name, _| is_there(name));
    }

    /// Looks at a file, which is `identity` now.
    pub(super) fn look(&mut self, name: &OsStr, identity: Identity, now: Instant) -> Verdict {
        let Some(one) = self.candidate(name.to_owned()) else { return Verdict::Wait };
        let since = match one.seen {
            Some((seen, since)) if seen == identity => since,
            _ => now,
        };
        one.seen = Some((identity, since));
        let writer = one.writer;
        let quiet = now.duration_since(since) >= self.settle;
        match (writer, identity.size_bytes()) {
            (Writer::AtWork, _) | (Writer::Unseen, 0) => Verdict::Wait,
            (Writer::Done, 0) | (Writer::Unseen, _) if !quiet => Verdict::Wait,
            (Writer::Done | Writer::Unseen, _) => Verdict::Whole,
        }
    }

    fn note(&mut self, name: OsString, writer: Writer) {
        if let Some(one) = self.candidate(name) {
            one.writer = writer;
        }
    }

    fn candidate(&mut self, name: OsString) -> Option<&mut Candidate> {
        if self.known.len() >= CANDIDATES_MAX && !self.known.contains_key(&name) {
            return None;
        }
        Some(self.known.entry(name).or_insert(Candidate { writer: Writer::Unseen, seen: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(30);

    fn name() -> OsString {
        "a.hl7".into()
    }

    /// Looks at times given in seconds from a common start.
    struct Watcher {
        candidates: Candidates,
        start: Instant,
    }

    impl Watcher {
        fn new() -> Self {
            Self { candidates: Candidates::new(SETTLE), start: Instant::now() }
        }

        fn look(&mut self, at_s: u64, identity: Identity) -> Verdict {
            self.candidates.look(&name(), identity, self.start + Duration::from_secs(at_s))
        }
    }

    #[test]
    fn a_file_whose_writer_was_seen_is_whole_once_it_was_closed() {
        let mut watcher = Watcher::new();
        watcher.candidates.written(name());
        let file = Identity::sample(1, 100);
        assert_eq!(watcher.look(0, file), Verdict::Wait);
        assert_eq!(watcher.look(10_000, file), Verdict::Wait, "open and idle for hours");
        watcher.candidates.finished(name());
        assert_eq!(watcher.look(10_000, file), Verdict::Whole);
        watcher.candidates.written(name());
        assert_eq!(watcher.look(20_000, file), Verdict::Wait, "opened and written to once more");
    }

    #[test]
    fn a_file_whose_writer_nobody_saw_has_to_be_quiet() {
        let mut watcher = Watcher::new();
        assert_eq!(watcher.look(0, Identity::sample(1, 100)), Verdict::Wait);
        assert_eq!(watcher.look(29, Identity::sample(1, 101)), Verdict::Wait, "it grew");
        assert_eq!(watcher.look(58, Identity::sample(1, 101)), Verdict::Wait);
        assert_eq!(watcher.look(59, Identity::sample(1, 101)), Verdict::Whole);
        assert_eq!(watcher.look(60, Identity::sample(2, 101)), Verdict::Wait, "another file of this name");
    }

    #[test]
    fn an_empty_file_may_be_filled_later() {
        let mut watcher = Watcher::new();
        let empty = Identity::sample(1, 0);
        assert_eq!(watcher.look(0, empty), Verdict::Wait);
        assert_eq!(watcher.look(10_000, empty), Verdict::Wait, "its writer may be about to write");
        watcher.candidates.finished(name());
        assert_eq!(watcher.look(10_001, empty), Verdict::Whole, "closed, and quiet since");
        watcher.candidates.gone(&name());
        watcher.candidates.finished(name());
        assert_eq!(watcher.look(10_002, empty), Verdict::Wait, "closed just now");
    }

    #[test]
    fn lost_notifications_leave_only_quiet_to_go_by() {
        let mut watcher = Watcher::new();
        let file = Identity::sample(1, 100);
        watcher.candidates.written(name());
        assert_eq!(watcher.look(0, file), Verdict::Wait);
        watcher.candidates.doubt();
        assert_eq!(watcher.look(29, file), Verdict::Wait);
        assert_eq!(watcher.look(30, file), Verdict::Whole);
    }

    #[test]
    fn what_is_kept_in_mind_has_a_bound() {
        let mut candidates = Candidates::new(SETTLE);
        for number in 0..CANDIDATES_MAX {
            candidates.finished(number.to_string().into());
        }
        candidates.finished(name());
        let (file, now) = (Identity::sample(1, 1), Instant::now());
        assert_eq!(candidates.look(&name(), file, now), Verdict::Wait);
        candidates.keep(|name| name != "7");
        candidates.finished(name());
        assert_eq!(candidates.look(&name(), file, now), Verdict::Whole);
    }
}
