//! What the cases are drawn from: each kind of operation as often as it takes to get everywhere.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tidegate_domain::job::Outcome;

use crate::ops::{
    Action, BODIES, Case, End, Lease, NAMES, ORGS, Op, Pick, Restart, SenderOp, StaffOp, WorkerOp,
};

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    (vec(op(), 1..200), any::<bool>()).prop_map(|(ops, ends_in_the_past)| Case { ops, ends_in_the_past })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => sender().prop_map(Op::Sender),
        40 => worker().prop_map(Op::Worker),
        18 => staff().prop_map(Op::Staff),
        7 => machine(),
    ]
}

fn sender() -> impl Strategy<Value = SenderOp> {
    use SenderOp as S;
    let (org, name, body) = (|| 0..ORGS.len(), || 0..NAMES.len(), || 0..BODIES.len());
    prop_oneof![
        12 => (org(), name(), body()).prop_map(|(org, name, body)| S::Accept { org, name, body }),
        2 => (org(), name(), body()).prop_map(|(org, name, body)| S::Stage { org, name, body }),
        2 => (org(), name(), name()).prop_map(|(org, staged, name)| S::AcceptStaged { org, staged, name }),
        1 => (org(), name(), name()).prop_map(|(org, from, to)| S::RenameStaged { org, from, to }),
        1 => (org(), name()).prop_map(|(org, name)| S::RemoveStaged { org, name }),
        1 => body().prop_map(|body| S::Abandon { body }),
        4 => (pick(), any::<bool>()).prop_map(|(job, report)| S::DeleteAnswer { job, report }),
    ]
}

fn worker() -> impl Strategy<Value = WorkerOp> {
    use WorkerOp as W;
    let claim = || prop_oneof![8 => pick(), 2 => (0..64_usize).prop_map(Pick::Lost)];
    prop_oneof![
        12 => (1..5_usize).prop_map(|max| W::Claim { max }),
        1 => (1..50_usize).prop_map(|times| W::Vanish { times }),
        3 => claim().prop_map(W::Renew),
        5 => claim().prop_map(W::Checkpoint),
        14 => (claim(), end()).prop_map(|(claim, end)| W::Finish(claim, end)),
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![5 => (0..64_usize).prop_map(Pick::Apt), 1 => (0..64_usize).prop_map(Pick::Any)]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => Just(End::Duplicate),
        3 => select(Outcome::ALL).prop_map(End::Complete),
        2 => Just(End::Complete(Outcome::Rejected)),
        2 => Just(End::Refuse),
        3 => select(vec![0, 5, 300, 900]).prop_map(|in_s| End::Retry { in_s }),
        2 => Just(End::Fail),
        2 => Just(End::Yield),
    ]
}

fn staff() -> impl Strategy<Value = StaffOp> {
    use Action as A;
    use StaffOp as S;
    let action = select(vec![A::Hold, A::Release, A::Cancel, A::Requeue, A::Requeue, A::ReadPayload]);
    let org = || proptest::option::weighted(0.6, 0..ORGS.len());
    let minutes = proptest::option::weighted(0.8, 1..240_u64);
    prop_oneof![
        16 => (pick(), action).prop_map(|(job, action)| S::Act(job, action)),
        2 => (org(), minutes).prop_map(|(org, minutes)| S::PlaceHold { org, minutes }),
        4 => org().prop_map(|org| S::ReleaseHolds { org }),
        1 => (org(), -30..60_i64, 1..240_i64)
            .prop_map(|(org, starts_in_min, minutes)| S::AddWindow { org, starts_in_min, minutes }),
        2 => (0..8_usize).prop_map(|window| S::EndWindow { window }),
        1 => (0..8_usize, 1..120_i64).prop_map(|(window, minutes)| S::ExtendWindow { window, minutes }),
        1 => (0..8_usize).prop_map(|window| S::SkipWindow { window }),
        1 => (0..8_usize).prop_map(|window| S::RemoveWindow { window }),
        1 => (0..ORGS.len()).prop_map(|org| S::PlaceLegalHold { org }),
        2 => (0..ORGS.len()).prop_map(|org| S::ReleaseLegalHolds { org }),
    ]
}

fn machine() -> impl Strategy<Value = Op> {
    use Restart as R;
    let ahead = select(vec![1, 60, 300, 3_600, 5 * 3_600, 86_400]);
    let jump = (ahead, any::<bool>()).prop_map(|(by, is_back)| if is_back { -by } else { by });
    let how = select(vec![R::Close, R::Kill, R::Kill, R::CloseAndRebuild, R::KillAndRebuild]);
    let lease = select(vec![Lease::Long, Lease::Zero]);
    prop_oneof![
        2 => Just(Op::Retain),
        2 => Just(Op::Compact),
        3 => jump.prop_map(|seconds| Op::MoveClock { seconds }),
        2 => (how, lease).prop_map(|(how, lease)| Op::Restart(how, lease)),
    ]
}
