//! A TCP connection: bytes in transit, the server's socket buffers of bounded size, FINs and RSTs.

use std::collections::VecDeque;

use holdline::server::{ConnectionKey, Readiness};

use super::expected::SentRequest;
use super::responses::ResponseReader;
use super::rules::Grounds;
use super::shared::Shared;
use super::slots::Standing;

/// A connection between a client and the server, seen from both sides.
pub struct Connection {
    /// The client's number.
    pub id: usize,
    /// When the server accepted it.
    pub accepted: Option<u64>,
    /// How many connections were accepted before it.
    pub number: usize,
    pub standing: Standing,
    /// There was no slot for it.
    pub over_limit: bool,
    pub handle: Option<ConnectionKey>,
    /// What the next poll will report of the server's socket.
    pub readiness: Readiness,

    pub requests: Vec<SentRequest>,
    /// Bytes that the client has sent and the network has not delivered.
    pub in_transit: VecDeque<u8>,
    /// The receive buffer of the server's socket.
    pub received: VecDeque<u8>,
    /// How many bytes the client has sent, the network has delivered, and the server has read.
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
    pub client_fin: ClientFin,
    /// The client's RST has arrived.
    pub reset: bool,
    /// The client has closed its socket: its kernel answers everything else that the server sends by an RST.
    pub client_closed: bool,

    pub responses: ResponseReader,
    /// Bytes in the send buffer of the server's socket.
    pub unsent: usize,
    /// How many bytes the server has written, and the client has read.
    pub written: u64,
    pub taken: u64,
    /// The send buffer is full, and the server waits until it is writable.
    pub full: bool,
    /// When the server sent its FIN.
    pub server_fin: Option<u64>,
    /// What the server may have closed it for, if nothing had announced the close.
    pub grounds: Grounds,
    /// The server has closed its socket; `Some(true)` if that sent an RST.
    pub closed: Option<bool>,
    /// That was for bytes that had been delivered before that loop iteration, and were never read.
    pub reset_by_unread: bool,
    /// The server had read the first byte of a request without a response when it sent its FIN.
    pub begun_before_fin: bool,
    /// When the server first read a byte of a request that begins behind its FIN.
    pub raced_at: Option<u64>,

    /// When the server last wrote, and last read.
    pub wrote_at: u64,
    pub read_at: u64,
    /// When the server had read the first byte of the request that it has not answered yet.
    pub began_at: Option<u64>,
    /// When the server began to write the present response, and what had been delivered before that iteration.
    pub attempt: Option<(u64, u64)>,
    /// What had been delivered before the present loop iteration.
    pub delivered_before: u64,
    iteration: u64,
    /// What the server has sent, and how often it has read, of its budget.
    pub budget_used: (usize, usize),
    budget_period: u64,
}

/// Where the client's FIN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFin {
    NotSent,
    /// Behind the bytes in transit.
    InTransit,
    Arrived,
}

impl Connection {
    pub fn new(id: usize) -> Self {
        Connection {
            id,
            accepted: None,
            number: 0,
            standing: Standing::default(),
            over_limit: false,
            handle: None,
            readiness: Readiness::default(),
            requests: Vec::new(),
            in_transit: VecDeque::new(),
            received: VecDeque::new(),
            sent: 0,
            delivered: 0,
            read: 0,
            client_fin: ClientFin::NotSent,
            reset: false,
            client_closed: false,
            responses: ResponseReader::default(),
            unsent: 0,
            written: 0,
            taken: 0,
            full: false,
            server_fin: None,
            begun_before_fin: false,
            grounds: Grounds::default(),
            closed: None,
            reset_by_unread: false,
            raced_at: None,
            wrote_at: 0,
            read_at: 0,
            began_at: None,
            attempt: None,
            delivered_before: 0,
            iteration: 0,
            budget_used: (0, 0),
            budget_period: 0,
        }
    }

    /// The server has a socket for it.
    pub fn is_open(&self) -> bool {
        self.accepted.is_some() && self.closed.is_none()
    }

    /// The client sends a request.
    pub fn send(&mut self, bytes: &[u8], request: SentRequest) {
        self.in_transit.extend(bytes);
        self.sent += bytes.len() as u64;
        self.requests.push(request);
    }

    /// The network delivers at most `count` bytes, as far as the receive buffer has room; then the FIN, if it is next.
    pub fn deliver(&mut self, count: usize, shared: &Shared) {
        self.note_iteration(shared);
        if self.closed.is_some() {
            self.in_transit.clear();
            if self.client_fin == ClientFin::InTransit {
                self.client_fin = ClientFin::Arrived;
            }
            return;
        }
        let room = shared.settings.receive_buffer - self.received.len();
        let count = count.min(self.in_transit.len()).min(room);
        if count > 0 {
            self.received.extend(self.in_transit.drain(..count));
            self.delivered += count as u64;
            shared.record(self.id, "delivered", count as u64);
            self.note_arrivals(shared);
            self.notify(Readiness { readable: true, ..Readiness::default() }, shared);
        }
        if self.in_transit.is_empty() && self.client_fin == ClientFin::InTransit {
            self.client_fin = ClientFin::Arrived;
            shared.record(self.id, "client's FIN arrived", 0);
            self.notify(Readiness { readable: true, read_closed: true, ..Readiness::default() }, shared);
        }
    }

    fn note_arrivals(&mut self, shared: &Shared) {
        let arrival = (shared.now.get(), shared.tree.borrow().epoch);
        for request in self.requests.iter_mut().skip(self.responses.complete) {
            if request.arrived.is_none() && request.ends <= self.delivered {
                request.arrived = Some(arrival);
            }
        }
    }

    /// The client reads at most `count` bytes.
    pub fn take(&mut self, count: usize, shared: &Shared) {
        let count = count.min(self.unsent);
        self.unsent -= count;
        self.taken += count as u64;
        shared.record(self.id, "client took", count as u64);
        // As the kernel does: a socket that was full is writable again when a third of its buffer is free.
        if self.full && (shared.settings.send_buffer - self.unsent) * 3 >= shared.settings.send_buffer {
            self.full = false;
            self.notify(Readiness { writable: true, ..Readiness::default() }, shared);
        }
    }

    /// The client sends an RST. It overtakes all that is in transit.
    pub fn send_reset(&mut self, shared: &Shared) {
        self.reset = true;
        self.in_transit.clear();
        shared.record(self.id, "client's RST arrived", 0);
        self.notify(Readiness { readable: true, writable: true, read_closed: false, error: true }, shared);
    }

    /// An event of the server's socket, for the next poll.
    pub fn notify(&mut self, event: Readiness, shared: &Shared) {
        if self.accepted.is_none() || self.closed.is_some() {
            return;
        }
        if self.readiness == Readiness::default() {
            shared.ready.borrow_mut().push(self.id);
        }
        self.readiness.readable |= event.readable;
        self.readiness.writable |= event.writable;
        self.readiness.read_closed |= event.read_closed;
        self.readiness.error |= event.error;
    }

    /// The server registers the socket: the next poll reports what is there already.
    pub fn register(&mut self, handle: ConnectionKey, shared: &Shared) {
        self.handle = Some(handle);
        let read_closed = self.client_fin == ClientFin::Arrived && !self.reset;
        let readable = !self.received.is_empty() || read_closed || self.reset;
        self.notify(Readiness { readable, writable: true, read_closed, error: self.reset }, shared);
    }

    /// It has another standing from now on.
    pub fn stand(&mut self, standing: Standing, shared: &Shared) {
        shared.slots.borrow_mut().change(self.standing, standing);
        self.standing = standing;
    }

    /// The server has made room as far as it could: from now on it is known whether this connection has a slot.
    pub fn decide(&mut self, shared: &Shared) {
        if self.standing == Standing::Undecided {
            let standing = shared.slots.borrow_mut().decide();
            self.over_limit = standing == Standing::OverLimit;
            self.stand(standing, shared);
        }
    }

    /// Adds to what is used of the budget for sent bytes and for reads.
    pub fn use_budget(&mut self, sent: usize, reads: usize, shared: &Shared) {
        if self.budget_period != shared.budget_period.get() {
            self.budget_period = shared.budget_period.get();
            self.budget_used = (0, 0);
        }
        self.budget_used.0 += sent;
        self.budget_used.1 += reads;
    }

    /// Remembers what had been delivered before the present loop iteration.
    pub fn note_iteration(&mut self, shared: &Shared) {
        if self.iteration != shared.iteration.get() {
            self.iteration = shared.iteration.get();
            self.delivered_before = self.delivered;
        }
    }
}
