//! Logs of lines: each record becomes one line, in one of two formats.

use std::fmt::{Debug, Display, Formatter, Result};
use std::io::Write as _;

use serde::Serialize;

/// The format of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text for people and `grep`.
    #[default]
    Text,
    /// A JSON object.
    Json,
}

/// Takes whole lines with their line ends.
pub type Sink = Box<dyn FnMut(&[u8]) + Send>;

/// A log: where its lines go, and how they are written.
pub struct Lines {
    format: Format,
    sink: Sink,
    /// The line that is being written, kept for its allocation.
    line: Vec<u8>,
}

impl Lines {
    /// An empty log.
    pub fn new(format: Format, sink: Sink) -> Self {
        Lines { format, sink, line: Vec::new() }
    }

    /// Writes one record as one line.
    pub fn write(&mut self, record: &(impl Display + Serialize)) {
        self.line.clear();
        match self.format {
            Format::Text => write!(self.line, "{record}").expect("a Vec takes all"),
            Format::Json => serde_json::to_writer(&mut self.line, record).expect("a Vec takes all"),
        }
        self.line.push(b'\n');
        (self.sink)(&self.line);
    }
}

impl Debug for Lines {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Lines").field("format", &self.format).finish_non_exhaustive()
    }
}
