//! A notice as iCalendar (RFC 5545), for whoever keeps a calendar.
//!
//! Invariant: what is said later about an occurrence replaces what was said before (RFC 5546, 3.2.1 and 3.2.5): the
//! UID stays, SEQUENCE rises, and what does not take place is cancelled. Times are in UTC, so that
//! no zone's rules have to come along.

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component as _, Event as Entry, EventLike as _, EventStatus};

use crate::{Channels, Notice, State};

/// The file that calendars read. `organizer` is a mail address.
pub fn calendar(
    notice: &Notice,
    summary: &str,
    description: &str,
    organizer: Option<&str>,
    now: DateTime<Utc>,
) -> String {
    let mut entry = entry(notice, summary, description, now);
    if let Some(organizer) = organizer {
        entry.add_property("ORGANIZER", format!("mailto:{organizer}"));
    }
    let mut calendar = empty();
    calendar.append_property(("METHOD", method(notice))).push(entry);
    calendar.to_string()
}

/// What calendars subscribe to: all that is known, each occurrence as an entry of its own. What was cancelled
/// stays in it as such. Each entry is stamped with its own start, so that a feed in which nothing changed is the same.
pub fn feed(notices: &[Notice], registry: &str, channels: &Channels) -> String {
    let web_service = if channels.web_service { WEB_SERVICE } else { "" };
    let description = format!("{FILES}{web_service}");
    let mut calendar = empty();
    calendar
        .append_property(("X-WR-CALNAME", format!("{registry}: maintenance").as_str()))
        .append_property(("REFRESH-INTERVAL;VALUE=DURATION", "PT1H"));
    for notice in notices {
        let reason = &notice.event.reason;
        let summary =
            if reason.is_empty() { "Maintenance".to_owned() } else { format!("Maintenance: {reason}") };
        calendar.push(entry(notice, &summary, &description, notice.event.start));
    }
    calendar.to_string()
}

/// What a sender has to know of any maintenance.
const FILES: &str = "Files may be uploaded as always; they are kept and processed by themselves afterwards.";

/// What a sender by web service has to know besides.
const WEB_SERVICE: &str = " The web service answers 503 meanwhile; send such messages again.";

fn empty() -> Calendar {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//tidegate//notices//EN"))
        .append_property(("CALSCALE", "GREGORIAN"));
    calendar
}

fn entry(notice: &Notice, summary: &str, description: &str, stamp: DateTime<Utc>) -> Entry {
    let is_cancelled = notice.state == State::Cancelled;
    let mut entry = Entry::new();
    entry
        .uid(&notice.uid)
        .sequence(notice.sequence)
        .timestamp(stamp)
        .starts(notice.event.start)
        .ends(notice.event.end)
        .summary(summary)
        .description(description)
        .status(if is_cancelled { EventStatus::Cancelled } else { EventStatus::Confirmed })
        // Nobody is busy because of it.
        .add_property("TRANSP", "TRANSPARENT");
    entry
}

/// How calendars take it.
pub(crate) const fn method(notice: &Notice) -> &'static str {
    match notice.state {
        State::Cancelled => "CANCEL",
        _ => "PUBLISH",
    }
}
