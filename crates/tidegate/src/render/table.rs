//! Tables like those of Unix tools: no borders, columns as wide as they need.
//!
//! Invariant: on a terminal no line is longer than the terminal is wide: text wraps in the columns
//! that may, and columns that can be spared go. Piped output has everything in one line each.

use std::fmt;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, presets};

use super::{Ink, Screen, one_line};

/// Blanks between columns.
const GAP: usize = 2;

/// A column of text that wraps is not made narrower than this.
const WRAPPED_MIN: usize = 12;

/// Nor than this while there is more than one column that can be spared.
const WRAPPED_GOOD: usize = 20;

/// A cell's text and colour.
pub(crate) type Styled = (String, Option<Ink>);

/// A table that grows by rows.
pub(crate) struct Table {
    screen: Screen,
    headings: Vec<&'static str>,
    rows: Vec<Vec<Styled>>,
    wraps: Vec<&'static str>,
    spares: Vec<&'static str>,
    right: Vec<&'static str>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(screen: Screen, headings: &[&'static str]) -> Self {
        let headings = headings.to_vec();
        Self { screen, headings, rows: Vec::new(), wraps: Vec::new(), spares: Vec::new(), right: Vec::new() }
    }

    /// Columns whose text may wrap.
    pub(crate) fn wraps(mut self, headings: &[&'static str]) -> Self {
        self.wraps = headings.to_vec();
        self
    }

    /// Columns that go where there is no room for all, the first first.
    pub(crate) fn spares(mut self, headings: &[&'static str]) -> Self {
        self.spares = headings.to_vec();
        self
    }

    /// Columns of numbers, which stand to the right.
    pub(crate) fn right(mut self, headings: &[&'static str]) -> Self {
        self.right = headings.to_vec();
        self
    }

    /// Adds a row of one cell for each heading; cells without ink are plain.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Styled>) {
        self.rows.push(cells.into_iter().map(|(text, ink)| (one_line(&text), ink)).collect());
    }

    /// Width of each column's longest text.
    fn widths(&self) -> Vec<usize> {
        let column = |place: usize| {
            let texts = self.rows.iter().filter_map(|row| row.get(place)).map(|(text, _)| text.as_str());
            let heading = self.headings.get(place).copied();
            texts.chain(heading).map(|text| text.chars().count()).max().unwrap_or(0)
        };
        (0..self.headings.len()).map(column).collect()
    }

    /// Columns that have to go in `room`.
    fn hidden(&self, room: usize) -> Vec<&'static str> {
        let mut hidden = Vec::new();
        for (place, spare) in self.spares.iter().enumerate() {
            let is_last = place + 1 == self.spares.len();
            if self.narrowest(&hidden, if is_last { WRAPPED_MIN } else { WRAPPED_GOOD }) > room {
                hidden.push(*spare);
            }
        }
        hidden
    }

    /// Width of the table without `hidden`, no text that wraps in more than `wrapped` columns.
    fn narrowest(&self, hidden: &[&str], wrapped: usize) -> usize {
        let columns =
            self.headings.iter().zip(self.widths()).filter(|(heading, _)| !hidden.contains(heading));
        let widths = columns.map(|(heading, width)| {
            GAP + if self.wraps.contains(heading) { width.min(wrapped) } else { width }
        });
        widths.sum::<usize>().saturating_sub(GAP)
    }

    fn cell(&self, (text, ink): &Styled) -> Cell {
        let cell = Cell::new(text);
        match ink.filter(|_| self.screen.colour) {
            None => cell,
            Some(Ink::Good) => cell.fg(Color::DarkGreen),
            Some(Ink::Caution) => cell.fg(Color::DarkYellow),
            Some(Ink::Bad) => cell.fg(Color::DarkRed).add_attribute(Attribute::Bold),
            Some(Ink::Faint) => cell.add_attribute(Attribute::Dim),
        }
    }

    fn laid_out(&self) -> comfy_table::Table {
        let mut inner = comfy_table::Table::new();
        inner.load_style(presets::NOTHING).force_no_tty();
        if self.screen.colour {
            inner.enforce_styling();
        }
        let bold = |heading: &&str| Cell::new(heading).add_attribute(Attribute::Bold);
        let plain = |heading: &&str| Cell::new(heading);
        let headings = self.headings.iter();
        inner.set_header(headings.map(if self.screen.colour { bold } else { plain }).collect::<Vec<_>>());
        for row in &self.rows {
            inner.add_row(row.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>());
        }
        let hidden = self.fit(&mut inner);
        for (column, heading) in inner.column_iter_mut().zip(&self.headings) {
            column.set_padding((0, u16::try_from(GAP).unwrap_or(1)));
            if self.right.contains(heading) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if hidden.contains(heading) {
                column.set_constraint(ColumnConstraint::Hidden);
            } else if !self.wraps.contains(heading) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        inner
    }

    /// Makes the table as wide as the terminal at most; the columns that go for it.
    fn fit(&self, inner: &mut comfy_table::Table) -> Vec<&'static str> {
        let Some(room) = self.screen.width else {
            return Vec::new();
        };
        // The gap behind the last column is cut off again.
        let width = u16::try_from(room + GAP).unwrap_or(u16::MAX);
        inner.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        self.hidden(room)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, line) in self.laid_out().lines().enumerate() {
            let separator = if place > 0 { "\n" } else { "" };
            write!(f, "{separator}{}", line.trim_end())?;
        }
        Ok(())
    }
}
