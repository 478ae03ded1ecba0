//! One connection as the driver holds it: its socket, its HTTP, and what waits to be sent.

use std::collections::VecDeque;

use crate::http::{Connection, Ending, Method, Moment, Persistence, RequestHead, State, Status};
use crate::observe::{Answered, ConnectionId, Life, Peer};
use crate::site::FileSlice;

use super::socket::Socket;

/// Bytes of a request's method and target that are remembered for the ledger.
const MAX_REMEMBERED: usize = 100;

/// A live connection.
#[derive(Debug)]
pub struct Live<S> {
    pub(super) id: ConnectionId,
    pub(super) peer: Peer,
    pub(super) socket: S,
    pub(super) http: Connection,
    /// What is promised and not sent yet, in order.
    pub(super) waiting: VecDeque<Piece>,
    /// The response that is going out.
    pub(super) answering: Option<Answering>,
    pub(super) first: String,
    pub(super) last: String,
    /// A read may find something.
    pub(super) readable: bool,
    /// A write may find room.
    pub(super) writable: bool,
    /// The kernel has told that the peer sends no more: read until its FIN comes.
    pub(super) hangup: bool,
    /// The engine's queue in which it stands.
    pub(super) place: Place,
    /// It is on the list of those that have used up their share of a turn.
    pub(super) queued: bool,
}

/// In which of the engine's queues a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In none.
    Busy,
    /// Among those that wait for a request.
    Idle,
    /// Among those that wait for the peer's FIN.
    Lingering,
}

impl Place {
    pub(super) fn of(state: State) -> Self {
        match state {
            State::Idle => Place::Idle,
            State::Lingering(_) => Place::Lingering,
            _ => Place::Busy,
        }
    }
}

/// A piece of what waits to be sent.
#[derive(Debug)]
pub(super) enum Piece {
    /// Bytes, from the given one on.
    Bytes(Vec<u8>, usize),
    /// A part of a file.
    File(FileSlice),
}

/// What there will be to tell of a response when it is out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answering {
    pub(super) number: u32,
    pub(super) status: Status,
    pub(super) content: u64,
    pub(super) persistence: Persistence,
    pub(super) asked: Moment,
}

impl Answering {
    pub(super) fn answered(self, now: Moment, complete: bool) -> Answered {
        let Answering { number, status, content, persistence, asked } = self;
        Answered { number, status, content, persistence, took: now.since(asked), complete }
    }
}

impl<S: Socket> Live<S> {
    pub(super) fn new(id: ConnectionId, peer: Peer, socket: S, now: Moment) -> Self {
        Live {
            id,
            peer,
            socket,
            http: Connection::new(now),
            waiting: VecDeque::new(),
            answering: None,
            first: String::new(),
            last: String::new(),
            // With short connections the request is usually there when they are accepted.
            readable: true,
            writable: true,
            hangup: false,
            place: Place::Busy,
            queued: false,
        }
    }

    /// Remembers the request for the ledger, as its first or its last.
    pub(super) fn remember(first: &mut String, last: &mut String, head: &RequestHead<'_>) {
        let line = if first.is_empty() { first } else { last };
        line.clear();
        if head.method != Method::Unknown {
            line.push_str(head.method.as_str());
            line.push(' ');
        }
        let room = MAX_REMEMBERED - line.len();
        match head.target_as_sent.get(..room) {
            Some(beginning) if beginning.len() < head.target_as_sent.len() => {
                line.push_str(beginning);
                line.push_str("...");
            }
            _ => line.push_str(head.target_as_sent),
        }
    }

    /// Its whole life, now that it has ended.
    pub(super) fn life(&self, ending: Ending, now: Moment, with_round_trip: bool) -> Life<'_> {
        let (received, sent) = self.http.bytes();
        Life {
            id: self.id,
            peer: self.peer,
            ending,
            announced: self.http.announced(),
            first_fin: self.http.first_fin(),
            requests: self.http.requests(),
            idle: self.http.idled(),
            age: now.since(self.http.opened()),
            received,
            sent,
            round_trip: if with_round_trip { self.socket.round_trip() } else { None },
            race: self.http.race(),
            first: &self.first,
            last: if self.last.is_empty() { &self.first } else { &self.last },
        }
    }
}
