//! What a connection holds while a response goes out: the bytes that are not sent yet, and what is to be told of them.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use crate::http::{Moment, Persistence, Status};
use crate::observe::Answered;
use crate::site::FileSlice;

use super::live::Live;
use crate::server::socket::Socket;

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
    /// Notes that `sent` bytes of the first piece were sent.
    pub(super) fn sent_of_first(&mut self, sent: u64) {
        let Some(piece) = self.waiting.front_mut() else { return };
        piece.advance(sent);
        if piece.len() == 0 {
            self.waiting.pop_front();
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.answering.is_empty() && self.entering.is_none() && self.next_block.is_none()
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

    /// How many of its bytes are not sent yet.
    pub(super) fn len(&self) -> u64 {
        match self {
            Piece::Bytes(_, rest) => rest.len() as u64,
            Piece::File(slice) => slice.length,
            Piece::Repeated(_, rest) => rest.end - rest.start,
        }
    }

    fn advance(&mut self, sent: u64) {
        match self {
            Piece::Bytes(_, rest) => rest.start += sent as usize,
            Piece::File(slice) => (slice.offset, slice.length) = (slice.offset + sent, slice.length - sent),
            Piece::Repeated(_, rest) => rest.start += sent,
        }
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
        self.remembered.last_status = Some(status);
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
}
