//! `holdline probe-server`: what a server does with its connections, and what that means for clients.
//!
//! All waits run at once, so that the probe takes little longer than the longest of them. It is not a load: some twenty
//! connections, and requests one after the other.

mod card;
mod exchanges;
mod extremes;
mod judge_exchanges;
mod judge_waits;
mod rows;
mod seen;
mod subject;
mod waits;

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::interrupt::Interrupt;
use super::peers::Behind;
use super::progress::Progress;
use super::url::HttpUrl;
use seen::{Evidence, ServerSeen};
use subject::Subject;

pub use card::ServerCard;
pub use rows::ServerRequirement;

/// How often the waits are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What a server is asked beyond the usual, and for how long.
#[derive(Clone, Debug)]
pub struct ServerProbe {
    /// Watch connections for this long.
    pub watch: Duration,
    /// Make at most this many requests on one connection.
    pub max: u32,
    /// The pool that the server stands behind.
    pub behind: Option<Behind>,
    /// Open this many connections.
    pub connections: Option<u32>,
    /// The command that stops the server.
    pub stop: Option<String>,
}

impl ServerProbe {
    /// Probes a server.
    ///
    /// # Errors
    /// One line that says why it can't be probed.
    pub fn run(&self, url: &HttpUrl) -> Result<ServerCard, String> {
        let interrupt = Interrupt::install().map_err(|error| format!("cannot note signals: {error}"))?;
        let (subject, head) = Subject::find(url)?;
        let mut seen = self.watch_and_exchange(&subject, &interrupt)?;
        let gone = Subject::find(url).err();
        if gone.is_none() {
            seen.full = self.connections.map(|wanted| extremes::full(&subject, wanted, head.status));
            seen.stop = self.stop.as_ref().map(|command| extremes::stop(&subject, command));
        }
        Ok(ServerCard { subject, status: head.status, software: head.server, behind: self.behind, seen, gone })
    }

    /// Lets all waits run at once, and makes the exchanges meanwhile.
    fn watch_and_exchange(&self, subject: &Subject, interrupt: &Interrupt) -> Result<ServerSeen, String> {
        let (watch, max) = (self.watch, self.max);
        let idle = in_a_thread(subject, move |subject| waits::idle(subject, watch));
        let silent = in_a_thread(subject, move |subject| waits::silent(subject, watch));
        let slow = in_a_thread(subject, move |subject| waits::slow(subject, watch));
        let exchanges = in_a_thread(subject, move |subject| Ok(exchanges::all(subject, max, watch)));
        let mut progress = Progress::new(watch.as_millis() as u64);
        let start = Instant::now();
        loop {
            let open = [
                ("idle", idle.is_finished()),
                ("silent", silent.is_finished()),
                ("slow", slow.is_finished()),
                ("exchanges", exchanges.is_finished()),
            ];
            let names: Vec<&str> = open.iter().filter(|(_, over)| !over).map(|(name, _)| *name).collect();
            if names.is_empty() {
                break;
            }
            if interrupt.has_come() {
                return Err("interrupted".to_owned());
            }
            progress.show(start.elapsed().as_millis() as u64, &format!("waiting for: {}", names.join(", ")));
            thread::sleep(LOOK);
        }
        let (idle, silent, slow) = (joined(idle), joined(silent), joined(slow));
        Ok(ServerSeen { watched: watch, idle, silent, slow, exchanges: joined(exchanges)?, full: None, stop: None })
    }
}

fn in_a_thread<T: Send + 'static>(
    subject: &Subject,
    see: impl FnOnce(&Subject) -> Evidence<T> + Send + 'static,
) -> JoinHandle<Evidence<T>> {
    let subject = subject.clone();
    thread::spawn(move || see(&subject))
}

fn joined<T>(thread: JoinHandle<Evidence<T>>) -> Evidence<T> {
    thread.join().unwrap_or_else(|_| Err("the probe itself failed".to_owned()))
}
