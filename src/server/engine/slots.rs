//! Slots: which connection is served when they are scarce, and which one makes room.

use std::time::Duration;

use crate::http::{CloseReason, Moment, Tick};
use crate::observe::{ConnectionId, Event};
use crate::site::Arrival;

use super::admission::{Admission, Counts, admit};
use super::live::Live;
use super::{ConnectionKey, Engine};
use crate::server::socket::Socket;

/// One lingering connection is allowed per this many of `--max-connections`, but no fewer than this many in all. When
/// there are more, the longest lingering one is closed without waiting for the peer's FIN.
const LINGERING_PART: usize = 16;

/// How long a connection that has sent no request yet is not evicted: its first request may be on the way.
const NEWCOMER_GRACE: Duration = Duration::from_secs(1);

impl<S: Socket> Engine<S> {
    /// Adopts a connection that was accepted, and drives it as far as possible. Returns the handle for the events of
    /// its socket, unless it has ended already.
    pub fn adopt(&mut self, socket: S, arrival: impl Into<Arrival>, tick: &Tick<'_>) -> Option<ConnectionKey> {
        let arrival = arrival.into();
        let peer = arrival.peer;
        while self.queues.lingering.len() > (self.max_connections / LINGERING_PART).max(LINGERING_PART) {
            self.stop_lingering(tick);
        }
        let of_address = if tick.limits.max_per_ip == 0 { 0 } else { self.addresses.enter(peer) };
        let admission = self.admit(of_address, tick);
        self.accepted += 1;
        let id = ConnectionId(self.accepted);
        self.observers.observe(tick.now, id, &Event::Opened { peer });
        let mut live = Live::new(id, arrival, socket, tick.now);
        live.counted = of_address > 0;
        if admission != Admission::Serve {
            live.http.reject(CloseReason::TooMany);
        }
        let key = self.connections.insert(live);
        // A whole request in its receive queue is answered, however many others wait.
        self.drive(key, tick);
        if admission == Admission::Drop {
            self.drop_rejected(key, tick);
        }
        let generation = id.0 as u32;
        self.connections.contains(key).then_some(ConnectionKey { key, generation })
    }

    /// Makes room for a new connection as far as [`admit`] wants it, and returns what becomes of that connection.
    fn admit(&mut self, of_address: u32, tick: &Tick<'_>) -> Admission {
        let mut counts = Counts { of_address, ..Counts::default() };
        loop {
            (counts.serving, counts.over_limit) = (self.serving(), self.queues.over_limit.len());
            match admit(&counts, self.max_connections, tick.limits.max_per_ip) {
                Admission::Evict => {
                    counts.evicted = true;
                    self.evict(tick);
                }
                Admission::DropOldest => {
                    counts.dropped = true;
                    self.drop_oldest_over_limit(tick);
                }
                admission => return admission,
            }
        }
    }

    /// Connections that count towards the connection limit: all but those that linger and those over the limit.
    fn serving(&self) -> usize {
        self.connections.len() - self.queues.lingering.len() - self.queues.over_limit.len()
    }

    /// Closes the oldest connection over the limit, to make room for a new one, unless its request has come in full:
    /// then its 503 is on the way, and it closes soon anyway.
    fn drop_oldest_over_limit(&mut self, tick: &Tick<'_>) {
        if let Some(key) = self.queues.over_limit.front() {
            self.recheck_socket(key, tick);
            self.drop_rejected(key, tick);
        }
    }

    /// Closes a connection over the limit if its request has not come in full.
    fn drop_rejected(&mut self, key: usize, tick: &Tick<'_>) {
        if self.connections.get_mut(key).is_some_and(|live| live.http.drop_rejected(CloseReason::TooMany, tick.now)) {
            self.drive(key, tick);
        }
    }

    /// Evicts the longest idle connection, or else the oldest that has sent no request yet.
    pub(super) fn evict(&mut self, tick: &Tick<'_>) {
        let before = self.serving();
        // A connection that turns out to have a request is answered, and goes to the end of the queue; one whose client
        // has just closed makes room by itself.
        for _ in 0..self.queues.idle.len() + self.queues.silent.len() {
            let Some(key) = self.queues.idle.front().or_else(|| self.oldest_silent(tick.now)) else { return };
            self.close_if_idle(key, CloseReason::Evicted, tick);
            if self.serving() < before {
                return;
            }
        }
    }

    /// The oldest connection that has sent no request yet, if it had time for it.
    fn oldest_silent(&self, now: Moment) -> Option<usize> {
        self.queues.silent.front().filter(|key| now.since(self.connections[*key].http.opened()) >= NEWCOMER_GRACE)
    }

    /// Closes the longest lingering connection without waiting for its peer's FIN any longer.
    pub(super) fn stop_lingering(&mut self, tick: &Tick<'_>) {
        let Some(key) = self.queues.lingering.front() else { return };
        self.recheck_socket(key, tick);
        if let Some(live) = self.connections.get_mut(key) {
            live.http.expire(live.readable, tick);
            self.drive(key, tick);
        }
    }

    /// Frees a descriptor, whatever it costs: of the open files in the cache, else of the longest lingering connection,
    /// else of the longest idle one. Returns whether there was one.
    pub fn free_descriptor(&mut self, tick: &Tick<'_>) -> bool {
        if self.site.close_files() {
            return true;
        }
        let before = self.connections.len();
        if self.queues.lingering.front().is_none() {
            self.evict(tick);
        }
        if self.connections.len() == before {
            self.stop_lingering(tick);
        }
        self.connections.len() < before
    }
}
