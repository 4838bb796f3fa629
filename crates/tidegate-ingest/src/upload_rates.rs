//! How many uploads each organization has begun within the last minute.
//!
//! Invariant: within any minute an organization begins no more uploads than it may. What is remembered is
//! bounded by its limit, and nothing is kept of organizations without one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_domain::OrgCode;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);

/// When uploads were begun, by organization.
#[derive(Debug, Default)]
pub(crate) struct UploadRates(Mutex<BTreeMap<OrgCode, VecDeque<Instant>>>);

impl UploadRates {
    /// Counts one more upload; false, and nothing is counted, if there were `max` within the last minute.
    pub(crate) fn begin(&self, org: &OrgCode, max: usize) -> bool {
        let now = Instant::now();
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_org = begun.entry(org.clone()).or_default();
        while of_org.front().is_some_and(|begun| now.duration_since(*begun) >= MINUTE) {
            of_org.pop_front();
        }
        let may = of_org.len() < max;
        if may {
            of_org.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn within_any_minute_no_more_uploads_begin_than_may() {
        let (rates, org) = (UploadRates::default(), OrgCode::new("A").unwrap());
        let mut begun = Vec::new();
        for second in 0..600 {
            if rates.begin(&org, 7) {
                begun.push(second);
            }
            advance(Duration::from_secs(1)).await;
        }
        assert!(begun.windows(8).all(|eight| eight[7] - eight[0] >= 60), "{begun:?}");
        assert_eq!(begun.len(), 70, "and no fewer");
        assert!(rates.begin(&OrgCode::new("B").unwrap(), 1), "each has its own");
        assert!(!rates.begin(&OrgCode::new("B").unwrap(), 1));
    }
}
