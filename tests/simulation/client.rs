//! The clients: small state machines with many behaviours, of which some keep to the protocol and others don't.

use std::cell::RefCell;
use std::rc::Rc;

use super::compose::{Style, compose};
use super::connection::{ClientFin, Connection};
use super::random::Random;
use super::shared::Shared;

/// How a client behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Sends one request after the other, with a pause between some.
    Plain,
    /// Pipelines: sends several requests ahead of the responses.
    Pipeliner,
    /// Pipelines very many requests for small files.
    Greedy,
    /// Sends a few bytes at a time, without long pauses.
    Trickler,
    /// Sends one byte at a time, slower than any limit allows.
    Dripper,
    /// Stops reading.
    NonReader,
    /// Reads a few bytes at a time.
    SlowReader,
    /// Sends its FIN behind its last request, and reads on.
    HalfCloser,
    /// Sends an RST at some moment.
    Resetter,
    /// Closes its socket at some moment, even during a request or response.
    Leaver,
    /// Sends its next request when the server is about to close the idle connection.
    Racer,
    /// Its last request is shorter than it announces.
    Liar,
    /// Sends malformed requests.
    Babbler,
    /// Sends a body that is too large, and goes on sending whatever the server says.
    Flooder,
    /// Speaks HTTP/1.0.
    Http10,
    /// Connects and sends nothing.
    Silent,
}

const BEHAVIOURS: &[Behaviour] = &[
    Behaviour::Plain,
    Behaviour::Plain,
    Behaviour::Plain,
    Behaviour::Pipeliner,
    Behaviour::Pipeliner,
    Behaviour::Greedy,
    Behaviour::Trickler,
    Behaviour::Dripper,
    Behaviour::NonReader,
    Behaviour::SlowReader,
    Behaviour::HalfCloser,
    Behaviour::Resetter,
    Behaviour::Leaver,
    Behaviour::Racer,
    Behaviour::Racer,
    Behaviour::Liar,
    Behaviour::Babbler,
    Behaviour::Flooder,
    Behaviour::Http10,
    Behaviour::Http10,
    Behaviour::Silent,
];

/// A client with one connection.
pub struct Client {
    pub behaviour: Behaviour,
    pub connection: Rc<RefCell<Connection>>,
    /// It connects from this machine.
    pub local: bool,
    /// How many requests it has still to send.
    left: usize,
    /// How many requests it sends ahead of the responses.
    depth: usize,
    /// How many bytes the network delivers at once.
    piece: usize,
    /// How long it pauses after its last request, or, if it races, after the last response.
    patience: u64,
    requested_at: u64,
    random: Random,
    connected: bool,
    /// It has nothing more to do.
    pub over: bool,
}

impl Client {
    pub fn new(id: usize, random: &mut Random) -> Self {
        let behaviour = random.pick(BEHAVIOURS);
        let (left, depth) = match behaviour {
            Behaviour::Silent => (0, 1),
            Behaviour::Greedy => (100, 100),
            Behaviour::Flooder => (1, 1),
            Behaviour::Pipeliner => (random.size(1..=12), random.size(2..=12)),
            _ => (random.size(1..=12), 1),
        };
        Client {
            behaviour,
            connection: Rc::new(RefCell::new(Connection::new(id))),
            local: random.one_in(4),
            left,
            depth,
            piece: match behaviour {
                Behaviour::Trickler => random.size(1..=30),
                Behaviour::Dripper => 1,
                Behaviour::Flooder => 1_000_000,
                _ => random.pick(&[1_000_000, 1_000_000, 1460, 100]),
            },
            patience: 0,
            requested_at: 0,
            random: Random::new(random.next()),
            connected: false,
            over: false,
        }
    }

    /// It has not connected yet.
    pub fn is_new(&self) -> bool {
        !self.connected
    }

    /// Takes one step. Returns the time until the next one.
    pub fn act(&mut self, shared: &Shared) -> u64 {
        self.connected = true;
        let connection = Rc::clone(&self.connection);
        let connection = &mut *connection.borrow_mut();
        let reads_no_more = connection.unsent == 0 || self.behaviour == Behaviour::NonReader;
        if connection.reset || connection.closed == Some(true) || connection.closed.is_some() && reads_no_more {
            self.over = true;
            return 0;
        }
        if connection.accepted.is_none() {
            // In the accept queue; the handshake is over, so it may send already.
            if connection.requests.is_empty() {
                self.send_request(connection, shared);
            }
            connection.deliver(self.piece, shared);
            return self.pause(1000);
        }
        if !connection.in_transit.is_empty() || connection.client_fin == ClientFin::InTransit {
            let room = shared.settings.receive_buffer > connection.received.len();
            if room && !self.random.one_in(4) || self.behaviour == Behaviour::Dripper {
                let count = self.random.size(1..=self.piece);
                connection.deliver(count, shared);
                return match self.behaviour {
                    Behaviour::Dripper if !shared.faults_over.get() => self.random.within(1..=600_000),
                    _ => self.pause(500),
                };
            }
        }
        self.misbehave(connection, shared);
        if connection.unsent > 0 && self.reads(shared) {
            let all = self.random.one_in(2);
            let count = if all { connection.unsent } else { self.random.size(1..=connection.unsent) };
            connection.take(if self.behaviour == Behaviour::SlowReader { count.min(50) } else { count }, shared);
            return self.pause(500);
        }
        let since = if self.behaviour == Behaviour::Racer { connection.wrote_at } else { self.requested_at };
        let wait = (since + self.patience).saturating_sub(shared.now.get());
        if wait > 0 && connection.responses.is_between() {
            return wait.min(1_000_000);
        }
        self.send_next(connection, shared);
        if self.behaviour == Behaviour::Racer {
            connection.deliver(self.piece, shared);
        }
        self.pause(1000)
    }

    /// Sends the next request, or the FIN.
    fn send_next(&mut self, connection: &mut Connection, shared: &Shared) {
        if connection.client_fin != ClientFin::NotSent || connection.client_closed {
            return;
        }
        let answered = connection.responses.ends.iter().filter(|end| **end <= connection.taken).count();
        let read_close = connection.responses.announced && connection.taken == connection.written;
        let read_fin = (connection.server_fin.is_some() || connection.closed.is_some()) && connection.unsent == 0;
        let unanswered = connection.requests.len() - answered;
        if read_close || read_fin || unanswered == 0 && self.left == 0 && self.behaviour != Behaviour::Silent {
            connection.client_fin = ClientFin::InTransit;
            shared.trace(Some(connection.id), "client's FIN", 0);
        } else if self.left > 0 && unanswered < self.depth {
            let count = if self.behaviour == Behaviour::Greedy { self.left } else { 1 };
            (0..count).for_each(|_| self.send_request(connection, shared));
        }
    }

    fn send_request(&mut self, connection: &mut Connection, shared: &Shared) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let style = Style {
            http10: self.behaviour == Behaviour::Http10,
            local: self.local,
            last: self.left == 0 && self.random.one_in(3),
            malformed: self.behaviour == Behaviour::Babbler || self.behaviour == Behaviour::Liar && self.left == 0,
            greedy: self.behaviour == Behaviour::Greedy,
            flood: (self.behaviour == Behaviour::Flooder)
                .then(|| shared.settings.receive_buffer * self.random.size(1..=8)),
        };
        let max_body = shared.settings.limits.max_body;
        let (mut bytes, request) = compose(&mut self.random, &shared.tree.borrow(), style, max_body, connection.sent);
        if self.behaviour == Behaviour::Liar && self.left == 0 {
            // The rest of it never follows.
            bytes.truncate(self.random.size(1..=bytes.len()));
        }
        shared.trace(Some(connection.id), "client sends a request that ends at byte", request.ends);
        connection.send(&bytes, request);
        if self.behaviour == Behaviour::HalfCloser && self.left == 0 {
            connection.client_fin = ClientFin::InTransit;
        }
        self.requested_at = shared.now.get();
        self.patience = self.think(connection, shared);
    }

    /// How long it pauses before the next request.
    fn think(&mut self, connection: &Connection, shared: &Shared) -> u64 {
        let limits = &shared.settings.limits;
        let promise = limits.keep_alive_timeout.as_micros() as u64;
        let grace = limits.keep_alive_grace.as_micros() as u64;
        match self.behaviour {
            Behaviour::Racer => {
                let around = self.random.pick(&[0, 1, 2, 100, 1_000, 70_000, 500_000]);
                let target = if self.random.one_in(2) { promise } else { promise + grace };
                if self.random.one_in(2) { target + around } else { target.saturating_sub(around) }
            }
            _ if connection.requests.len().is_multiple_of(3) => self.random.within(0..=promise / 2),
            _ => 0,
        }
    }

    fn reads(&mut self, shared: &Shared) -> bool {
        match self.behaviour {
            Behaviour::NonReader => !shared.faults_over.get() && self.random.one_in(2000),
            Behaviour::SlowReader => shared.faults_over.get() || self.random.one_in(4),
            _ => true,
        }
    }

    fn misbehave(&mut self, connection: &mut Connection, shared: &Shared) {
        match self.behaviour {
            Behaviour::Resetter if self.random.one_in(20) => connection.send_reset(shared),
            Behaviour::Leaver if self.random.one_in(20) && !connection.client_closed => {
                connection.client_closed = true;
                if connection.unsent > 0 {
                    // A close with unread bytes sends an RST.
                    connection.send_reset(shared);
                } else if connection.client_fin == ClientFin::NotSent {
                    connection.client_fin = ClientFin::InTransit;
                }
            }
            _ => {}
        }
    }

    /// A short pause, usually shorter than `usual`.
    fn pause(&mut self, usual: u64) -> u64 {
        match self.random.within(0..=20) {
            0..=9 => self.random.within(1..=20),
            20 => self.random.within(1..=usual * 20),
            _ => self.random.within(1..=usual),
        }
    }
}
