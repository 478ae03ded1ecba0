//! The report card of a server: a table for people, and JSON for programs.

use std::fmt;

use serde::{Serialize, Serializer};

use super::rows::{Case, Grade, Judgement, ROWS, ServerRequirement};
use super::seen::ServerSeen;
use super::subject::Subject;
use crate::tools::peers::Behind;
use crate::tools::table::Table;

/// All that was found about a server.
#[derive(Debug)]
pub struct ServerCard {
    pub(super) subject: Subject,
    /// The status of its first response.
    pub(super) status: u16,
    /// What it calls itself.
    pub(super) software: Option<String>,
    /// The pool that it stands behind.
    pub(super) behind: Option<Behind>,
    pub(super) seen: ServerSeen,
    /// Why it answers no more, if it does not.
    pub(super) gone: Option<String>,
}

impl ServerCard {
    /// What failed: a server that is gone, or requirements that are not met.
    pub fn failure(&self, required: &[ServerRequirement]) -> Option<String> {
        let case = self.case();
        let unmet: Vec<String> = required.iter().filter_map(|requirement| requirement.unmet(&case)).collect();
        match (&self.gone, unmet.is_empty()) {
            (Some(why), _) => Some(format!("the server stopped answering while it was probed: {why}")),
            (None, true) => None,
            (None, false) => Some(format!("the server does not meet: {}", unmet.join("; "))),
        }
    }

    fn case(&self) -> Case<'_> {
        Case { seen: &self.seen, software: self.software.as_deref(), behind: self.behind }
    }

    fn judgements(&self) -> impl Iterator<Item = (&'static str, Judgement)> {
        let case = self.case();
        ROWS.iter().filter_map(move |row| Some((row.name, (row.judge)(&case)?)))
    }
}

impl fmt::Display for ServerCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Subject { url, address } = &self.subject;
        write!(f, "{url} at {address}: status {}", self.status)?;
        match &self.software {
            Some(software) => writeln!(f, ", server {software}\n")?,
            None => writeln!(f, "\n")?,
        }
        let mut table = Table::new(&["", "", "the server"]);
        for (name, Judgement { grade, sentence, rfc }) in self.judgements() {
            let rfc = rfc.map(|rfc| format!(" ({rfc})")).unwrap_or_default();
            table.row([name.to_owned(), grade.label().to_owned(), sentence + &rfc]);
        }
        write!(f, "{table}")
    }
}

impl Serialize for ServerCard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct ServerCardJson<'a> {
            url: String,
            address: String,
            status: u16,
            software: Option<&'a str>,
            rows: Vec<ServerRowJson>,
            seen: &'a ServerSeen,
            worst: Grade,
        }
        #[derive(Serialize)]
        struct ServerRowJson {
            name: &'static str,
            #[serde(flatten)]
            judgement: Judgement,
        }
        let json = |(name, judgement)| ServerRowJson { name, judgement };
        let members = ServerCardJson {
            url: self.subject.url.to_string(),
            address: self.subject.address.to_string(),
            status: self.status,
            software: self.software.as_deref(),
            rows: self.judgements().map(json).collect(),
            seen: &self.seen,
            worst: self.judgements().map(|(_, judgement)| judgement.grade).max().unwrap_or(Grade::NotShown),
        };
        members.serialize(serializer)
    }
}
