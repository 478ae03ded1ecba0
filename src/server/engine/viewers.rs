//! The viewers of the live feed: how they enter and leave, and how much of it each is lent at a time.

use crate::http::{CloseReason, Moment, State, Tick, Version};
use crate::observe::Event;
use crate::observe::feed_events::Hello;
use crate::observe::snapshot::moment_ms;

use super::Engine;
use super::send_state::Piece;
use crate::server::socket::Socket;
use crate::site::{Report, Response};

/// Viewers of the live feed. Each costs a `send` for each block of it; more get 503.
const MAX_VIEWERS: usize = 64;

/// Bytes of the feed that are queued for a viewer at a time.
const MAX_VIEWER_BYTES: usize = 64 * 1024;

/// The send buffer of a viewer's socket (SO_SNDBUF).
const VIEWER_SEND_BUFFER: usize = 64 * 1024;

/// The last chunk, and no trailers (RFC 9112 §7.1).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

impl<S: Socket> Engine<S> {
    /// Sends the block of events that is due, if one is, to the viewers of the live feed.
    pub fn feed(&mut self, tick: &Tick<'_>) {
        if !self.observers.feed.is_due(tick.now) {
            return;
        }
        if self.observers.feed.wants_totals(tick.now) {
            let totals = self.totals();
            self.observers.feed.tell_totals(&totals, tick.now);
        }
        self.observers.feed.seal(tick.now);
        for key in self.viewers.clone() {
            self.drive(key, tick);
        }
    }

    /// The response that becomes the feed, if it may have one more viewer.
    pub(super) fn open_feed(&self, last: Option<u64>) -> Response {
        if self.viewers.len() < MAX_VIEWERS { Report::feed(last) } else { Report::too_many_viewers() }
    }

    /// Queues more of the feed for a viewer that has taken all that was queued. Returns whether the connection is to be
    /// driven again.
    pub(super) fn serve_viewer(&mut self, key: usize, tick: &Tick<'_>) -> bool {
        if let Some(last) = self.connections[key].take_entering() {
            self.admit_viewer(key, last, tick);
            return true;
        }
        // A viewer with unsent bytes gets no more, but it may have fallen too far behind.
        let about = if self.connections[key].http.has_unsent() { 0 } else { MAX_VIEWER_BYTES };
        self.lend(key, about, tick)
    }

    /// Ends the feed of each viewer, because the server shuts down.
    pub fn end_feeds(&mut self, tick: &Tick<'_>) {
        self.observers.feed.seal(tick.now);
        for key in self.viewers.clone() {
            if self.connections[key].http.state() != State::Streaming {
                continue;
            }
            self.lend(key, usize::MAX, tick);
            let live = &mut self.connections[key];
            if live.http.state() == State::Streaming {
                if live.http.version() == Version::Http11 {
                    live.http.fed(LAST_CHUNK.len() as u64);
                    live.send_state().waiting.push_back(Piece::whole(LAST_CHUNK));
                }
                live.end_answer();
                live.http.end_feed(CloseReason::Draining, tick);
            }
            self.drive(key, tick);
        }
    }

    /// Queues the next blocks of the feed for a viewer, until they have about this many bytes. Returns whether there
    /// were any, or the connection was aborted.
    fn lend(&mut self, key: usize, about: usize, tick: &Tick<'_>) -> bool {
        let live = &mut self.connections[key];
        let Some(mut next) = live.next_block().filter(|_| live.http.state() == State::Streaming) else { return false };
        let chunked = live.http.version() == Version::Http11;
        let mut lent = 0;
        loop {
            match self.observers.feed.block(next) {
                // Its next block is gone: the viewer is too slow.
                Err(()) => {
                    live.http.abort(CloseReason::SlowReader, tick.now);
                    return true;
                }
                Ok(Some(block)) if lent < about => {
                    let range = if chunked { 0..block.chunk.len() } else { block.events.clone() };
                    lent += range.len();
                    live.http.fed(range.len() as u64);
                    live.send_state().waiting.push_back(Piece::Bytes(block.chunk.clone(), range));
                    next += 1;
                }
                Ok(_) => {
                    live.go_on_with(next);
                    return lent > 0;
                }
            }
        }
    }

    /// Removes a connection that has ended from the viewers.
    pub(super) fn forget_viewer(&mut self, key: usize, now: Moment) {
        if let Some(index) = self.viewers.iter().position(|viewer| *viewer == key) {
            self.viewers.swap_remove(index);
            self.observers.feed.leave(now);
        }
    }

    fn admit_viewer(&mut self, key: usize, last: Option<u64>, tick: &Tick<'_>) {
        let entry = self.observers.feed.enter(last, tick.now);
        let policy = self.policy(tick);
        let unix_ms = self.started_unix_ms() + tick.now.as_micros() / 1000;
        let live = &mut self.connections[key];
        let hello = Hello {
            t: moment_ms(tick.now),
            server: concat!("holdline/", env!("CARGO_PKG_VERSION")),
            you: live.id.0,
            unix_ms,
            policy,
            missed: entry.missed,
        };
        let mut hello = hello.encode();
        hello.extend(entry.rest);
        if live.http.version() == Version::Http11 {
            hello = [format!("{:x}\r\n", hello.len()).as_bytes(), &hello, b"\r\n"].concat();
        }
        live.http.fed(hello.len() as u64);
        live.send_state().waiting.push_back(Piece::whole(hello));
        live.go_on_with(entry.block);
        live.socket.limit_send_buffer(VIEWER_SEND_BUFFER);
        self.viewers.push(key);
        self.observers.observe(tick.now, live.id, &Event::Viewer);
    }
}
