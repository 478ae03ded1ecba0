//! `holdline probe-client`: what a client makes of a server that breaks its connections.
//!
//! The client makes each request twice, from one pool of connections; what it does is seen by the lab alone. So any
//! client will do, in any language.

mod book;
mod card;
mod client;
mod facts;
mod lab;
mod rows;
mod run;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::progress::Progress;
use crate::http::Limits;
use book::Seen;
use card::{Judged, Outcome};
use client::names;
use facts::Facts;
use lab::Lab;
use rows::{PROMISE, Pause, Place, ROWS, Row};

pub use card::Card;
pub use rows::Virtue;

/// How often to look.
const GLANCE: Duration = Duration::from_millis(5);

/// The servers, and for how long an idle connection is watched.
#[derive(Debug)]
pub struct Probe {
    usual: Lab,
    brief: Lab,
    /// Answers late, so that a client which can't pause may wait here.
    clock: Lab,
    watch: Duration,
}

impl Probe {
    /// Starts the lab.
    ///
    /// # Errors
    /// If the system has no sockets for it.
    pub fn start(watch: Duration) -> io::Result<Probe> {
        // The brief one promises little, and keeps for long what it is not trusted to keep.
        let brief =
            Limits { keep_alive_timeout: PROMISE, keep_alive_grace: Duration::from_secs(600), ..Limits::DEFAULT };
        Ok(Probe {
            usual: Lab::open(Limits::DEFAULT)?,
            brief: Lab::open(brief)?,
            clock: Lab::open(Limits::DEFAULT)?,
            watch,
        })
    }

    /// Runs a command for each row.
    ///
    /// # Errors
    /// If it can't be run, or makes no request; one line that says why.
    pub fn run(&self, command: &[String]) -> Result<Card, String> {
        let mut results = Vec::new();
        let mut progress = Progress::new(ROWS.len() as u64);
        for (at, row) in ROWS.iter().enumerate() {
            progress.show(at as u64, row.server);
            let outcome = match unasked(row, command) {
                Some(why) => Outcome::NotAsked(why),
                None => self.run_in_time(row, command)?,
            };
            results.push(Judged { row: *row, outcome });
        }
        Ok(Card { command: command.to_owned(), results })
    }

    /// What to point a client at, one line a row.
    pub fn invitation(&self) -> String {
        let lines = ROWS.iter().map(|row| {
            let pause = row.pause(self.watch).as_secs();
            let pause = if pause == 0 { String::new() } else { format!("  with {pause} s between") };
            format!("  {:<5}{}{pause}\n", row.method, self.url(row))
        });
        format!(
            "Request each of these twice, one after the other, from one pool of connections:\n{}",
            lines.collect::<String>()
        )
    }

    /// Waits for so long for a client to come by itself, or until the process is asked to stop.
    pub fn wait(&self, time: Duration) -> Card {
        let start = Instant::now();
        let mut progress = Progress::new(time.as_millis() as u64);
        while start.elapsed() < time && !self.usual.has_stopped() {
            let seen = ROWS.iter().filter(|row| self.facts(row).arrived > 1).count();
            progress.show(start.elapsed().as_millis() as u64, &format!("{seen} of {} seen", ROWS.len()));
            thread::sleep(GLANCE);
        }
        let judge = |row: &Row| {
            let facts = self.facts(row);
            Judged { row: *row, outcome: Outcome::Seen(facts, (row.judge)(&facts), None) }
        };
        Card { command: Vec::new(), results: ROWS.iter().map(judge).collect() }
    }

    fn facts(&self, row: &Row) -> Facts {
        let target = format!("/-/lab/{}", row.path);
        let of_row =
            |seen: &&Seen| seen.first.as_ref().is_some_and(|(method, asked)| method == row.method && *asked == target);
        Facts::of(row, self.lab(row).book.read().iter().filter(of_row))
    }

    fn lab(&self, row: &Row) -> &Lab {
        match row.place {
            Place::Usual => &self.usual,
            Place::Brief => &self.brief,
        }
    }

    fn url(&self, row: &Row) -> String {
        self.lab(row).url(row.path)
    }
}

/// Why a row can't be asked of this command, if it can't.
fn unasked(row: &Row, command: &[String]) -> Option<&'static str> {
    if row.method != "GET" && !names(command, "{method}") {
        return Some("the command takes no {method}");
    }
    if row.pause != Pause::None && !names(command, "{pause}") && !names(command, "{wait}") {
        return Some("the command takes no {pause} or {wait}");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_apart_by_place_method_and_path() {
        for (at, row) in ROWS.iter().enumerate() {
            let same = |other: &&Row| (other.place, other.method, other.path) == (row.place, row.method, row.path);
            assert_eq!(ROWS.iter().position(|other| same(&other)), Some(at), "{} {}", row.name, row.method);
            let named = |other: &&Row| (other.name, other.method) == (row.name, row.method);
            assert_eq!(ROWS.iter().filter(named).count(), 1, "{} {}", row.name, row.method);
        }
        for virtue in Virtue::ALL {
            assert!(ROWS.iter().any(|row| row.shows == Some(*virtue)), "nothing shows {}", virtue.label());
        }
    }

    #[test]
    fn a_command_is_asked_what_it_can_be() {
        let asked = |words: &[&str]| {
            let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            ROWS.iter().filter(|row| unasked(row, &command).is_none()).count()
        };
        assert_eq!(asked(&["x", "{url}", "{method}", "{pause}"]), ROWS.len());
        assert_eq!(asked(&["x", "{url}", "{method}", "{wait}"]), ROWS.len());
        assert!(asked(&["x", "{url}"]) > 5 && asked(&["x", "{url}"]) < asked(&["x", "{url}", "{wait}"]));
    }
}
