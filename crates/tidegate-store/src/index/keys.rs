//! The keys of the index. Numbers are big-endian and organization codes and names have no NUL in
//! them, so keys sort as what they name does.

use std::ops::Bound;

use tidegate_domain::job::JobState;
use tidegate_domain::{JobId, OrgCode, UploadName};

/// Job by id.
pub(super) const JOB: u8 = b'J';
/// History of a job by id and change.
pub(super) const HISTORY: u8 = b'H';
/// Jobs of an organization that are not in a final state, in order.
pub(super) const LANE: u8 = b'L';
/// Jobs of an organization that are in a final state, in order: what its lane does not have.
pub(super) const DONE: u8 = b'O';
/// Jobs by state.
pub(super) const STATE: u8 = b'S';
/// What a sender sees in its inbox, by organization, name and id.
pub(super) const INBOX: u8 = b'I';
/// Complete job by organization and SHA-256.
pub(super) const DIGEST: u8 = b'D';
/// Windows, overrides and holds.
pub(super) const MAINTENANCE: &[u8] = b"G";
/// Legal holds.
pub(super) const LEGAL_HOLDS: &[u8] = b"R";
/// Up to which change the index goes.
pub(super) const MARK: &[u8] = b"M";
/// Up to which change the spool's directories are durable.
pub(super) const VIEWS: &[u8] = b"V";

/// A part of all keys.
pub(super) type Share = (Bound<[u8; 1]>, Bound<[u8; 1]>);

/// All keys there could be, in parts of about the same weight. More parts at once would gain little and
/// keep more of sled in memory.
pub(super) fn shares() -> impl Iterator<Item = Share> {
    let cuts = [JOB, LANE].map(|tag| Some([tag]));
    let starts = std::iter::once(None).chain(cuts);
    let ends = cuts.into_iter().chain(std::iter::once(None));
    starts.zip(ends).map(|(start, end)| {
        (start.map_or(Bound::Unbounded, Bound::Included), end.map_or(Bound::Unbounded, Bound::Excluded))
    })
}

pub(super) fn job_key(id: JobId) -> Vec<u8> {
    tagged(JOB, &[&id.to_bytes()])
}

pub(super) fn history_prefix(id: JobId) -> Vec<u8> {
    tagged(HISTORY, &[&id.to_bytes()])
}

pub(super) fn history_key(id: JobId, seq: u64) -> Vec<u8> {
    tagged(HISTORY, &[&id.to_bytes(), &seq.to_be_bytes()])
}

pub(crate) fn lane_prefix(org: &OrgCode) -> Vec<u8> {
    tagged(LANE, &[org.as_str().as_bytes(), &[0]])
}

pub(crate) fn lane_key(org: &OrgCode, id: JobId) -> Vec<u8> {
    tagged(LANE, &[org.as_str().as_bytes(), &[0], &id.to_bytes()])
}

pub(super) fn done_prefix(org: &OrgCode) -> Vec<u8> {
    tagged(DONE, &[org.as_str().as_bytes(), &[0]])
}

pub(super) fn done_key(org: &OrgCode, id: JobId) -> Vec<u8> {
    tagged(DONE, &[org.as_str().as_bytes(), &[0], &id.to_bytes()])
}

pub(super) fn state_prefix(state: JobState) -> Vec<u8> {
    tagged(STATE, &[&[state_byte(state)]])
}

pub(super) fn state_key(state: JobState, id: JobId) -> Vec<u8> {
    tagged(STATE, &[&[state_byte(state)], &id.to_bytes()])
}

pub(super) fn inbox_prefix(org: &OrgCode, name: Option<&UploadName>) -> Vec<u8> {
    let org = org.as_str().as_bytes();
    match name {
        None => tagged(INBOX, &[org, &[0]]),
        Some(name) => tagged(INBOX, &[org, &[0], name.as_bytes(), &[0]]),
    }
}

pub(crate) fn inbox_key(org: &OrgCode, name: &UploadName, id: JobId) -> Vec<u8> {
    tagged(INBOX, &[org.as_str().as_bytes(), &[0], name.as_bytes(), &[0], &id.to_bytes()])
}

pub(super) fn digest_key(org: &OrgCode, sha256: &[u8; 32]) -> Vec<u8> {
    tagged(DIGEST, &[org.as_str().as_bytes(), &[0], sha256])
}

/// The id at the end of a key.
pub(super) fn id_of(key: &[u8]) -> Option<JobId> {
    key.last_chunk::<{ JobId::LEN }>().copied().map(JobId::from_bytes)
}

/// The organization of a lane's key.
pub(super) fn org_of_lane(key: &[u8]) -> Option<OrgCode> {
    let code = key.get(1..key.len().checked_sub(JobId::LEN + 1)?)?;
    OrgCode::new(std::str::from_utf8(code).ok()?).ok()
}

/// The name in an inbox key that begins with `prefix` for the whole organization.
pub(super) fn name_of_inbox(key: &[u8], prefix: &[u8]) -> Option<UploadName> {
    let name = key.get(prefix.len()..key.len().checked_sub(JobId::LEN + 1)?)?;
    UploadName::new(name).ok()
}

pub(super) fn state_byte(state: JobState) -> u8 {
    JobState::ALL
        .iter()
        .position(|known| *known == state)
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(0)
}

pub(super) fn state_of_byte(byte: u8) -> Option<JobState> {
    JobState::ALL.get(usize::from(byte)).copied()
}

/// The first key behind all that begin with `prefix`, which begins with a tag and is never all ones.
pub(super) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(tag);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

#[cfg(test)]
mod tests {
    use std::ops::RangeBounds;

    use super::*;

    #[test]
    fn every_key_is_in_exactly_one_share() {
        for tag in 0..=u8::MAX {
            for key in [[tag].to_vec(), [tag, 0].to_vec(), [tag, 255, 255].to_vec()] {
                let holds = |share: &Share| {
                    let bound = |bound: &Bound<[u8; 1]>| bound.map(|tag| tag.to_vec());
                    (bound(&share.0), bound(&share.1)).contains(&key)
                };
                assert_eq!(shares().filter(holds).count(), 1, "{key:?}");
            }
        }
    }
}
