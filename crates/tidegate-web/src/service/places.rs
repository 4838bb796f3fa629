//! Places for requests: how many are answered at once, and from one address at once and in a minute.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tidegate_ingest::session::{Counted, SessionCounts};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rates::Rates;

/// Requests at once, each with a body of its own.
const REQUESTS_MAX: usize = 200;

/// Requests at once from one address.
const OF_ADDRESS_MAX: usize = 100;

/// Requests within a minute from one address.
pub(super) const RATE_MAX: u32 = 6_000;

/// Who has a place.
pub(super) struct Places {
    all: Arc<Semaphore>,
    of_address: SessionCounts<IpAddr>,
    rates: Rates,
}

/// A request's place, held until it is answered.
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_address: Option<Counted<IpAddr>>,
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(REQUESTS_MAX)),
            of_address: SessionCounts::default(),
            rates: Rates::new(RATE_MAX),
        }
    }

    /// A place, or why there is none. What is exempt from the limits of one address, such as a proxy on this host, stands
    /// for everybody.
    pub(super) fn take(&self, peer: SocketAddr, is_exempt: bool) -> Result<Place, &'static str> {
        let all = Arc::clone(&self.all).try_acquire_owned().map_err(|_| "Too many requests at once")?;
        let of_address = if is_exempt { None } else { Some(self.count(peer.ip().to_canonical())?) };
        Ok(Place { _of_all: all, _of_address: of_address })
    }

    fn count(&self, address: IpAddr) -> Result<Counted<IpAddr>, &'static str> {
        if !self.rates.count(address) {
            return Err("Too many requests within a minute from your address");
        }
        self.of_address.admit(&address, OF_ADDRESS_MAX).ok_or("Too many requests at once from your address")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_fewer_for_one_address_unless_it_is_a_proxy() {
        let (places, one, other) = (Places::new(), "192.0.2.1:1", "192.0.2.2:1");
        let take = |peer: &str, is_exempt| places.take(peer.parse().unwrap(), is_exempt);
        let mut taken: Vec<_> = (0..OF_ADDRESS_MAX).map(|_| take(one, false).unwrap()).collect();
        assert!(take(one, false).is_err() && take("[::ffff:192.0.2.1]:2", false).is_err());
        taken.extend((OF_ADDRESS_MAX..REQUESTS_MAX).map(|_| take(one, true).unwrap()));
        assert!(take(other, true).is_err());
        taken.pop();
        taken.push(take(other, false).unwrap());
        assert!(take(other, false).is_err());
        taken.clear();
        assert!(take(one, false).is_ok());
    }
}
