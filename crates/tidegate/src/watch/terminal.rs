//! A terminal that is drawn on as a whole.
//!
//! Invariant: it is given back as it was, whatever ends the watch.

use std::io::{self, Write as _};

use crossterm::cursor::{Hide, MoveTo, MoveToNextLine, Show};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};

/// Columns and rows where the terminal does not tell.
const SIZE_UNKNOWN: (u16, u16) = (80, 24);

pub(super) struct Terminal(());

impl Terminal {
    pub(super) fn open() -> io::Result<Self> {
        enable_raw_mode()?;
        let terminal = Self(());
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(terminal)
    }

    /// Columns and rows.
    #[expect(clippy::unused_self, reason = "only of a terminal that is open")]
    pub(super) fn size(&self) -> (u16, u16) {
        size().ok().filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or(SIZE_UNKNOWN)
    }

    /// Puts `lines` over what was there, in one write and without clearing first, so that nothing flickers.
    #[expect(clippy::unused_self, reason = "only on a terminal that is open")]
    pub(super) fn show(&self, lines: &[String]) -> io::Result<()> {
        let mut drawn = Vec::new();
        queue!(drawn, BeginSynchronizedUpdate, MoveTo(0, 0))?;
        for (row, line) in lines.iter().enumerate() {
            if row > 0 {
                queue!(drawn, MoveToNextLine(1))?;
            }
            queue!(drawn, Print(line), Clear(ClearType::UntilNewLine))?;
        }
        queue!(drawn, Clear(ClearType::FromCursorDown), EndSynchronizedUpdate)?;
        let mut out = io::stdout().lock();
        out.write_all(&drawn)?;
        out.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}
