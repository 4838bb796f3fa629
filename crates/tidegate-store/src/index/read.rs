//! What anyone may ask the index, from any thread.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sled::IVec;
use tidegate_domain::job::{HistoryEntry, Job, JobState};
use tidegate_domain::{JobId, LegalHold, OrgCode, UploadName};

use super::Mark;
use super::database::Stored;
use super::keys;
use super::recent::{Pair, Pairs, Recent};
use crate::error::StoreError;
use crate::maintenance::StaffChanges;

/// Reads; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(super) stored: Stored,
    pub(super) recent: Recent,
}

/// What a sender sees of an accepted upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InboxFile {
    pub(crate) size_bytes: u64,
    pub(crate) received_at: DateTime<Utc>,
}

/// A job in its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaneItem {
    pub(crate) org: OrgCode,
    pub(crate) id: JobId,
    pub(crate) state: JobState,
}

impl Reader {
    pub(crate) fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.value(&keys::job_key(id))
    }

    pub(crate) fn has_job(&self, id: JobId) -> Result<bool, StoreError> {
        Ok(self.get(&keys::job_key(id))?.is_some())
    }

    pub(crate) fn mark(&self) -> Result<Option<Mark>, StoreError> {
        self.value(keys::MARK)
    }

    /// The change up to which the spool's directories are durable.
    pub(crate) fn views_through(&self) -> Result<u64, StoreError> {
        Ok(self.value(keys::VIEWS)?.unwrap_or(0))
    }

    pub(crate) fn staff_changes(&self) -> Result<StaffChanges, StoreError> {
        Ok(self.value(keys::MAINTENANCE)?.unwrap_or_default())
    }

    /// A job's history but its acceptance, which the job itself tells.
    pub(crate) fn history(&self, id: JobId) -> Result<Vec<HistoryEntry>, StoreError> {
        self.scan(&keys::history_prefix(id)).map(|pair| decode(&pair?.1)).collect()
    }

    /// Ids from the newest to the oldest, of `states` or of all if there are none; only those older than `before`.
    /// A job that goes from one of the states to another meanwhile may come twice in a row.
    pub(crate) fn newest(
        &self,
        states: &[JobState],
        before: Option<JobId>,
    ) -> impl Iterator<Item = Result<JobId, StoreError>> + use<> {
        let of_states = states.iter().copied().map(keys::state_prefix);
        let all = states.is_empty().then(|| vec![keys::JOB]);
        let newest = |prefix: Vec<u8>| {
            let pairs = self.scan_before(&prefix, before).rev();
            pairs.map(|pair| keys::id_of(&pair?.0).ok_or_else(unreadable)).peekable()
        };
        let mut runs: Vec<_> = of_states.chain(all).map(newest).collect();
        std::iter::from_fn(move || {
            let mut first = None;
            for (place, run) in runs.iter_mut().enumerate() {
                match run.peek() {
                    None => {}
                    Some(Ok(id)) => first = first.max(Some((*id, place))),
                    Some(Err(_)) => return run.next(),
                }
            }
            runs.get_mut(first?.1)?.next()
        })
    }

    /// Ids of an organization's jobs from the newest to the oldest, of `states` or of all if there are none; only
    /// those older than `before`.
    pub(crate) fn newest_of(
        &self,
        org: &OrgCode,
        states: &[JobState],
        before: Option<JobId>,
    ) -> impl Iterator<Item = Result<JobId, StoreError>> + use<> {
        let newest = |prefix: Vec<u8>| self.scan_before(&prefix, before).rev().map(lane_item).peekable();
        let (mut lane, mut done) = (newest(keys::lane_prefix(org)), newest(keys::done_prefix(org)));
        let items = std::iter::from_fn(move || match (lane.peek(), done.peek()) {
            (Some(Ok(waits)), Some(Ok(is_done))) if waits.id < is_done.id => done.next(),
            (Some(_), _) => lane.next(),
            (None, _) => done.next(),
        });
        let states = states.to_vec();
        items
            .filter(move |item| {
                item.as_ref().map_or(true, |item| states.is_empty() || states.contains(&item.state))
            })
            .map(|item| item.map(|item| item.id))
    }

    /// The lane of an organization, in order.
    pub(crate) fn lane(&self, org: &OrgCode) -> impl Iterator<Item = Result<LaneItem, StoreError>> + use<> {
        self.scan(&keys::lane_prefix(org)).map(lane_item)
    }

    /// The first job of a lane that waits for a worker, none before `from` considered.
    pub(crate) fn first_waiting(
        &self,
        org: &OrgCode,
        from: Option<JobId>,
    ) -> Result<Option<JobId>, StoreError> {
        let prefix = keys::lane_prefix(org);
        let start = from.map_or_else(|| prefix.clone(), |id| keys::lane_key(org, id));
        let mut items = self.scan_from(&start, &prefix).map(lane_item);
        let waits =
            |item: &Result<LaneItem, StoreError>| item.as_ref().map_or(true, |item| item.state.is_waiting());
        Ok(items.find(waits).transpose()?.map(|item| item.id))
    }

    /// All lanes, by organization.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = Result<LaneItem, StoreError>> + use<> {
        self.scan(&[keys::LANE]).map(lane_item)
    }

    /// Keys and values as they lie there.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = Result<(sled::IVec, sled::IVec), StoreError>> + use<> {
        let database = self.stored.now();
        database.tree.iter().map(move |pair| {
            // For as long as its pairs are read.
            let _database = &database;
            Ok(pair?)
        })
    }

    /// Ids of jobs in a state from the oldest on, behind `after`.
    pub(crate) fn oldest(
        &self,
        state: JobState,
        after: Option<JobId>,
    ) -> impl Iterator<Item = Result<JobId, StoreError>> + use<> {
        let prefix = keys::state_prefix(state);
        // The first key that can follow another is that key with a zero behind it.
        let behind = |id| [keys::state_key(state, id), vec![0]].concat();
        let from = after.map_or_else(|| prefix.clone(), behind);
        self.scan_from(&from, &prefix).map(|pair| keys::id_of(&pair?.0).ok_or_else(unreadable))
    }

    pub(crate) fn legal_holds(&self) -> Result<Vec<LegalHold>, StoreError> {
        Ok(self.value(keys::LEGAL_HOLDS)?.unwrap_or_default())
    }

    pub(crate) fn inbox(&self, org: &OrgCode) -> Result<Vec<(UploadName, InboxFile)>, StoreError> {
        let prefix = keys::inbox_prefix(org, None);
        let pairs = self.scan(&prefix).map(|pair| {
            let (key, value) = pair?;
            Ok((keys::name_of_inbox(&key, &prefix).ok_or_else(unreadable)?, decode(&value)?))
        });
        pairs.collect()
    }

    /// The newest upload of a name that is still in the inbox.
    pub(crate) fn inbox_file(
        &self,
        org: &OrgCode,
        name: &UploadName,
    ) -> Result<Option<InboxFile>, StoreError> {
        let newest = self.scan(&keys::inbox_prefix(org, Some(name))).next_back();
        newest.map(|pair| decode(&pair?.1)).transpose()
    }

    /// The id of the newest upload of a name that is still in the inbox.
    pub(crate) fn newest_in_inbox(
        &self,
        org: &OrgCode,
        name: &UploadName,
    ) -> Result<Option<JobId>, StoreError> {
        let newest = self.scan(&keys::inbox_prefix(org, Some(name))).next_back();
        newest.map(|pair| keys::id_of(&pair?.0).ok_or_else(unreadable)).transpose()
    }

    /// A complete job of the organization with these bytes.
    pub(crate) fn complete_with(
        &self,
        org: &OrgCode,
        sha256: &[u8; 32],
    ) -> Result<Option<JobId>, StoreError> {
        self.value(&keys::digest_key(org, sha256))
    }

    fn value<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.get(key)?.map(|value| decode(&value)).transpose()
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.recent.get_or(key, || self.stored.now().tree.get(key))
    }

    pub(super) fn scan(&self, prefix: &[u8]) -> Pairs {
        self.scan_from(prefix, prefix)
    }

    /// The pairs whose keys are `prefix` and an id less than `before`.
    fn scan_before(&self, prefix: &[u8], before: Option<JobId>) -> Pairs {
        let end = before.map_or_else(|| keys::end_of(prefix), |id| [prefix, &id.to_bytes()].concat());
        Pairs::new(&self.recent, &self.stored, prefix, &end)
    }

    /// The pairs whose keys begin with `prefix`, from `from` on.
    fn scan_from(&self, from: &[u8], prefix: &[u8]) -> Pairs {
        Pairs::new(&self.recent, &self.stored, from, &keys::end_of(prefix))
    }
}

fn lane_item(pair: Pair) -> Result<LaneItem, StoreError> {
    let (key, value) = pair?;
    let item = keys::org_of_lane(&key).zip(keys::id_of(&key)).zip(value.first());
    let ((org, id), byte) = item.ok_or_else(unreadable)?;
    Ok(LaneItem { org, id, state: keys::state_of_byte(*byte).ok_or_else(unreadable)? })
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|_| unreadable())
}

fn unreadable() -> StoreError {
    StoreError::Index("an entry is unreadable; stop the service and run `tidegate store rebuild`".to_owned())
}
