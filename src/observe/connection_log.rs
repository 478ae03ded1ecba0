//! The connection log: the ledger in a file of its own, whatever the log level.

use std::fmt;

use serde::Serialize;

use super::lines::{Format, Lines, Sink};
use super::text::{Rfc3339, as_text};
use super::{ConnectionId, Event, LedgerLine, Observer};
use crate::http::{Date, Moment};

/// Writes one line per connection, at its end.
#[derive(Debug)]
pub struct ConnectionLog {
    lines: Lines,
    date: Date,
}

/// A ledger line with the time at which the connection ended, which this log has from nowhere else.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(flatten)]
    ledger: LedgerLine<'a>,
    #[serde(serialize_with = "as_text")]
    time: Rfc3339,
}

impl ConnectionLog {
    /// A log that writes its lines to `sink`.
    pub fn new(format: Format, sink: Sink) -> Self {
        ConnectionLog { lines: Lines::new(format, sink), date: Date::from_unix(0) }
    }
}

impl Observer for ConnectionLog {
    fn observe(&mut self, _now: Moment, _conn: ConnectionId, event: &Event<'_>) {
        if let Event::Closed(life) = event {
            self.lines.write(&Record { ledger: LedgerLine(life), time: Rfc3339(self.date) });
        }
    }

    fn begin_iteration(&mut self, _now: Moment, date: &Date) {
        self.date = *date;
    }

    fn needs_clock(&self) -> bool {
        false
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} time={}", self.ledger, self.time)
    }
}
