//! What can be done to a store. Numbers pick from what there is, modulo its length, so that every
//! sequence makes sense and so does every part of it.

use proptest::collection::vec;
use proptest::prelude::*;
use tidegate_domain::job::Outcome;

/// Organizations: names that begin alike, or differ in case alone.
pub(crate) const ORGS: [&str; 4] = ["A", "A-1", "B", "a"];
/// Names of uploads, one of them no UTF-8, and that sort differently with and without their ends.
pub(crate) const NAMES: [&[u8]; 3] = [b"a", b"a.hl7", b"\xffb"];
/// Few, so that there are duplicates; the last is too long to be kept in memory.
pub(crate) const BODIES: [(u8, usize); 4] = [(b'x', 5), (b'y', 5), (b'z', 0), (b'L', 70_000)];

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) ops: Vec<Op>,
    /// Whether the clock is put far back for the end, else far ahead.
    pub(crate) ends_in_the_past: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    // The sender.
    Accept {
        org: usize,
        name: usize,
        body: usize,
    },
    /// Begun and never ended.
    Abandon {
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
    DeleteAnswer {
        job: usize,
        report: bool,
    },
    // The worker.
    Claim {
        max: usize,
    },
    Renew {
        claim: Pick,
    },
    Checkpoint {
        claim: Pick,
    },
    Finish {
        claim: Pick,
        end: End,
    },
    // Staff.
    Act {
        job: usize,
        action: Action,
    },
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
    // The machine.
    MoveClock {
        seconds: i64,
    },
    Restart {
        how: Restart,
        lease: Lease,
    },
}

/// Which claim: one that is alive, or any that there ever was.
#[derive(Debug, Clone)]
pub(crate) enum Pick {
    Live(usize),
    Any(usize),
}

/// How a worker ends its claim.
#[derive(Debug, Clone)]
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

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    (vec(op(), 1..150), any::<bool>()).prop_map(|(ops, ends_in_the_past)| Case { ops, ends_in_the_past })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![20 => sender(), 40 => worker(), 18 => staff(), 8 => machine()]
}

fn sender() -> impl Strategy<Value = Op> {
    let (org, name, body) = (0..ORGS.len(), 0..NAMES.len(), 0..BODIES.len());
    prop_oneof![
        12 => (org.clone(), name.clone(), body.clone())
            .prop_map(|(org, name, body)| Op::Accept { org, name, body }),
        1 => body.clone().prop_map(|body| Op::Abandon { body }),
        2 => (org.clone(), name.clone(), body).prop_map(|(org, name, body)| Op::Stage { org, name, body }),
        2 => (org.clone(), name.clone(), name.clone())
            .prop_map(|(org, staged, name)| Op::AcceptStaged { org, staged, name }),
        1 => (org.clone(), name.clone(), name.clone())
            .prop_map(|(org, from, to)| Op::RenameStaged { org, from, to }),
        1 => (org, name).prop_map(|(org, name)| Op::RemoveStaged { org, name }),
        4 => (0..64_usize, any::<bool>()).prop_map(|(job, report)| Op::DeleteAnswer { job, report }),
    ]
}

fn worker() -> impl Strategy<Value = Op> {
    let pick = || prop_oneof![5 => (0..8_usize).prop_map(Pick::Live), 1 => (0..64_usize).prop_map(Pick::Any)];
    prop_oneof![
        6 => (1..5_usize).prop_map(|max| Op::Claim { max }),
        1 => pick().prop_map(|claim| Op::Renew { claim }),
        2 => pick().prop_map(|claim| Op::Checkpoint { claim }),
        7 => (pick(), end()).prop_map(|(claim, end)| Op::Finish { claim, end }),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => Just(End::Duplicate),
        4 => proptest::sample::select(Outcome::ALL).prop_map(End::Complete),
        2 => Just(End::Refuse),
        3 => proptest::sample::select(&[0, 5, 300, 900][..]).prop_map(|in_s| End::Retry { in_s }),
        1 => Just(End::Fail),
        2 => Just(End::Yield),
    ]
}

fn staff() -> impl Strategy<Value = Op> {
    let actions = [Action::Hold, Action::Release, Action::Cancel, Action::Requeue, Action::ReadPayload];
    let action = proptest::sample::select(actions.to_vec());
    let org = || proptest::option::weighted(0.6, 0..ORGS.len());
    let minutes = proptest::option::weighted(0.8, 1..240_u64);
    prop_oneof![
        10 => (0..64_usize, action).prop_map(|(job, action)| Op::Act { job, action }),
        2 => (org(), minutes).prop_map(|(org, minutes)| Op::PlaceHold { org, minutes }),
        3 => org().prop_map(|org| Op::ReleaseHolds { org }),
        1 => (org(), -30..60_i64, 1..240_i64)
            .prop_map(|(org, starts_in_min, minutes)| Op::AddWindow { org, starts_in_min, minutes }),
        2 => (0..8_usize).prop_map(|window| Op::EndWindow { window }),
    ]
}

fn machine() -> impl Strategy<Value = Op> {
    let jumps = [1, 60, 300, 3_600, 5 * 3_600, 86_400, -1, -60, -300, -3_600, -5 * 3_600, -86_400];
    let hows =
        [Restart::Close, Restart::Kill, Restart::Kill, Restart::CloseAndRebuild, Restart::KillAndRebuild];
    let restart =
        (proptest::sample::select(hows.to_vec()), proptest::sample::select(vec![Lease::Long, Lease::Zero]));
    prop_oneof![
        3 => proptest::sample::select(jumps.to_vec()).prop_map(|seconds| Op::MoveClock { seconds }),
        2 => restart.prop_map(|(how, lease)| Op::Restart { how, lease }),
    ]
}
