//! `/-/status` and `/-/metrics`, as a test reads them. In each of them the sum must hold.

use serde_json::Value;

use crate::support::{PATIENCE, Server, Wire, get};

/// One of the two pages, asked for on a connection of its own that stays open: so the question is not among
/// the connections that have ended.
pub struct Asking {
    wire: Wire,
}

impl Asking {
    /// Sends all but the end of the request. A server that stops meanwhile owes the answer all the same.
    pub fn begin(server: &Server, path: &str) -> Asking {
        let mut wire = server.connect();
        let request = get(path, &[]);
        wire.send(&request[..request.len() - 2]);
        Asking { wire }
    }

    /// Sends the end, and reads the answer.
    pub fn finish(mut self) -> String {
        self.wire.send("\r\n");
        let response = self.wire.try_read(false, PATIENCE).expect("an answer");
        assert_eq!(response.status, 200);
        String::from_utf8(response.body).expect("the page is text")
    }
}

/// `/-/status`.
pub fn status(server: &Server) -> Value {
    read_status(&Asking::begin(server, "/-/status").finish())
}

/// `/-/metrics`.
pub fn metrics(server: &Server) -> Metrics {
    Metrics::read(Asking::begin(server, "/-/metrics").finish())
}

/// Reads `/-/status`; asserts that accepted = open + Σ closed.
pub fn read_status(text: &str) -> Value {
    let status: Value = serde_json::from_str(text).expect("the status is JSON");
    assert_sum(&status["totals"]);
    assert_eq!(status["totals"]["open"], status["connections"].as_array().map_or(0, Vec::len), "open connections");
    status
}

/// Asserts that accepted = open + Σ closed in these totals.
pub fn assert_sum(totals: &Value) {
    let count = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("no count in {totals}"));
    let reasons = totals["closed"].as_object().expect("closed is by whom").values();
    let closed: u64 = reasons.flat_map(|by| by.as_object().expect("and why").values()).map(count).sum();
    assert_eq!(count(&totals["accepted"]), count(&totals["open"]) + closed, "accepted = open + closed: {totals}");
}

/// `/-/metrics`, sample by sample.
pub struct Metrics {
    text: String,
}

impl Metrics {
    /// Reads the page; asserts that accepted = open + Σ closed.
    pub fn read(text: String) -> Metrics {
        let metrics = Metrics { text };
        let accepted = metrics.value("holdline_connections_accepted_total");
        let open = metrics.sum("holdline_connections{");
        let closed = metrics.sum("holdline_connections_closed_total{");
        assert_eq!(accepted, open + closed, "accepted = open + closed in:\n{}", metrics.text);
        metrics
    }

    /// The value of the sample with this name, labels included; 0 if there is none.
    pub fn value(&self, name: &str) -> f64 {
        self.samples().find(|(found, _)| *found == name).map_or(0.0, |(_, value)| value)
    }

    /// The page as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn sum(&self, start: &str) -> f64 {
        self.samples().filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value).sum()
    }

    fn samples(&self) -> impl Iterator<Item = (&str, f64)> {
        let lines = self.text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            (name, value.parse().unwrap_or_else(|_| panic!("no value: {line}")))
        })
    }
}
