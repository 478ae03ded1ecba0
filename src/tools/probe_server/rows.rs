//! The questions to a server, one row each, and the requirements that it can be held to.

use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use super::judge_exchanges as exchanges;
use super::judge_waits as waits;
use super::seen::{EndSeen, ServerSeen};
use crate::tools::peers::Behind;
use crate::units::Span;

/// One thing that is asked of a server.
#[derive(Debug)]
pub struct ServerRow {
    /// Its name, also that of the requirement that it is `ok`.
    pub name: &'static str,
    /// Reads what was seen; `None` if the row was not asked for.
    pub judge: fn(&Case<'_>) -> Option<Judgement>,
}

/// All that a row is judged by.
#[derive(Debug)]
pub struct Case<'a> {
    /// What was seen.
    pub seen: &'a ServerSeen,
    /// What the server calls itself.
    pub software: Option<&'a str>,
    /// The pool that the server stands behind.
    pub behind: Option<Behind>,
}

/// What a row says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Whether that is as it should be.
    pub grade: Grade,
    /// What the server does, in words.
    pub sentence: String,
    /// The section that says what it should do.
    pub rfc: Option<&'static str>,
}

/// Whether something is as it should be; the worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Grade {
    /// It was not seen.
    #[serde(rename = "not shown")]
    NotShown,
    /// It is.
    #[serde(rename = "ok")]
    Ok,
    /// It is allowed, and can hurt.
    #[serde(rename = "careful")]
    Careful,
    /// It is not.
    #[serde(rename = "BAD")]
    Bad,
}

/// In the order of the card.
pub const ROWS: &[ServerRow] = &[
    ServerRow { name: "idle", judge: waits::idle },
    ServerRow { name: "silent", judge: waits::silent },
    ServerRow { name: "keeps-promise", judge: waits::promise },
    ServerRow { name: "behind", judge: waits::behind },
    ServerRow { name: "race", judge: waits::race },
    ServerRow { name: "limit", judge: exchanges::limit },
    ServerRow { name: "close-options", judge: exchanges::options },
    ServerRow { name: "pipelining", judge: exchanges::pipelining },
    ServerRow { name: "half-close", judge: exchanges::half_close },
    ServerRow { name: "unread-body", judge: exchanges::uploads },
    ServerRow { name: "slow", judge: waits::slow },
    ServerRow { name: "full", judge: exchanges::full },
    ServerRow { name: "stop", judge: exchanges::stop },
];

/// What a server can be required to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerRequirement {
    /// To keep an idle connection for longer than this.
    IdleLonger(Duration),
    /// To have `ok` in the row of this name.
    Ok(&'static str),
}

impl FromStr for ServerRequirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(time) = text.strip_prefix("idle>") {
            return time.parse().map(|Span(time)| ServerRequirement::IdleLonger(time));
        }
        let names = || ROWS.iter().map(|row| row.name);
        names()
            .find(|name| *name == text)
            .map(ServerRequirement::Ok)
            .ok_or_else(|| format!("must be idle>60s, or one of the rows {}", names().collect::<Vec<_>>().join(", ")))
    }
}

impl ServerRequirement {
    /// Why it is not met, if it is not.
    pub fn unmet(self, case: &Case<'_>) -> Option<String> {
        let name = match self {
            ServerRequirement::IdleLonger(time) if lasts_longer(case.seen, time) => return None,
            ServerRequirement::IdleLonger(_) => "idle",
            ServerRequirement::Ok(name) => name,
        };
        let judgement = ROWS.iter().find(|row| row.name == name).and_then(|row| (row.judge)(case));
        let why = match (self, judgement) {
            (ServerRequirement::Ok(_), Some(Judgement { grade: Grade::Ok, .. })) => return None,
            (_, Some(judgement)) => judgement.sentence,
            (_, None) => "it was not asked".to_owned(),
        };
        Some(match self {
            ServerRequirement::IdleLonger(time) => format!("idle>{} ({why})", Span(time)),
            ServerRequirement::Ok(name) => format!("{name} ({why})"),
        })
    }
}

fn lasts_longer(seen: &ServerSeen, time: Duration) -> bool {
    let idle = seen.idle.as_ref().ok().and_then(|seen| seen.idle);
    idle.is_some_and(|idle| if idle.end == EndSeen::Open { seen.watched > time } else { idle.after > time })
}

impl Grade {
    /// The word for it.
    pub fn label(self) -> &'static str {
        match self {
            Grade::NotShown => "not shown",
            Grade::Ok => "ok",
            Grade::Careful => "careful",
            Grade::Bad => "BAD",
        }
    }

    /// A judgement of this grade.
    pub fn says(self, sentence: impl Into<String>) -> Judgement {
        Judgement { grade: self, sentence: sentence.into(), rfc: None }
    }
}

impl Judgement {
    /// The same, with the section that says what a server should do.
    pub fn by(self, rfc: &'static str) -> Judgement {
        Judgement { rfc: Some(rfc), ..self }
    }
}
