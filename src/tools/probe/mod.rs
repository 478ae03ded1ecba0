//! `holdline probe-client`: what a client makes of a server that breaks its connections.
//!
//! The client makes each request twice, from one pool of connections; what it does is seen by the lab alone. So any
//! client will do, in any language.

mod card;
mod client;
mod facts;
mod lab;
mod recorder;
mod rows;
mod run;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::interrupt::Interrupt;
use super::progress::Progress;
use crate::http::Limits;
use card::{Judged, RowOutcome};
use client::names;
use facts::RowFacts;
use lab::Lab;
use rows::{Pause, ROWS, Row};

pub use card::Card;
pub use rows::Requirement;

/// How long the servers keep an idle connection beyond their promise.
const GRACE: Duration = Duration::from_secs(3600);

/// How often the state of a client or a lab is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A server for each row, and for how long an idle connection is watched.
#[derive(Debug)]
pub struct Probe {
    labs: Vec<(Row, Lab)>,
    /// Answers late, so that a client which can't pause may wait here.
    clock: Lab,
    watch: Duration,
    interrupt: Interrupt,
}

impl Probe {
    /// Starts the servers.
    ///
    /// # Errors
    /// If the system has no sockets for them.
    pub fn start(watch: Duration) -> io::Result<Probe> {
        let labs = ROWS.iter().map(|row| {
            // A client that ignores the promise finds the connection still open.
            let limits = Limits { keep_alive_timeout: row.promise, keep_alive_grace: GRACE, ..Limits::DEFAULT };
            Lab::open(limits).map(|lab| (*row, lab))
        });
        Ok(Probe {
            labs: labs.collect::<Result<_, _>>()?,
            clock: Lab::open(Limits::DEFAULT)?,
            watch,
            interrupt: Interrupt::install()?,
        })
    }

    /// Runs a command for each row.
    ///
    /// # Errors
    /// If it can't be run, or makes no request; one line that says why.
    pub fn run(&self, command: &[String]) -> Result<Card, String> {
        let mut results = Vec::new();
        let mut progress = Progress::new(ROWS.len() as u64);
        for (at, (row, lab)) in self.labs.iter().enumerate() {
            progress.show(at as u64, row.server);
            let outcome = match reason_not_to_run(row, command) {
                Some(why) => RowOutcome::NotAsked(why),
                None => self.run_in_time(row, lab, command)?,
            };
            results.push(Judged { row: *row, outcome });
        }
        Ok(Card { command: command.to_owned(), results })
    }

    /// What to point a client at, one line per row.
    pub fn invitation(&self) -> String {
        let lines = self.labs.iter().map(|(row, lab)| {
            let pause = row.pause(self.watch).as_secs();
            let pause = if pause == 0 { String::new() } else { format!("  with {pause} s between") };
            format!("  {:<5}{}{pause}\n", row.method, lab.url(row.path))
        });
        format!(
            "Request each of these twice, one after the other, from one pool of connections:\n{}",
            lines.collect::<String>()
        )
    }

    /// Waits for this long for a client to come by itself, or until the process is asked to stop.
    pub fn wait(&self, time: Duration) -> Card {
        let start = Instant::now();
        let mut progress = Progress::new(time.as_millis() as u64);
        while start.elapsed() < time && !self.interrupt.has_come() {
            let seen = self.labs.iter().filter(|(row, lab)| facts(row, lab).arrived > 1).count();
            progress.show(start.elapsed().as_millis() as u64, &format!("{seen} of {} seen", ROWS.len()));
            thread::sleep(POLL_INTERVAL);
        }
        let judge = |(row, lab): &(Row, Lab)| {
            let facts = facts(row, lab);
            Judged { row: *row, outcome: RowOutcome::Seen(facts, (row.judge)(&facts), None) }
        };
        Card { command: Vec::new(), results: self.labs.iter().map(judge).collect() }
    }
}

/// What a row's server has seen so far.
fn facts(row: &Row, lab: &Lab) -> RowFacts {
    RowFacts::of(row, &lab.recorder.read())
}

/// Why a row can't be asked of this command, if it can't.
fn reason_not_to_run(row: &Row, command: &[String]) -> Option<&'static str> {
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
    fn rows_have_unique_names_and_every_requirement_has_a_row() {
        for row in ROWS {
            let named = |other: &&Row| (other.name, other.method) == (row.name, row.method);
            assert_eq!(ROWS.iter().filter(named).count(), 1, "{} {}", row.name, row.method);
        }
        for requirement in Requirement::ALL {
            assert!(ROWS.iter().any(|row| row.shows == Some(*requirement)), "nothing shows {}", requirement.label());
        }
    }

    #[test]
    fn a_command_is_asked_what_it_can_be() {
        let asked = |words: &[&str]| {
            let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            ROWS.iter().filter(|row| reason_not_to_run(row, &command).is_none()).count()
        };
        assert_eq!(asked(&["x", "{url}", "{method}", "{pause}"]), ROWS.len());
        assert_eq!(asked(&["x", "{url}", "{method}", "{wait}"]), ROWS.len());
        assert!(asked(&["x", "{url}"]) > 5 && asked(&["x", "{url}"]) < asked(&["x", "{url}", "{wait}"]));
    }
}
