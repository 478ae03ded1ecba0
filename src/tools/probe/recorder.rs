//! Records what a client of the lab does: a few facts about each connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::http::{CloseReason, How, Moment, Status};
use crate::observe::{ConnectionId, Event, Observer};

/// What a lab records, for another thread to read.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<BTreeMap<ConnectionId, Seen>>>);

/// What was seen of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests that were read.
    pub requests: u32,
    /// Of these, those whose response with status 200 went out whole.
    pub answered: u32,
    /// A request came after our FIN, and was lost.
    pub raced: bool,
    /// A 408 was sent that nobody had asked for.
    pub refused: bool,
    /// It has ended.
    pub end: Option<RecordedEnd>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordedEnd {
    /// The client closed it between requests, when it had been idle for this long.
    ClientClosed(Duration),
    /// The lab reset it.
    LabReset,
    /// In any other way.
    Other,
}

impl Recorder {
    /// What was seen so far of each connection, in the order of their opening.
    pub fn read(&self) -> Vec<Seen> {
        self.connections().values().cloned().collect()
    }

    /// Forgets what was recorded so far.
    pub fn clear(&self) {
        self.connections().clear();
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Recorder {
    fn observe(&mut self, _now: Moment, conn: ConnectionId, event: &Event<'_>) {
        let mut connections = self.connections();
        if let Event::Opened { .. } = event {
            connections.insert(conn, Seen::default());
        }
        // A connection from before the last `clear` is ignored.
        let Some(seen) = connections.get_mut(&conn) else { return };
        match event {
            Event::Request { .. } => seen.requests += 1,
            Event::Response(answered) if answered.complete && answered.status == Status::OK => seen.answered += 1,
            Event::Refused => seen.refused = true,
            Event::Race { .. } => seen.raced = true,
            Event::Closed(life) => {
                seen.end = Some(match (life.ending.reason, life.ending.how) {
                    (CloseReason::ClientClosed, _) => RecordedEnd::ClientClosed(life.idle),
                    (CloseReason::Lab, How::Reset) => RecordedEnd::LabReset,
                    _ => RecordedEnd::Other,
                });
            }
            _ => {}
        }
    }

    fn needs_clock(&self) -> bool {
        false
    }

    fn needs_round_trip(&self) -> bool {
        false
    }
}
