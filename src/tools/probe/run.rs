//! One row with a command: it is run, watched, and ended.

use std::thread;
use std::time::{Duration, Instant};

use super::card::RowOutcome;
use super::client::{Client, Task};
use super::facts::RowFacts;
use super::lab::Lab;
use super::rows::{Pause, Requirement, Row};
use super::{POLL_INTERVAL, Probe, facts};

/// The longest that a command may take, beside the pause that it is asked for.
const RUN_LIMIT: Duration = Duration::from_secs(20);

/// So often a command is run at most because the lab was too late, on a machine with too much to do.
const MAX_RUNS: u32 = 3;

/// How long to wait for the ends of the connections of a command that has ended.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);

/// The lab is quiet when nothing has happened for this long.
const QUIET: Duration = Duration::from_millis(40);

/// A connection that is closed so shortly before its process ends was closed by that.
const EXIT_TIME: Duration = Duration::from_millis(200);

impl Probe {
    /// Runs the command until the lab was in time with what it does.
    pub(super) fn run_in_time(&self, row: &Row, lab: &Lab, command: &[String]) -> Result<RowOutcome, String> {
        let mut outcome = self.run_row(row, lab, command)?;
        for _ in 1..MAX_RUNS {
            match outcome {
                RowOutcome::Seen(RowFacts { reused: true, lost: 0, .. }, ..) if row.ends_before_reuse() => {
                    outcome = self.run_row(row, lab, command)?;
                }
                _ => break,
            }
        }
        Ok(outcome)
    }

    fn run_row(&self, row: &Row, lab: &Lab, command: &[String]) -> Result<RowOutcome, String> {
        let pause = row.pause(self.watch);
        let task = Task {
            url: lab.url(row.path),
            method: row.method,
            pause,
            wait: self.clock.url(&format!("wait?for={}ms", pause.as_millis())),
        };
        lab.recorder.clear();
        let client = Client::start(command, &task)?;
        let deadline = Instant::now() + pause + RUN_LIMIT;
        let mut closed_idle = None;
        let status = loop {
            if self.interrupt.has_come() {
                return Err("interrupted".to_owned());
            }
            if let Some(exit) = client.exited() {
                break exit.status;
            }
            if row.pause == Pause::Watched && closed_idle.is_none() {
                closed_idle = self.closed_by_a_living(&client, row, lab);
                if closed_idle.is_some() {
                    break None;
                }
            }
            if Instant::now() >= deadline {
                break None;
            }
            thread::sleep(POLL_INTERVAL);
        };
        if facts(row, lab).arrived == 0 && row.shows == Some(Requirement::Reuse) {
            // Where nothing is broken it must be able to do that.
            let status = status.map_or("no exit status".to_owned(), |status| format!("exit status {status}"));
            let said = client.last_stderr_line();
            let colon = if said.is_empty() { "" } else { ": " };
            return Err(format!("the command made no request to {} ({status}){colon}{said}", task.url));
        }
        drop(client);
        settle(lab);
        let seen = RowFacts { closed_idle, ..facts(row, lab) };
        Ok(RowOutcome::Seen(seen, (row.judge)(&seen), status))
    }

    /// How long its connection was idle, if the client has closed it while it should pause, and goes on living.
    fn closed_by_a_living(&self, client: &Client, row: &Row, lab: &Lab) -> Option<Duration> {
        let RowFacts { arrived: 1, closed_idle: Some(idle), .. } = facts(row, lab) else { return None };
        if idle >= self.watch {
            return None;
        }
        let end = Instant::now() + EXIT_TIME;
        while Instant::now() < end {
            if client.exited().is_some() {
                return None;
            }
            thread::sleep(POLL_INTERVAL);
        }
        Some(idle)
    }
}

/// Waits until the lab has seen all that the client did.
fn settle(lab: &Lab) {
    let limit = Instant::now() + SETTLE_LIMIT;
    let mut quiet_since = Instant::now();
    let mut last = lab.recorder.read();
    while Instant::now() < limit {
        let over = last.iter().all(|seen| seen.end.is_some());
        if over && quiet_since.elapsed() >= QUIET {
            return;
        }
        thread::sleep(POLL_INTERVAL);
        let now = lab.recorder.read();
        if now != last {
            quiet_since = Instant::now();
            last = now;
        }
    }
}
