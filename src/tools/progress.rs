//! A bar on standard error, if that is a terminal.

use std::io::{self, IsTerminal, Write};

/// Columns of the bar.
const WIDTH: usize = 40;

/// How far a piece of work is.
#[derive(Debug)]
pub struct Progress {
    total: u64,
    /// Columns that are drawn; `None` where nobody looks.
    drawn: Option<usize>,
}

impl Progress {
    /// Nothing is done yet, of so much.
    pub fn new(total: u64) -> Progress {
        Progress { total: total.max(1), drawn: io::stderr().is_terminal().then_some(0) }
    }

    /// So much is done; this goes on.
    pub fn show(&mut self, done: u64, what: &str) {
        let columns = (WIDTH as u64 * done.min(self.total) / self.total) as usize;
        if let Some(drawn) = &mut self.drawn
            && (*drawn != columns || done == 0)
        {
            *drawn = columns;
            // Nobody misses a bar that can't be drawn.
            let _ = write!(io::stderr(), "\r{}{} {what}\x1b[K", "█".repeat(columns), "░".repeat(WIDTH - columns));
        }
    }
}

impl Drop for Progress {
    /// The bar makes room for the result.
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
