use super::*;

const CHICAGO: Option<Tz> = Some(Tz::America__Chicago);

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn when(text: &str) -> When {
    text.parse().unwrap()
}

#[test]
fn staff_may_write_times_in_several_ways() {
    let evening = utc("2024-03-09T01:00:00Z");
    let now = utc("2024-03-08T12:00:00Z");
    for text in [
        "2024-03-08 19:00",
        "2024-03-08T19:00",
        " 2024-03-08 19:00:00 ",
        "2024-03-08T19:00:00-06:00",
        "19:00",
    ] {
        assert_eq!(when(text).resolve(Edge::Start, CHICAGO, now), Ok(evening), "{text}");
    }
    let midnight = utc("2024-03-09T06:00:00Z");
    assert_eq!(when("2024-03-09").resolve(Edge::End, CHICAGO, now), Ok(midnight));
}

#[test]
fn a_time_of_day_is_the_next_one_and_since_it_the_last_one() {
    let noon = utc("2024-03-08T18:00:00Z");
    let resolve = |text, edge| when(text).resolve(edge, CHICAGO, noon).unwrap();
    assert_eq!(resolve("11:00", Edge::Start), utc("2024-03-09T17:00:00Z"));
    assert_eq!(resolve("13:00", Edge::End), utc("2024-03-08T19:00:00Z"));
    assert_eq!(resolve("13:00", Edge::Since), utc("2024-03-07T19:00:00Z"));
    assert_eq!(resolve("11:00", Edge::Since), utc("2024-03-08T17:00:00Z"));
}

#[test]
fn in_the_hour_that_happens_twice_a_start_is_early_and_an_end_late() {
    let fold = when("2024-11-03 01:30");
    let now = utc("2024-11-01T00:00:00Z");
    assert_eq!(fold.resolve(Edge::Start, CHICAGO, now), Ok(utc("2024-11-03T06:30:00Z")));
    assert_eq!(fold.resolve(Edge::End, CHICAGO, now), Ok(utc("2024-11-03T07:30:00Z")));
}

#[test]
fn without_a_zone_only_exact_instants_are_understood() {
    let now = utc("2024-03-08T12:00:00Z");
    assert_eq!(when("19:00").resolve(Edge::Start, None, now), Err(NoZone));
    assert_eq!(when("2024-03-08").resolve(Edge::Start, None, now), Err(NoZone));
    assert_eq!(when("2024-03-08T12:00:00Z").resolve(Edge::Start, None, now), Ok(now));
}

#[test]
fn since_takes_a_length_too() {
    let now = utc("2024-03-08T12:00:00Z");
    let since: Since = "2h".parse().unwrap();
    assert_eq!(since.resolve(None, now), Ok(utc("2024-03-08T10:00:00Z")));
}

#[test]
fn what_is_written_survives_the_way_to_the_server() {
    for text in ["19:00", "2024-03-08 19:00", "2024-03-08T19:00:00.250-06:00"] {
        let json = serde_json::to_string(&when(text)).unwrap();
        assert_eq!(serde_json::from_str::<When>(&json).unwrap(), when(text), "{json}");
    }
    let since: Since = "1h30m".parse().unwrap();
    let json = serde_json::to_string(&since).unwrap();
    assert_eq!(serde_json::from_str::<Since>(&json).unwrap(), since);
}

#[test]
fn what_is_no_time_is_refused() {
    for text in ["", "7pm", "2024-02-30", "24:00", "2024-03-08 19", "tomorrow", "-2h"] {
        assert_eq!(text.parse::<When>(), Err(WhenError), "{text}");
    }
}
