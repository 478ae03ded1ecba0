//! Every limit and timeout of the protocol: its name, its default, its meaning, in one place.

use std::time::Duration;

/// The limits of a connection, as the operator sets them. The defaults are those of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Idle time between requests that is promised to clients (`Keep-Alive: timeout=`). Zero answers every request with
    /// `Connection: close`.
    pub keep_alive_timeout: Duration,
    /// Added to the promise before the server really closes, so that a client that trusts the
    /// promise never races with the close.
    pub keep_alive_grace: Duration,
    /// Requests on one connection; the last is answered with `Connection: close`. Zero is unlimited.
    pub max_requests: u32,
    /// A connection older than this is closed with its next response. Zero is never.
    pub max_age: Duration,
    /// A whole request head must arrive within this of its first byte, and the first byte of a
    /// connection within this of the accept. Not extended by progress.
    pub head_timeout: Duration,
    /// The longest pause in a request body, which is read and discarded.
    pub body_timeout: Duration,
    /// The longest time in which a client reads nothing of the response.
    pub send_timeout: Duration,
    /// How long to read and discard after our FIN.
    pub linger: Duration,
    /// The longest that a shutdown may take once the listeners are closed; then open connections are cut.
    pub drain_timeout: Duration,
    /// How long a graceful shutdown goes on accepting, for load balancers that are slow to send connections elsewhere.
    pub drain_delay: Duration,
    /// Connections per address. More get 503 and are closed. Zero is unlimited.
    pub max_per_ip: u32,
    /// Bytes of a request line and its fields. More is 414 or 431.
    pub max_head: usize,
    /// Bytes of a request body that are read and discarded to keep the connection. More is 413.
    pub max_body: u64,
}

impl Limits {
    /// The defaults. 70 s + 5 s outlives the 60 s of AWS's load balancer, nginx and many clients, but not all pools:
    /// 600 s are Google's, 90 s are Heroku's.
    pub const DEFAULT: Limits = Limits {
        keep_alive_timeout: Duration::from_secs(70),
        keep_alive_grace: Duration::from_secs(5),
        max_requests: 1000,
        max_age: Duration::from_secs(3600),
        head_timeout: Duration::from_secs(10),
        body_timeout: Duration::from_secs(10),
        send_timeout: Duration::from_secs(60),
        linger: Duration::from_secs(2),
        drain_timeout: Duration::from_secs(10),
        drain_delay: Duration::ZERO,
        max_per_ip: 0,
        max_head: 16 * 1024,
        max_body: 256 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}

/// Fields of one request head. More is 431.
pub const MAX_FIELDS: usize = 100;

/// Bytes of chunk extensions and trailers of one request body, which mean nothing to us. More is 400.
pub const MAX_CHUNK_EXTRAS: usize = 8 * 1024;

/// How long a connection over the limit has for its request head, if `head_timeout` is not shorter: it only waits for
/// its 503, and others wait for its place.
pub const OVER_LIMIT_HEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Total time for a request body, pauses or not: `BODY_TIME_FACTOR` × `body_timeout` + 1 s per [`MIN_BODY_RATE`] bytes
/// received. More is 408.
pub const BODY_TIME_FACTOR: u32 = 5;

/// Bytes per second, see [`BODY_TIME_FACTOR`].
pub const MIN_BODY_RATE: u64 = 512;

/// Bytes of responses that may wait together for one `write` while pipelined requests are
/// answered. It bounds what one connection can make us hold, and how far we answer ahead.
pub const MAX_BATCH: u64 = 32 * 1024;
