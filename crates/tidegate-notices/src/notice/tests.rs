use chrono::TimeDelta;
use chrono_tz::Tz;

use super::*;

/// The announced window that the product is modelled on.
pub(crate) fn event() -> Event {
    Event {
        window: "dshs-2024-03-08".to_owned(),
        start: "2024-03-09T01:00:00Z".parse().unwrap(),
        end: "2024-03-09T06:00:00Z".parse().unwrap(),
        timezone: Tz::America__Chicago,
        reason: "DSHS IT system maintenance".to_owned(),
        orgs: None,
    }
}

fn moved(by_hours: i64) -> Event {
    let by = TimeDelta::hours(by_hours);
    Event { start: event().start + by, end: event().end + by, ..event() }
}

fn known(events: &[&Event]) -> Known {
    Known { starts: events.iter().map(|event| event.start).collect() }
}

fn before(hours: i64) -> DateTime<Utc> {
    event().start - TimeDelta::hours(hours)
}

fn tell(records: &mut Vec<Record>, notice: &Notice, address: &str) {
    records.push(Record {
        at: event().start,
        actor: "staff:jo".to_owned(),
        address: address.to_owned(),
        orgs: vec![],
        told: notice.told(),
        event: notice.event.clone(),
    });
}

fn of(event: &Event, changed: Option<State>, records: &[Record]) -> Notice {
    let changed = changed.map(|state| Changed { state, why: "why".to_owned(), count: 1 });
    Notice::of(event.clone(), changed, &known(&[event]), records, "Imm Trac2!", before(24))
}

#[test]
fn one_occurrence_has_one_name_and_each_state_a_higher_number() {
    let mut records = Vec::new();
    let mut seen = Vec::new();
    let longer = Event { end: event().end + TimeDelta::hours(1), ..event() };
    let shorter = Event { end: event().end - TimeDelta::hours(1), ..event() };
    for (event, changed) in [
        (event(), None),
        (moved(1), None),
        (event(), None),
        (longer, Some(State::Extended)),
        (shorter, Some(State::EndedEarly)),
        (event(), Some(State::Cancelled)),
    ] {
        let notice = of(&event, changed, &records);
        assert!(!notice.was_told("a@x.example", &records), "{notice:?}");
        tell(&mut records, &notice, "a@x.example");
        let again = of(&event, changed, &records);
        assert!(again.was_told("A@x.example", &records) && !again.was_told("b@x.example", &records));
        assert_eq!((again.sequence, again.state), (notice.sequence, notice.state));
        seen.push((notice.uid, notice.sequence, notice.state));
    }
    let uid = "dshs-2024-03-08-20240309T010000Z@imm-trac2.tidegate".to_owned();
    let states = [
        State::Announced,
        State::Changed,
        State::Changed,
        State::Extended,
        State::EndedEarly,
        State::Cancelled,
    ];
    let expected: Vec<_> = (0..).zip(states).map(|(number, state)| (uid.clone(), number, state)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn what_was_moved_says_from_when() {
    let mut records = Vec::new();
    tell(&mut records, &of(&event(), None, &[]), "a@x.example");
    let notice = of(&moved(24), None, &records);
    assert_eq!((notice.state, notice.before), (State::Changed, Some(event())));
}

#[test]
fn a_reason_that_changed_is_a_change_too() {
    let mut records = Vec::new();
    tell(&mut records, &of(&event(), None, &[]), "a@x.example");
    let notice = of(&Event { reason: "other".to_owned(), ..event() }, None, &records);
    assert_eq!((notice.state, notice.sequence, notice.before), (State::Changed, 1, None));
}

/// A window's name may be used again next year.
#[test]
fn what_is_over_is_not_moved() {
    let mut records = Vec::new();
    tell(&mut records, &of(&event(), None, &[]), "a@x.example");
    let next = moved(24 * 365);
    let now = event().end;
    let notice = Notice::of(next.clone(), None, &known(&[&next]), &records, "r", now);
    assert_eq!((notice.state, notice.sequence), (State::Announced, 0));
    assert_ne!(notice.uid, of(&event(), None, &records).uid);
}

#[test]
fn an_occurrence_that_was_announced_and_is_gone_is_cancelled() {
    let mut records = Vec::new();
    let none = known(&[]);
    assert_eq!(Notice::gone("dshs-2024-03-08", None, &none, &records, before(1)), None);
    tell(&mut records, &of(&event(), None, &[]), "a@x.example");
    let gone = Notice::gone("dshs-2024-03-08", None, &none, &records, before(1)).unwrap();
    assert_eq!((gone.state, gone.sequence, &gone.event), (State::Cancelled, 1, &event()));
    assert_eq!(Notice::gone("other", None, &none, &records, before(1)), None);
    assert_eq!(Notice::gone("dshs-2024-03-08", None, &known(&[&event()]), &records, before(1)), None);
    assert_eq!(Notice::gone("dshs-2024-03-08", None, &none, &records, event().end), None);
    tell(&mut records, &gone, "a@x.example");
    let again = Notice::gone("dshs-2024-03-08", None, &none, &records, before(1)).unwrap();
    assert_eq!(again.sequence, 1);
    let on = |date: &str| {
        Notice::gone("dshs-2024-03-08", Some(date.parse().unwrap()), &none, &records, before(1)).is_some()
    };
    assert!(on("2024-03-08") && !on("2024-03-09"));
    // What was called off and comes back is another one.
    let back = Notice::of(moved(48), None, &known(&[&moved(48)]), &records, "r", before(1));
    assert_eq!((back.state, back.sequence), (State::Announced, 0));
}

/// Two occurrences of a window that recurs were announced, then its time of day was changed.
#[test]
fn each_of_several_that_were_moved_keeps_its_own_name() {
    let mut records = Vec::new();
    let (one, two) = (event(), moved(7 * 24));
    let now = before(24);
    let notice = |event: &Event, known: &Known, records: &[Record]| {
        Notice::of(event.clone(), None, known, records, "r", now)
    };
    let both = known(&[&one, &two]);
    let (first, second) = (notice(&one, &both, &[]), notice(&two, &both, &[]));
    tell(&mut records, &first, "a@x.example");
    tell(&mut records, &second, "a@x.example");
    let (one, two) = (moved(1), moved(7 * 24 + 1));
    let both = known(&[&one, &two]);
    let later = notice(&two, &both, &records);
    assert_eq!((&later.uid, later.state), (&second.uid, State::Changed));
    assert_eq!(notice(&one, &both, &records).uid, first.uid);
}

#[test]
fn the_number_rises_with_changes_that_nobody_announced() {
    assert_eq!(of(&event(), Some(State::Extended), &[]).sequence, 1);
}
