//! The states in the life of a connection, how long each may last, and how the last one came about.

use std::time::Duration;

use super::{CloseReason, How, Tick};

/// Where a connection is in its life. The reason for a close lives inside the state, so it can't be
/// missing, and no later error overwrites it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Accepted, no byte yet.
    Opened,
    /// A request head is arriving.
    ReadingHead,
    /// Request content is arriving, which is read and discarded.
    ReadingContent,
    /// A response is going out.
    Sending,
    /// A response without an end is going out, bit by bit: a live feed.
    Streaming,
    /// By a plan of the lab nothing goes out for a while; then the response goes on.
    Pausing,
    /// Kept alive, nothing pending.
    Idle,
    /// By a plan of the lab nothing is said any more, whatever comes.
    Stalled,
    /// Our FIN is sent or about to be; we read on until the peer's (RFC 9112 §9.6).
    Lingering(CloseReason),
    /// It is over.
    Closed(Ending),
}

/// How a connection ended, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub reason: CloseReason,
    /// In which manner.
    pub how: How,
}

impl State {
    /// How long a connection may stay in this state, and why it ends then. The one table of timers;
    /// what each is measured from is written where the state is entered. A plan of the lab may have another
    /// ([`Connection::timeout`](super::Connection::timeout)).
    pub fn timeout(self, tick: &Tick<'_>) -> Option<(Duration, CloseReason)> {
        let limits = tick.limits;
        // No grace while the server drains: no client that trusts its promise loses a request then either, since its
        // last response has told it, or its next one will tell it, that the connection closes.
        let grace = if tick.draining { Duration::ZERO } else { limits.keep_alive_grace };
        let idle = limits.keep_alive_timeout.saturating_add(grace);
        match self {
            State::Opened => Some((limits.head_timeout, CloseReason::NoRequest)),
            State::ReadingHead => Some((limits.head_timeout, CloseReason::HeadTimeout)),
            State::ReadingContent => Some((limits.body_timeout, CloseReason::ContentTimeout)),
            State::Sending => Some((limits.send_timeout, CloseReason::SendTimeout)),
            // A viewer that takes nothing is dropped when its queue overflows, not by the clock.
            State::Streaming => None,
            State::Idle => Some((idle, CloseReason::IdleTimeout)),
            // The plan says how long: see `Connection::timeout`.
            State::Pausing => None,
            // A client may be left without a word as long as it may be silent itself.
            State::Stalled => Some((idle, CloseReason::Lab)),
            State::Lingering(why) => Some((limits.linger, why)),
            State::Closed(_) => None,
        }
    }

    /// The labels of the states in which a connection is open.
    pub const OPEN: [&'static str; 9] =
        ["opened", "reading-head", "reading-body", "sending", "streaming", "pausing", "idle", "stalled", "lingering"];

    /// The stable name in logs, metrics and JSON.
    pub const fn label(self) -> &'static str {
        match self {
            State::Opened => "opened",
            State::ReadingHead => "reading-head",
            State::ReadingContent => "reading-body",
            State::Sending => "sending",
            State::Streaming => "streaming",
            State::Pausing => "pausing",
            State::Idle => "idle",
            State::Stalled => "stalled",
            State::Lingering(_) => "lingering",
            State::Closed(_) => "closed",
        }
    }
}

/// What an operation on the socket failed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The peer's RST: `ECONNRESET`, `EPIPE`.
    Reset,
    /// Nothing came back, neither for what we sent nor for a keep-alive probe: `ETIMEDOUT`.
    TimedOut,
    /// Anything else.
    Other,
}

/// Whose FIN came first: that side did the active close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstFin {
    /// The peer's.
    Client,
    /// Ours.
    Server,
    /// There was none (yet).
    None,
}

impl FirstFin {
    /// `client`, `server` or `none`.
    pub const fn label(self) -> &'static str {
        match self {
            FirstFin::Client => "client",
            FirstFin::Server => "server",
            FirstFin::None => "none",
        }
    }
}
