//! All live connections, and what happens to them in one loop iteration. It knows neither the poll nor the clock nor
//! a real socket: the simulator in the tests runs the same engine.

mod addresses;
mod admission;
mod deadlines;
mod dispatch;
mod drive;
mod live;
mod queue;
mod queues;
mod ready;
mod remembered;
mod reports;
mod respond;
mod send;
mod send_state;
mod slots;
mod stop;
mod viewers;

use std::time::Duration;

use slab::Slab;

use crate::http::{CloseReason, HeaderCache, Limits, Moment, Tick};
#[cfg(doc)]
use crate::observe::ConnectionId;
use crate::observe::Observers;
use crate::site::Site;

use addresses::Addresses;
use deadlines::Deadlines;
use live::Live;
use queues::{EngineQueue, Queues};
use ready::ReadyLists;
use send_state::SendState;

use super::socket::Socket;

pub use drive::SEND_BUDGET;

/// Connections for which the tables have room from the beginning. That is address space, and takes no memory until it
/// is used; with more connections the tables are copied when they grow.
const EXPECTED_CONNECTIONS: usize = 16 * 1024;

/// Bytes beyond a whole request head that one read may bring: pipelined requests, or request content.
const READ_AHEAD: usize = 16 * 1024;

/// Identifies a connection in the events of the poll: its slab key, and its number, so that an event for an earlier
/// connection with the same key is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionKey {
    /// The key in the slab.
    pub key: usize,
    /// The low half of the [`ConnectionId`].
    pub generation: u32,
}

/// What an event reports about a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A read will find bytes, the peer's FIN or an error.
    pub readable: bool,
    /// A write will find room or an error.
    pub writable: bool,
    /// The peer has sent its FIN, perhaps behind bytes that are not read yet (EPOLLRDHUP).
    pub read_closed: bool,
    /// The connection has failed (EPOLLERR). A read returns the error, perhaps behind bytes that are not read yet.
    pub error: bool,
}

/// The live connections.
pub struct Engine<S> {
    connections: Slab<Live<S>>,
    accepted: u64,
    max_connections: usize,
    /// The number of connections per address, if `--max-per-ip` limits it.
    addresses: Addresses,
    deadlines: Deadlines,
    queues: Queues,
    ready: ReadyLists,
    /// Connections that view the live feed.
    viewers: Vec<usize>,
    /// Connections that become idle are closed.
    closes_idle: bool,
    /// Room for one read.
    buffer: Box<[u8]>,
    out: Vec<u8>,
    /// The one-slot pool of send states.
    spare_send_state: Option<Box<SendState>>,
    header_cache: HeaderCache,
    site: Site,
    pub(super) observers: Observers,
    watch: Watch,
}

/// The clock, to measure more exactly than by the tick.
pub struct Watch {
    /// Reads the clock.
    pub read: Box<dyn Fn() -> Moment>,
    /// The start by the wall clock, since the Unix epoch.
    pub started_unix: Duration,
}

impl<S: Socket> Engine<S> {
    /// An engine without a connection.
    pub fn new(site: Site, mut observers: Observers, limits: &Limits, max_connections: usize, watch: Watch) -> Self {
        let room = max_connections.min(EXPECTED_CONNECTIONS);
        observers.feed.number_from(watch.started_unix.as_micros() as u64);
        Engine {
            connections: Slab::with_capacity(room),
            accepted: 0,
            max_connections,
            addresses: Addresses::default(),
            deadlines: Deadlines::with_room(room),
            queues: Queues::with_room(room),
            ready: ReadyLists::with_room(max_read(limits)),
            viewers: Vec::new(),
            closes_idle: false,
            buffer: vec![0; max_read(limits)].into_boxed_slice(),
            out: Vec::new(),
            spare_send_state: None,
            header_cache: HeaderCache::default(),
            site,
            observers,
            watch,
        }
    }

    /// Begins a loop iteration. `log_lines_dropped` is the number of lines that the logs have lost since the start.
    pub fn begin_iteration(&mut self, log_lines_dropped: u64, tick: &Tick<'_>) {
        // Files that could not be opened in the last iteration will be asked for again.
        for _ in 0..self.site.take_emfile_count() {
            self.free_descriptor(tick);
        }
        self.observers.counters.log_lines_dropped = log_lines_dropped;
        self.observers.begin_iteration(tick.now, tick.date);
        self.ready.begin_iteration();
    }

    /// What is served.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Whether no connection is open.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// The socket of a live connection, to be registered for events.
    pub fn socket(&self, handle: ConnectionKey) -> Option<&S> {
        self.live(handle).map(|live| &live.socket)
    }

    /// Whether the connection lingers: it only waits for the peer's FIN.
    pub fn lingers(&self, handle: ConnectionKey) -> bool {
        self.live(handle).is_some_and(|live| live.queue == EngineQueue::Lingering)
    }

    fn live(&self, handle: ConnectionKey) -> Option<&Live<S>> {
        self.connections.get(handle.key).filter(|live| live.id.0 as u32 == handle.generation)
    }

    /// Aborts a connection whose socket can't be registered with the poll.
    pub fn forget(&mut self, handle: ConnectionKey, tick: &Tick<'_>) {
        self.connections[handle.key].http.abort(CloseReason::InternalError, tick.now);
        self.drive(handle.key, tick);
    }

    /// Expires the timers that are due. To be called after the events of the iteration are handled, so that a request
    /// that arrived in time is served however late the loop is.
    pub fn expire(&mut self, tick: &Tick<'_>) {
        self.site.sweep(tick.now);
        while let Some(key) = self.deadlines.pop_due(tick.now) {
            self.expire_one(key, tick);
        }
    }

    /// How long the poll may sleep; `None` if no timer is scheduled.
    pub fn wait(&self, now: Moment) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let wake = earlier(self.deadlines.wake(), earlier(self.observers.wake(now), self.site.wake()));
        wake.map(|moment| moment.since(now))
    }

    fn expire_one(&mut self, key: usize, tick: &Tick<'_>) {
        let is_due = |live: &Live<S>| live.http.deadline(tick).is_some_and(|deadline| deadline <= tick.now);
        if is_due(&self.connections[key]) {
            // A request that reached the socket in time is answered, even if no event has reported it yet.
            self.recheck_socket(key, tick);
        }
        let Some(live) = self.connections.get_mut(key) else { return };
        if is_due(live) {
            live.http.expire(live.readable, tick);
            self.drive(key, tick);
        } else {
            self.schedule_timer(key, tick);
        }
    }

    /// Closes a connection if nothing is pending and no request is in its receive queue. One whose
    /// response has just promised keep-alive is not closed.
    fn close_if_idle(&mut self, key: usize, why: CloseReason, tick: &Tick<'_>) {
        let requests = self.connections[key].http.requests();
        self.recheck_socket(key, tick);
        let Some(live) = self.connections.get_mut(key) else { return };
        if live.http.requests() == requests && live.http.close_if_idle(why, tick.now) {
            self.drive(key, tick);
        }
    }

    /// Reads from the socket though no event has reported it readable, and drives the connection.
    fn recheck_socket(&mut self, key: usize, tick: &Tick<'_>) {
        self.connections[key].readable = true;
        self.drive(key, tick);
    }
}

/// Bytes that one read brings at most, with the held input before it.
fn max_read(limits: &Limits) -> usize {
    limits.max_head + READ_AHEAD
}

/// The earlier of two moments, or the shorter of two waits, as far as there are any.
pub(super) fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
