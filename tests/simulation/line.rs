//! A connection: bytes on their way, two sockets of bounded size, FINs and RSTs.

use std::collections::VecDeque;

use holdline::server::{Handle, Readiness};

use super::answers::Answers;
use super::owed::Asked;
use super::scene::Scene;

/// A connection between a client and the server.
pub struct Line {
    pub id: usize,
    /// When the server took it, once it has.
    pub accepted: Option<u64>,
    /// There was no room for it: its first request may be answered by 503.
    pub unwelcome: bool,
    /// So many wait for such an answer that it is closed without one.
    pub shut_out: bool,
    pub handle: Option<Handle>,
    /// What the server's socket has to tell at the next poll.
    pub news: Readiness,

    pub asked: Vec<Asked>,
    /// What the client has sent, and the network has not delivered.
    pub transit: VecDeque<u8>,
    /// What the server's socket holds.
    pub inbox: VecDeque<u8>,
    /// Bytes the client has sent, the network has delivered, and the server has read.
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
    pub fin: Fin,
    /// The client's RST has arrived.
    pub reset: bool,
    /// The client has closed: what the server still sends is answered by an RST.
    pub left: bool,

    pub answers: Answers,
    /// Bytes that the client has not taken yet.
    pub outbox: usize,
    pub written: u64,
    pub taken: u64,
    /// The server waits for room.
    pub full: bool,
    pub our_fin: Option<u64>,
    /// The server's socket is closed; by an RST or not.
    pub gone: Option<bool>,

    /// When the server last wrote, and last read.
    pub wrote_at: u64,
    pub read_at: u64,
    /// When the server had read the first byte of the request that it has not answered yet.
    pub began_at: Option<u64>,
    /// When the server began to send the present answer, and what had been delivered before that turn.
    pub attempt: Option<(u64, u64)>,
    /// What had been delivered before the present turn.
    pub delivered_before: u64,
    turn: u64,
}

/// Where the client's FIN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fin {
    NotSent,
    /// Behind the bytes that are still on their way.
    Sent,
    Arrived,
}

impl Line {
    pub fn new(id: usize) -> Self {
        Line {
            id,
            accepted: None,
            unwelcome: false,
            shut_out: false,
            handle: None,
            news: Readiness::default(),
            asked: Vec::new(),
            transit: VecDeque::new(),
            inbox: VecDeque::new(),
            sent: 0,
            delivered: 0,
            read: 0,
            fin: Fin::NotSent,
            reset: false,
            left: false,
            answers: Answers::default(),
            outbox: 0,
            written: 0,
            taken: 0,
            full: false,
            our_fin: None,
            gone: None,
            wrote_at: 0,
            read_at: 0,
            began_at: None,
            attempt: None,
            delivered_before: 0,
            turn: 0,
        }
    }

    /// The server has a socket for it.
    pub fn is_open(&self) -> bool {
        self.accepted.is_some() && self.gone.is_none()
    }

    /// The client says something.
    pub fn send(&mut self, bytes: &[u8], asked: Asked) {
        self.transit.extend(bytes);
        self.sent += bytes.len() as u64;
        self.asked.push(asked);
    }

    /// The network delivers so much, as far as there is room; and the FIN, if it is next.
    pub fn deliver(&mut self, count: usize, scene: &Scene) {
        self.note_turn(scene);
        if self.gone.is_some() {
            self.transit.clear();
            self.fin = if self.fin == Fin::Sent { Fin::Arrived } else { self.fin };
            return;
        }
        let room = scene.climate.inbox - self.inbox.len();
        let count = count.min(self.transit.len()).min(room);
        if count > 0 {
            self.inbox.extend(self.transit.drain(..count));
            self.delivered += count as u64;
            scene.note(self.id, "delivered", count as u64);
            let arrival = (scene.now.get(), scene.tree.borrow().epoch);
            for asked in self.asked.iter_mut().skip(self.answers.done).filter(|asked| asked.arrived.is_none()) {
                if asked.ends <= self.delivered {
                    asked.arrived = Some(arrival);
                }
            }
            self.tell(Readiness { readable: true, ..Readiness::default() }, scene);
        }
        if self.transit.is_empty() && self.fin == Fin::Sent {
            self.fin = Fin::Arrived;
            scene.note(self.id, "client's FIN arrived", 0);
            self.tell(Readiness { readable: true, read_closed: true, ..Readiness::default() }, scene);
        }
    }

    /// The client takes so much, as far as there is something.
    pub fn take(&mut self, count: usize, scene: &Scene) {
        let count = count.min(self.outbox);
        self.outbox -= count;
        self.taken += count as u64;
        scene.note(self.id, "client took", count as u64);
        // As the kernel does: it tells when a third is free, of those who have found no room.
        if self.full && (scene.climate.outbox - self.outbox) * 3 >= scene.climate.outbox {
            self.full = false;
            self.tell(Readiness { writable: true, ..Readiness::default() }, scene);
        }
    }

    /// The client sends an RST: it arrives before all that is on its way.
    pub fn send_reset(&mut self, scene: &Scene) {
        self.reset = true;
        self.transit.clear();
        scene.note(self.id, "client's RST arrived", 0);
        self.tell(Readiness { readable: true, writable: true, read_closed: false, error: true }, scene);
    }

    /// The server's socket has something to tell.
    pub fn tell(&mut self, news: Readiness, scene: &Scene) {
        if self.accepted.is_none() || self.gone.is_some() {
            return;
        }
        if self.news == Readiness::default() {
            scene.told.borrow_mut().push(self.id);
        }
        self.news.readable |= news.readable;
        self.news.writable |= news.writable;
        self.news.read_closed |= news.read_closed;
        self.news.error |= news.error;
    }

    /// The server watches the socket from now on, and is told what there is already.
    pub fn register(&mut self, handle: Handle, scene: &Scene) {
        self.handle = Some(handle);
        let read_closed = self.fin == Fin::Arrived && !self.reset;
        let readable = !self.inbox.is_empty() || read_closed || self.reset;
        self.tell(Readiness { readable, writable: true, read_closed, error: self.reset }, scene);
    }

    /// What is delivered from now on is delivered during the present turn.
    pub fn note_turn(&mut self, scene: &Scene) {
        if self.turn != scene.turn.get() {
            self.turn = scene.turn.get();
            self.delivered_before = self.delivered;
        }
    }
}
