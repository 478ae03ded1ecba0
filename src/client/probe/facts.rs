//! From what was seen to what it says of the client.

use std::time::Duration;

use super::book::{End, Seen};
use super::rows::Row;

/// What the lab saw of the two requests of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
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

impl Facts {
    /// Reads the book, of which these are the row's connections.
    pub fn of<'a>(row: &Row, connections: impl Iterator<Item = &'a Seen>) -> Facts {
        connections.fold(Facts::default(), |mut facts, seen| {
            if let (0, 1, Some(End::ClientClosed(idle))) = (facts.connections, seen.requests, seen.end) {
                facts.closed_idle = Some(idle);
            }
            let ended_by_request = row.ends_on_reuse() && (seen.refused || seen.end == Some(End::LabReset));
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
pub fn reuses(facts: &Facts) -> Finding {
    match facts {
        Facts { arrived: 0 | 1, .. } => too_few(facts),
        Facts { reused: true, .. } => found(true, "used it again"),
        _ => found(false, "opened another one"),
    }
}

/// Does it leave a connection that it must not, or should not, use again?
pub fn leaves(facts: &Facts) -> Finding {
    match facts {
        Facts { arrived: 0 | 1, .. } => too_few(facts),
        Facts { reused: true, .. } => found(false, "used it all the same"),
        _ => found(true, "opened another one"),
    }
}

/// Are both requests answered, though the server has ended the connection between them?
pub fn survives(facts: &Facts) -> Finding {
    match facts {
        Facts { arrived: 0, .. } => too_few(facts),
        Facts { answered: 2.., lost: 0, reused: true, .. } => found(true, "used it just in time"),
        Facts { answered: 2.., lost: 0, .. } => found(true, "opened another one"),
        Facts { answered: 2.., .. } => found(true, "lost a request, and sent it again"),
        Facts { lost: 1.., .. } => found(false, "lost a request, and failed"),
        _ => found(false, "got no second response"),
    }
}

/// The same, where what the client may take for its response is a 408.
pub fn survives_408(facts: &Facts) -> Finding {
    match survives(facts) {
        Finding { good: Some(false), .. } => found(false, "got no response but that"),
        other => other,
    }
}

/// The same with a POST. Whether one is lost depends on who is quicker, so only the harm is shown.
pub fn survives_as_post(facts: &Facts) -> Finding {
    match facts {
        Facts { lost: 1.., arrived: 3.., .. } => found(false, "SENT IT TWICE"),
        _ => Finding { good: None, ..survives(facts) },
    }
}

/// Is a GET that was lost sent again (RFC 9110 §9.2.2: it may be)?
pub fn retries(facts: &Facts) -> Finding {
    match facts {
        Facts { lost: 0, .. } => nothing_lost(facts, None),
        Facts { answered: 2.., .. } => found(true, "sent it again"),
        _ => found(false, "failed"),
    }
}

/// Is a POST that was lost left alone (RFC 9110 §9.2.2: nobody knows whether it was carried out)?
pub fn does_not_retry(facts: &Facts) -> Finding {
    match facts {
        Facts { lost: 0, .. } => nothing_lost(facts, Some(true)),
        Facts { arrived: 3.., .. } => found(false, "SENT IT TWICE"),
        _ => found(true, "failed, as it should"),
    }
}

/// Is a request that was answered with 408 sent again (RFC 9110 §15.5.9: it may be)?
pub fn takes_408(facts: &Facts) -> Finding {
    match facts {
        Facts { lost: 0, .. } => nothing_lost(facts, None),
        Facts { arrived: 3.., .. } => found(None, "sent it again"),
        _ => found(None, "gave the 408 to its caller"),
    }
}

/// How long does it keep an idle connection?
pub fn waits(facts: &Facts) -> Finding {
    match facts {
        Facts { closed_idle: Some(idle), .. } => found(None, format!("closed it after {:.1} s", idle.as_secs_f64())),
        Facts { reused: true, .. } => found(None, "kept it all the time"),
        Facts { arrived: 2.., .. } => found(None, "opened another one"),
        _ => too_few(facts),
    }
}

fn nothing_lost(facts: &Facts, good: Option<bool>) -> Finding {
    if facts.arrived < 2 { too_few(facts) } else { found(good, "did not use it again") }
}

fn too_few(facts: &Facts) -> Finding {
    found(None, if facts.arrived == 0 { "made no request" } else { "made one request only" })
}
