//! What is to be said about an occurrence, given what was said before.
//!
//! Invariant: one occurrence has one name in calendars, whatever becomes of it and however often it is moved, and the
//! number of what is said about it rises with each new state. Saying the same again is the same notice.

use chrono::{DateTime, NaiveDate, Utc};

use crate::{Event, Record, State, Told};

/// What can be said about an occurrence now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its name in calendars.
    pub uid: String,
    /// How many states of it were announced before this one.
    pub sequence: u32,
    /// What there is to say.
    pub state: State,
    /// The occurrence as it is now; as it was, if it does not take place.
    pub event: Event,
    /// What was announced before, if it was something else.
    pub before: Option<Event>,
    /// Why it was changed; empty if nobody said so.
    pub why: String,
}

/// What the calendar knows of a window now.
#[derive(Debug, Clone)]
pub struct Known {
    /// Starts of all its occurrences that are known.
    pub starts: Vec<DateTime<Utc>>,
}

/// What staff did to an occurrence.
#[derive(Debug, Clone)]
pub struct Changed {
    /// What it came to.
    pub state: State,
    /// Why, by the last change.
    pub why: String,
    /// How often it was changed.
    pub count: u32,
}

impl Notice {
    /// The notice of an occurrence that is in the calendar.
    pub fn of(
        event: Event,
        changed: Option<Changed>,
        known: &Known,
        records: &[Record],
        registry: &str,
        now: DateTime<Utc>,
    ) -> Self {
        let before = last_of(records, &event, known, now);
        let unchanged = || Changed { state: State::Announced, why: String::new(), count: 0 };
        let Changed { state, why, count } = changed.unwrap_or_else(unchanged);
        let state = match (state, before) {
            (State::Announced, Some(before)) if *before.event != event => State::Changed,
            // What was moved once stays a change until it changes again.
            (State::Announced, Some(before)) if before.state == State::Changed => State::Changed,
            (state, _) => state,
        };
        let notice = Self::after(before, event, state, why, registry);
        // Somebody may have told of it by hand before.
        Self { sequence: notice.sequence.max(count), ..notice }
    }

    /// The notice of the first occurrence that was announced, is not over and is in the calendar no more, of those
    /// that start on that local date.
    pub fn gone(
        window: &str,
        on: Option<NaiveDate>,
        known: &Known,
        records: &[Record],
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let all = Self::all_gone(window, known, records, now);
        let meant = all.into_iter().filter(|one| on.is_none_or(|on| one.event.date() == on));
        meant.min_by_key(|one| one.event.start)
    }

    /// The notices of all occurrences of a window that were announced, are not over and are in the calendar no more.
    pub fn all_gone(window: &str, known: &Known, records: &[Record], now: DateTime<Utc>) -> Vec<Self> {
        let of_window = latest(announcements(records).filter(|one| one.event.window == window));
        let gone = of_window.into_iter().filter(|one| one.is_gone(known, now));
        gone.map(|one| Self::after(Some(one), one.event.clone(), State::Cancelled, String::new(), ""))
            .collect()
    }

    fn after(before: Option<Before<'_>>, event: Event, state: State, why: String, registry: &str) -> Self {
        let Some(before) = before else {
            return Self { uid: uid(&event, registry), sequence: 0, state, event, before: None, why };
        };
        let is_same = before.state == state && *before.event == event;
        let was_other = (before.event.start, before.event.end) != (event.start, event.end);
        Self {
            uid: before.uid.to_owned(),
            sequence: if is_same { before.sequence } else { before.sequence.saturating_add(1) },
            state,
            event,
            before: was_other.then(|| before.event.clone()),
            why,
        }
    }

    /// Whether that address was told exactly this.
    pub fn was_told(&self, address: &str, records: &[Record]) -> bool {
        let is_this = |record: &Record| match &record.told {
            Told::Announcement { uid, sequence, .. } => *uid == self.uid && *sequence == self.sequence,
            Told::Report => false,
        };
        records.iter().any(|record| record.address.eq_ignore_ascii_case(address) && is_this(record))
    }

    /// What is kept of it.
    pub fn told(&self) -> Told {
        Told::Announcement { uid: self.uid.clone(), sequence: self.sequence, state: self.state }
    }
}

/// The last thing said about an occurrence.
#[derive(Debug, Clone, Copy)]
struct Before<'a> {
    uid: &'a str,
    sequence: u32,
    state: State,
    event: &'a Event,
}

impl Before<'_> {
    /// Whether it was to come or to run and is in the calendar no more.
    fn is_gone(&self, known: &Known, now: DateTime<Utc>) -> bool {
        now < self.event.end && !known.starts.contains(&self.event.start)
    }
}

fn announcements(records: &[Record]) -> impl Iterator<Item = Before<'_>> {
    records.iter().filter_map(|record| match &record.told {
        Told::Announcement { uid, sequence, state } => {
            Some(Before { uid, sequence: *sequence, state: *state, event: &record.event })
        }
        Told::Report => None,
    })
}

/// The last announcement of each occurrence.
fn latest<'a>(all: impl Iterator<Item = Before<'a>>) -> Vec<Before<'a>> {
    let mut latest: Vec<Before<'a>> = Vec::new();
    for one in all {
        match latest.iter_mut().find(|other| other.uid == one.uid) {
            Some(other) => *other = one,
            None => latest.push(one),
        }
    }
    latest
}

/// The last announcement of this occurrence: of the same start, or of the nearest that the calendar has no more,
/// which was moved then.
fn last_of<'a>(
    records: &'a [Record],
    event: &Event,
    known: &Known,
    now: DateTime<Utc>,
) -> Option<Before<'a>> {
    let of_window = latest(announcements(records).filter(|one| one.event.window == event.window));
    if let Some(same) = of_window.iter().rev().find(|one| one.event.start == event.start) {
        return Some(*same);
    }
    let moved = of_window.into_iter().filter(|one| one.state != State::Cancelled && one.is_gone(known, now));
    moved.min_by_key(|one| (one.event.start - event.start).abs())
}

/// Unique over all registries whose notices a vendor gets.
fn uid(event: &Event, registry: &str) -> String {
    let start = event.start.format("%Y%m%dT%H%M%SZ");
    format!("{}-{start}@{}.tidegate", plain(&event.window), plain(registry))
}

/// Letters, digits and hyphens alone.
pub(crate) fn plain(text: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric();
    let plain: String =
        text.chars().map(|char| if is_plain(char) { char.to_ascii_lowercase() } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
pub(crate) mod tests;
