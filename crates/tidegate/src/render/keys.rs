//! Names and values under each other.

use std::fmt;

const KEY_WIDTH: usize = 10;

/// How far to the right the values stand, unless a name is longer than usual.
pub(crate) const KEYS_WIDTH: usize = KEY_WIDTH + 2;

/// A list of names with values; a value may have several lines.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<(&'static str, String)>);

impl Keys {
    /// Adds a name and its value.
    pub(crate) fn add(&mut self, key: &'static str, value: impl Into<String>) {
        self.0.push((key, value.into()));
    }

    /// Adds a name if it has a value.
    pub(crate) fn add_some(&mut self, key: &'static str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(key, _)| key.len()).max().unwrap_or(0).max(KEY_WIDTH);
        for (place, (key, value)) in self.0.iter().enumerate() {
            let separator = if place > 0 { "\n" } else { "" };
            write!(f, "{separator}{key:<width$}  ")?;
            for (number, line) in value.lines().enumerate() {
                if number > 0 {
                    write!(f, "\n{:width$}  ", "")?;
                }
                f.write_str(line)?;
            }
        }
        Ok(())
    }
}
