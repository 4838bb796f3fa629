//! Adding and removing windows, and files in hand.

use std::time::Duration;

use tidegate_domain::maintenance::{
    Calendar, CalendarError, InFlight, InHand, Interval, Origin, Scope, WINDOWS_MAX, Window, WordingError,
};

use crate::recurring::calendar_of;
use crate::support::{CHICAGO, at, calendar, ended, extended, staff_window, window};

#[test]
fn names_are_unique_whatever_their_origin() {
    let mut calendar = calendar([window("one", "10:00", "11:00")]);
    let taken = calendar.add_window(staff_window("one", "12:00", "13:00"));
    assert_eq!(taken, Err(CalendarError::NameTaken("one".to_owned())));
    assert_eq!(calendar.add_window(staff_window("two", "12:00", "13:00")), Ok(()));
    assert_eq!(calendar.window("two"), Some(&staff_window("two", "12:00", "13:00")));
}

#[test]
fn an_active_window_is_ended_not_removed() {
    let mut calendar =
        calendar([staff_window("one", "10:00", "11:00"), staff_window("two", "12:00", "13:00")]);
    let active = calendar.remove_window("one", &[], at("10:00"));
    assert_eq!(active, Err(CalendarError::Active("one".to_owned())));
    let ended = [ended("one", "10:00", "10:30")];
    assert_eq!(calendar.remove_window("one", &ended, at("10:30")), Ok(()));
    assert_eq!(calendar.windows, [staff_window("two", "12:00", "13:00")]);
    assert_eq!(calendar.remove_window("two", &[], at("11:59:59")), Ok(()));
}

#[test]
fn a_window_that_was_extended_is_active_longer() {
    let mut calendar = calendar([staff_window("one", "10:00", "11:00")]);
    let extended = [extended("one", "10:00", "12:00")];
    let active = calendar.remove_window("one", &extended, at("11:30"));
    assert_eq!(active, Err(CalendarError::Active("one".to_owned())));
    assert_eq!(calendar.remove_window("one", &extended, at("12:00")), Ok(()));
}

#[test]
fn windows_are_bounded_in_number() {
    let mut calendar =
        calendar((0..WINDOWS_MAX).map(|number| window(&format!("{number}"), "10:00", "11:00")));
    assert_eq!(calendar.add_window(staff_window("one", "12:00", "13:00")), Err(CalendarError::TooMany));
}

#[test]
fn a_window_of_the_file_is_removed_in_the_file() {
    let mut calendar = calendar([window("one", "10:00", "11:00")]);
    let configured = calendar.remove_window("one", &[], at("09:00"));
    assert_eq!(configured, Err(CalendarError::Configured("one".to_owned())));
    let mut recurring = calendar_of("[[window]]\nname = 'one'\ncron = '0 2 * * *'\nduration = '1h'");
    assert_eq!(
        recurring.remove_window("one", &[], at("12:00")),
        Err(CalendarError::Configured("one".to_owned()))
    );
    assert_eq!(
        recurring.add_window(staff_window("one", "12:00", "13:00")),
        Err(CalendarError::NameTaken("one".to_owned()))
    );
    let unknown = calendar.remove_window("two", &[], at("09:00"));
    assert_eq!(unknown, Err(CalendarError::NoSuchWindow("two".to_owned())));
}

#[test]
fn staff_give_a_reason_and_the_file_need_not() {
    let new = |reason: &str, origin| {
        let interval = Interval::new(at("10:00"), at("11:00")).unwrap();
        Window::new("one", interval, CHICAGO, reason, Scope::Everyone, origin)
    };
    let staff = |actor: &str| Origin::Staff { actor: actor.to_owned(), at: at("09:00") };
    assert!(new("", Origin::Configuration).is_ok());
    assert_eq!(new("a\nb", Origin::Configuration), Err(WordingError::Control("reason")));
    assert_eq!(new("", staff("kim")), Err(WordingError::Missing("reason")));
    assert_eq!(new("why", staff("")), Err(WordingError::Missing("actor")));
    assert_eq!(new("why", staff("kim")).unwrap().origin.actor(), Some("kim"));
}

fn in_hand(in_flight: InFlight, time: &str) -> InHand {
    let calendar = Calendar { in_flight, grace: Duration::from_mins(5), ..Calendar::default() };
    calendar.in_hand(at(time), Some(at("10:00")))
}

#[test]
fn files_in_hand_finish_or_yield_as_the_policy_says() {
    assert_eq!(in_hand(InFlight::Finish, "11:00"), InHand::CarryOn);
    assert_eq!(in_hand(InFlight::Yield, "10:00"), InHand::YieldNow);
    assert_eq!(in_hand(InFlight::FinishThenYield, "10:00"), InHand::YieldAt(at("10:05")));
    assert_eq!(in_hand(InFlight::FinishThenYield, "10:04:59"), InHand::YieldAt(at("10:05")));
    assert_eq!(in_hand(InFlight::FinishThenYield, "10:05"), InHand::YieldNow);
}

#[test]
fn files_in_hand_carry_on_while_the_gate_is_open() {
    let calendar = Calendar { in_flight: InFlight::Yield, ..Calendar::default() };
    assert_eq!(calendar.in_hand(at("10:00"), None), InHand::CarryOn);
}
