//! One connection as the driver holds it: its socket, its HTTP state machine, and the output that is not sent yet.

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
    /// Only while a response is going out, or the live feed is viewed.
    pub(super) send_state: Option<Box<SendState>>,
    pub(super) memory: Memory,
    /// A read may find something.
    pub(super) readable: bool,
    /// A write may find room.
    pub(super) writable: bool,
    /// EPOLLRDHUP was reported: read until the peer's FIN comes.
    pub(super) read_closed: bool,
    /// EPOLLERR was reported: read until the error comes.
    pub(super) error: bool,
    /// The engine's queue in which the connection stands.
    pub(super) queue: EngineQueue,
    /// Whether it is counted among the connections of its address.
    pub(super) counted: bool,
    /// Whether it is on the engine's ready list.
    pub(super) on_ready_list: bool,
}

/// What a connection needs to send responses. One that waits for a request has none, so that it takes no memory: an
/// empty send state returns to a one-slot pool, from which the next connection takes it.
#[derive(Debug, Default)]
pub(super) struct SendState {
    /// The responses' bytes that are not sent yet, in order.
    pub(super) waiting: VecDeque<Piece>,
    /// The responses that are not reported yet. Those to pipelined requests share a write.
    answering: VecDeque<Answering>,
    /// Set if it has requested the live feed and is not a viewer yet. The inner value is `Last-Event-ID`.
    entering: Option<Option<u64>>,
    /// The block of the live feed to send next.
    next_block: Option<u64>,
}

impl SendState {
    /// Removes the first `sent` bytes of the first piece, which were sent.
    pub(super) fn take_bytes(&mut self, sent: usize) {
        let Some(Piece::Bytes(_, rest)) = self.waiting.front_mut() else { return };
        rest.start += sent;
        if rest.start == rest.end {
            self.waiting.pop_front();
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.answering.is_empty() && self.entering.is_none() && self.next_block.is_none()
    }
}

/// The first and the last request of a connection, for the ledger.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The first request, then the last one if there is another.
    lines: String,
    /// The length of the first request.
    first: u8,
    /// The status of the response to the last request, once there is one.
    pub(super) last_status: Option<Status>,
}

impl Memory {
    /// Remembers a request.
    pub(super) fn remember(&mut self, head: &RequestHead<'_>) {
        self.remember_line(&[head.method_as_sent, " ", head.target_as_sent]);
    }

    /// Remembers the first line of bytes that are not a request.
    pub(super) fn remember_bytes(&mut self, bytes: &[u8]) {
        let end = bytes.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(bytes.len()).min(MAX_REMEMBERED);
        self.remember_line(&[&String::from_utf8_lossy(&bytes[..end])]);
    }

    fn remember_line(&mut self, words: &[&str]) {
        self.last_status = None;
        let first = usize::from(self.first);
        self.lines.truncate(first);
        let length: usize = words.iter().map(|word| word.len()).sum();
        if length <= MAX_REMEMBERED {
            words.iter().for_each(|word| self.lines.push_str(word));
        } else {
            self.lines.push_str(&clip(&words.concat(), MAX_REMEMBERED));
        }
        if first == 0 {
            self.first = self.lines.len() as u8;
        }
    }

    fn first(&self) -> &str {
        &self.lines[..usize::from(self.first)]
    }

    pub(super) fn last(&self) -> &str {
        match &self.lines[usize::from(self.first)..] {
            "" => &self.lines,
            last => last,
        }
    }
}

/// The engine's queue in which a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EngineQueue {
    /// The connection stands in none of them: it is busy.
    None,
    /// Connections over the limit, awaiting 503. They don't count towards the connection limit.
    OverLimit,
    /// Connections that have sent no request yet. The oldest may be evicted, if no idle one can.
    Silent,
    /// Connections that wait for another request, or that a plan of the lab has stalled. The longest idle may be evicted.
    Idle,
    /// Connections that wait for the peer's FIN. They don't count towards the connection limit.
    Lingering,
}

impl EngineQueue {
    pub(super) fn of(http: &Connection) -> Self {
        match http.state() {
            State::Lingering(_) => EngineQueue::Lingering,
            State::Closed(_) => EngineQueue::None,
            _ if http.is_rejected() => EngineQueue::OverLimit,
            State::Opened => EngineQueue::Silent,
            State::Idle | State::Stalled => EngineQueue::Idle,
            _ => EngineQueue::None,
        }
    }
}

/// A piece of output that is not sent yet.
#[derive(Debug)]
pub(super) enum Piece {
    /// The range of these bytes that is not sent yet. Blocks of the live feed are shared by all viewers.
    Bytes(Rc<[u8]>, Range<usize>),
    /// A part of a file.
    File(FileSlice),
    /// A block, repeated: the range of the repeated bytes that is not sent yet.
    Repeated(Rc<[u8]>, Range<u64>),
}

impl Piece {
    pub(super) fn whole(bytes: impl Into<Rc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let range = 0..bytes.len();
        Piece::Bytes(bytes, range)
    }
}

/// A response that is being sent, to be reported when it is sent.
#[derive(Clone, Debug)]
pub(super) struct Answering {
    pub(super) number: u32,
    pub(super) status: Status,
    pub(super) persistence: Persistence,
    pub(super) asked: Moment,
    /// The positions of its content among all bytes ever sent on the connection.
    pub(super) content: Range<u64>,
}

impl Answering {
    /// The report on the response, when `sent` bytes were sent on the connection.
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
            send_state: None,
            memory: Memory::default(),
            // With short connections the request has usually come when they are accepted.
            readable: true,
            writable: true,
            read_closed: false,
            error: false,
            queue: EngineQueue::None,
            counted: false,
            on_ready_list: false,
        }
    }

    /// The send state; created if there is none.
    pub(super) fn send_state(&mut self) -> &mut SendState {
        self.send_state.get_or_insert_default()
    }

    /// Takes a send state from the pool, if the connection has none and the pool has one.
    pub(super) fn take_send_state(&mut self, pool: &mut Option<Box<SendState>>) {
        if self.send_state.is_none() {
            self.send_state = pool.take();
        }
    }

    /// Returns the send state to the pool, if it is empty.
    pub(super) fn return_send_state(&mut self, pool: &mut Option<Box<SendState>>) {
        if self.send_state.as_deref().is_some_and(SendState::is_empty) {
            *pool = self.send_state.take();
        }
    }

    /// Whether a piece of output is not sent yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.send_state.as_deref().is_some_and(|state| !state.waiting.is_empty())
    }

    /// Notes that the connection requests the live feed, after the event with this id if there is one.
    pub(super) fn enter_feed(&mut self, last: Option<u64>) {
        self.send_state().entering = Some(last);
    }

    /// Takes the request for the live feed, if the connection is not a viewer yet.
    pub(super) fn take_entering(&mut self) -> Option<Option<u64>> {
        self.send_state.as_deref_mut()?.entering.take()
    }

    /// Sets the block of the live feed to send next.
    pub(super) fn go_on_with(&mut self, block: u64) {
        self.send_state().next_block = Some(block);
    }

    /// The block of the live feed to send next, if the connection is a viewer.
    pub(super) fn next_block(&self) -> Option<u64> {
        self.send_state.as_deref().and_then(|state| state.next_block)
    }

    /// Begins a response with content of this length; that of a live feed is unknown.
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
        self.send_state().answering.push_back(answering);
        self.memory.last_status = Some(status);
    }

    /// Ends the response that is a live feed.
    pub(super) fn end_answer(&mut self) {
        let end = self.http.bytes().1 + self.http.unsent();
        if let Some(answering) = self.send_state().answering.back_mut() {
            answering.content.end = end;
        }
    }

    /// Takes the first response that is sent; with `all`, because the connection ends or its last response can't be
    /// sent, the first of all.
    pub(super) fn take_answered(&mut self, all: bool, now: Moment) -> Option<Answered> {
        let sent = self.http.bytes().1;
        let answering = &mut self.send_state.as_deref_mut()?.answering;
        let is_out = all || answering.front()?.content.end <= sent;
        let answering = if is_out { answering.pop_front() } else { None };
        Some(answering?.answered(sent, now))
    }

    /// The whole life of the connection, which has ended.
    pub(super) fn life(&self, ending: Ending, now: Moment, with_round_trip: bool) -> Life<'_> {
        let (received, sent) = self.http.bytes();
        Life {
            id: self.id,
            peer: self.peer,
            ending,
            announced: self.http.announced(),
            first_fin: self.http.first_fin(),
            requests: self.http.requests(),
            idle: self.http.last_idle().unwrap_or_default(),
            age: now.since(self.http.opened()),
            received,
            sent,
            round_trip: with_round_trip.then(|| self.socket.tcp_info()).flatten().map(|info| info.round_trip),
            race: self.http.race(),
            first: self.memory.first(),
            last: self.memory.last(),
        }
    }

    /// Bytes of input that is not used yet, and of output in memory that is not sent yet.
    pub(super) fn buffered(&self) -> usize {
        let waiting = self.send_state.iter().flat_map(|state| &state.waiting).map(|piece| match piece {
            Piece::Bytes(_, rest) => rest.len(),
            Piece::File(_) | Piece::Repeated(..) => 0,
        });
        self.http.held().len() + waiting.sum::<usize>()
    }

    /// The present state of the connection, for `/-/status`.
    pub(super) fn snapshot(&self, tick: &Tick<'_>, with_tcp: bool) -> OpenConnection {
        let (bytes_received, bytes_sent) = self.http.bytes();
        let state = self.http.state();
        let timeout = self.http.timeout(tick).zip(self.http.deadline(tick));
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
