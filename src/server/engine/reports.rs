//! Reports on the server's own state, as JSON and as metrics.

use crate::http::{State, Tick};
use crate::observe::metrics::Gauges;
use crate::observe::snapshot::{Policy, ServerFacts, StatusReport, Totals, moment_ms};
use crate::site::{Report, Response};

use super::Engine;
use crate::server::process;
use crate::server::socket::Socket;

/// Connections per report whose TCP state is looked up, which costs a system call each.
const MAX_TCP_INFO: usize = 1000;

impl<S: Socket> Engine<S> {
    /// The response that only the server itself can give: its present state, or the live feed.
    pub(super) fn report(&self, report: Report, tick: &Tick<'_>) -> Response {
        match report {
            Report::Status => Report::status(self.write_status(tick)),
            Report::Metrics => {
                let process = process::read(self.watch.started_unix);
                Report::metrics(self.observers.counters.exposition(&self.gauges(), &process))
            }
            Report::Feed { last } => self.open_feed(last),
        }
    }

    /// The bytes of input and output that each connection holds in memory.
    pub fn buffered(&self) -> impl Iterator<Item = usize> {
        self.connections.iter().map(|(_, live)| live.buffered())
    }

    fn write_status(&self, tick: &Tick<'_>) -> String {
        let uptime_ms = tick.now.as_micros() / 1000;
        let status = StatusReport {
            server: ServerFacts {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                started_unix_ms: self.started_unix_ms(),
                uptime_ms,
                now_ms: moment_ms(tick.now),
                draining: tick.draining,
            },
            policy: self.policy(tick),
            totals: self.totals(),
            connections: self
                .connections
                .iter()
                .enumerate()
                .map(|(index, (_, live))| live.snapshot(tick, index < MAX_TCP_INFO))
                .collect(),
            recent: self.observers.recent(),
        };
        // Can't fail: numbers and strings have a JSON form.
        serde_json::to_string(&status).unwrap_or_default() + "\n"
    }

    pub(super) fn started_unix_ms(&self) -> u64 {
        u64::try_from(self.watch.started_unix.as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn policy(&self, tick: &Tick<'_>) -> Policy {
        Policy::new(tick.limits, self.max_connections)
    }

    pub(super) fn totals(&self) -> Totals {
        let sent_by_open = self.connections.iter().map(|(_, live)| live.http.bytes().1).sum();
        Totals::new(&self.observers.counters, self.connections.len(), self.queues.idle.len(), sent_by_open)
    }

    fn gauges(&self) -> Gauges {
        let mut gauges = Gauges { open: State::OPEN.map(|label| (label, 0)).to_vec(), sent: 0 };
        for (_, live) in &self.connections {
            let label = live.http.state().label();
            if let Some((_, open)) = gauges.open.iter_mut().find(|(state, _)| *state == label) {
                *open += 1;
            }
            gauges.sent += live.http.bytes().1;
        }
        gauges
    }
}
