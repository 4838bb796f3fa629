//! Names and values under each other.

use std::fmt;

use super::{Screen, fold};

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

    /// The same with values that fit the terminal.
    pub(crate) fn fitted(self, screen: &Screen) -> Self {
        let room = screen.indented(self.width() + 2).width;
        let fit = |value: String| value.lines().map(|line| fold(line, room)).collect::<Vec<_>>().join("\n");
        Self(self.0.into_iter().map(|(key, value)| (key, fit(value))).collect())
    }

    fn width(&self) -> usize {
        self.0.iter().map(|(key, _)| key.len()).max().unwrap_or(0).max(KEY_WIDTH)
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.width();
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
