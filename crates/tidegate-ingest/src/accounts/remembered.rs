//! Passwords that were right a while ago, so that clients which log in for each file don't pay for
//! argon2id each time.
//!
//! Invariant: only what a full check found right is remembered, for a bounded time and number of accounts, and
//! never past a change of the account's hash. What is kept is a digest under a key that this process drew
//! and that never leaves it: worth nothing to who reads it elsewhere. A wrong password is never found
//! here and costs its guesser a full check.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

/// Accounts that are remembered at once; further ones are checked in full.
const ACCOUNTS_MAX: usize = 10_000;

/// Digests of right passwords.
pub(super) struct Remembered {
    key: [u8; 32],
    lasts: Duration,
    accounts: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    digest: [u8; 32],
    until: Instant,
}

impl Remembered {
    /// Remembers for `lasts` after a full check; not at all if that is zero.
    pub(super) fn new(lasts: Duration) -> Self {
        Self { key: rand::random(), lasts, accounts: Mutex::default() }
    }

    /// Whether this password was found right for this account and hash not long ago.
    pub(super) fn knows(&self, account: &str, hash: &str, password: &str) -> bool {
        let digest = self.digest(account, hash, password);
        self.accounts()
            .get(account)
            .is_some_and(|entry| entry.digest == digest && Instant::now() < entry.until)
    }

    /// Notes that a full check found it right.
    pub(super) fn remember(&self, account: &str, hash: &str, password: &str) {
        if self.lasts.is_zero() {
            return;
        }
        let (now, digest) = (Instant::now(), self.digest(account, hash, password));
        let mut accounts = self.accounts();
        if accounts.len() >= ACCOUNTS_MAX {
            accounts.retain(|_, entry| now < entry.until);
        }
        if accounts.len() < ACCOUNTS_MAX {
            accounts.insert(account.to_owned(), Entry { digest, until: now + self.lasts });
        }
    }

    /// A digest that nobody can make, or try passwords on, without the key. Lengths keep the parts apart.
    fn digest(&self, account: &str, hash: &str, password: &str) -> [u8; 32] {
        let mut digest = Sha256::new_with_prefix(self.key);
        for part in [account, hash, password] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembered").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_mins(10);

    #[tokio::test(start_paused = true)]
    async fn only_the_same_password_of_the_same_hash_is_known_and_not_for_ever() {
        let remembered = Remembered::new(LASTS);
        assert!(!remembered.knows("a", "hash", "secret"));
        remembered.remember("a", "hash", "secret");
        assert!(remembered.knows("a", "hash", "secret"));
        for (account, hash, password) in [
            ("b", "hash", "secret"),
            ("a", "other", "secret"),
            ("a", "hash", "Secret"),
            ("a", "hashs", "ecret"),
        ] {
            assert!(!remembered.knows(account, hash, password), "{account} {hash} {password}");
        }
        tokio::time::advance(LASTS).await;
        assert!(!remembered.knows("a", "hash", "secret"));
    }

    #[test]
    fn nothing_is_kept_if_that_is_wished() {
        let remembered = Remembered::new(Duration::ZERO);
        remembered.remember("a", "hash", "secret");
        assert!(remembered.accounts().is_empty());
    }

    #[test]
    fn each_process_has_digests_of_its_own_and_tells_none() {
        let (one, other) = (Remembered::new(LASTS), Remembered::new(LASTS));
        assert_ne!(one.digest("a", "hash", "secret"), other.digest("a", "hash", "secret"));
        assert_eq!(format!("{one:?}"), "Remembered { lasts: 600s, .. }");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_many_is_not_remembered_beyond_the_bound() {
        let remembered = Remembered::new(LASTS);
        for number in 0..=ACCOUNTS_MAX {
            remembered.remember(&number.to_string(), "hash", "secret");
        }
        assert_eq!(remembered.accounts().len(), ACCOUNTS_MAX);
        tokio::time::advance(LASTS).await;
        remembered.remember("one more", "hash", "secret");
        assert_eq!(remembered.accounts().len(), 1, "those whose time is over make room");
    }
}
