//! What a connection asks its driver to do.

use std::time::Duration;

#[cfg(doc)]
use super::Connection;
use super::{BadRequest, Ending, Persistence, RequestHead};

/// What is to be done next.
#[derive(Debug)]
pub enum Step<'a> {
    /// Nothing until more bytes come, or the peer's FIN.
    Read,
    /// Answer this request by [`Connection::respond`].
    Respond(Request<'a>),
    /// Answer what is no request by [`Connection::respond`].
    Refuse(BadRequest, Refused<'a>),
    /// Send what waits, and tell it by [`Connection::wrote`].
    Write,
    /// Nothing until the timer of the state is due, whatever comes.
    Wait,
    /// Send our FIN, and tell it by [`Connection::fin_sent`].
    SendFin,
    /// Close the socket.
    Close(Ending),
}

/// What of a refused request is known.
#[derive(Debug)]
pub enum Refused<'a> {
    /// These bytes are no request head.
    Head(&'a [u8]),
    /// The head was good, the content behind it is not.
    Content(Request<'a>),
}

/// A request that is to be answered.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its request line and fields. Its content, if any, is read and dropped already.
    pub head: RequestHead<'a>,
    /// The how-manieth it is on its connection, from 1.
    pub number: u32,
    /// How long the connection was idle before it. `None` for the first, and for one that was
    /// already there when the response before it had gone.
    pub idle: Option<Duration>,
    /// The connection is over the limit: answer 503.
    pub rejected: bool,
}

/// What was decided with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Responded {
    /// What follows its last byte.
    pub persistence: Persistence,
    /// Bytes of content that the driver has to send after the head, which is in `out`. To HEAD, none.
    pub content: u64,
}
