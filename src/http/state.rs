//! The states of a connection, and how it can end.

use super::{CloseReason, How};

/// The state of a connection. The reason for a close lives inside the state, so it can't be missing, and no later error
/// overwrites it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Accepted; no byte has come yet.
    Opened,
    /// A request head is arriving.
    ReadingHead,
    /// Request content is arriving, which is read and discarded.
    ReadingContent,
    /// A response is being sent.
    Sending,
    /// A live feed is being sent: a response without an end.
    Streaming,
    /// A plan of the lab holds the response back for a while.
    Pausing,
    /// Kept alive, nothing pending.
    Idle,
    /// A plan of the lab sends nothing more, whatever comes.
    Stalled,
    /// Our FIN is sent or about to be; we read and discard until the peer's FIN (RFC 9112 §9.6).
    Lingering(CloseReason),
    /// The connection has ended.
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

/// The error of an operation on the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The peer's RST: `ECONNRESET`, `EPIPE`.
    Reset,
    /// The peer answered neither our data nor a TCP keep-alive probe: `ETIMEDOUT`.
    TimedOut,
    /// Anything else.
    Other,
}

/// The side whose FIN was first: it did the active close.
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
