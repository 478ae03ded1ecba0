//! `/-/events`: the stream of server-sent events, encoded once for all viewers.
//!
//! Events are collected into blocks, and blocks are kept in a ring. A viewer is a position in the ring: it costs no
//! copy, and one that falls so far behind that its block is gone is too slow. Without a viewer nothing is encoded.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::feed_events::{self, encode_sampled, encode_totals};
use super::snapshot::Totals;
use super::{ConnectionId, Event};
use crate::http::Moment;

/// Bytes of events that are kept for viewers that are behind or reconnect.
const MAX_RING: usize = 1 << 20;

/// How long events are collected before they are sent as one block.
pub const BLOCK_TIME: Duration = Duration::from_millis(50);

/// How often the totals are sent.
const TOTALS_TIME: Duration = Duration::from_secs(1);

/// How often a comment is sent, for proxies that cut silent connections.
const HEARTBEAT_TIME: Duration = Duration::from_secs(15);

/// Events per block. When more happen, only every 2nd, 4th, 8th … connection is shown.
const MAX_BLOCK_EVENTS: u32 = 150;

/// Bytes of events per block. More are left out until the sampling has adapted.
const MAX_BLOCK: usize = 128 << 10;

/// How long events are still collected after the last viewer has left, in case it reconnects.
const AFTERGLOW: Duration = Duration::from_secs(30);

/// Events that were encoded together, framed as one chunk of the chunked coding.
#[derive(Clone, Debug)]
pub struct Block {
    /// The chunk.
    pub chunk: Rc<[u8]>,
    /// The range of the events in the chunk, without its framing.
    pub events: std::ops::Range<usize>,
}

/// The stream of events.
#[derive(Debug, Default)]
pub struct Feed {
    ring: VecDeque<Block>,
    ring_bytes: usize,
    /// The number of the first block in the ring.
    first_block: u64,
    /// Events that are not in a block yet.
    fresh: Vec<u8>,
    last_id: u64,
    /// The ids of this process are greater than this one.
    first_id: u64,
    viewers: usize,
    /// Until this moment events are collected even without a viewer.
    until: Moment,
    block_due: Moment,
    totals_due: Moment,
    heartbeat_due: Moment,
    /// Only every Nth connection is shown: those whose number this divides.
    every: u64,
    /// Events that happened since the last block, whether shown or not.
    happened: u32,
    left_out: u64,
}

/// The position at which a viewer begins, and the number of events that it has missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// The events to send first: those after the last one that it has seen, in the same block.
    pub rest: Vec<u8>,
    /// The block to send next.
    pub block: u64,
    /// Missed events that are gone; `None` if the last event that the viewer has seen is of another process, before
    /// this one.
    pub missed: Option<u64>,
}

impl Feed {
    /// Numbers the events from this id on. If it is the time at which the process started, no other process gives the
    /// same ids.
    pub fn number_from(&mut self, id: u64) {
        (self.first_id, self.last_id) = (id, id);
    }

    /// Whether events are collected.
    pub fn is_active(&self, now: Moment) -> bool {
        self.viewers > 0 || now < self.until
    }

    /// Adds a viewer. One that reconnects gives the id of the last event that it has seen.
    pub fn enter(&mut self, last: Option<u64>, now: Moment) -> FeedEntry {
        if !self.is_active(now) {
            self.begin(now);
        }
        self.viewers += 1;
        self.seal(now);
        let next = self.first_block + self.ring.len() as u64;
        let from_now = |missed| FeedEntry { rest: Vec::new(), block: next, missed };
        match last {
            None => from_now(Some(0)),
            Some(last) if last > self.last_id || last < self.first_id => from_now(None),
            Some(last) if last == self.last_id => from_now(Some(0)),
            Some(last) => match self.find_behind(last) {
                Some((block, rest)) => FeedEntry { rest, block: block + 1, missed: Some(0) },
                None => from_now(Some(self.last_id - last)),
            },
        }
    }

    /// Removes a viewer.
    pub fn leave(&mut self, now: Moment) {
        self.viewers -= 1;
        self.until = now + AFTERGLOW;
    }

    /// The block with this number; `Err` if it is gone, `Ok(None)` if it is not complete yet.
    #[expect(clippy::result_unit_err, reason = "there is nothing to say of what is gone")]
    pub fn block(&self, number: u64) -> Result<Option<&Block>, ()> {
        let index = number.checked_sub(self.first_block).ok_or(())?;
        Ok(usize::try_from(index).ok().and_then(|index| self.ring.get(index)))
    }

    /// Whether a block is due.
    pub fn is_due(&self, now: Moment) -> bool {
        self.is_active(now) && now >= self.next_due()
    }

    /// Whether the block that is due has totals.
    pub fn wants_totals(&self, now: Moment) -> bool {
        now >= self.totals_due
    }

    /// When the next block is due.
    pub fn wake(&self, now: Moment) -> Option<Moment> {
        self.is_active(now).then(|| self.next_due())
    }

    /// Adds the totals.
    pub fn tell_totals(&mut self, totals: &Totals, now: Moment) {
        self.totals_due = now + TOTALS_TIME;
        self.last_id += 1;
        encode_totals(&mut self.fresh, self.last_id, now, totals);
    }

    /// Completes the present block, so that viewers get it.
    pub fn seal(&mut self, now: Moment) {
        if self.left_out > 0 {
            self.last_id += 1;
            encode_sampled(&mut self.fresh, self.last_id, now, self.left_out, self.every);
            self.left_out = 0;
        }
        if now >= self.heartbeat_due {
            self.heartbeat_due = now + HEARTBEAT_TIME;
            self.fresh.extend_from_slice(b": heartbeat\n\n");
        }
        self.block_due = now + BLOCK_TIME;
        self.adapt();
        if self.fresh.is_empty() {
            return;
        }
        let size = format!("{:x}\r\n", self.fresh.len());
        let chunk = [size.as_bytes(), &self.fresh, b"\r\n"].concat();
        let events = size.len()..chunk.len() - 2;
        self.fresh.clear();
        self.ring_bytes += chunk.len();
        self.ring.push_back(Block { chunk: chunk.into(), events });
        while self.ring_bytes > MAX_RING {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.ring_bytes -= oldest.chunk.len();
            self.first_block += 1;
        }
    }

    /// Adds an event, or leaves it out.
    pub fn show(&mut self, now: Moment, conn: ConnectionId, event: &Event<'_>) {
        if !self.is_active(now) {
            return;
        }
        self.happened += 1;
        // A connection is shown whole or not at all, except for events that nobody should miss.
        let shown = conn.0.is_multiple_of(self.every) || matches!(event, Event::Race { .. } | Event::Viewer);
        if !shown || self.fresh.len() >= MAX_BLOCK {
            self.left_out += 1;
            return;
        }
        self.last_id += 1;
        feed_events::encode(&mut self.fresh, self.last_id, now, conn, event);
    }

    fn begin(&mut self, now: Moment) {
        // Events in between were not numbered; a viewer that reconnects must learn that some are missing.
        self.last_id += u64::from(self.last_id > self.first_id);
        self.first_block += self.ring.len() as u64;
        self.ring.clear();
        self.ring_bytes = 0;
        self.fresh.clear();
        self.every = 1;
        self.happened = 0;
        self.left_out = 0;
        self.heartbeat_due = now + HEARTBEAT_TIME;
        self.totals_due = now;
    }

    /// Shows fewer connections when more happens than a block may hold, and more when it is quiet.
    fn adapt(&mut self) {
        let shown = u64::from(self.happened) / self.every.max(1);
        if shown > u64::from(MAX_BLOCK_EVENTS) {
            self.every = self.every.saturating_mul(2);
        } else if shown < u64::from(MAX_BLOCK_EVENTS / 4) && self.every > 1 {
            self.every /= 2;
        }
        self.happened = 0;
    }

    fn next_due(&self) -> Moment {
        if self.fresh.is_empty() && self.left_out == 0 { self.totals_due } else { self.block_due }
    }

    /// The events after `last`, if they are still kept: the number of the block in which they begin, and those in that
    /// block.
    fn find_behind(&self, last: u64) -> Option<(u64, Vec<u8>)> {
        let wanted = format!("id: {}\n", last + 1);
        let place = |block: &Block| memchr::memmem::find(&block.chunk, wanted.as_bytes());
        let (index, start) = self.ring.iter().enumerate().find_map(|(index, block)| Some((index, place(block)?)))?;
        let block = &self.ring[index];
        Some((self.first_block + index as u64, block.chunk[start..block.events.end].to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Peer;

    fn happen(feed: &mut Feed, now: Moment, count: u64) {
        for conn in 0..count {
            feed.show(now, ConnectionId(conn), &Event::Opened { peer: Peer::Unix });
        }
    }

    /// However many events happen, and after the last viewer has left.
    #[test]
    fn what_is_kept_is_bounded() {
        let mut feed = Feed::default();
        let mut now = Moment::default();
        happen(&mut feed, now, 100);
        assert!(feed.fresh.is_empty(), "events are encoded though nobody views");
        feed.enter(None, now);
        happen(&mut feed, now, 100_000);
        assert!(feed.fresh.len() < MAX_BLOCK + 1000);
        feed.leave(now);
        for _ in 0..100 {
            now = now + BLOCK_TIME;
            happen(&mut feed, now, 100_000);
            assert!(feed.is_due(now) && feed.wake(now).is_some(), "nobody makes a block of what grows");
            feed.seal(now);
            assert!(feed.ring_bytes <= MAX_RING && feed.fresh.is_empty());
        }
        now = now + AFTERGLOW;
        assert_eq!((feed.is_active(now), feed.wake(now)), (false, None));
    }

    /// Under load fewer connections are shown, and more again when it is over; the stream tells how many events were
    /// left out.
    #[test]
    fn the_stream_is_sampled_under_load() {
        let mut feed = Feed::default();
        let mut now = Moment::default();
        let block = feed.enter(None, now).block;
        for _ in 0..8 {
            now = now + BLOCK_TIME;
            happen(&mut feed, now, 10_000);
            feed.seal(now);
        }
        assert!((64..=128).contains(&feed.every), "every {}th lane is shown", feed.every);
        let first = feed.block(block).unwrap().unwrap();
        assert!(memchr::memmem::find(&first.chunk, b"event: sampled\ndata: {").is_some());
        for _ in 0..8 {
            now = now + BLOCK_TIME;
            feed.seal(now);
        }
        assert_eq!(feed.every, 1);
    }
}
