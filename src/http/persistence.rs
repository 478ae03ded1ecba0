//! Keep or close, and why? The one place that decides.

use std::time::Duration;

use super::{CloseReason, Limits, Version};

/// The connection options of a request (RFC 9110 §7.6.1), as far as they speak of persistence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionOptions {
    /// `close` was among them.
    pub close: bool,
    /// `keep-alive` was among them.
    pub keep_alive: bool,
}

/// All that the decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// What makes the rest of the stream unusable, if something does: the request was not
    /// understood, not complete in time, or its content stays unread.
    pub fault: Option<CloseReason>,
    /// The version of the request.
    pub version: Version,
    /// What its `Connection` fields ask for.
    pub options: ConnectionOptions,
    /// Requests on this connection, this one included.
    pub requests: u32,
    /// Time since the connection was accepted.
    pub age: Duration,
    /// The server is about to stop.
    pub draining: bool,
}

/// What follows the last byte of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// The connection lives on.
    KeepAlive(KeepReason),
    /// We close after this response, and say so in it.
    Close(CloseReason),
}

/// Why a connection lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepReason {
    /// RFC 9112 §9.3: HTTP/1.1 and later persist unless someone says close.
    Http11,
    /// RFC 9112 §9.3: HTTP/1.0 persists if it is asked for and granted.
    Http10Asked,
}

impl KeepReason {
    /// What to tell a person, without a full stop.
    pub const fn sentence(self) -> &'static str {
        match self {
            KeepReason::Http11 => "HTTP/1.1 persists by default",
            KeepReason::Http10Asked => "HTTP/1.0 asked for keep-alive",
        }
    }
}

/// Decides whether the connection persists after the response that is about to be sent.
///
/// The arms stand in the order of RFC 9112 §9.3, between what makes the question pointless (the
/// stream can't be used again) and our own limits.
pub fn decide(facts: &Facts, limits: &Limits) -> Persistence {
    use Persistence::{Close, KeepAlive};

    // RFC 9112 §6.3, §9.3: a server must read the entire request or close.
    if let Some(fault) = facts.fault {
        return Close(fault);
    }
    // RFC 9112 §9.3 (1): "If the close connection option is present, the connection will not persist".
    if facts.options.close {
        return Close(CloseReason::ClientAsked);
    }
    let keep = match facts.version {
        // RFC 9112 §9.3 (2): "If the received protocol is HTTP/1.1 (or later), … will persist".
        Version::Http11 => KeepReason::Http11,
        // RFC 9112 §9.3 (3): "HTTP/1.0, the keep-alive connection option is present, …".
        Version::Http10 if facts.options.keep_alive => KeepReason::Http10Asked,
        // RFC 9112 §9.3 (4): "The connection will close after the current response."
        Version::Http10 => return Close(CloseReason::Http10),
    };
    // Our own limits. Each is announced with the response, so that no client is surprised.
    if limits.keep_alive_timeout.is_zero() {
        return Close(CloseReason::KeepAliveOff);
    }
    if limits.max_requests != 0 && facts.requests >= limits.max_requests {
        return Close(CloseReason::RequestLimit);
    }
    if !limits.max_age.is_zero() && facts.age >= limits.max_age {
        return Close(CloseReason::AgeLimit);
    }
    if facts.draining {
        return Close(CloseReason::Draining);
    }
    KeepAlive(keep)
}
