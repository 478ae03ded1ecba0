//! A comparison as a table and a chart for a terminal, and as JSON.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::tally::percentile;
use super::{Comparison, Measured};
use crate::observe::text::Size;
use crate::tools::table::{Table, bar};

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { url, server, status, requests, pipeline_depth, .. } = self;
        let software = self.software.as_deref().unwrap_or("not named");
        writeln!(f, "{url} at {server}: status {status}, server {software}")?;
        writeln!(f, "{requests} requests each way, taking turns by {pipeline_depth}\n")?;
        let mut table = Table::new(&[
            "",
            ">connections",
            ">requests each",
            ">handshake",
            ">p50",
            ">p99",
            ">sent",
            ">received",
            "what the server did",
        ]);
        for measured in &self.ways {
            let numbers = measured.numbers();
            table.row([
                measured.way.label.to_owned(),
                numbers.connections.to_string(),
                format!("{:.1}", f64::from(self.requests) / numbers.connections as f64),
                numbers.handshake_us.map_or("-".to_owned(), time),
                time(numbers.p50_us),
                time(numbers.p99_us),
                Size(numbers.sent_bytes).to_string(),
                Size(numbers.received_bytes).to_string(),
                numbers.verdict,
            ]);
        }
        writeln!(f, "{table}")?;
        writeln!(f, "requests a second")?;
        let most = self.ways.iter().map(|measured| measured.tally.rate()).fold(0.0, f64::max);
        for measured in &self.ways {
            let rate = measured.tally.rate();
            writeln!(f, "{:<19} {} {rate:.0}", measured.way.label, bar(rate, most))?;
        }
        Ok(())
    }
}

/// What is told of a way: its members as JSON has them.
#[derive(Serialize)]
pub(super) struct Numbers {
    way: &'static str,
    connections: usize,
    /// The responses on each connection, in the order in which they ended.
    responses: Vec<u32>,
    handshake_us: Option<u64>,
    p50_us: u64,
    p99_us: u64,
    requests_per_second: f64,
    sent_bytes: u64,
    received_bytes: u64,
    /// Connections that the server closed, having said so.
    announced_closes: usize,
    /// Connections that the server closed unannounced.
    unannounced_closes: usize,
    /// It was asked to close, and did not.
    left_open: bool,
    sent_again: u32,
    error_responses: u32,
    verdict: String,
}

impl Measured {
    pub(super) fn numbers(&self) -> Numbers {
        let tally = &self.tally;
        Numbers {
            way: self.way.label,
            connections: tally.responses.len(),
            responses: tally.responses.clone(),
            handshake_us: (!tally.handshakes.is_empty()).then(|| micros(percentile(&tally.handshakes, 50))),
            p50_us: micros(percentile(&tally.latencies, 50)),
            p99_us: micros(percentile(&tally.latencies, 99)),
            requests_per_second: tally.rate(),
            sent_bytes: tally.sent,
            received_bytes: tally.received,
            announced_closes: tally.announced.len(),
            unannounced_closes: tally.unannounced.len(),
            left_open: tally.left_open > 0,
            sent_again: tally.retried,
            error_responses: tally.errors,
            verdict: tally.verdict(self.way.reuses, self.way.pipelines),
        }
    }
}

impl Serialize for Measured {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.numbers().serialize(serializer)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn time(micros: u64) -> String {
    if micros < 1000 { format!("{micros} µs") } else { format!("{:.2} ms", micros as f64 / 1000.0) }
}
