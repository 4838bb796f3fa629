//! What can be done to a store. Numbers pick from what there is, modulo its length, so that every
//! sequence makes sense and so does every part of it.

use std::fmt;

use tidegate_domain::job::Outcome;

/// Organizations: names that begin alike, or differ in case alone.
pub(crate) const ORGS: [&str; 4] = ["A", "A-1", "B", "a"];
/// Names of uploads, one of them no UTF-8, and that sort differently with and without their ends.
pub(crate) const NAMES: [&[u8]; 3] = [b"a", b"a.hl7", b"\xffb"];
/// Few, so that there are duplicates; the last is too long to be kept in memory.
pub(crate) const BODIES: [(u8, usize); 4] = [(b'x', 5), (b'y', 5), (b'z', 0), (b'L', 70_000)];

#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) ops: Vec<Op>,
    /// Whether the clock is put far back for the end, else far ahead.
    pub(crate) ends_in_the_past: bool,
}

impl fmt::Debug for Case {
    /// A line for each operation, however it is asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for op in &self.ops {
            write!(f, "\n    {}", format_args!("{op:?}"))?;
        }
        write!(f, "\n    ends in the {}", if self.ends_in_the_past { "past" } else { "future" })
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Sender(SenderOp),
    Worker(WorkerOp),
    Staff(StaffOp),
    MoveClock { seconds: i64 },
    Retain,
    Compact,
    Restart(Restart, Lease),
}

#[derive(Debug, Clone)]
pub(crate) enum SenderOp {
    Accept {
        org: usize,
        name: usize,
        body: usize,
    },
    Stage {
        org: usize,
        name: usize,
        body: usize,
    },
    AcceptStaged {
        org: usize,
        staged: usize,
        name: usize,
    },
    RenameStaged {
        org: usize,
        from: usize,
        to: usize,
    },
    RemoveStaged {
        org: usize,
        name: usize,
    },
    /// An upload that is begun and never ended.
    Abandon {
        body: usize,
    },
    DeleteAnswer {
        job: Pick,
        report: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum WorkerOp {
    Claim {
        max: usize,
    },
    /// If leases are over at once: claims, and is never heard of again, so many times.
    Vanish {
        times: usize,
    },
    Renew(Pick),
    Checkpoint(Pick),
    Finish(Pick, End),
}

#[derive(Debug, Clone)]
pub(crate) enum StaffOp {
    Act(Pick, Action),
    /// No organization means everyone; no minutes mean until released.
    PlaceHold {
        org: Option<usize>,
        minutes: Option<u64>,
    },
    ReleaseHolds {
        org: Option<usize>,
    },
    AddWindow {
        org: Option<usize>,
        starts_in_min: i64,
        minutes: i64,
    },
    EndWindow {
        window: usize,
    },
    ExtendWindow {
        window: usize,
        minutes: i64,
    },
    SkipWindow {
        window: usize,
    },
    RemoveWindow {
        window: usize,
    },
    PlaceLegalHold {
        org: usize,
    },
    ReleaseLegalHolds {
        org: usize,
    },
}

/// Short, so that terms are over while a case runs: for complete jobs, and for those in error.
pub(crate) const TERM_HOURS: [u64; 2] = [2, 6];

/// Which job or claim.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pick {
    /// One that fits: a claim that is alive, a job of which the wish can be granted.
    Apt(usize),
    /// Any that there ever was.
    Any(usize),
    /// A claim that was lost, rather of a job that is in hand again.
    Lost(usize),
}

impl Pick {
    /// Picks from what there is, in three groups.
    pub(crate) fn of<T: Copy>(self, apt: &[T], lost: &[T], all: &[T]) -> Option<T> {
        let (group, number) = match self {
            Self::Apt(number) => (apt, number),
            Self::Any(number) => (all, number),
            Self::Lost(number) => (lost, number),
        };
        group.get(number.checked_rem(group.len())?).copied()
    }
}

/// How a worker ends its claim.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Complete(Outcome),
    Refuse,
    /// If there is an original; else as [`End::Complete`].
    Duplicate,
    Retry {
        in_s: i64,
    },
    Fail,
    Yield,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Hold,
    Release,
    Cancel,
    Requeue,
    ReadPayload,
}

/// How the store ends and what it begins with again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Restart {
    Close,
    Kill,
    CloseAndRebuild,
    KillAndRebuild,
}

/// How long leases are until the next start: longer than the test, or over at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lease {
    Long,
    Zero,
}
