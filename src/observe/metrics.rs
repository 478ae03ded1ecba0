//! Counters of what happened, whether the console is on or not.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Event, Life};
use crate::http::{CloseReason, How, Status};

/// Counts since the start. To count costs an increment.
#[derive(Debug)]
pub struct Counters {
    /// Connections that were accepted.
    pub accepted: u64,
    /// Requests that were complete or refused.
    pub requests: u64,
    /// Requests that were not their connection's first.
    pub reused: u64,
    /// Keep-alive races that were lost.
    pub races: u64,
    /// Bytes sent on connections that have ended.
    pub sent_by_closed: u64,
    /// Log lines that were dropped, as the logs report.
    pub log_lines_dropped: u64,
    /// Responses by status code, from 100.
    responses: [u64; 500],
    /// Ended connections by reason, by how, and by whether the close was announced.
    closed: [[[u64; 2]; 2]; CloseReason::ALL.len()],
    requests_per_connection: Histogram,
    durations: Histogram,
    idle_gaps: Histogram,
}

/// Upper bounds of the buckets of requests per connection.
const REQUESTS: &[f64] = &[0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
/// Upper bounds of the buckets of connection durations, in seconds.
const DURATIONS: &[f64] = &[0.001, 0.01, 0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
/// Upper bounds of the buckets of idle gaps, in seconds: fine where load balancers and clients have their timeouts.
const IDLE_GAPS: &[f64] = &[0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 5.0, 10.0, 15.0, 30.0, 60.0, 65.0, 70.0, 75.0];

/// Counts of the connections that are open now.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    /// The number of connections in each state, by its label.
    pub open: Vec<(&'static str, u64)>,
    /// Bytes sent on them so far.
    pub sent: u64,
}

/// What the kernel knows of the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessMetrics {
    /// User and system time.
    pub cpu: Duration,
    /// Virtual memory.
    pub virtual_bytes: u64,
    /// Resident memory.
    pub resident_bytes: u64,
    /// Descriptors that are open.
    pub open_fds: u64,
    /// Descriptors that may be open.
    pub max_fds: u64,
    /// The start, in seconds since the Unix epoch.
    pub started: f64,
}

impl Default for Counters {
    fn default() -> Self {
        Counters {
            accepted: 0,
            requests: 0,
            reused: 0,
            races: 0,
            sent_by_closed: 0,
            log_lines_dropped: 0,
            responses: [0; 500],
            closed: [[[0; 2]; 2]; CloseReason::ALL.len()],
            requests_per_connection: Histogram::new(REQUESTS),
            durations: Histogram::new(DURATIONS),
            idle_gaps: Histogram::new(IDLE_GAPS),
        }
    }
}

impl Counters {
    /// Counts an event.
    pub fn count(&mut self, event: &Event<'_>) {
        match event {
            Event::Opened { .. } => self.accepted += 1,
            Event::Request { number, idle, .. } => {
                self.requests += 1;
                self.reused += u64::from(*number > 1);
                if let Some(idle) = idle {
                    self.idle_gaps.add(idle.as_secs_f64());
                }
            }
            Event::Refused => self.requests += 1,
            Event::Response(answered) => self.responses[usize::from(Status::code(answered.status)) - 100] += 1,
            Event::Race { .. } => self.races += 1,
            Event::Closed(life) => self.count_end(life),
            Event::Idle { .. } | Event::Closing { .. } | Event::Viewer => {}
        }
    }

    /// Connections that ended for this reason, in this manner, announced or not.
    pub fn closed(&self, reason: CloseReason, how: How, announced: bool) -> u64 {
        self.closed[reason as usize][how as usize][usize::from(announced)]
    }

    /// All metrics in the text format of Prometheus, version 0.0.4.
    pub fn exposition(&self, gauges: &Gauges, process: &ProcessMetrics) -> String {
        let mut page = Exposition::default();
        page.family("holdline_connections_accepted_total", "counter", "Connections that were accepted");
        page.sample("", "", self.accepted as f64);

        page.family("holdline_connections", "gauge", "Open connections");
        for (state, open) in &gauges.open {
            page.sample("", &format!("state=\"{state}\""), *open as f64);
        }
        page.family("holdline_connections_closed_total", "counter", "Connections that ended: by whom, how and why");
        self.expose_closed(&mut page);

        page.family("holdline_requests_total", "counter", "Requests that were answered, by status");
        for (index, count) in self.responses.iter().enumerate().filter(|(_, count)| **count > 0) {
            page.sample("", &format!("code=\"{}\"", index + 100), *count as f64);
        }
        page.family("holdline_requests_reused_total", "counter", "Requests that were not their connection's first");
        page.sample("", "", self.reused as f64);
        page.family("holdline_keepalive_races_total", "counter", "Requests that arrived after our unannounced FIN");
        page.sample("", "", self.races as f64);
        page.family("holdline_sent_bytes_total", "counter", "Bytes that were handed to the kernel");
        page.sample("", "", (self.sent_by_closed + gauges.sent) as f64);

        page.family("holdline_log_lines_dropped_total", "counter", "Log lines that no device took");
        page.sample("", "", self.log_lines_dropped as f64);

        page.histogram("holdline_requests_per_connection", "Requests on a connection", &self.requests_per_connection);
        page.histogram("holdline_connection_duration_seconds", "From accept to end", &self.durations);
        page.histogram("holdline_idle_gap_seconds", "Idle time before a request", &self.idle_gaps);
        page.process(process);
        page.0
    }

    fn count_end(&mut self, life: &Life<'_>) {
        self.closed[life.ending.reason as usize][life.ending.how as usize][usize::from(life.announced)] += 1;
        self.sent_by_closed += life.sent;
        self.requests_per_connection.add(f64::from(life.requests));
        self.durations.add(life.age.as_secs_f64());
    }

    fn expose_closed(&self, page: &mut Exposition) {
        for reason in CloseReason::ALL {
            for (how, announced) in [(How::Fin, false), (How::Fin, true), (How::Reset, false), (How::Reset, true)] {
                let count = self.closed(*reason, how, announced);
                if count > 0 {
                    let announced = super::text::yes_no(announced);
                    let (by, how) = (reason.by().label(), how.label());
                    let labels = format!("by=\"{by}\",how=\"{how}\",reason=\"{reason}\",announced=\"{announced}\"");
                    page.sample("", &labels, count as f64);
                }
            }
        }
    }
}

/// A histogram: counts per bucket, and the sum of the values.
#[derive(Debug)]
struct Histogram {
    bounds: &'static [f64],
    /// One more bucket than bounds: the last has no bound.
    counts: [u64; 16],
    sum: f64,
}

impl Histogram {
    const fn new(bounds: &'static [f64]) -> Self {
        assert!(bounds.len() < 16);
        Histogram { bounds, counts: [0; 16], sum: 0.0 }
    }

    fn add(&mut self, value: f64) {
        let bucket = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        self.counts[bucket] += 1;
        self.sum += value;
    }
}

/// The text so far, and the name of the metric family that the samples belong to.
#[derive(Default)]
struct Exposition(String, &'static str);

impl Exposition {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.1 = name;
        // Can't fail: a String grows.
        let _ = write!(self.0, "# HELP {name} {help}.\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, suffix: &str, labels: &str, value: f64) {
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        let _ = writeln!(self.0, "{}{suffix}{open}{labels}{close} {value}", self.1);
    }

    fn histogram(&mut self, name: &'static str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let mut total = 0;
        for (bound, count) in histogram.bounds.iter().zip(histogram.counts) {
            total += count;
            self.sample("_bucket", &format!("le=\"{bound}\""), total as f64);
        }
        total += histogram.counts[histogram.bounds.len()];
        self.sample("_bucket", "le=\"+Inf\"", total as f64);
        self.sample("_sum", "", histogram.sum);
        self.sample("_count", "", total as f64);
    }

    fn process(&mut self, process: &ProcessMetrics) {
        self.family("process_cpu_seconds_total", "counter", "Processor time, of user and system");
        self.sample("", "", process.cpu.as_secs_f64());
        self.family("process_virtual_memory_bytes", "gauge", "Virtual memory");
        self.sample("", "", process.virtual_bytes as f64);
        self.family("process_resident_memory_bytes", "gauge", "Resident memory");
        self.sample("", "", process.resident_bytes as f64);
        self.family("process_open_fds", "gauge", "Open descriptors");
        self.sample("", "", process.open_fds as f64);
        self.family("process_max_fds", "gauge", "Descriptors that may be open");
        self.sample("", "", process.max_fds as f64);
        self.family("process_start_time_seconds", "gauge", "When the process started, since the Unix epoch");
        self.sample("", "", process.started);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_their_bounds_belong_to_them() {
        let mut histogram = Histogram::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 7.0] {
            histogram.add(value);
        }
        let mut page = Exposition::default();
        page.histogram("h", "Help", &histogram);
        let expected = "# HELP h Help.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"2\"} 3\n\
                        h_bucket{le=\"+Inf\"} 4\nh_sum 10\nh_count 4\n";
        assert_eq!(page.0, expected);
    }
}
