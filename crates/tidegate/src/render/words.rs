//! Sizes, lengths of time and numbers in words.

use chrono::TimeDelta;

/// A size for people: `512 bytes`, `1.4 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return plural(bytes, "byte");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).unwrap_or(&"TiB"))
}

/// A length of time in its two largest units: `45 s`, `3 h 20 min`, `2 days 5 h`.
pub(crate) fn length(length: TimeDelta) -> String {
    let seconds = length.num_seconds().unsigned_abs();
    // From ten minutes on whole minutes are told, and just short of one is one.
    let seconds = if seconds < 600 { seconds } else { (seconds + 30) / 60 * 60 };
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let two = |large: String, small: u64, unit: &str| match small {
        0 => large,
        _ => format!("{large} {small} {unit}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => two(format!("{minutes} min"), seconds % 60, "s"),
        (0, hours, minutes) => two(format!("{hours} h"), minutes, "min"),
        (days, hours, _) => two(plural(days, "day"), hours, "h"),
    }
}

/// Names that are told of a list; the others are counted.
const NAMED_MAX: usize = 8;

/// The first of many names, and how many more there are.
pub(crate) fn some_of(all: &[String]) -> String {
    let named = all.iter().take(NAMED_MAX).cloned();
    let more = all.len().saturating_sub(NAMED_MAX) as u64;
    let counted = (more > 0).then(|| format!("and {}", plural(more, "other")));
    named.chain(counted).collect::<Vec<_>>().join(", ")
}

/// A count with its noun: `1 job`, `1,204 jobs`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{} {noun}{end}", number(count))
}

/// A count with a comma between thousands.
pub(crate) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text without characters that would move the cursor or colour the terminal: names of files and
/// reasons are other people's words.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// An actor as people name it: `staff:jo` is jo.
pub(crate) fn by(actor: &str) -> &str {
    actor.strip_prefix("staff:").unwrap_or(actor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1,023 bytes"),
            (1024, "1.0 KiB"),
            (1_500_000, "1.4 MiB"),
            (8_000_000_000, "7.4 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (600, "10 min"),
            (629, "10 min"),
            (1799, "30 min"),
            (86_399, "1 day"),
            (3600, "1 h"),
            (12_000, "3 h 20 min"),
            (86_400, "1 day"),
            (190_800, "2 days 5 h"),
        ] {
            assert_eq!(length(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn other_peoples_words_stay_words() {
        assert_eq!(one_line("a\u{9b}31mb\nc"), "a\u{fffd}31mb\u{fffd}c");
    }

    #[test]
    fn of_many_names_the_first_are_told_and_the_others_counted() {
        let names: Vec<String> = (1..=10).map(|name| name.to_string()).collect();
        assert_eq!(some_of(&names[..2]), "1, 2");
        assert_eq!(some_of(&names[..9]), "1, 2, 3, 4, 5, 6, 7, 8, and 1 other");
        assert_eq!(some_of(&names), "1, 2, 3, 4, 5, 6, 7, 8, and 2 others");
    }

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_204_000), "1,204,000");
    }
}
