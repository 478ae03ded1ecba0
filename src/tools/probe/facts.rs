//! From what was seen to what it says of the client.

use std::time::Duration;

use super::recorder::{RecordedEnd, Seen};
use super::rows::Row;

/// What the lab saw of the two requests of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowFacts {
    /// Connections with a request.
    pub connections: usize,
    /// Requests that arrived. More than two: one was sent again.
    pub arrived: u32,
    /// Requests that were answered, with 200.
    pub answered: u32,
    /// Requests that were lost with their connection.
    pub lost: u32,
    /// The second request came on the connection of the first.
    pub reused: bool,
    /// How long the first connection had been idle when the client closed it, after one request.
    pub closed_idle: Option<Duration>,
}

/// What a row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In words: the client …
    pub answer: String,
    /// Whether that is as it should be; `None` if the row shows nothing.
    pub good: Option<bool>,
}

impl RowFacts {
    /// Reads what was seen of the connections of a row. One without a request says nothing: it was opened ahead of
    /// need.
    pub fn of(row: &Row, connections: &[Seen]) -> RowFacts {
        connections.iter().filter(|seen| seen.requests > 0).fold(RowFacts::default(), |mut facts, seen| {
            if let (0, 1, Some(RecordedEnd::ClientClosed(idle))) = (facts.connections, seen.requests, seen.end) {
                facts.closed_idle = Some(idle);
            }
            let ended_by_request = row.ends_on_reuse() && (seen.refused || seen.end == Some(RecordedEnd::LabReset));
            let lost = u32::from(seen.raced || ended_by_request);
            facts.connections += 1;
            facts.arrived += seen.requests + lost;
            facts.answered += seen.answered;
            facts.lost += lost;
            facts.reused |= seen.requests + lost > 1;
            facts
        })
    }
}

fn found(good: impl Into<Option<bool>>, answer: impl Into<String>) -> Finding {
    Finding { good: good.into(), answer: answer.into() }
}

/// Does the client use a connection again?
pub fn reuses(facts: &RowFacts) -> Finding {
    match facts {
        RowFacts { arrived: 0 | 1, .. } => too_few(facts),
        RowFacts { reused: true, .. } => found(true, "used it again"),
        _ => found(false, "opened another one"),
    }
}

/// Does it leave a connection that it must not, or should not, use again?
pub fn leaves(facts: &RowFacts) -> Finding {
    match facts {
        RowFacts { arrived: 0 | 1, .. } => too_few(facts),
        RowFacts { reused: true, .. } => found(false, "used it again"),
        _ => found(true, "opened another one"),
    }
}

/// Are both requests answered, though the server has ended the connection between them?
pub fn survives(facts: &RowFacts) -> Finding {
    match facts {
        RowFacts { arrived: 0, .. } => too_few(facts),
        RowFacts { answered: 2.., lost: 0, reused: true, .. } => found(true, "used it just in time"),
        RowFacts { answered: 2.., lost: 0, .. } => found(true, "opened another one"),
        RowFacts { answered: 2.., .. } => found(true, "lost a request, and sent it again"),
        RowFacts { lost: 1.., .. } => found(false, "lost a request, and failed"),
        _ => found(false, "got no second response"),
    }
}

/// The same, where what the client may take for its response is a 408.
pub fn survives_408(facts: &RowFacts) -> Finding {
    match survives(facts) {
        Finding { good: Some(false), .. } => found(false, "got no response but that"),
        other => other,
    }
}

/// The same with a POST. Whether one is lost depends on who is quicker, so only the harm is shown.
pub fn survives_as_post(facts: &RowFacts) -> Finding {
    match facts {
        RowFacts { lost: 1.., arrived: 3.., .. } => found(false, "SENT IT TWICE"),
        _ => Finding { good: None, ..survives(facts) },
    }
}

/// Is a GET that was lost sent again (RFC 9110 §9.2.2: it may be)?
pub fn retries(facts: &RowFacts) -> Finding {
    match facts {
        RowFacts { lost: 0, .. } => nothing_lost(facts, None),
        RowFacts { answered: 2.., .. } => found(true, "sent it again"),
        _ => found(false, "failed"),
    }
}

/// Is a POST that was lost left alone (RFC 9110 §9.2.2: nobody knows whether it was carried out)?
pub fn does_not_retry(facts: &RowFacts) -> Finding {
    match facts {
        RowFacts { lost: 0, .. } => nothing_lost(facts, Some(true)),
        RowFacts { arrived: 3.., .. } => found(false, "SENT IT TWICE"),
        _ => found(true, "failed, as it should"),
    }
}

/// Is a request that was answered with 408 sent again (RFC 9110 §15.5.9: it may be)?
pub fn takes_408(facts: &RowFacts) -> Finding {
    match facts {
        RowFacts { lost: 0, .. } => nothing_lost(facts, None),
        RowFacts { arrived: 3.., .. } => found(None, "sent it again"),
        _ => found(None, "gave the 408 to its caller"),
    }
}

/// How long does it keep an idle connection?
pub fn waits(facts: &RowFacts) -> Finding {
    match facts {
        RowFacts { closed_idle: Some(idle), .. } => found(None, format!("closed it after {:.1} s", idle.as_secs_f64())),
        RowFacts { reused: true, .. } => found(None, "kept it all the time"),
        RowFacts { arrived: 2.., .. } => found(None, "opened another one"),
        _ => too_few(facts),
    }
}

fn nothing_lost(facts: &RowFacts, good: Option<bool>) -> Finding {
    if facts.arrived < 2 { too_few(facts) } else { found(good, "did not use it again") }
}

fn too_few(facts: &RowFacts) -> Finding {
    found(None, if facts.arrived == 0 { "made no request" } else { "made one request only" })
}

#[cfg(test)]
mod tests {
    use super::super::rows::ROWS;
    use super::*;

    fn seen(requests: u32, answered: u32, end: RecordedEnd) -> Seen {
        Seen { requests, answered, end: Some(end), ..Seen::default() }
    }

    #[test]
    fn what_was_seen_says_what_the_client_does() {
        let idle = RecordedEnd::ClientClosed(Duration::from_secs(5));
        let spare = seen(0, 0, RecordedEnd::Other);
        let once = seen(1, 1, RecordedEnd::Other);
        let twice = seen(2, 2, RecordedEnd::Other);
        let raced = Seen { raced: true, ..once.clone() };
        let reset = seen(1, 1, RecordedEnd::LabReset);
        let refused = Seen { refused: true, ..once.clone() };
        for (name, method, connections, answer, good) in [
            ("reuse", "GET", vec![spare, twice.clone()], "used it again", Some(true)),
            ("reuse", "GET", vec![once.clone(), once.clone()], "opened another one", Some(false)),
            ("reuse", "GET", vec![once.clone()], "made one request only", None),
            ("reuse", "GET", vec![], "made no request", None),
            ("close", "GET", vec![twice.clone()], "used it again", Some(false)),
            ("close", "GET", vec![once.clone(), once.clone()], "opened another one", Some(true)),
            ("fin", "GET", vec![raced.clone(), once.clone()], "lost a request, and sent it again", Some(true)),
            ("fin", "GET", vec![raced.clone()], "lost a request, and failed", Some(false)),
            ("fin", "POST", vec![raced.clone(), once.clone()], "SENT IT TWICE", Some(false)),
            ("fin", "POST", vec![once.clone(), once.clone()], "opened another one", None),
            ("fin-on-reuse", "GET", vec![raced.clone(), once.clone()], "sent it again", Some(true)),
            ("fin-on-reuse", "GET", vec![raced.clone()], "failed", Some(false)),
            ("fin-on-reuse", "GET", vec![once.clone(), once.clone()], "did not use it again", None),
            ("reset-on-reuse", "POST", vec![reset.clone(), once.clone()], "SENT IT TWICE", Some(false)),
            ("reset-on-reuse", "POST", vec![reset.clone()], "failed, as it should", Some(true)),
            ("reset-on-reuse", "POST", vec![once.clone(), once.clone()], "did not use it again", Some(true)),
            ("408-on-reuse", "GET", vec![refused.clone()], "gave the 408 to its caller", None),
            ("408-on-reuse", "GET", vec![refused.clone(), once.clone()], "sent it again", None),
            ("408-while-idle", "GET", vec![refused.clone()], "got no response but that", Some(false)),
            ("408-while-idle", "GET", vec![refused, once.clone()], "opened another one", Some(true)),
            ("reset-while-idle", "GET", vec![reset.clone(), once.clone()], "opened another one", Some(true)),
            ("reset-while-idle", "GET", vec![reset], "got no second response", Some(false)),
            ("race", "GET", vec![twice.clone()], "used it just in time", Some(true)),
            ("idle", "GET", vec![seen(1, 1, idle)], "closed it after 5.0 s", None),
            ("idle", "GET", vec![twice], "kept it all the time", None),
        ] {
            let row = ROWS.iter().find(|row| (row.name, row.method) == (name, method)).unwrap();
            let finding = (row.judge)(&RowFacts::of(row, &connections));
            assert_eq!((finding.answer.as_str(), finding.good), (answer, good), "{name} {method} {connections:?}");
        }
    }
}
