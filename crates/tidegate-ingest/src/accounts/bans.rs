//! Failed logins: whose answers get slower, and which addresses are turned away for a while.
//!
//! Invariant: an address is banned for what came from it, an account never, because anybody can fail in
//! somebody else's name. An account's refusals only get slower, whether it exists or not. Times are those of
//! the monotonic clock; nothing is written down, so a restart forgets. What is kept is bounded: the entry
//! whose last failure is the oldest makes room.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::Instant;

use super::networks::{parse_network, source};
use crate::audit::{Audit, Event};
use crate::config::AuthConfig;

/// Addresses, and accounts, of which failures are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// Failed logins of late and what follows from them.
#[derive(Debug)]
pub struct Bans {
    rules: AuthConfig,
    exempt: Vec<IpNet>,
    state: Mutex<State>,
    /// Names of accounts are kept as hashes only: people type passwords there.
    names: RandomState,
    audit: Audit,
}

/// An address that is banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ban {
    /// One IPv4 address, or the network of 64 bits that an IPv6 address is in.
    pub source: IpNet,
    /// How much longer.
    pub remaining: Duration,
    /// How many bans in a row this is.
    pub times: u32,
}

impl Ban {
    /// The address, or the network that is banned with it, for people.
    pub fn address(&self) -> String {
        shown(self.source)
    }
}

fn shown(source: IpNet) -> String {
    if source.addr().is_ipv4() { source.addr().to_string() } else { source.to_string() }
}

#[derive(Debug, Default)]
struct State {
    addresses: BTreeMap<IpNet, Address>,
    accounts: BTreeMap<u64, Account>,
}

/// What is remembered of an address.
#[derive(Debug)]
struct Address {
    /// Failures that may still lead to a ban.
    failures: VecDeque<Instant>,
    last_failure: Instant,
    banned_until: Option<Instant>,
    times: u32,
}

/// What is remembered of an account, be there one of that name or not.
#[derive(Debug)]
struct Account {
    failures: u32,
    last_failure: Instant,
}

impl Bans {
    /// With validated settings.
    pub fn new(rules: AuthConfig) -> Self {
        let exempt = rules.exempt_addresses.iter().filter_map(|text| parse_network(text)).collect();
        Self { rules, exempt, state: Mutex::default(), names: RandomState::new(), audit: Audit::default() }
    }

    /// The same with an audit log.
    pub(super) fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }

    /// Whether many may be behind the address, so that it is neither banned nor counted.
    pub fn is_exempt(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.exempt.iter().any(|network| network.contains(&peer))
    }

    /// Whether connections from the address are turned away now.
    pub fn is_banned(&self, peer: IpAddr) -> bool {
        let now = Instant::now();
        self.state().addresses.get(&source(peer)).is_some_and(|address| address.is_banned(now))
    }

    /// The bans that stand, by address.
    pub fn list(&self) -> Vec<Ban> {
        let now = Instant::now();
        let state = self.state();
        state.addresses.iter().filter_map(|(source, address)| address.ban(*source, now)).collect()
    }

    /// Lifts the ban of an address, or every ban, and forgets what led to it; those that stood. `actor` is
    /// who wants it.
    pub fn lift(&self, peer: Option<IpAddr>, actor: &str) -> Vec<Ban> {
        let mut lifted = self.list();
        lifted.retain(|ban| peer.is_none_or(|peer| ban.source == source(peer)));
        let mut state = self.state();
        for ban in &lifted {
            state.addresses.remove(&ban.source);
            let (address, actor) = (ban.address(), actor.to_owned());
            self.audit.note_defence(Event::BanLifted { address, actor });
        }
        lifted
    }

    /// Notes a failed login; how long after it was tried it is answered.
    pub(super) fn failed(&self, account: &str, peer: IpAddr) -> Duration {
        let now = Instant::now();
        let mut state = self.state();
        if !self.is_exempt(peer) {
            self.note_address(&mut state, source(peer), now);
        }
        let failures = self.note_account(&mut state, self.names.hash_one(account), now);
        self.delay(failures)
    }

    /// Forgets the failures of an account whose owner has come. Those of an address stay: who guesses may
    /// have an account of its own.
    pub(super) fn succeeded(&self, account: &str) {
        self.state().accounts.remove(&self.names.hash_one(account));
    }

    fn note_address(&self, state: &mut State, source: IpNet, now: Instant) {
        make_room(&mut state.addresses, &source, |address| address.last_failure);
        let address = state.addresses.entry(source).or_insert_with(|| Address::new(now));
        if address.is_banned(now) {
            return;
        }
        let quiet_since = address.banned_until.unwrap_or(address.last_failure).max(address.last_failure);
        if now.duration_since(quiet_since) > self.rules.ban_max.0 {
            address.times = 0;
        }
        address.last_failure = now;
        let window = self.rules.failures_window.0;
        address.failures.retain(|failure| now.duration_since(*failure) < window);
        address.failures.push_back(now);
        if address.failures.len() >= self.rules.failures_max {
            address.failures.clear();
            let length = doubled(self.rules.ban.0, address.times, self.rules.ban_max.0);
            address.times = address.times.saturating_add(1);
            address.banned_until = now.checked_add(length);
            let event = Event::Banned { address: shown(source), for_s: length.as_secs() };
            self.audit.note_defence(event);
            tracing::warn!(address = %source, for_s = length.as_secs(), times = address.times, "address banned");
        }
    }

    fn note_account(&self, state: &mut State, name: u64, now: Instant) -> u32 {
        make_room(&mut state.accounts, &name, |account| account.last_failure);
        let account = state.accounts.entry(name).or_insert(Account { failures: 0, last_failure: now });
        if now.duration_since(account.last_failure) >= self.rules.failures_window.0 {
            account.failures = 0;
        }
        account.failures = account.failures.saturating_add(1);
        account.last_failure = now;
        account.failures
    }

    fn delay(&self, failures: u32) -> Duration {
        doubled(self.rules.refusal_delay.0, failures.saturating_sub(1), self.rules.refusal_delay_max.0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Address {
    fn new(now: Instant) -> Self {
        Self { failures: VecDeque::new(), last_failure: now, banned_until: None, times: 0 }
    }

    fn is_banned(&self, now: Instant) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }

    fn ban(&self, source: IpNet, now: Instant) -> Option<Ban> {
        let until = self.banned_until.filter(|until| now < *until)?;
        Some(Ban { source, remaining: until.duration_since(now), times: self.times })
    }
}

/// `base`, doubled so many times, up to `max`.
fn doubled(base: Duration, times: u32, max: Duration) -> Duration {
    base.saturating_mul(2_u32.saturating_pow(times)).min(max)
}

/// Lets the entry whose last failure is the oldest go where a new one would be too many.
fn make_room<K: Ord + Copy, V>(entries: &mut BTreeMap<K, V>, key: &K, last_failure: impl Fn(&V) -> Instant) {
    if entries.len() < REMEMBERED_MAX || entries.contains_key(key) {
        return;
    }
    let oldest = entries.iter().min_by_key(|(_, entry)| last_failure(entry)).map(|(key, _)| *key);
    if let Some(oldest) = oldest {
        entries.remove(&oldest);
    }
}

#[cfg(test)]
#[path = "bans_tests.rs"]
mod tests;
