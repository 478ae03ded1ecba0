//! The events of the live feed, as they are sent: an id to resume from, a name, and a line of JSON.

use std::borrow::Cow;

use serde::Serialize;

use super::snapshot::{EndRecord, Policy, Totals, millis, moment_ms};
use super::text::clip;
use super::{Answered, ConnectionId, Event, Life};
use crate::http::{KeepOrClose, Moment};

/// Bytes of a request target that are shown, of the many more that a peer may send.
const MAX_TARGET: usize = 256;

/// Bytes of a method that are shown.
const MAX_METHOD: usize = 32;

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
    pub missed: Option<u64>,
}

impl Hello {
    /// The event as it is sent.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        write(&mut text, None, "hello", self);
        text
    }
}

/// Appends an event of this connection.
pub(super) fn encode(out: &mut Vec<u8>, id: u64, now: Moment, conn: ConnectionId, event: &Event<'_>) {
    let (t, conn) = (moment_ms(now), conn.0);
    match event {
        Event::Opened { peer } => {
            write(out, Some(id), "opened", &OpenedEvent { t, conn, peer: peer.to_string() });
        }
        Event::Request { number, head, idle } => {
            let (method, version) = (clip(head.method_as_sent, MAX_METHOD), head.version.as_str());
            let (target, idle_ms) = (clip(head.target_as_sent, MAX_TARGET), idle.map(millis));
            write(out, Some(id), "request", &RequestEvent { t, conn, n: *number, method, target, version, idle_ms });
        }
        Event::Refused => write(out, Some(id), "refused", &ConnEvent { t, conn }),
        Event::Response(answered) => write(out, Some(id), "response", &ResponseEvent::new(t, conn, answered)),
        Event::Idle { promised, closes } => {
            let (promised_ms, closes_ms) = (millis(*promised), millis(*closes));
            write(out, Some(id), "idle", &IdleEvent { t, conn, promised_ms, closes_ms });
        }
        Event::Closing { reason, announced } => {
            let (by, reason) = (reason.by().label(), reason.label());
            write(out, Some(id), "closing", &ClosingEvent { t, conn, by, reason, announced: *announced });
        }
        Event::Race { late } => write(out, Some(id), "race", &RaceEvent { t, conn, late_ms: millis(*late) }),
        Event::Viewer => write(out, Some(id), "viewer", &ConnEvent { t, conn }),
        Event::Closed(life) => write(out, Some(id), "closed", &ClosedEvent::new(t, life)),
    }
}

/// Appends the totals.
pub(super) fn encode_totals(out: &mut Vec<u8>, id: u64, now: Moment, totals: &Totals) {
    write(out, Some(id), "totals", &TotalsEvent { t: moment_ms(now), totals });
}

/// Appends that `left_out` events were left out, and that only every Nth connection is shown.
pub(super) fn encode_sampled(out: &mut Vec<u8>, id: u64, now: Moment, left_out: u64, every: u64) {
    write(out, Some(id), "sampled", &SampledEvent { t: moment_ms(now), left_out, every });
}

/// Appends one event as it is sent. This JSON has no line breaks, so one `data` line holds all of it.
fn write(out: &mut Vec<u8>, id: Option<u64>, name: &str, event: &impl Serialize) {
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // Can't fail: numbers and strings have a JSON form, and a Vec grows.
    let _ = serde_json::to_writer(&mut *out, event);
    out.extend_from_slice(b"\n\n");
}

#[derive(Serialize)]
struct OpenedEvent {
    t: f64,
    conn: u64,
    peer: String,
}

#[derive(Serialize)]
struct RequestEvent<'a> {
    t: f64,
    conn: u64,
    n: u32,
    method: Cow<'a, str>,
    target: Cow<'a, str>,
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
        let (keep, why, reason) = match answered.persistence.keep_or_close() {
            KeepOrClose::Keep(why) => (true, why.sentence(), None),
            KeepOrClose::Close(why) => (false, why.sentence(), Some(why.label())),
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
struct ConnEvent {
    t: f64,
    conn: u64,
}

#[derive(Serialize)]
struct ClosedEvent {
    t: f64,
    conn: u64,
    #[serde(flatten)]
    end: EndRecord,
    bytes_received: u64,
    bytes_sent: u64,
}

impl ClosedEvent {
    fn new(t: f64, life: &Life<'_>) -> Self {
        let (bytes_received, bytes_sent) = (life.received, life.sent);
        ClosedEvent { t, conn: life.id.0, end: EndRecord::of(life), bytes_received, bytes_sent }
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
