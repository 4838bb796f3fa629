//! The status as it was made last, and whether it still holds.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_store::Maintenance;

use super::calendar::Feed;
use super::facts::Facts;
use super::html;
use crate::control::{Control, blocking};
use crate::pages::Names;
use crate::pages::answer::Fixed;
use crate::pages::refusal::Refusal;

/// Monitors may keep it for so long.
pub(super) const CACHE: &str = "public, max-age=10";

/// Recurring windows come into sight as time goes by.
pub(super) const MADE_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(10);

/// Makes the status and keeps it.
pub(super) struct Board {
    control: Control,
    names: Names,
    made: Mutex<Option<Arc<Made>>>,
    feed: Arc<Feed>,
}

/// The status in its two forms.
pub(super) struct Made {
    pub(super) html: Fixed,
    pub(super) json: Fixed,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    /// What it follows from; replaced as a whole with each change.
    from: Arc<Maintenance>,
}

impl Board {
    /// `data_dir` is where it stands who was told of what.
    pub(super) fn new(control: Control, names: Names, data_dir: &Path) -> Self {
        let feed = Arc::new(Feed::new(names.clone(), data_dir));
        Self { control, names, made: Mutex::default(), feed }
    }

    /// The same for calendars.
    pub(super) async fn feed(&self) -> Result<Arc<Fixed>, Refusal> {
        let (now, from, feed) =
            (self.control.now(), self.control.store.maintenance(), Arc::clone(&self.feed));
        blocking(move || feed.at(now, from)).await?.map_err(|error| {
            tracing::warn!(%error, "the feed for calendars can't be made");
            Refusal::failed()
        })
    }

    pub(super) fn now(&self) -> Arc<Made> {
        let (now, from) = (self.control.now(), self.control.store.maintenance());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| made.holds(now, &from)) {
            return Arc::clone(made);
        }
        let new = Arc::new(Made::new(&self.names, from, now));
        *made = Some(Arc::clone(&new));
        new
    }
}

impl Made {
    fn new(names: &Names, from: Arc<Maintenance>, now: DateTime<Utc>) -> Self {
        let facts = Facts::of(&from, now);
        let html = html::page(names, &facts).into_string();
        let json = serde_json::to_vec(&facts).unwrap_or_default();
        let later = now.checked_add_signed(MADE_AGAIN_AFTER).unwrap_or(now);
        Self {
            html: Fixed::new(html, "text/html; charset=utf-8", CACHE),
            json: Fixed::new(json, "application/json", CACHE),
            at: now,
            until: facts.next_change.map_or(later, |next| next.min(later)),
            from,
        }
    }

    fn holds(&self, now: DateTime<Utc>, from: &Arc<Maintenance>) -> bool {
        Arc::ptr_eq(&self.from, from) && self.at <= now && now < self.until
    }
}
