//! The access log: one line a request, when its response is out.

use std::collections::HashMap;

use super::access_line::{AccessLine, Asked};
use super::lines::{Format, Lines, Sink};
use super::{ConnectionId, Event, Observer, Peer};
use crate::http::{Date, Moment};

/// Writes one line a request, in the Combined Log Format or as JSON, with its place on the connection and
/// what became of that.
#[derive(Debug)]
pub struct AccessLog {
    lines: Lines,
    date: Date,
    visitors: HashMap<ConnectionId, Visitor>,
    /// What was asked in a request that is answered; kept for its memory.
    spare: Option<Asked>,
}

/// An open connection.
#[derive(Debug)]
struct Visitor {
    peer: Peer,
    /// The request that is being answered; none if what came is no request.
    asked: Option<Asked>,
}

impl AccessLog {
    /// A log that writes its lines to `sink`.
    pub fn new(format: Format, sink: Sink) -> Self {
        let lines = Lines::new(format, sink);
        AccessLog { lines, date: Date::from_unix(0), visitors: HashMap::new(), spare: None }
    }
}

impl Observer for AccessLog {
    fn observe(&mut self, _now: Moment, conn: ConnectionId, event: &Event<'_>) {
        match event {
            Event::Opened { peer } => {
                self.visitors.insert(conn, Visitor { peer: *peer, asked: None });
            }
            Event::Request { head, .. } => {
                if let Some(visitor) = self.visitors.get_mut(&conn) {
                    let mut asked = self.spare.take().unwrap_or_else(Asked::nothing);
                    asked.remember(head, self.date);
                    visitor.asked = Some(asked);
                }
            }
            Event::Response(answered) => {
                if let Some(visitor) = self.visitors.get_mut(&conn) {
                    let asked = visitor.asked.take();
                    let date = asked.as_ref().map_or(self.date, |asked| asked.date);
                    self.lines.write(&AccessLine { date, conn, peer: visitor.peer, asked: asked.as_ref(), answered });
                    self.spare = asked.or(self.spare.take());
                }
            }
            Event::Closed(_) => {
                self.visitors.remove(&conn);
            }
            Event::Idle { .. } | Event::Viewer | Event::Closing { .. } | Event::Race { .. } => {}
        }
    }

    fn begin_turn(&mut self, date: &Date) {
        self.date = *date;
    }

    fn wants_times(&self) -> bool {
        true
    }
}
