//! The report card: a table for people, and JSON for programs.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::facts::{Finding, RowFacts};
use super::rows::{Requirement, Row};
use crate::tools::table::Table;

/// All that was found about a client.
#[derive(Debug)]
pub struct Card {
    /// What was run; empty if the client came by itself.
    pub(super) command: Vec<String>,
    pub(super) results: Vec<Judged>,
}

/// A row, and what became of it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) row: Row,
    pub(super) outcome: RowOutcome,
}

/// What became of a row.
#[derive(Debug)]
pub(super) enum RowOutcome {
    /// It was run, and ended like this: an exit status, if there was one.
    Seen(RowFacts, Finding, Option<i32>),
    /// The command does not take what the row needs.
    NotAsked(&'static str),
}

impl Judged {
    fn finding(&self) -> Option<&Finding> {
        match &self.outcome {
            RowOutcome::Seen(_, finding, _) => Some(finding),
            RowOutcome::NotAsked(_) => None,
        }
    }
}

impl Card {
    /// Whether the client does this: `None` if that was not shown. One row that shows the contrary is enough.
    pub fn holds(&self, requirement: Requirement) -> Option<bool> {
        let rows = self.results.iter().filter(|judged| judged.row.shows == Some(requirement));
        let shown: Vec<bool> = rows.filter_map(|judged| judged.finding()?.good).collect();
        (!shown.is_empty()).then(|| shown.iter().all(|good| *good))
    }

    /// Of what is required, that which the client does not do or was not seen to do.
    pub fn unmet(&self, required: &[Requirement]) -> Vec<&'static str> {
        required
            .iter()
            .filter(|requirement| self.holds(**requirement) != Some(true))
            .map(|requirement| requirement.label())
            .collect()
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["the server", "", "the client"]);
        for Judged { row, outcome } in &self.results {
            let answer = match outcome {
                RowOutcome::Seen(_, finding, None | Some(0)) => finding.answer.clone(),
                RowOutcome::Seen(_, finding, Some(status)) => format!("{} (exit status {status})", finding.answer),
                RowOutcome::NotAsked(why) => format!("not asked: {why}"),
            };
            table.row([row.server.to_owned(), row.method.to_owned(), answer]);
        }
        writeln!(f, "{table}")?;
        let mut requirements = Table::new(&["", "", ""]);
        for requirement in Requirement::ALL {
            let held = match self.holds(*requirement) {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "not shown",
            };
            requirements.row([requirement.label(), held, requirement.meaning()].map(str::to_owned));
        }
        f.write_str(requirements.to_string().trim_start_matches('\n'))
    }
}

impl Serialize for Card {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct CardJson<'a> {
            command: &'a [String],
            rows: &'a [Judged],
            holds: Holds<'a>,
        }
        CardJson { command: &self.command, rows: &self.results, holds: Holds(self) }.serialize(serializer)
    }
}

/// Each name, with true, false, or null for what was not shown.
struct Holds<'a>(&'a Card);

impl Serialize for Holds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Requirement::ALL.len()))?;
        for requirement in Requirement::ALL {
            map.serialize_entry(requirement.label(), &self.0.holds(*requirement))?;
        }
        map.end()
    }
}

impl Serialize for Judged {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct JudgedJson<'a> {
            name: &'static str,
            method: &'static str,
            server: &'static str,
            asked: bool,
            client: &'a str,
            good: Option<bool>,
            connections: Option<usize>,
            arrived: Option<u32>,
            answered: Option<u32>,
            lost: Option<u32>,
            closed_idle_ms: Option<u64>,
            exit_status: Option<i32>,
        }
        let Row { name, method, server, .. } = self.row;
        let (facts, exit_status) = match &self.outcome {
            RowOutcome::Seen(facts, _, status) => (Some(facts), *status),
            RowOutcome::NotAsked(_) => (None, None),
        };
        let finding = self.finding();
        let members = JudgedJson {
            name,
            method,
            server,
            asked: facts.is_some(),
            client: finding.map_or("not asked", |finding| &finding.answer),
            good: finding.and_then(|finding| finding.good),
            connections: facts.map(|facts| facts.connections),
            arrived: facts.map(|facts| facts.arrived),
            answered: facts.map(|facts| facts.answered),
            lost: facts.map(|facts| facts.lost),
            closed_idle_ms: facts.and_then(|facts| facts.closed_idle).map(|idle| idle.as_millis() as u64),
            exit_status,
        };
        members.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::{does_not_retry, reuses};
    use super::super::rows::ROWS;
    use super::*;

    fn judged(requirement: Requirement, facts: RowFacts, judge: fn(&RowFacts) -> Finding) -> Judged {
        let row = *ROWS.iter().find(|row| row.shows == Some(requirement)).unwrap();
        Judged { row, outcome: RowOutcome::Seen(facts, judge(&facts), Some(0)) }
    }

    #[test]
    fn what_was_not_shown_is_not_met_and_one_bad_row_is_enough() {
        let reused = RowFacts { arrived: 2, reused: true, ..RowFacts::default() };
        let gave_up = RowFacts { arrived: 2, lost: 1, ..RowFacts::default() };
        let duplicated = RowFacts { arrived: 3, lost: 1, ..RowFacts::default() };
        let card = Card {
            command: Vec::new(),
            results: vec![
                judged(Requirement::Reuse, reused, reuses),
                judged(Requirement::NoDuplicatePost, gave_up, does_not_retry),
                judged(Requirement::NoDuplicatePost, duplicated, does_not_retry),
                Judged { row: ROWS[1], outcome: RowOutcome::NotAsked("why not") },
            ],
        };
        assert_eq!(card.holds(Requirement::Reuse), Some(true));
        assert_eq!(card.holds(Requirement::NoDuplicatePost), Some(false));
        assert_eq!(card.holds(Requirement::HonourClose), None);
        let required = [Requirement::Reuse, Requirement::NoDuplicatePost, Requirement::HonourClose];
        assert_eq!(card.unmet(&required), ["no-duplicate-post", "honour-close"]);
        assert!(card.to_string().contains("not asked: why not"));
    }
}
