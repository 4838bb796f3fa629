//! Tables like those of Unix tools: no borders, columns as wide as they need.

use std::fmt;

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table as Inner, presets};

use super::{Ink, Screen};

/// A table that grows by rows.
pub(crate) struct Table {
    inner: Inner,
    screen: Screen,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(screen: Screen, headings: &[&str]) -> Self {
        let mut inner = Inner::new();
        inner.load_style(presets::NOTHING);
        if screen.terminal {
            inner.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            inner.force_no_tty();
        }
        if screen.colour {
            inner.enforce_styling();
        }
        inner.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
        Self { inner, screen }
    }

    /// Adds a row; cells without ink are plain.
    pub(crate) fn row(&mut self, cells: Vec<(String, Option<Ink>)>) {
        let cells = cells.into_iter().map(|(text, ink)| {
            let cell = Cell::new(text);
            match ink.filter(|_| self.screen.colour) {
                None => cell,
                Some(Ink::Good) => cell.fg(comfy_table::Color::Green),
                Some(Ink::Caution) => cell.fg(comfy_table::Color::Yellow),
                Some(Ink::Bad) => cell.fg(comfy_table::Color::Red),
                Some(Ink::Faint) => cell.add_attribute(Attribute::Dim),
            }
        });
        self.inner.add_row(cells.collect::<Vec<_>>());
    }

    /// Sets a column of numbers to the right.
    pub(crate) fn right(&mut self, column: usize) {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, line) in self.inner.lines().enumerate() {
            let separator = if place > 0 { "\n" } else { "" };
            write!(f, "{separator}{}", line.trim())?;
        }
        Ok(())
    }
}
