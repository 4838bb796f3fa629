//! Who is logged in with a browser.
//!
//! Invariant: a session's name is 256 random bits that the server chose when somebody had logged in, never one that
//! a browser brought along; it is kept as a digest only. A session ends when it was not used for a while, when it
//! is old, when its owner leaves, or when newer ones need its place. Nothing is written down: a restart ends all.

mod cookie;
mod secret;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::time::Instant;

pub(super) use cookie::Cookie;
pub(super) use secret::Secret;

/// How long sessions last, and how many there are.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_field_names, reason = "each is a bound, and bounds are named so")]
pub(super) struct Rules {
    /// Without a request.
    pub(super) idle_max: Duration,
    /// From login on.
    pub(super) age_max: Duration,
    /// Of one owner; the oldest makes room.
    pub(super) of_owner_max: usize,
    /// In all; the one that was not used for longest makes room.
    pub(super) all_max: usize,
}

/// The sessions of one kind of people.
pub(super) struct Sessions<W> {
    rules: Rules,
    open: Mutex<HashMap<[u8; 32], Open<W>>>,
}

struct Open<W> {
    who: Arc<W>,
    owner: String,
    /// What its forms prove themselves with.
    form_key: Secret,
    begun: Instant,
    used: Instant,
}

/// A session that was found.
pub(super) struct Found<W> {
    pub(super) who: Arc<W>,
    pub(super) form_key: Secret,
}

impl<W: Send + Sync + 'static> Sessions<W> {
    pub(super) fn new(rules: Rules) -> Arc<Self> {
        Arc::new(Self { rules, open: Mutex::default() })
    }

    /// A new session of somebody who has logged in; its name is for the browser alone.
    pub(super) fn begin(self: &Arc<Self>, owner: &str, who: W) -> Result<Secret, getrandom::Error> {
        let (name, form_key) = (Secret::new()?, Secret::new()?);
        let now = Instant::now();
        let mut open = self.lock();
        self.drop_old(&mut open, now);
        self.make_room(&mut open, owner);
        let session = Open { who: Arc::new(who), owner: owner.to_owned(), form_key, begun: now, used: now };
        open.insert(name.digest(), session);
        drop(open);
        self.watch(name.digest());
        Ok(name)
    }

    /// The session that a request belongs to. Somebody uses it thereby, unless a page just brings itself up to date.
    pub(super) fn of(&self, cookie: Cookie, headers: &HeaderMap) -> Option<(Found<W>, String)> {
        let name = cookie.of(headers)?;
        let found = self.find(&name, !headers.contains_key("x-tidegate-live"))?;
        Some((found, name))
    }

    fn find(&self, name: &str, is_used: bool) -> Option<Found<W>> {
        let now = Instant::now();
        let mut open = self.lock();
        let digest = Secret::digest_of(name);
        let session = open.get_mut(&digest)?;
        if session.is_over(&self.rules, now) {
            open.remove(&digest);
            return None;
        }
        if is_used {
            session.used = now;
        }
        Some(Found { who: Arc::clone(&session.who), form_key: session.form_key.clone() })
    }

    /// Ends the session of that name, if there is one.
    pub(super) fn end(&self, name: &str) {
        self.lock().remove(&Secret::digest_of(name));
    }

    fn make_room(&self, open: &mut HashMap<[u8; 32], Open<W>>, owner: &str) {
        let of_owner = open.iter().filter(|(_, session)| session.owner == owner);
        if of_owner.clone().count() >= self.rules.of_owner_max {
            let oldest = of_owner.min_by_key(|(_, session)| session.begun).map(|(name, _)| *name);
            oldest.and_then(|name| open.remove(&name));
        }
        if open.len() >= self.rules.all_max {
            let idlest = open.iter().min_by_key(|(_, session)| session.used).map(|(name, _)| *name);
            idlest.and_then(|name| open.remove(&name));
        }
    }

    fn drop_old(&self, open: &mut HashMap<[u8; 32], Open<W>>, now: Instant) {
        open.retain(|_, session| !session.is_over(&self.rules, now));
    }

    /// Ends a session in time even if nobody asks for it any more: it may count against its owner's limits.
    fn watch(self: &Arc<Self>, name: [u8; 32]) {
        let sessions = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                let Some(end) = sessions.upgrade().and_then(|sessions| sessions.end_or_drop(&name)) else {
                    return;
                };
                tokio::time::sleep_until(end).await;
            }
        });
    }

    /// When it ends if it is not used meanwhile; `None` if that is now.
    fn end_or_drop(&self, name: &[u8; 32]) -> Option<Instant> {
        let mut open = self.lock();
        let session = open.get(name)?;
        if session.is_over(&self.rules, Instant::now()) {
            open.remove(name);
            return None;
        }
        Some((session.used + self.rules.idle_max).min(session.begun + self.rules.age_max))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Open<W>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Open<W> {
    fn is_over(&self, rules: &Rules, now: Instant) -> bool {
        now >= self.used + rules.idle_max || now >= self.begun + rules.age_max
    }
}
