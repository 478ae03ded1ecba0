//! Why a connection ended: one row a reason, from which log, metrics and pages derive their words.

use std::fmt;

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closer {
    /// The peer did.
    Client,
    /// We did.
    Server,
    /// Neither: the path between them failed.
    Network,
}

impl Closer {
    /// `client`, `server` or `network`.
    pub const fn label(self) -> &'static str {
        match self {
            Closer::Client => "client",
            Closer::Server => "server",
            Closer::Network => "network",
        }
    }
}

/// The manner in which a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// In order: each direction by its FIN.
    Fin,
    /// At once, by an RST or an error that amounts to one.
    Reset,
}

impl How {
    /// `fin` or `reset`.
    pub const fn label(self) -> &'static str {
        match self {
            How::Fin => "fin",
            How::Reset => "reset",
        }
    }
}

/// Writes the enum, its list and its table from the same rows, so that none can be forgotten.
macro_rules! close_reasons {
    ($($(#[$doc:meta])* $name:ident, $closer:ident, $label:literal, $sentence:literal;)*) => {
        /// Why a connection ended. Each reason has a label for machines, a sentence for people
        /// and a culprit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseReason {
            $(#[doc = $sentence] $name,)*
        }

        impl CloseReason {
            /// Every reason there is, in the order of the table.
            pub const ALL: &[CloseReason] = &[$(CloseReason::$name,)*];

            /// The stable name in logs, metrics and JSON.
            pub const fn label(self) -> &'static str {
                match self { $(CloseReason::$name => $label,)* }
            }

            /// What to tell a person, without a full stop.
            pub const fn sentence(self) -> &'static str {
                match self { $(CloseReason::$name => $sentence,)* }
            }

            /// Who ended the connection.
            pub const fn by(self) -> Closer {
                match self { $(CloseReason::$name => Closer::$closer,)* }
            }
        }
    };
}

close_reasons! {
    ClientAsked,   Server, "client-asked",   "the client sent Connection: close";
    Http10,        Server, "http10",         "HTTP/1.0 closes unless keep-alive is asked for";
    KeepAliveOff,  Server, "keep-alive-off", "keep-alive is switched off";
    RequestLimit,  Server, "request-limit",  "request limit reached";
    AgeLimit,      Server, "age-limit",      "the connection reached its age limit";
    IdleTimeout,   Server, "idle-timeout",   "no request within the promised idle time";
    NoRequest,     Server, "no-request",     "no request ever came";
    HeadTimeout,   Server, "head-timeout",   "the request head took too long";
    BodyTimeout,   Server, "body-timeout",   "the request body took too long";
    BodyTooLarge,  Server, "body-too-large", "the request body is larger than is drained";
    BodyUnread,    Server, "body-unread",    "answered before the request body, which is not wanted";
    SendTimeout,   Server, "send-timeout",   "the client took none of the response for too long";
    LiveFeed,      Server, "live-feed",      "a live feed ends with its connection";
    SlowReader,    Server, "slow-reader",    "the client fell too far behind a live feed";
    BadRequest,    Server, "bad-request",    "the request could not be understood";
    Evicted,       Server, "evicted",        "the longest idle connection made room for a new one";
    TooMany,       Server, "too-many",       "too many connections";
    Draining,      Server, "draining",       "the server is stopping";
    FileChanged,   Server, "file-changed",   "the file shrank while it was sent";
    Lab,           Server, "lab",            "a planned misbehaviour of the lab";
    InternalError, Server, "internal-error", "the server failed";
    ClientClosed,  Client, "client-closed",  "the client closed between requests";
    ClientAborted, Client, "client-aborted", "the client closed inside a request or a response";
    ClientReset,   Client, "client-reset",   "the client reset the connection";
    ProbeFailed,   Network, "probe-failed",  "TCP keep-alive got no answer";
    IoError,       Network, "io-error",      "the connection failed";
}

impl CloseReason {
    /// Whether a request that arrives after our FIN was lost by no fault of its sender: nothing
    /// had announced the close. This is the keep-alive race. In the lab it is made on demand: there the FIN goes out
    /// when the request is at the door, so that it is lost and late by nothing.
    pub const fn can_race(self) -> bool {
        matches!(self, CloseReason::IdleTimeout | CloseReason::Draining | CloseReason::Evicted | CloseReason::Lab)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique_kebab_case_and_sentences_read_on() {
        let mut labels: Vec<_> = CloseReason::ALL.iter().map(|reason| reason.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), CloseReason::ALL.len());
        for reason in CloseReason::ALL {
            assert!(reason.label().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            assert!(!reason.sentence().ends_with('.'), "{reason}");
        }
    }
}
