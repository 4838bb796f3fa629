//! Turns the messages of the TOML reader into words of the configuration.
//!
//! A message that is not recognised stays as it is: wrong words are worse than odd ones.

const WHOLE_NUMBERS: [&str; 8] = ["u8", "u16", "u32", "u64", "usize", "i32", "i64", "isize"];

/// Rewords one message.
pub(super) fn reword(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let known = rest.split_once(", expected ").map_or("nothing", |(_, known)| known);
        return format!("unknown key; known here: {}", known.trim_start_matches("one of "));
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("{} is missing", name.trim_matches('`'));
    }
    if message == "invalid socket address syntax" {
        return "write an address and a port, such as \"127.0.0.1:2121\"".to_owned();
    }
    let found = match message.strip_prefix("invalid type: ") {
        Some(rest) => format!("found {rest}"),
        None => message.to_owned(),
    };
    match found.rsplit_once("expected ") {
        Some((before, expected)) => format!("{before}expected {}", plain(expected)),
        None => found,
    }
}

fn plain(expected: &str) -> &str {
    if expected.starts_with("struct ") || expected == "map" {
        "a table"
    } else if expected == "a sequence" {
        "a list"
    } else if WHOLE_NUMBERS.contains(&expected) {
        "a whole number"
    } else {
        expected
    }
}
