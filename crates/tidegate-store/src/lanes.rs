//! Whose turn it is: a lane for each organization, served round robin.
//!
//! Invariant: a lane hands out its jobs in order and one at a time, and every lane that has work and
//! may go is served once before any is served twice. So an organization with 100,000 files delays
//! the others by one file for each turn, and its own files stay in order.
//!
//! The jobs themselves stay in the index; a lane is a few numbers.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use chrono::{DateTime, Utc};
use tidegate_domain::{JobId, OrgCode};

/// All lanes with work.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: BTreeMap<OrgCode, Lane>,
    last_served: Option<OrgCode>,
}

#[derive(Debug, Default)]
struct Lane {
    /// Jobs in a state that waits for a worker.
    waiting: u64,
    /// No job before this one waits, so that a look for the first need not pass by all that staff hold.
    first: Option<JobId>,
    /// The job that a worker took in its turn. Calls, which take no turn, leave the lane as it is.
    busy_with: Option<JobId>,
    /// Nothing is due before, as far as the last look told.
    not_before: Option<DateTime<Utc>>,
}

impl Lanes {
    pub(crate) fn job_waits(&mut self, org: &OrgCode, id: JobId) {
        let lane = self.lanes.entry(org.clone()).or_default();
        let others_first = lane.first.filter(|_| lane.waiting > 0);
        lane.first = Some(others_first.map_or(id, |first| first.min(id)));
        lane.waiting += 1;
    }

    pub(crate) fn job_left(&mut self, org: &OrgCode) {
        if let Some(lane) = self.lanes.get_mut(org) {
            lane.waiting = lane.waiting.saturating_sub(1);
        }
    }

    pub(crate) fn set_busy(&mut self, org: &OrgCode, id: JobId) {
        self.lanes.entry(org.clone()).or_default().busy_with = Some(id);
    }

    /// A worker has given a job back or ended it.
    pub(crate) fn give_back(&mut self, org: &OrgCode, id: JobId) {
        let Some(lane) = self.lanes.get_mut(org) else { return };
        lane.busy_with = lane.busy_with.filter(|busy_with| *busy_with != id);
        if lane.busy_with.is_none() && lane.waiting == 0 {
            self.lanes.remove(org);
        }
    }

    /// Where to begin looking for the first job that waits.
    pub(crate) fn first(&self, org: &OrgCode) -> Option<JobId> {
        self.lanes.get(org).and_then(|lane| lane.first)
    }

    /// Remembers the first job that waits.
    pub(crate) fn set_first(&mut self, org: &OrgCode, first: JobId) {
        if let Some(lane) = self.lanes.get_mut(org) {
            lane.first = Some(first);
        }
    }

    /// Remembers when the head of a lane is due, or that it may be looked at again.
    pub(crate) fn set_not_before(&mut self, org: &OrgCode, not_before: Option<DateTime<Utc>>) {
        if let Some(lane) = self.lanes.get_mut(org) {
            lane.not_before = not_before;
        }
    }

    /// The lanes that have work and no job with a worker, beginning behind the one served last.
    pub(crate) fn turn(&self) -> Vec<OrgCode> {
        let idle = |(org, lane): (&OrgCode, &Lane)| {
            (lane.waiting > 0 && lane.busy_with.is_none()).then(|| org.clone())
        };
        let Some(last) = &self.last_served else {
            return self.lanes.iter().filter_map(idle).collect();
        };
        let behind = self.lanes.range((Excluded(last), Unbounded));
        let before = self.lanes.range(..=last);
        behind.chain(before).filter_map(idle).collect()
    }

    pub(crate) fn served(&mut self, org: &OrgCode) {
        self.last_served = Some(org.clone());
    }

    /// The next instant after `now` at which a lane is due that waits for a time. One that is due already
    /// waits for something else, such as the gate.
    pub(crate) fn next_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.lanes
            .values()
            .filter(|lane| lane.waiting > 0 && lane.busy_with.is_none())
            .filter_map(|lane| lane.not_before)
            .filter(|due| *due > now)
            .min()
    }

    /// How many jobs of an organization wait.
    pub(crate) fn waiting_of(&self, org: &OrgCode) -> u64 {
        self.lanes.get(org).map_or(0, |lane| lane.waiting)
    }

    /// Every lane, how many jobs wait in it, and whether one is with a worker.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&OrgCode, u64, bool)> {
        let lanes = self.lanes.iter().map(|(org, lane)| (org, lane.waiting, lane.busy_with.is_some()));
        lanes.filter(|(_, waiting, busy)| *waiting > 0 || *busy)
    }

    /// Every lane with jobs that wait, and how many.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&OrgCode, u64)> {
        self.lanes.iter().map(|(org, lane)| (org, lane.waiting)).filter(|(_, waiting)| *waiting > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(code: &str) -> OrgCode {
        OrgCode::new(code).unwrap()
    }

    fn id(number: u8) -> JobId {
        JobId::from_bytes([number; JobId::LEN])
    }

    #[test]
    fn every_lane_is_served_before_any_is_served_twice() {
        let mut lanes = Lanes::default();
        for _ in 0..1000 {
            lanes.job_waits(&org("HUGE"), id(1));
        }
        lanes.job_waits(&org("A"), id(2));
        lanes.job_waits(&org("Z"), id(3));
        let mut served = Vec::new();
        for _ in 0..4 {
            let next = lanes.turn().remove(0);
            lanes.served(&next);
            lanes.job_left(&next);
            served.push(next);
        }
        assert_eq!(served, ["A", "HUGE", "Z", "HUGE"].map(org));
    }

    #[test]
    fn a_busy_lane_hands_nothing_out() {
        let mut lanes = Lanes::default();
        lanes.job_waits(&org("A"), id(2));
        lanes.job_waits(&org("A"), id(2));
        lanes.set_busy(&org("A"), id(2));
        assert!(lanes.turn().is_empty());
        lanes.give_back(&org("A"), id(3));
        assert!(lanes.turn().is_empty(), "a job that took no turn ends none");
        lanes.give_back(&org("A"), id(2));
        assert_eq!(lanes.turn(), [org("A")]);
    }

    #[test]
    fn a_job_that_waits_again_is_looked_for_again() {
        let mut lanes = Lanes::default();
        lanes.job_waits(&org("A"), id(1));
        lanes.job_waits(&org("A"), id(5));
        lanes.set_first(&org("A"), id(5));
        lanes.job_waits(&org("A"), id(7));
        assert_eq!(lanes.first(&org("A")), Some(id(5)));
        lanes.job_waits(&org("A"), id(3));
        assert_eq!(lanes.first(&org("A")), Some(id(3)));
    }

    #[test]
    fn an_empty_lane_begins_with_its_next_job() {
        let mut lanes = Lanes::default();
        lanes.job_waits(&org("A"), id(1));
        lanes.job_left(&org("A"));
        lanes.job_waits(&org("A"), id(9));
        assert_eq!(lanes.first(&org("A")), Some(id(9)));
    }
}
