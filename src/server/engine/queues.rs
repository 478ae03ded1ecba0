//! The engine's queues: a connection stands in at most one of them, by its state.

use crate::http::{Connection, State};

use super::queue::{Links, Queue};

/// The engine's queue in which a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EngineQueue {
    /// The connection stands in none of them: it is busy.
    None,
    /// Connections over the limit, awaiting 503. They don't count towards the connection limit.
    OverLimit,
    /// Connections that have sent no request yet. The oldest may be evicted, if no idle one can.
    Silent,
    /// Connections that wait for another request, or that a plan of the lab has stalled. The longest idle may be evicted.
    Idle,
    /// Connections that wait for the peer's FIN. They don't count towards the connection limit.
    Lingering,
}

impl EngineQueue {
    pub(super) fn of(http: &Connection) -> Self {
        match http.state() {
            State::Lingering(_) => EngineQueue::Lingering,
            State::Closed(_) => EngineQueue::None,
            _ if http.is_rejected() => EngineQueue::OverLimit,
            State::Opened => EngineQueue::Silent,
            State::Idle | State::Stalled => EngineQueue::Idle,
            _ => EngineQueue::None,
        }
    }
}

/// The queues. A connection comes to the end of its queue when it enters it, and with each request.
pub(super) struct Queues {
    /// Links of all of them: no connection is in two.
    links: Links,
    pub(super) over_limit: Queue,
    pub(super) silent: Queue,
    pub(super) idle: Queue,
    pub(super) lingering: Queue,
}

impl Queues {
    /// Empty queues, with room for this many connections.
    pub(super) fn with_room(connections: usize) -> Self {
        let [over_limit, silent, idle, lingering] = [const { Queue::new() }; 4];
        Queues { links: Links::with_room(connections), over_limit, silent, idle, lingering }
    }

    /// Moves a connection from one queue to the end of another, or of the same one.
    pub(super) fn requeue(&mut self, key: usize, from: EngineQueue, to: EngineQueue) {
        let Queues { links, over_limit, silent, idle, lingering } = self;
        match from {
            EngineQueue::None => {}
            EngineQueue::OverLimit => over_limit.remove(links, key),
            EngineQueue::Silent => silent.remove(links, key),
            EngineQueue::Idle => idle.remove(links, key),
            EngineQueue::Lingering => lingering.remove(links, key),
        }
        match to {
            EngineQueue::None => {}
            EngineQueue::OverLimit => over_limit.push_back(links, key),
            EngineQueue::Silent => silent.push_back(links, key),
            EngineQueue::Idle => idle.push_back(links, key),
            EngineQueue::Lingering => lingering.push_back(links, key),
        }
    }
}
