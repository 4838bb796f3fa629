//! Durations and sizes, read and printed.

use std::time::Duration;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

#[test]
fn durations_are_read() {
    let cases = [
        ("0s", 0),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("90s", 90_000),
        ("2d", 172_800_000),
        ("250ms", 250),
        ("1d2h3m4s5ms", 93_784_005),
        ("1m5ms", 60_005),
        ("3650d", 315_360_000_000),
    ];
    for (text, ms) in cases {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
    }
}

#[test]
fn other_texts_are_no_durations_and_the_message_says_what_is() {
    for text in
        ["", "5", "m", "5 m", " 5m", "-5m", "1.5h", "5min", "30m1h", "1h1h", "5M", "5m!", "+5m", "٣m", "1h30"]
    {
        let error = parse_duration(text).unwrap_err();
        assert_eq!(error, DurationError::Form(text.to_owned()));
        assert!(error.to_string().contains("\"1h30m\""), "{error}");
    }
    for text in ["3651d", "3650d1ms", "99999999999999999999s", "18446744073709551615d"] {
        assert_eq!(parse_duration(text), Err(DurationError::TooLong(text.to_owned())));
    }
}

#[test]
fn durations_are_printed_in_their_largest_units() {
    let cases = [(0, "0s"), (90_000, "1m30s"), (5_400_000, "1h30m"), (86_400_000, "1d"), (1_500, "1s500ms")];
    for (ms, text) in cases {
        assert_eq!(format_duration(Duration::from_millis(ms)), text);
    }
    assert_eq!(format_duration(Duration::from_micros(999)), "0s");
}

#[test]
fn sizes_are_read() {
    let cases = [
        ("0", 0),
        ("4096", 4096),
        ("7B", 7),
        ("64KiB", 65_536),
        ("2GiB", 2_147_483_648),
        ("10MB", 10_000_000),
        ("1kB", 1_000),
        ("1KB", 1_000),
        ("3MiB", 3_145_728),
        ("1TiB", 1 << 40),
        ("1TB", 1_000_000_000_000),
        ("5GB", 5_000_000_000),
        ("18446744073709551615", u64::MAX),
    ];
    for (text, bytes) in cases {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
}

#[test]
fn other_texts_are_no_sizes_and_the_message_says_what_is() {
    for text in ["", "GiB", "2 GiB", "2G", "2gib", "1.5GiB", "-1", "0x10", "2GiBs"] {
        let error = parse_size(text).unwrap_err();
        assert_eq!(error, SizeError::Form(text.to_owned()));
        assert!(error.to_string().contains("\"64MiB\""), "{error}");
    }
    for text in ["18446744073709551616", "16777216TiB"] {
        assert_eq!(parse_size(text), Err(SizeError::TooLarge(text.to_owned())));
    }
}

#[test]
fn sizes_are_printed_exactly() {
    let cases =
        [(0, "0B"), (1, "1B"), (1023, "1023B"), (65_536, "64KiB"), (10_000_000, "10MB"), (1 << 41, "2TiB")];
    for (bytes, text) in cases {
        assert_eq!(format_size(bytes), text);
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Section {
    pause: HumanDuration,
    size: ByteSize,
}

#[test]
fn both_stand_in_a_configuration_file_as_text() {
    let section = Section { pause: HumanDuration(Duration::from_mins(90)), size: ByteSize(64 << 20) };
    let text = "pause = \"1h30m\"\nsize = \"64MiB\"\n";
    assert_eq!(toml::from_str::<Section>(text).unwrap(), section);
    assert_eq!(toml::to_string(&section).unwrap(), text);
    let bytes = postcard::to_stdvec(&section).unwrap();
    assert_eq!(postcard::from_bytes::<Section>(&bytes).unwrap(), section);
}

#[test]
fn a_number_without_quotes_is_told_what_to_write() {
    let error = toml::from_str::<Section>("pause = 90\nsize = \"1B\"").unwrap_err().to_string();
    assert!(error.contains("a duration in quotes"), "{error}");
    let error = toml::from_str::<Section>("pause = \"1s\"\nsize = 4096").unwrap_err().to_string();
    assert!(error.contains("a size in quotes"), "{error}");
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(ms in 0..=315_360_000_000_u64, bytes: u64, shift in 0..64_u32) {
        let duration = Duration::from_millis(ms);
        prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        let bytes = bytes << shift;
        prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
    }
}
