//! Placing holds.

use std::time::Duration;

use tidegate_domain::maintenance::{
    HOLD_DEFAULT, HOLD_MAX, Hold, HoldError, HoldLength, REASON_CHARS_MAX, WordingError,
};

use crate::support::{at, org};

fn place(length: HoldLength) -> Result<Hold, HoldError> {
    Hold::new("hold", None, "registry restarts", "kim", at("10:00"), length)
}

fn until(length: HoldLength) -> Option<chrono::DateTime<chrono::Utc>> {
    place(length).unwrap().until
}

#[test]
fn it_lasts_as_long_as_it_was_placed_for() {
    assert_eq!(until(HoldLength::default()), Some(at("10:30")));
    assert_eq!(until(HoldLength::For(Duration::from_hours(2))), Some(at("12:00")));
    assert_eq!(until(HoldLength::Until(at("10:00:01"))), Some(at("10:00:01")));
    assert_eq!(until(HoldLength::UntilReleased), None);
    assert_eq!(HOLD_DEFAULT, Duration::from_mins(30));
}

#[test]
fn it_keeps_who_when_and_for_whom() {
    let hold = Hold::new("hold", Some(org("ACME01")), "why", "kim", at("10:00"), HoldLength::UntilReleased);
    let expected = Hold {
        name: "hold".to_owned(),
        org: Some(org("ACME01")),
        reason: "why".to_owned(),
        actor: "kim".to_owned(),
        placed_at: at("10:00"),
        until: None,
    };
    assert_eq!(hold, Ok(expected));
}

#[test]
fn it_lasts_seven_days_at_most() {
    assert!(place(HoldLength::For(HOLD_MAX)).is_ok());
    assert!(place(HoldLength::Until(at("10:00") + HOLD_MAX)).is_ok());
    let more = HOLD_MAX + Duration::from_secs(1);
    for length in
        [HoldLength::For(more), HoldLength::Until(at("10:00") + more), HoldLength::For(Duration::MAX)]
    {
        assert_eq!(place(length), Err(HoldError::TooLong), "{length:?}");
    }
}

#[test]
fn it_is_not_over_before_it_begins() {
    for length in
        [HoldLength::For(Duration::ZERO), HoldLength::Until(at("10:00")), HoldLength::Until(at("09:00"))]
    {
        assert_eq!(place(length), Err(HoldError::Over), "{length:?}");
    }
}

#[test]
fn it_needs_a_reason_on_one_line() {
    let refuse =
        |reason: &str| Hold::new("hold", None, reason, "kim", at("10:00"), HoldLength::UntilReleased);
    assert_eq!(refuse("  "), Err(WordingError::Missing("reason").into()));
    assert_eq!(refuse("a\r\n230 Logged in"), Err(WordingError::Control("reason").into()));
    assert!(refuse(&"ä".repeat(REASON_CHARS_MAX)).is_ok());
    let long = refuse(&"ä".repeat(REASON_CHARS_MAX + 1)).unwrap_err();
    assert_eq!(long.to_string(), "the reason is longer than 500 characters");
}

#[test]
fn it_needs_a_name_and_an_actor() {
    let nameless = Hold::new("", None, "why", "kim", at("10:00"), HoldLength::UntilReleased);
    assert_eq!(nameless, Err(WordingError::Missing("name").into()));
    let anonymous = Hold::new("hold", None, "why", "", at("10:00"), HoldLength::UntilReleased);
    assert_eq!(anonymous, Err(WordingError::Missing("actor").into()));
}
