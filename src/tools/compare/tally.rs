//! What one way cost, and what the server did with its connections.

use std::time::Duration;

/// Counted while requests are made.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Time from each request to the end of its response, the handshake included if one was needed for it.
    pub latencies: Vec<Duration>,
    /// Time from SYN to SYN-ACK, of each connection.
    pub handshakes: Vec<Duration>,
    /// Time in which this way was at work.
    pub busy: Duration,
    /// Responses on each connection that was opened.
    pub responses: Vec<u32>,
    /// Responses on each connection that the server ended of itself, having said so in the last.
    pub announced: Vec<u32>,
    /// Responses on each connection that the server ended unannounced.
    pub unannounced: Vec<u32>,
    /// Connections that the server was asked to close, and left open.
    pub left_open: u32,
    /// Requests that were sent again because the server had gone.
    pub retried: u32,
    /// The most responses that came for requests that were sent together.
    pub together: u32,
    /// Bytes that went.
    pub sent: u64,
    /// Bytes that came.
    pub received: u64,
    /// Responses with a status other than 2xx and 3xx.
    pub errors: u32,
}

impl Tally {
    /// Answered requests a second, of the time in which this way was at work.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.busy.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// What the server did, in a few words.
    pub fn verdict(&self, reuses: bool, pipelines: bool) -> String {
        let mut words = match (reuses, self.responses.len()) {
            (false, _) if self.left_open > 0 => vec!["did not close".to_owned()],
            (false, _) => vec!["closed after each response".to_owned()],
            (true, 1) => vec!["kept".to_owned()],
            (true, _) => self.endings(),
        };
        if pipelines {
            words.push(match self.together {
                0 | 1 => "so not pipelined".to_owned(),
                together => format!("answered {together} sent together"),
            });
        }
        if self.retried > 0 {
            words.push(format!("{} sent again", self.retried));
        }
        if self.errors > 0 {
            words.push(format!("{} with an error status", self.errors));
        }
        words.join(", ")
    }

    fn endings(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.announced.is_empty() {
            words.push(match spread(&self.announced) {
                (1, 1) => "closed after each response".to_owned(),
                range => format!("closed after {}, announced", requests(range)),
            });
        }
        if !self.unannounced.is_empty() {
            words.push(format!("closed after {}, unannounced", requests(spread(&self.unannounced))));
        }
        words
    }
}

fn spread(counts: &[u32]) -> (u32, u32) {
    (counts.iter().copied().min().unwrap_or(0), counts.iter().copied().max().unwrap_or(0))
}

fn requests((least, most): (u32, u32)) -> String {
    if least == most { format!("{least} requests") } else { format!("{least} to {most} requests") }
}

/// The smallest sample that this percentage of them do not exceed (nearest rank); zero if there are none.
pub fn percentile(samples: &[Duration], percent: usize) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&samples, 50), Duration::from_millis(50));
        assert_eq!(percentile(&samples, 99), Duration::from_millis(99));
        assert_eq!(percentile(&samples[..1], 50), samples[0]);
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn the_verdict_says_what_the_server_did() {
        let many = Tally { responses: vec![2, 2], ..Tally::default() };
        for (tally, reuses, pipelines, verdict) in [
            (Tally { responses: vec![9], ..Tally::default() }, true, false, "kept"),
            (
                Tally { responses: vec![9], together: 8, ..Tally::default() },
                true,
                true,
                "kept, answered 8 sent together",
            ),
            (many.clone(), false, false, "closed after each response"),
            (Tally { left_open: 1, ..many.clone() }, false, false, "did not close"),
            (Tally { announced: vec![2], ..many.clone() }, true, false, "closed after 2 requests, announced"),
            (
                Tally { unannounced: vec![2, 3], retried: 1, ..many.clone() },
                true,
                false,
                "closed after 2 to 3 requests, unannounced, 1 sent again",
            ),
            (
                Tally { announced: vec![1, 1], together: 1, ..many },
                true,
                true,
                "closed after each response, so not pipelined",
            ),
        ] {
            assert_eq!(tally.verdict(reuses, pipelines), verdict);
        }
    }
}
