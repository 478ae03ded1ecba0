//! The access log: one line per request, when its response is sent.

use std::collections::{HashMap, VecDeque};

use super::access_line::{AccessLine, LoggedRequest};
use super::lines::{Format, Lines, Sink};
use super::{ConnectionId, Event, Observer, Peer};
use crate::http::{Date, Moment};

/// Writes one line per request, in the Combined Log Format or as JSON, with its index on the connection and whether the
/// connection was kept.
#[derive(Debug)]
pub struct AccessLog {
    lines: Lines,
    date: Date,
    connections: HashMap<ConnectionId, LoggedConnection>,
    /// A request that is logged already, kept for its allocation.
    spare: Option<LoggedRequest>,
}

/// An open connection.
#[derive(Debug)]
struct LoggedConnection {
    peer: Peer,
    /// The requests that are being answered, with their index. Input that was not a request is not among them.
    asked: VecDeque<(u32, LoggedRequest)>,
}

impl AccessLog {
    /// A log that writes its lines to `sink`.
    pub fn new(format: Format, sink: Sink) -> Self {
        let lines = Lines::new(format, sink);
        AccessLog { lines, date: Date::from_unix(0), connections: HashMap::new(), spare: None }
    }
}

impl Observer for AccessLog {
    fn observe(&mut self, _now: Moment, conn: ConnectionId, event: &Event<'_>) {
        match event {
            Event::Opened { peer } => {
                self.connections.insert(conn, LoggedConnection { peer: *peer, asked: VecDeque::new() });
            }
            Event::Request { number, head, .. } => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    let mut asked = self.spare.take().unwrap_or_else(LoggedRequest::nothing);
                    asked.remember(head, self.date);
                    connection.asked.push_back((*number, asked));
                }
            }
            Event::Response(answered) => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    let is_next = connection.asked.front().is_some_and(|(number, _)| *number == answered.number);
                    let asked = if is_next { connection.asked.pop_front().map(|(_, asked)| asked) } else { None };
                    let date = asked.as_ref().map_or(self.date, |asked| asked.date);
                    self.lines.write(&AccessLine {
                        date,
                        conn,
                        peer: connection.peer,
                        asked: asked.as_ref(),
                        answered,
                    });
                    self.spare = asked.or(self.spare.take());
                }
            }
            Event::Closed(_) => {
                self.connections.remove(&conn);
            }
            Event::Refused | Event::Idle { .. } | Event::Viewer | Event::Closing { .. } | Event::Race { .. } => {}
        }
    }

    fn begin_iteration(&mut self, _now: Moment, date: &Date) {
        self.date = *date;
    }

    fn needs_round_trip(&self) -> bool {
        false
    }
}
