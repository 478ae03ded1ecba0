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

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::progress::Progress;
use crate::http::Limits;
use book::Seen;
use card::{Judged, Outcome};
use client::{Client, Task, names};
use facts::Facts;
use lab::Lab;
use rows::{PROMISE, Pause, Place, ROWS, Row};

pub use card::Card;
pub use rows::Virtue;

/// The longest that a command may take, beside the pause that it is asked for.
const RUN_LIMIT: Duration = Duration::from_secs(20);

/// So often a command is run at most because the lab was too late, on a machine with too much to do.
const MAX_RUNS: u32 = 3;

/// How long to wait for the ends of the connections of a command that has ended.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);

/// How often to look.
const GLANCE: Duration = Duration::from_millis(5);

/// The lab is quiet when so long nothing has happened.
const QUIET: Duration = Duration::from_millis(40);

/// A connection that is closed so shortly before its process ends was closed by that.
const EXIT_TIME: Duration = Duration::from_millis(200);

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

    /// Runs the command until the lab was in time with what it does.
    fn run_in_time(&self, row: &Row, command: &[String]) -> Result<Outcome, String> {
        let mut outcome = self.run_row(row, command)?;
        for _ in 1..MAX_RUNS {
            match outcome {
                Outcome::Seen(Facts { reused: true, lost: 0, .. }, ..) if row.ends_before_reuse() => {
                    outcome = self.run_row(row, command)?;
                }
                _ => break,
            }
        }
        Ok(outcome)
    }

    fn run_row(&self, row: &Row, command: &[String]) -> Result<Outcome, String> {
        let pause = row.pause(self.watch);
        let task = Task {
            url: self.url(row),
            method: row.method,
            pause,
            wait: self.clock.url(&format!("wait?for={}ms", pause.as_millis())),
        };
        self.usual.book.clear();
        self.brief.book.clear();
        let client = Client::start(command, &task)?;
        let deadline = Instant::now() + pause + RUN_LIMIT;
        let mut closed_idle = None;
        let status = loop {
            if self.usual.has_stopped() {
                return Err("interrupted".to_owned());
            }
            if let Some(exit) = client.exited() {
                break exit.status;
            }
            if row.pause == Pause::Watched && closed_idle.is_none() {
                closed_idle = self.closed_by_a_living(&client, row);
                if closed_idle.is_some() {
                    break None;
                }
            }
            if Instant::now() >= deadline {
                break None;
            }
            thread::sleep(GLANCE);
        };
        let complaint = if self.facts(row).arrived == 0 { client.last_words() } else { String::new() };
        drop(client);
        self.settle();
        let facts = Facts { closed_idle, ..self.facts(row) };
        if facts.arrived == 0 {
            let status = status.map_or("no exit status".to_owned(), |status| format!("exit status {status}"));
            return Err(format!("the command made no {} request to {} ({status}) {complaint}", row.method, task.url)
                .trim_end()
                .to_owned());
        }
        Ok(Outcome::Seen(facts, (row.judge)(&facts), status))
    }

    /// How long its connection was idle, if the client has closed it and goes on living.
    fn closed_by_a_living(&self, client: &Client, row: &Row) -> Option<Duration> {
        let idle = self.facts(row).closed_idle?;
        let end = Instant::now() + EXIT_TIME;
        while Instant::now() < end {
            if client.exited().is_some() {
                return None;
            }
            thread::sleep(GLANCE);
        }
        Some(idle)
    }

    /// Waits until the lab has seen all that the client did.
    fn settle(&self) {
        let limit = Instant::now() + SETTLE_LIMIT;
        let mut quiet_since = Instant::now();
        let mut last = self.books();
        while Instant::now() < limit {
            let over = last.iter().all(|seen| seen.end.is_some());
            if over && quiet_since.elapsed() >= QUIET {
                return;
            }
            thread::sleep(GLANCE);
            let now = self.books();
            if now != last {
                quiet_since = Instant::now();
                last = now;
            }
        }
    }

    fn books(&self) -> Vec<Seen> {
        [self.usual.book.read(), self.brief.book.read()].concat()
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
