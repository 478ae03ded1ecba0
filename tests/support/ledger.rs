//! The ledger: one line a connection, at its end.

use std::collections::BTreeMap;

/// One line of the ledger, its members by name.
#[derive(Debug)]
pub struct LedgerLine {
    members: BTreeMap<String, String>,
    line: String,
}

impl LedgerLine {
    /// Reads a line of the log, if it is one of the ledger.
    pub fn parse(line: &str) -> Option<LedgerLine> {
        let start = line.find("conn=")?;
        let members = parse_members(&line[start..])?;
        let is_ledger = members.contains_key("peer") && members.contains_key("reason");
        is_ledger.then(|| LedgerLine { members, line: line.to_owned() })
    }

    /// The value of a member; panics if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.members.get(name).unwrap_or_else(|| panic!("no {name}= in: {}", self.line))
    }

    /// Asserts what the line says of the end: `(by, how, reason, announced)`.
    pub fn assert_end(&self, by: &str, how: &str, reason: &str, announced: &str) {
        let said = (self.get("by"), self.get("how"), self.get("reason"), self.get("announced"));
        assert_eq!(said, (by, how, reason, announced), "by, how, reason, announced of: {}", self.line);
    }
}

/// `name=value name="quoted value"`, where `\` escapes within quotes.
fn parse_members(text: &str) -> Option<BTreeMap<String, String>> {
    let mut members = BTreeMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, tail) = rest.split_once('=')?;
        let (value, tail) = match tail.strip_prefix('"') {
            Some(quoted) => parse_quoted(quoted)?,
            None => {
                let (value, tail) = tail.split_at(tail.find(' ').unwrap_or(tail.len()));
                (value.to_owned(), tail)
            }
        };
        members.insert(name.to_owned(), value);
        rest = tail.trim_start();
    }
    Some(members)
}

/// The value up to the closing quote, and what follows it.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}
