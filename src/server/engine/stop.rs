//! What a shutdown does to the connections, and for which of them it waits.

use crate::http::{CloseReason, State, Tick};
use crate::observe::Peer;
use crate::observe::text::{Escaped, cut};

use super::Engine;
use super::live::Live;
use super::queues::EngineQueue;
use crate::server::shutdown::Remaining;
use crate::server::shutdown_notice::{MAX_NAMED, NAME_COLUMNS, Waiting};
use crate::server::socket::Socket;

impl<S: Socket> Engine<S> {
    /// Schedules all timers again, because a shutdown begins and they are due earlier than scheduled: without the grace.
    pub fn reschedule_all(&mut self, tick: &Tick<'_>) {
        for key in self.keys() {
            self.schedule_timer(key, tick);
        }
    }

    /// Closes the connections that are idle or become idle, because the server shuts down. Responses in flight go on.
    pub fn close_idle(&mut self, tick: &Tick<'_>) {
        self.closes_idle = true;
        for key in self.keys() {
            self.close_if_idle(key, CloseReason::Draining, tick);
        }
    }

    /// Ends every connection at once: idle and lingering ones in order, the others by RST. Returns how many had
    /// something pending.
    pub fn abort_all(&mut self, tick: &Tick<'_>) -> usize {
        self.close_idle(tick);
        while self.queues.lingering.front().is_some() {
            self.stop_lingering(tick);
        }
        let mut cut = 0;
        for key in self.keys() {
            let live = &mut self.connections[key];
            // What a viewer of the live feed has not read yet does not count as pending.
            cut += usize::from(live.next_block().is_none());
            live.http.abort(CloseReason::Draining, tick.now);
            self.drive(key, tick);
        }
        cut
    }

    /// What is still open, for a shutdown in progress.
    pub fn remaining(&self, listening: bool) -> Remaining {
        let streams = |key: &&usize| self.connections[**key].http.state() == State::Streaming;
        Remaining {
            listening,
            connections: self.connections.len(),
            viewers: self.viewers.len(),
            feeds: self.viewers.iter().filter(streams).count(),
        }
    }

    /// What a shutdown waits for. It does not wait for viewers of the live feed: their feeds end when all others have.
    pub fn waiting(&self) -> Waiting {
        let mut waiting = Waiting::default();
        for (_, live) in &self.connections {
            match live.queue {
                EngineQueue::Lingering => waiting.closing += 1,
                EngineQueue::Idle | EngineQueue::Silent | EngineQueue::OverLimit => waiting.idle += 1,
                EngineQueue::None if live.http.state() == State::Streaming => {}
                EngineQueue::None => {
                    waiting.in_flight += 1;
                    if waiting.named.len() < MAX_NAMED {
                        waiting.named.push(name(live));
                    }
                }
            }
        }
        waiting
    }

    fn keys(&self) -> Vec<usize> {
        self.connections.iter().map(|(key, _)| key).collect()
    }
}

/// `127.0.0.1:50312 GET /big.iso`
fn name<S>(live: &Live<S>) -> String {
    let what = match live.http.state() {
        State::ReadingHead => "sends a request".to_owned(),
        _ => Escaped(live.remembered.last().as_bytes()).to_string(),
    };
    let what = cut(&what, NAME_COLUMNS);
    match live.arrival.peer {
        Peer::Ip(address) => format!("{address} {what}"),
        Peer::Unix => what.into_owned(),
    }
}
