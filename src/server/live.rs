//! One connection as the driver holds it: its socket, its HTTP, and what waits to be sent.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use crate::http::{Connection, Ending, Moment, Persistence, RequestHead, State, Status, Tick};
use crate::observe::snapshot::{LastRequest, OpenConnection, Tcp, Timeout, millis};
use crate::observe::text::clip;
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
    /// Responses to pipelined requests before that one, which go out in the same write.
    pub(super) earlier: VecDeque<Answering>,
    /// It has asked for the live feed, from behind the event with this id if there is one.
    pub(super) entering: Option<Option<u64>>,
    /// The block of the live feed that comes next.
    pub(super) next_block: Option<u64>,
    pub(super) memory: Memory,
    /// A read may find something.
    pub(super) readable: bool,
    /// A write may find room.
    pub(super) writable: bool,
    /// The kernel has told that the peer sends no more: read until its FIN comes.
    pub(super) hangup: bool,
    /// The engine's queue in which it stands.
    pub(super) place: Place,
    /// It counts among the connections of its address.
    pub(super) counted: bool,
    /// It is on the list of those that have used up their share of a turn.
    pub(super) queued: bool,
}

/// What is remembered of a connection's first and last request, for the ledger.
#[derive(Debug, Default)]
pub(super) struct Memory {
    first: String,
    /// Empty as long as the first is also the last.
    last: String,
    /// Of the last request, once it is answered.
    pub(super) last_status: Option<Status>,
}

impl Memory {
    /// A request has come.
    pub(super) fn remember(&mut self, head: &RequestHead<'_>) {
        let line = self.next_line();
        push_short(line, head.method_as_sent);
        line.push(' ');
        push_short(line, head.target_as_sent);
    }

    /// Something has come that is no request: its first line will have to do.
    pub(super) fn remember_bytes(&mut self, bytes: &[u8]) {
        let end = bytes.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(bytes.len()).min(MAX_REMEMBERED);
        push_short(self.next_line(), &String::from_utf8_lossy(&bytes[..end]));
    }

    fn next_line(&mut self) -> &mut String {
        self.last_status = None;
        let line = if self.first.is_empty() { &mut self.first } else { &mut self.last };
        line.clear();
        line
    }

    fn last(&self) -> &str {
        if self.last.is_empty() { &self.first } else { &self.last }
    }
}

fn push_short(line: &mut String, text: &str) {
    line.push_str(&clip(text, MAX_REMEMBERED - line.len()));
}

/// In which of the engine's queues a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In none.
    Busy,
    /// Among those that wait for a request, or that the lab keeps waiting: they may have to make room.
    Idle,
    /// Among those that wait for the peer's FIN.
    Lingering,
}

impl Place {
    pub(super) fn of(state: State) -> Self {
        match state {
            State::Idle | State::Stalled => Place::Idle,
            State::Lingering(_) => Place::Lingering,
            _ => Place::Busy,
        }
    }
}

/// A piece of what waits to be sent.
#[derive(Debug)]
pub(super) enum Piece {
    /// Those of the bytes that are not sent yet. Blocks of the live feed are shared by all viewers.
    Bytes(Rc<[u8]>, Range<usize>),
    /// A part of a file.
    File(FileSlice),
    /// A block again and again: what is not sent yet of so many bytes.
    Repeated(Rc<[u8]>, Range<u64>),
}

impl Piece {
    pub(super) fn whole(bytes: impl Into<Rc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let range = 0..bytes.len();
        Piece::Bytes(bytes, range)
    }
}

/// What there will be to tell of a response when it is out.
#[derive(Clone, Debug)]
pub(super) struct Answering {
    pub(super) number: u32,
    pub(super) status: Status,
    pub(super) persistence: Persistence,
    pub(super) asked: Moment,
    /// Where its content begins and where it ends, in all that is ever sent on the connection.
    pub(super) content: Range<u64>,
}

impl Answering {
    /// As far as it went when so many bytes had been sent on the connection.
    pub(super) fn answered(self, sent: u64, now: Moment) -> Answered {
        let Answering { number, status, persistence, asked, content } = self;
        let complete = sent >= content.end;
        let content = sent.min(content.end).saturating_sub(content.start);
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
            earlier: VecDeque::new(),
            entering: None,
            next_block: None,
            memory: Memory::default(),
            // With short connections the request is usually there when they are accepted.
            readable: true,
            writable: true,
            hangup: false,
            place: Place::Busy,
            counted: false,
            queued: false,
        }
    }

    /// A response begins. Its content has this length; a live feed's is not known.
    pub(super) fn begin_answer(
        &mut self,
        status: Status,
        length: Option<u64>,
        persistence: Persistence,
        asked: Moment,
    ) {
        let end = self.http.bytes().1 + self.http.unsent();
        let content = length.map_or(end..u64::MAX, |length| end - length..end);
        let answering = Answering { number: self.http.requests(), status, persistence, asked, content };
        self.earlier.extend(self.answering.replace(answering));
        self.memory.last_status = Some(status);
    }

    /// A live feed has come to its end.
    pub(super) fn end_answer(&mut self) {
        if let Some(answering) = &mut self.answering {
            answering.content.end = self.http.bytes().1 + self.http.unsent();
        }
    }

    /// The first of the responses that are out; when the connection ends, or the last of them can't be sent whole, of
    /// all.
    pub(super) fn take_answered(&mut self, all: bool, now: Moment) -> Option<Answered> {
        let sent = self.http.bytes().1;
        let is_out = |answering: &Answering| all || answering.content.end <= sent;
        let answering = match self.earlier.front() {
            None => self.answering.take_if(|last| is_out(last)),
            Some(first) if is_out(first) => self.earlier.pop_front(),
            Some(_) => None,
        };
        Some(answering?.answered(sent, now))
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
            round_trip: with_round_trip.then(|| self.socket.tcp_info()).flatten().map(|info| info.round_trip),
            race: self.http.race(),
            first: &self.memory.first,
            last: self.memory.last(),
        }
    }

    /// How it stands now, for `/-/status`.
    pub(super) fn snapshot(&self, tick: &Tick<'_>, with_tcp: bool) -> OpenConnection {
        let (bytes_received, bytes_sent) = self.http.bytes();
        let state = self.http.state();
        let timeout = self.http.timeout(tick.limits).zip(self.http.deadline(tick.limits));
        let tcp = with_tcp.then(|| self.socket.tcp_info()).flatten();
        OpenConnection {
            id: self.id.0,
            peer: self.peer.to_string(),
            state: state.label(),
            age_ms: millis(tick.now.since(self.http.opened())),
            requests: self.http.requests(),
            bytes_received,
            bytes_sent,
            timeout: timeout
                .map(|((_, why), deadline)| Timeout { reason: why.label(), in_ms: millis(deadline.since(tick.now)) }),
            last: self.memory.last().split_once(' ').map(|(method, target)| LastRequest {
                method: method.to_owned(),
                target: target.to_owned(),
                status: self.memory.last_status.map(Status::code),
            }),
            tcp: tcp.map(|info| Tcp {
                state: info.state,
                rtt_us: u32::try_from(info.round_trip.as_micros()).unwrap_or(u32::MAX),
                unacked: info.unacked,
                retransmits: info.retransmits,
            }),
        }
    }
}
