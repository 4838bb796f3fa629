//! How many requests came from where within a minute.
//!
//! Invariant: from one place no more than the limit within one minute of the clock that counts, and no more places are
//! remembered than [`PLACES_MAX`]; beyond that everything is forgotten at once, which lets some go on sooner.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const PLACES_MAX: usize = 10_000;
const MINUTE: Duration = Duration::from_mins(1);

/// Requests by the address that they came from.
#[derive(Debug)]
pub(super) struct Rates {
    max: u32,
    counted: Mutex<(Instant, HashMap<IpAddr, u32>)>,
}

impl Rates {
    pub(super) fn new(max: u32) -> Self {
        Self { max, counted: Mutex::new((Instant::now(), HashMap::new())) }
    }

    /// Counts one more; false if it is one too many.
    pub(super) fn count(&self, address: IpAddr) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, places) = &mut *counted;
        if since.elapsed() >= MINUTE || places.len() >= PLACES_MAX && !places.contains_key(&address) {
            places.clear();
            *since = Instant::now();
        }
        let count = places.entry(address).or_default();
        *count = count.saturating_add(1);
        *count <= self.max
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_address_uses_up_its_own_minute_and_nobody_elses() {
        let (rates, one, two) = (Rates::new(2), Ipv4Addr::LOCALHOST.into(), Ipv4Addr::BROADCAST.into());
        assert_eq!(
            [rates.count(one), rates.count(one), rates.count(one), rates.count(two)],
            [true, true, false, true]
        );
        tokio::time::advance(MINUTE).await;
        assert!(rates.count(one));
        for number in 0..3 * PLACES_MAX {
            rates.count(Ipv4Addr::from(u32::try_from(number).unwrap()).into());
        }
        assert!(rates.counted.lock().unwrap().1.len() <= PLACES_MAX);
        tokio::time::advance(MINUTE).await;
        for number in 0..PLACES_MAX {
            assert!(rates.count(Ipv4Addr::from(u32::try_from(number).unwrap()).into()));
        }
        let zero = Ipv4Addr::UNSPECIFIED.into();
        assert_eq!([rates.count(zero), rates.count(zero)], [true, false], "who is known stays known");
    }
}
