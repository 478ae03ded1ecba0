//! All live connections, and what happens to them in one loop iteration. It knows neither the poll nor the clock nor
//! a real socket: the simulator in the tests runs the same engine.

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use slab::Slab;

use crate::http::{CloseReason, Ending, HeaderCache, How, Limits, Moment, State, Tick};
use crate::observe::{ConnectionId, Event, Observers, Peer};
use crate::site::Site;

use super::addresses::Addresses;
use super::admission::{Admission, Counts, admit};
use super::deadlines::Deadlines;
use super::drive::{Driven, LoopContext, SEND_BUDGET, drive, respond, tell_answered};
use super::live::{EngineQueue, Live, SendState};
use super::queue::{Links, Queue};
use super::socket::Socket;

/// Connections for which the tables have room from the beginning. That is address space, and takes no memory until it
/// is used; with more connections the tables are copied when they grow.
const EXPECTED_CONNECTIONS: usize = 16 * 1024;

/// Bytes beyond a whole request head that one read may bring: pipelined requests, or request content.
const READ_AHEAD: usize = 16 * 1024;

/// One lingering connection is allowed per this many of `--max-connections`, but no fewer than this many in all. When
/// there are more, the longest lingering one is closed without waiting for the peer's FIN.
const LINGERING_PART: usize = 16;

/// How long a connection that has sent no request yet is not evicted: its first request may be on the way.
const NEWCOMER_GRACE: Duration = Duration::from_secs(1);

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
    pub(super) connections: Slab<Live<S>>,
    accepted: u64,
    pub(super) max_connections: usize,
    /// The number of connections per address, if `--max-per-ip` limits it.
    addresses: Addresses,
    deadlines: Deadlines,
    /// Links of the queues below: no connection is in two of them.
    links: Links,
    /// Connections over the limit, awaiting their 503, the oldest first.
    over_limit: Queue,
    /// Connections that have sent no request yet, the oldest first.
    silent: Queue,
    /// Connections that wait for a request, the longest idle first.
    pub(super) idle: Queue,
    /// Connections that wait for the peer's FIN, the longest lingering first.
    lingering: Queue,
    /// The ready list (epoll(7), *starvation*): connections that used up their budget and have more to do in the next
    /// iteration.
    ready_list: Vec<usize>,
    /// The ready list of the last iteration. Events don't drive the connections on it: that would be a second budget.
    due_list: Vec<usize>,
    /// Connections that view the live feed.
    pub(super) viewers: Vec<usize>,
    /// Connections that become idle are closed.
    closes_idle: bool,
    buffer: Box<[u8]>,
    pub(super) out: Vec<u8>,
    /// The one-slot pool of send states.
    spare_send_state: Option<Box<SendState>>,
    header_cache: HeaderCache,
    site: Site,
    pub(super) observers: Observers,
    pub(super) watch: Watch,
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
            links: Links::with_room(room),
            over_limit: Queue::new(),
            silent: Queue::new(),
            idle: Queue::new(),
            lingering: Queue::new(),
            ready_list: Vec::new(),
            due_list: Vec::new(),
            viewers: Vec::new(),
            closes_idle: false,
            buffer: vec![0; limits.max_head + READ_AHEAD].into_boxed_slice(),
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
        std::mem::swap(&mut self.ready_list, &mut self.due_list);
    }

    /// What is served.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Whether no connection is open.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Adopts a connection that was accepted, and drives it as far as possible. Returns the handle for the events of
    /// its socket, unless it has ended already.
    pub fn adopt(&mut self, socket: S, peer: Peer, tick: &Tick<'_>) -> Option<ConnectionKey> {
        while self.lingering.len() > (self.max_connections / LINGERING_PART).max(LINGERING_PART) {
            self.stop_lingering(tick);
        }
        let of_address = if tick.limits.max_per_ip == 0 { 0 } else { self.addresses.enter(peer) };
        let admission = self.admit(of_address, tick);
        self.accepted += 1;
        let id = ConnectionId(self.accepted);
        self.observers.observe(tick.now, id, &Event::Opened { peer });
        let mut live = Live::new(id, peer, socket, tick.now);
        live.counted = of_address > 0;
        if admission != Admission::Serve {
            live.http.reject(CloseReason::TooMany);
        }
        if admission == Admission::Drop {
            live.http.close_if_idle(CloseReason::TooMany, tick.now);
        }
        let key = self.connections.insert(live);
        self.drive(key, tick);
        let generation = id.0 as u32;
        self.connections.contains(key).then_some(ConnectionKey { key, generation })
    }

    /// Makes room for a new connection as far as [`admit`] wants it, and returns what becomes of that connection.
    fn admit(&mut self, of_address: u32, tick: &Tick<'_>) -> Admission {
        let mut counts = Counts { of_address, ..Counts::default() };
        loop {
            (counts.serving, counts.over_limit) = (self.serving(), self.over_limit.len());
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

    /// Drives a connection whose socket has become ready.
    pub fn ready(&mut self, handle: ConnectionKey, readiness: Readiness, tick: &Tick<'_>) {
        let Some(live) = self.connections.get_mut(handle.key) else { return };
        if live.id.0 as u32 != handle.generation {
            return;
        }
        live.readable |= readiness.readable;
        live.writable |= readiness.writable;
        live.read_closed |= readiness.read_closed;
        live.error |= readiness.error;
        let wanted = live.writable && live.http.has_unsent() || live.readable && live.http.state() != State::Sending;
        if wanted && !live.on_ready_list {
            self.drive(handle.key, tick);
        }
    }

    /// Drives the connections that were on the ready list when the iteration began. To be called after the events.
    pub fn run_ready_list(&mut self, tick: &Tick<'_>) {
        let mut due = std::mem::take(&mut self.due_list);
        for key in due.drain(..) {
            if let Some(live) = self.connections.get_mut(key).filter(|live| live.on_ready_list) {
                live.on_ready_list = false;
                self.drive(key, tick);
            }
        }
        self.due_list = due;
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
        if !self.ready_list.is_empty() {
            return Some(Duration::ZERO);
        }
        let wakes = [self.deadlines.wake(), self.observers.wake(now), self.site.wake()];
        wakes.into_iter().flatten().min().map(|moment| moment.since(now))
    }

    /// Schedules all timers again, because a shutdown begins and they are due earlier than scheduled: without the grace.
    pub fn reschedule_all(&mut self, tick: &Tick<'_>) {
        for key in self.keys() {
            self.schedule_timer(key, tick);
        }
    }

    /// Closes the connections that are idle or become idle, because the server shuts down. Responses in flight go on.
    pub fn close_idle(&mut self, tick: &Tick<'_>) {
        self.closes_idle = true;
        for key in self.keys() {
            self.close_if_idle(key, CloseReason::Draining, tick);
        }
    }

    /// Ends every connection at once: idle and lingering ones in order, the others by RST. Returns how many had
    /// something pending.
    pub fn abort_all(&mut self, tick: &Tick<'_>) -> usize {
        self.close_idle(tick);
        while self.lingering.front().is_some() {
            self.stop_lingering(tick);
        }
        let mut cut = 0;
        for key in self.keys() {
            let live = &mut self.connections[key];
            // What a viewer of the live feed has not read yet does not count as pending.
            cut += usize::from(live.next_block().is_none());
            live.http.abort(CloseReason::Draining, tick.now);
            self.drive(key, tick);
        }
        cut
    }

    /// Frees a descriptor, whatever it costs: of the open files in the cache, else of the longest lingering connection,
    /// else of the longest idle one. Returns whether there was one.
    pub fn free_descriptor(&mut self, tick: &Tick<'_>) -> bool {
        if self.site.close_files() {
            return true;
        }
        let before = self.connections.len();
        if self.lingering.front().is_none() {
            self.evict(tick);
        }
        if self.connections.len() == before {
            self.stop_lingering(tick);
        }
        self.connections.len() < before
    }

    fn keys(&self) -> Vec<usize> {
        self.connections.iter().map(|(key, _)| key).collect()
    }

    /// Connections that count towards the connection limit: all but those that linger and those over the limit.
    fn serving(&self) -> usize {
        self.connections.len() - self.lingering.len() - self.over_limit.len()
    }

    /// Closes the oldest connection over the limit, to make room for a new one, unless its request has come: then its
    /// 503 is on the way, and it closes soon anyway.
    fn drop_oldest_over_limit(&mut self, tick: &Tick<'_>) {
        if let Some(key) = self.over_limit.front() {
            self.close_if_idle(key, CloseReason::TooMany, tick);
        }
    }

    /// Evicts the longest idle connection, or else the oldest that has sent no request yet.
    fn evict(&mut self, tick: &Tick<'_>) {
        let before = self.serving();
        // A connection that turns out to have a request is answered, and goes to the end of the queue; one whose client
        // has just closed makes room by itself.
        for _ in 0..self.idle.len() + self.silent.len() {
            let Some(key) = self.idle.front().or_else(|| self.oldest_silent(tick.now)) else { return };
            self.close_if_idle(key, CloseReason::Evicted, tick);
            if self.serving() < before {
                return;
            }
        }
    }

    /// The oldest connection that has sent no request yet, if it had time for it.
    fn oldest_silent(&self, now: Moment) -> Option<usize> {
        self.silent.front().filter(|key| now.since(self.connections[*key].http.opened()) >= NEWCOMER_GRACE)
    }

    /// Closes the longest lingering connection without waiting for its peer's FIN any longer.
    fn stop_lingering(&mut self, tick: &Tick<'_>) {
        let Some(key) = self.lingering.front() else { return };
        self.recheck_socket(key, tick);
        if let Some(live) = self.connections.get_mut(key) {
            live.http.expire(live.readable, tick);
            self.drive(key, tick);
        }
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

    /// Closes a connection if nothing is pending and no request is in its receive queue. One that was just told that
    /// the connection stays open is not closed.
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

    /// Drives a connection, and then puts it where it belongs: on the ready list, into the queue of its state, into the
    /// timer wheel, or out of the slab.
    pub(super) fn drive(&mut self, key: usize, tick: &Tick<'_>) {
        let live = &mut self.connections[key];
        let requests_before = live.http.requests();
        live.take_send_state(&mut self.spare_send_state);
        // A panic on one connection must not end the others.
        let driven = panic::catch_unwind(AssertUnwindSafe(|| self.drive_and_report(key, requests_before, tick)))
            .unwrap_or_else(|_| self.abort_after_panic(key, tick));
        let queue = self.requeue(key, requests_before, tick);
        self.connections[key].return_send_state(&mut self.spare_send_state);
        match driven {
            Driven::Closed(ending) => self.close(key, ending, tick),
            // Its last response began before the shutdown, and could not announce the close.
            Driven::Blocked if queue == EngineQueue::Idle && self.closes_idle => {
                self.connections[key].http.close_if_idle(CloseReason::Draining, tick.now);
                self.drive(key, tick);
            }
            Driven::Blocked | Driven::Report(..) => self.schedule_timer(key, tick),
            Driven::BudgetSpent => {
                let live = &mut self.connections[key];
                if !live.on_ready_list {
                    live.on_ready_list = true;
                    self.ready_list.push(key);
                }
                self.schedule_timer(key, tick);
            }
        }
    }

    /// Drives a connection, and writes the reports that it asks for.
    fn drive_and_report(&mut self, key: usize, requests_before: u32, tick: &Tick<'_>) -> Driven {
        let mut budget = SEND_BUDGET;
        let mut driven = self.drive_once(key, &mut budget, tick);
        while let Driven::Report(report, asked) = driven {
            self.requeue(key, requests_before, tick);
            let response = report.response(self.write_report(report, tick));
            let live = &mut self.connections[key];
            respond(live, response, Some(live.id.0), asked, tick, &mut self.out);
            driven = self.drive_once(key, &mut budget, tick);
        }
        driven
    }

    /// Aborts a connection after a panic in driving it. What else was touched is consistent: the write buffer is emptied,
    /// and the queues and the timer wheel hold what they held before.
    fn abort_after_panic(&mut self, key: usize, tick: &Tick<'_>) -> Driven {
        self.out.clear();
        let live = &mut self.connections[key];
        log::error!("connection {} from {} ends after a panic", live.id, live.peer);
        let ending = live.http.abort(CloseReason::InternalError, tick.now);
        tell_answered(live, true, tick.now, &mut self.observers);
        Driven::Closed(ending)
    }

    fn drive_once(&mut self, key: usize, budget: &mut usize, tick: &Tick<'_>) -> Driven {
        loop {
            let mut context = LoopContext {
                tick: *tick,
                buffer: &mut self.buffer,
                out: &mut self.out,
                header_cache: &mut self.header_cache,
                budget,
                site: &mut self.site,
                observers: &mut self.observers,
                watch: &self.watch.read,
            };
            let driven = drive(&mut self.connections[key], &mut context);
            // A viewer that has taken all that was queued may get more.
            if driven != Driven::Blocked || !self.serve_viewer(key, tick) {
                return driven;
            }
        }
    }

    fn moment(&self, tick: &Tick<'_>) -> Moment {
        self.observers.moment(tick.now, &self.watch.read)
    }

    /// Moves a connection to the end of the queue of its state, if that is another queue, or if the connection had
    /// requests since it came there. Returns the queue.
    fn requeue(&mut self, key: usize, requests_before: u32, tick: &Tick<'_>) -> EngineQueue {
        let queue = EngineQueue::of(&self.connections[key].http);
        if queue == self.connections[key].queue && self.connections[key].http.requests() == requests_before {
            return queue;
        }
        match std::mem::replace(&mut self.connections[key].queue, queue) {
            EngineQueue::OverLimit => self.over_limit.remove(&mut self.links, key),
            EngineQueue::Silent => self.silent.remove(&mut self.links, key),
            EngineQueue::Idle => self.idle.remove(&mut self.links, key),
            EngineQueue::Lingering => self.lingering.remove(&mut self.links, key),
            EngineQueue::None => {}
        }
        match queue {
            EngineQueue::OverLimit => self.over_limit.push_back(&mut self.links, key),
            EngineQueue::Silent => self.silent.push_back(&mut self.links, key),
            EngineQueue::Idle => {
                self.idle.push_back(&mut self.links, key);
                // No counter depends on it.
                if self.observers.is_active() {
                    self.observe_idle(key, tick);
                }
            }
            EngineQueue::Lingering => {
                self.lingering.push_back(&mut self.links, key);
                self.uncount(key);
            }
            EngineQueue::None => {}
        }
        queue
    }

    /// Tells the observers that the connection waits for its next request.
    fn observe_idle(&mut self, key: usize, tick: &Tick<'_>) {
        let now = self.moment(tick);
        let live = &self.connections[key];
        let promised = tick.limits.keep_alive_timeout;
        let timeout = live.http.timeout(tick).filter(|_| live.http.state() == State::Idle);
        if let Some((closes, _)) = timeout {
            self.observers.observe(now, live.id, &Event::Idle { promised, closes });
        }
    }

    /// Stops counting a connection towards the limit of its address.
    fn uncount(&mut self, key: usize) {
        let live = &mut self.connections[key];
        if std::mem::take(&mut live.counted) {
            self.addresses.leave(live.peer);
        }
    }

    /// Schedules the timer of the connection's state.
    fn schedule_timer(&mut self, key: usize, tick: &Tick<'_>) {
        if let Some(deadline) = self.connections[key].http.deadline(tick) {
            self.deadlines.schedule(key, deadline);
        }
    }

    /// Removes a connection that has ended: from the timer wheel, the viewers and the slab. Reports its life, and
    /// closes its socket.
    fn close(&mut self, key: usize, ending: Ending, tick: &Tick<'_>) {
        self.deadlines.remove(key);
        self.forget_viewer(key, tick.now);
        self.uncount(key);
        let mut live = self.connections.remove(key);
        if live.on_ready_list {
            // Its slab key may be given to a new connection in this very iteration.
            self.ready_list.retain(|other| *other != key);
        }
        let now = self.moment(tick);
        let life = live.life(ending, now, self.observers.needs_round_trip());
        self.observers.observe(now, life.id, &Event::Closed(&life));
        if ending.how == How::Reset {
            live.socket.reset_on_close();
        }
    }
}
