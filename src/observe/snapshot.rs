//! `/-/status`: the server, its policy, its totals, open connections and recently ended ones.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;

use super::metrics::Counters;
use super::{ConnectionId, Event, Life};
use crate::http::{CloseReason, Closer, How, Limits, Moment};

/// Ended connections that are remembered.
const MAX_RECENT: usize = 256;

/// The whole of `/-/status`.
#[derive(Debug, Serialize)]
pub struct StatusReport<'a> {
    /// The server.
    pub server: ServerFacts,
    /// Its limits and timeouts.
    pub policy: Policy,
    /// Counts since the start.
    pub totals: Totals,
    /// The open connections.
    pub connections: Vec<OpenConnection>,
    /// The recently ended connections, the latest last.
    pub recent: &'a VecDeque<EndedConnection>,
}

/// The server itself.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct ServerFacts {
    pub name: &'static str,
    pub version: &'static str,
    pub started_unix_ms: u64,
    pub uptime_ms: u64,
    /// On the clock of the events' `t`.
    pub now_ms: f64,
    pub draining: bool,
}

/// The limits and timeouts. Zero is unlimited, or never.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are those of the flags")]
pub struct Policy {
    pub keep_alive_timeout_ms: u64,
    pub keep_alive_grace_ms: u64,
    pub max_requests: u32,
    pub max_age_ms: u64,
    pub head_timeout_ms: u64,
    pub body_timeout_ms: u64,
    pub send_timeout_ms: u64,
    pub linger_ms: u64,
    pub drain_timeout_ms: u64,
    pub drain_delay_ms: u64,
    pub max_connections: usize,
}

impl Policy {
    /// The policy of these limits.
    pub fn new(limits: &Limits, max_connections: usize) -> Self {
        Policy {
            keep_alive_timeout_ms: whole_millis(limits.keep_alive_timeout),
            keep_alive_grace_ms: whole_millis(limits.keep_alive_grace),
            max_requests: limits.max_requests,
            max_age_ms: whole_millis(limits.max_age),
            head_timeout_ms: whole_millis(limits.head_timeout),
            body_timeout_ms: whole_millis(limits.body_timeout),
            send_timeout_ms: whole_millis(limits.send_timeout),
            linger_ms: whole_millis(limits.linger),
            drain_timeout_ms: whole_millis(limits.drain_timeout),
            drain_delay_ms: whole_millis(limits.drain_delay),
            max_connections,
        }
    }
}

/// Counts since the start. `accepted` = `open` + the sum of `closed`, at every moment.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct Totals {
    pub accepted: u64,
    pub open: usize,
    pub idle: usize,
    pub requests: u64,
    pub reused: u64,
    pub bytes_sent: u64,
    pub races: u64,
    /// Counts by who ended the connection, then by reason.
    pub closed: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
}

impl Totals {
    /// The counters, with the number of open connections, of idle ones among them, and the bytes sent on the open ones.
    pub fn new(counters: &Counters, open: usize, idle: usize, sent_by_open: u64) -> Self {
        let closers = [Closer::Client, Closer::Server, Closer::Network];
        let mut closed: BTreeMap<_, BTreeMap<_, _>> = closers.map(|by| (by.label(), BTreeMap::new())).into();
        for reason in CloseReason::ALL {
            let each = [(How::Fin, false), (How::Fin, true), (How::Reset, false), (How::Reset, true)];
            let count: u64 = each.iter().map(|(how, announced)| counters.closed(*reason, *how, *announced)).sum();
            if count > 0 {
                closed.entry(reason.by().label()).or_default().insert(reason.label(), count);
            }
        }
        Totals {
            accepted: counters.accepted,
            open,
            idle,
            requests: counters.requests,
            reused: counters.reused,
            bytes_sent: counters.sent_by_closed + sent_by_open,
            races: counters.races,
            closed,
        }
    }
}

/// A connection that is open.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct OpenConnection {
    pub id: u64,
    pub peer: String,
    pub state: &'static str,
    pub age_ms: f64,
    pub requests: u32,
    pub bytes_received: u64,
    pub bytes_sent: u64,
    pub timeout: Option<Timeout>,
    pub last: Option<LastRequest>,
    pub tcp: Option<Tcp>,
}

/// The timer of a connection.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct Timeout {
    pub reason: &'static str,
    pub in_ms: f64,
}

/// The last request of a connection, and the status of its response once there is one.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct LastRequest {
    pub method: String,
    pub target: String,
    pub status: Option<u16>,
}

/// What the kernel knows of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct Tcp {
    pub state: &'static str,
    pub rtt_us: u32,
    pub unacked: u32,
    pub retransmits: u32,
}

/// A connection that has ended.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct EndedConnection {
    pub id: u64,
    #[serde(flatten)]
    pub end: EndRecord,
    /// On the clock of the events' `t`.
    pub ended_ms: f64,
}

/// The end of a connection, wherever JSON has it.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct EndRecord {
    pub peer: String,
    pub by: &'static str,
    pub how: &'static str,
    pub reason: &'static str,
    pub announced: bool,
    pub requests: u32,
    pub age_ms: f64,
    pub idle_ms: f64,
    pub first_fin: &'static str,
    pub reset_by: Option<&'static str>,
    pub race: Option<Race>,
}

impl EndRecord {
    pub(super) fn of(life: &Life<'_>) -> Self {
        EndRecord {
            peer: life.peer.to_string(),
            by: life.ending.reason.by().label(),
            how: life.ending.how.label(),
            reason: life.ending.reason.label(),
            announced: life.announced,
            requests: life.requests,
            age_ms: millis(life.age),
            idle_ms: millis(life.idle),
            first_fin: life.first_fin.label(),
            reset_by: life.reset_by.map(Closer::label),
            race: life.race.map(|late| Race { late_ms: millis(late) }),
        }
    }
}

/// A lost keep-alive race.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the interface")]
pub struct Race {
    pub late_ms: f64,
}

/// The recently ended connections.
#[derive(Debug, Default)]
pub struct Recent(pub(super) VecDeque<EndedConnection>);

impl Recent {
    pub(super) fn remember(&mut self, now: Moment, conn: ConnectionId, event: &Event<'_>) {
        let Event::Closed(life) = event else { return };
        if self.0.len() == MAX_RECENT {
            self.0.pop_front();
        }
        self.0.push_back(EndedConnection { id: conn.0, end: EndRecord::of(life), ended_ms: moment_ms(now) });
    }
}

/// Milliseconds with their fraction.
pub fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

/// Milliseconds since the server's start, with their fraction.
pub fn moment_ms(moment: Moment) -> f64 {
    moment.as_micros() as f64 / 1000.0
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
