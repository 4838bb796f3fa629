//! How many sessions each organization has open.
//!
//! Invariant: an organization never has more than its limit, and what one uses is not missing to
//! another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_domain::OrgCode;

/// Counts sessions by organization.
#[derive(Debug, Clone)]
pub struct SessionsPerOrg {
    open: Arc<Mutex<BTreeMap<OrgCode, usize>>>,
    max: usize,
}

impl SessionsPerOrg {
    /// Allows each organization `max` sessions.
    pub fn new(max: usize) -> Self {
        Self { open: Arc::default(), max }
    }

    /// A place for one more session of `org`, held until it is dropped; `None` if there is none.
    pub fn admit(&self, org: &OrgCode) -> Option<OrgPermit> {
        let mut open = self.lock();
        let count = open.entry(org.clone()).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(OrgPermit { sessions: self.clone(), org: org.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<OrgCode, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's place.
#[derive(Debug)]
pub struct OrgPermit {
    sessions: SessionsPerOrg,
    org: OrgCode,
}

impl Drop for OrgPermit {
    fn drop(&mut self) {
        let mut open = self.sessions.lock();
        if let Some(count) = open.get_mut(&self.org) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.org);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organizations_do_not_take_each_others_places() {
        let sessions = SessionsPerOrg::new(1);
        let (a, b) = (OrgCode::new("A").unwrap(), OrgCode::new("B").unwrap());
        let held = sessions.admit(&a);
        assert!(held.is_some() && sessions.admit(&a).is_none());
        assert!(sessions.admit(&b).is_some());
        drop(held);
        assert!(sessions.admit(&a).is_some());
        assert!(sessions.lock().is_empty(), "nothing is kept of organizations without sessions");
    }
}
