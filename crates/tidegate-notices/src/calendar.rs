//! A notice as iCalendar (RFC 5545), for whoever keeps a calendar.
//!
//! Invariant: what is said later about an occurrence replaces what was said before (RFC 5546, 3.2.1 and 3.2.5): the
//! UID stays, SEQUENCE rises, and what does not take place is cancelled. Times are in UTC, so that
//! no zone's rules have to come along.

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component as _, Event as Entry, EventLike as _, EventStatus};

use crate::{Notice, State};

/// The file that calendars read. `organizer` is a mail address.
pub fn calendar(
    notice: &Notice,
    summary: &str,
    description: &str,
    organizer: Option<&str>,
    now: DateTime<Utc>,
) -> String {
    let is_cancelled = notice.state == State::Cancelled;
    let mut entry = Entry::new();
    entry
        .uid(&notice.uid)
        .sequence(notice.sequence)
        .timestamp(now)
        .starts(notice.event.start)
        .ends(notice.event.end)
        .summary(summary)
        .description(description)
        .status(if is_cancelled { EventStatus::Cancelled } else { EventStatus::Confirmed })
        // Nobody is busy because of it.
        .add_property("TRANSP", "TRANSPARENT");
    if let Some(organizer) = organizer {
        entry.add_property("ORGANIZER", format!("mailto:{organizer}"));
    }
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//tidegate//notices//EN"))
        .append_property(("CALSCALE", "GREGORIAN"))
        .append_property(("METHOD", method(notice)))
        .push(entry);
    calendar.to_string()
}

/// How calendars take it.
pub(crate) const fn method(notice: &Notice) -> &'static str {
    match notice.state {
        State::Cancelled => "CANCEL",
        _ => "PUBLISH",
    }
}
