//! What a connection asks its driver to do.

use std::time::Duration;

#[cfg(doc)]
use super::Connection;
use super::{BadRequest, Ending, Persistence, RequestHead};

/// The next thing for the driver to do.
#[derive(Debug)]
pub enum Step<'a> {
    /// Read: nothing can be done until more bytes come, or the peer's FIN.
    Read,
    /// Answer this request by [`Connection::respond`].
    Respond(Request<'a>),
    /// Answer bytes that are not a request, or a request with bad content, by [`Connection::respond`].
    Refuse(BadRequest, Refused<'a>),
    /// Send the unsent bytes, and report it by [`Connection::wrote`].
    Write,
    /// Wait for the timer of the state, whatever comes.
    Wait,
    /// Send our FIN, and report it by [`Connection::fin_sent`].
    SendFin,
    /// Close the socket.
    Close(Ending),
}

/// The part of a refused request that was read.
#[derive(Debug)]
pub enum Refused<'a> {
    /// These bytes are not a request head.
    Head(&'a [u8]),
    /// The head is valid, its content is not.
    Content(Request<'a>),
}

/// A request that is to be answered.
#[derive(Debug)]
pub struct Request<'a> {
    /// The request line and fields. The content, if any, is read and discarded already, unless the
    /// connection closes with the response.
    pub head: RequestHead<'a>,
    /// 1-based index of the request on its connection.
    pub number: u32,
    /// How long the connection was idle before the request. `None` for the first one, and for one that had come before
    /// the response to its predecessor was sent.
    pub idle: Option<Duration>,
    /// The connection is over the limit: answer 503, except to a liveness probe.
    pub rejected: bool,
}

/// The decision that was made with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Responded {
    /// What follows its last byte.
    pub persistence: Persistence,
    /// Bytes of content for the driver to send after the head; 0 for a response to HEAD.
    pub content: u64,
}
