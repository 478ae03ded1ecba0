//! `/-/events`: the stream of server-sent events, encoded once for all viewers.
//!
//! Events are collected into blocks, and blocks are kept in a ring. A viewer is a place in the ring: it costs no
//! copy, and one that falls so far behind that its place is gone is too slow. With no viewer nothing is encoded.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

use super::snapshot::{Policy, Race, Totals, millis, moment_ms};
use super::{Answered, ConnectionId, Event, Life};
use crate::http::{Moment, Persistence};

/// Bytes of events that are kept for viewers who are behind, and for those who come back.
const MAX_RING: usize = 1 << 20;

/// Events are sent on together after so long.
pub const BLOCK_TIME: Duration = Duration::from_millis(50);

/// The sums are told so often.
const TOTALS_TIME: Duration = Duration::from_secs(1);

/// A comment is sent so often, for proxies that cut what is silent.
const HEARTBEAT_TIME: Duration = Duration::from_secs(15);

/// Events of one block. When more happen, only every second, fourth, … connection is shown.
const MAX_BLOCK_EVENTS: u32 = 150;

/// How long events go on being collected for viewers who come back.
const AFTERGLOW: Duration = Duration::from_secs(30);

/// Events that were encoded together, framed as one chunk of the chunked coding.
#[derive(Clone, Debug)]
pub struct Block {
    /// The chunk.
    pub chunk: Rc<[u8]>,
    /// Where in it the events stand.
    pub events: std::ops::Range<usize>,
}

/// The stream.
#[derive(Debug, Default)]
pub struct Feed {
    ring: VecDeque<Block>,
    ring_bytes: usize,
    /// The number of the first block in the ring.
    first_block: u64,
    /// Events that are not in a block yet.
    fresh: Vec<u8>,
    last_id: u64,
    viewers: usize,
    /// Collect until then, if nobody views.
    until: Moment,
    block_due: Moment,
    totals_due: Moment,
    heartbeat_due: Moment,
    /// Only connections whose number this divides are shown.
    every: u64,
    /// Events that happened since the last block, whether shown or not.
    happened: u32,
    left_out: u64,
}

/// Where a viewer stands, and what it has missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The block that it gets next.
    pub block: u64,
    /// Events that it asked for and that are gone.
    pub missed: u64,
}

/// The first event that a viewer gets.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct Hello {
    pub t: f64,
    pub server: &'static str,
    /// The viewer's own connection.
    pub you: u64,
    pub unix_ms: u64,
    pub policy: Policy,
    pub missed: u64,
}

impl Hello {
    /// As it is sent.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        encode(&mut text, None, "hello", self);
        text
    }
}

impl Feed {
    /// Whether events are encoded at all.
    pub fn is_active(&self, now: Moment) -> bool {
        self.viewers > 0 || now < self.until
    }

    /// Somebody begins to view, or comes back with the id of the last event that it has seen.
    pub fn enter(&mut self, last: Option<u64>, now: Moment) -> Entry {
        if !self.is_active(now) {
            self.begin(now);
        }
        self.viewers += 1;
        self.seal(now);
        let next = self.first_block + self.ring.len() as u64;
        let Some(last) = last.filter(|last| *last < self.last_id) else { return Entry { block: next, missed: 0 } };
        match self.block_behind(last) {
            Some(block) => Entry { block, missed: 0 },
            None => Entry { block: next, missed: self.last_id - last },
        }
    }

    /// Somebody views no more.
    pub fn leave(&mut self, now: Moment) {
        self.viewers -= 1;
        self.until = now + AFTERGLOW;
    }

    /// The block with this number, if it is still there; `Err` if it is gone, `Ok(None)` if it is still to come.
    #[expect(clippy::result_unit_err, reason = "there is nothing to say of what is gone")]
    pub fn block(&self, number: u64) -> Result<Option<&Block>, ()> {
        let index = number.checked_sub(self.first_block).ok_or(())?;
        Ok(usize::try_from(index).ok().and_then(|index| self.ring.get(index)))
    }

    /// Whether a block is due, and with it the sums.
    pub fn is_due(&self, now: Moment) -> bool {
        self.viewers > 0 && now >= self.next_due()
    }

    /// Whether the sums are to be told with the block that is due.
    pub fn wants_totals(&self, now: Moment) -> bool {
        now >= self.totals_due
    }

    /// When the next block is due.
    pub fn wake(&self) -> Option<Moment> {
        (self.viewers > 0).then(|| self.next_due())
    }

    /// Tells the sums.
    pub fn tell_totals(&mut self, totals: &Totals, now: Moment) {
        self.totals_due = now + TOTALS_TIME;
        let sums = TotalsEvent { t: moment_ms(now), totals };
        self.append("totals", &sums);
    }

    /// Closes the block that is growing, so that viewers get it.
    pub fn seal(&mut self, now: Moment) {
        if self.left_out > 0 {
            let sampled = SampledEvent { t: moment_ms(now), left_out: self.left_out, every: self.every };
            self.left_out = 0;
            self.append("sampled", &sampled);
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

    /// Encodes what has happened, or leaves it out.
    pub fn show(&mut self, now: Moment, conn: ConnectionId, event: &Event<'_>) {
        if !self.is_active(now) {
            return;
        }
        self.happened += 1;
        // A lane is shown whole or not at all, but for what nobody should miss.
        if !conn.0.is_multiple_of(self.every) && !matches!(event, Event::Race { .. } | Event::Viewer) {
            self.left_out += 1;
            return;
        }
        let (t, conn) = (moment_ms(now), conn.0);
        match event {
            Event::Opened { peer } => {
                self.append("opened", &OpenedEvent { t, conn, peer: peer.to_string(), viewer: false });
            }
            Event::Request { number, head, idle } => {
                let (method, version) = (head.method.as_str(), head.version.as_str());
                let (target, idle_ms) = (head.target_as_sent, idle.map(millis));
                self.append("request", &RequestEvent { t, conn, n: *number, method, target, version, idle_ms });
            }
            Event::Response(answered) => self.append("response", &ResponseEvent::new(t, conn, answered)),
            Event::Idle { promised, closes } => {
                let (promised_ms, closes_ms) = (millis(*promised), millis(*closes));
                self.append("idle", &IdleEvent { t, conn, promised_ms, closes_ms });
            }
            Event::Closing { reason, announced } => {
                let (by, reason) = (reason.by().label(), reason.label());
                self.append("closing", &ClosingEvent { t, conn, by, reason, announced: *announced });
            }
            Event::Race { late } => self.append("race", &RaceEvent { t, conn, late_ms: millis(*late) }),
            Event::Viewer => self.append("viewer", &ViewerEvent { t, conn }),
            Event::Closed(life) => self.append("closed", &ClosedEvent::new(t, life)),
        }
    }

    fn begin(&mut self, now: Moment) {
        // Events in between were not numbered; whoever comes back must learn that something is missing.
        self.last_id += 1;
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

    fn append(&mut self, name: &str, event: &impl Serialize) {
        self.last_id += 1;
        encode(&mut self.fresh, Some(self.last_id), name, event);
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

    /// The block in which the event after `last` stands. What precedes it in its block is told again: ids tell.
    fn block_behind(&self, last: u64) -> Option<u64> {
        let wanted = format!("id: {}\n", last + 1);
        let holds = |block: &Block| memchr::memmem::find(&block.chunk, wanted.as_bytes()).is_some();
        let index = self.ring.iter().position(holds)?;
        Some(self.first_block + index as u64)
    }
}

/// One event as it is sent. JSON has no line breaks, so one `data` line holds all of it.
fn encode(out: &mut Vec<u8>, id: Option<u64>, name: &str, event: &impl Serialize) {
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // Numbers and strings always have a JSON form, and a Vec takes all.
    let _ = serde_json::to_writer(&mut *out, event);
    out.extend_from_slice(b"\n\n");
}

#[derive(Serialize)]
struct OpenedEvent {
    t: f64,
    conn: u64,
    peer: String,
    viewer: bool,
}

#[derive(Serialize)]
struct RequestEvent<'a> {
    t: f64,
    conn: u64,
    n: u32,
    method: &'a str,
    target: &'a str,
    version: &'a str,
    idle_ms: Option<f64>,
}

#[derive(Serialize)]
struct ResponseEvent {
    t: f64,
    conn: u64,
    n: u32,
    status: u16,
    length: u64,
    keep: bool,
    why: &'static str,
    reason: Option<&'static str>,
    took_ms: f64,
    complete: bool,
}

impl ResponseEvent {
    fn new(t: f64, conn: u64, answered: &Answered) -> Self {
        let (keep, why, reason) = match answered.persistence {
            Persistence::KeepAlive(why) => (true, why.sentence(), None),
            Persistence::Close(why) => (false, why.sentence(), Some(why.label())),
        };
        ResponseEvent {
            t,
            conn,
            n: answered.number,
            status: answered.status.code(),
            length: answered.content,
            keep,
            why,
            reason,
            took_ms: millis(answered.took),
            complete: answered.complete,
        }
    }
}

#[derive(Serialize)]
struct IdleEvent {
    t: f64,
    conn: u64,
    promised_ms: f64,
    closes_ms: f64,
}

#[derive(Serialize)]
struct ClosingEvent {
    t: f64,
    conn: u64,
    by: &'static str,
    reason: &'static str,
    announced: bool,
}

#[derive(Serialize)]
struct RaceEvent {
    t: f64,
    conn: u64,
    late_ms: f64,
}

#[derive(Serialize)]
struct ViewerEvent {
    t: f64,
    conn: u64,
}

#[derive(Serialize)]
struct ClosedEvent {
    t: f64,
    conn: u64,
    peer: String,
    by: &'static str,
    how: &'static str,
    reason: &'static str,
    announced: bool,
    requests: u32,
    age_ms: f64,
    idle_ms: f64,
    first_fin: &'static str,
    race: Option<Race>,
    bytes_received: u64,
    bytes_sent: u64,
}

impl ClosedEvent {
    fn new(t: f64, life: &Life<'_>) -> Self {
        ClosedEvent {
            t,
            conn: life.id.0,
            peer: life.peer.to_string(),
            by: life.ending.reason.by().label(),
            how: life.ending.how.label(),
            reason: life.ending.reason.label(),
            announced: life.announced,
            requests: life.requests,
            age_ms: millis(life.age),
            idle_ms: millis(life.idle),
            first_fin: life.first_fin.label(),
            race: life.race.map(|late| Race { late_ms: millis(late) }),
            bytes_received: life.received,
            bytes_sent: life.sent,
        }
    }
}

#[derive(Serialize)]
struct TotalsEvent<'a> {
    t: f64,
    #[serde(flatten)]
    totals: &'a Totals,
}

#[derive(Serialize)]
struct SampledEvent {
    t: f64,
    left_out: u64,
    every: u64,
}
