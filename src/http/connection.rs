//! The life of a connection: bytes, ticks and the peer's FIN go in, [`Step`]s come out.
//!
//! Its files: `reading.rs` goes from bytes to a request, `responding.rs` from a response to what follows it,
//! `closing.rs` to the end; `lab.rs` breaks all that on purpose. The state is written by one function, `enter`.

mod closing;
mod lab;
mod reading;
mod responding;

use std::num::NonZeroU64;
use std::time::Duration;

use super::header_cache::{HeaderCache, SectionIndex};
use super::plan::Planned;
use super::{
    BadRequest, CloseReason, ConnectionOptions, Failure, FirstFin, Method, Moment, Persistence, State, Step, Tick,
    Version,
};

use closing::Closing;
use reading::Partial;

/// A connection, as HTTP sees it.
///
/// # The contract
///
/// A driver owns the socket and the clock, and a `Connection` for each socket. It does three things again and again:
///
/// 1. It tells what happened: [`received`](Connection::received) bytes, the peer's FIN
///    ([`peer_finished`](Connection::peer_finished)), an error of the socket ([`failed`](Connection::failed)), a timer
///    that is due ([`expire`](Connection::expire)).
/// 2. It calls [`next`](Connection::next) with the bytes, until that asks for more, and carries out each step: it reads,
///    answers by [`respond`](Connection::respond), sends and says how much ([`wrote`](Connection::wrote)), sends our FIN
///    ([`fin_sent`](Connection::fin_sent)), closes. Input that is left over it gives back by
///    [`hold`](Connection::hold).
/// 3. It asks when to come again whatever happens: [`deadline`](Connection::deadline).
///
/// What it gets in return, whatever the bytes are and however they are split:
///
/// - Each request gets one response, in order; a request that is refused is the last one.
/// - A response whose head says `Connection: close` is followed by our FIN, and no other response. Without it the
///   connection is open for the next request, until the idle timeout or one of the few reasons that nothing announces.
/// - No request is read behind a close; what arrives there is read and discarded, so that no RST destroys the response
///   on its way (RFC 9112 §9.6). One that arrives behind an unannounced FIN is told as a lost race.
/// - In each state but `streaming` there is a timer.
/// - [`Step::Close`] comes once and stays: [`Ending`](super::Ending) has the reason, which no later event changes.
///
/// # Example
///
/// ```
/// use holdline::http::{Connection, Date, HeaderCache, Length, Limits, Moment, ResponseHead, Status, Step, Tick};
///
/// let (limits, date, mut cache) = (Limits::DEFAULT, Date::from_unix(0), HeaderCache::default());
/// let tick = Tick { now: Moment::default(), date: &date, limits: &limits, draining: false };
/// let mut connection = Connection::new(tick.now);
/// let mut input = &b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"[..];
/// let mut out = Vec::new();
///
/// assert!(matches!(connection.next(&mut input, &mut cache, &tick), Step::Respond(request) if request.number == 1));
/// let head = ResponseHead { status: Status::NOT_FOUND, length: Length::Known(0), fields: b"", server_timing: None };
/// assert!(connection.respond(&head, &tick, &mut out).persistence.says_close());
/// assert!(out.starts_with(b"HTTP/1.1 404 Not Found\r\n"));
///
/// assert!(matches!(connection.next(&mut input, &mut cache, &tick), Step::Write));
/// connection.wrote(out.len() as u64, tick.now);
/// assert!(matches!(connection.next(&mut input, &mut cache, &tick), Step::SendFin));
/// connection.fin_sent(tick.now);
/// assert_eq!(connection.state().label(), "lingering");
/// connection.peer_finished();
/// assert!(matches!(connection.next(&mut input, &mut cache, &tick), Step::Close(_)));
/// ```
///
/// # The transitions
///
#[doc = "```text"]
#[doc = include_str!("../../tests/state_matrix.txt")]
#[doc = "```"]
#[derive(Debug)]
pub struct Connection {
    state: State,
    /// The moment from which the state's timer is measured.
    since: Moment,
    opened: Moment,
    exchange: Exchange,
    requests: u32,
    /// Where the header section of the last request is cached.
    section: SectionIndex,
    /// Input that is not used yet, if there is any.
    partial: Option<Box<Partial>>,
    /// Bytes of encoded heads and announced content that are not sent yet.
    unsent: u64,
    /// Set if the connection is over the limit: its first request is answered with 503, and it closes for this reason.
    rejected: Option<CloseReason>,
    /// The plan of the lab, if there is one.
    lab: Option<Box<Planned>>,
    refusal: Option<BadRequest>,
    peer_fin: bool,
    first_fin: FirstFin,
    /// How the socket failed, if that ended the connection.
    failure: Option<Failure>,
    /// A whole head with `Connection: close` was sent.
    announced: bool,
    /// Set once a close is announced or begun.
    closing: Option<Box<Closing>>,
    /// The microseconds of the last idle time, from its end until a response follows.
    last_idle: Option<NonZeroU64>,
    received: u64,
    sent: u64,
}

/// One request and its response. Replaced as a whole, never reset field by field.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    method: Method,
    version: Version,
    options: ConnectionOptions,
    /// What makes the rest of the input stream unusable, if anything does.
    fault: Option<CloseReason>,
    /// The decision that was made with the response; `None` before there is one.
    after: Option<Persistence>,
}

impl Exchange {
    /// Stands for a request before any has come, and for input that is not a request.
    const fn of_no_request(method: Method, fault: Option<CloseReason>) -> Self {
        Exchange {
            method,
            version: Version::Http11,
            options: ConnectionOptions { close: false, keep_alive: false },
            fault,
            after: None,
        }
    }
}

impl Connection {
    /// A connection that was accepted at `now`.
    pub fn new(now: Moment) -> Self {
        Connection {
            state: State::Opened,
            since: now,
            opened: now,
            exchange: Exchange::of_no_request(Method::Unknown, None),
            requests: 0,
            section: SectionIndex::default(),
            partial: None,
            unsent: 0,
            rejected: None,
            lab: None,
            refusal: None,
            peer_fin: false,
            first_fin: FirstFin::None,
            failure: None,
            announced: false,
            closing: None,
            last_idle: None,
            received: 0,
            sent: 0,
        }
    }

    /// Returns the next step, and removes from `input` the bytes that it used.
    #[inline]
    pub fn next<'s, 'b: 's>(
        &'s mut self,
        input: &mut &'b [u8],
        header_cache: &mut HeaderCache,
        tick: &Tick<'_>,
    ) -> Step<'s> {
        // The commonest two are told without a call.
        if input.is_empty() {
            match self.state {
                State::Idle if !self.peer_fin && self.refusal.is_none() => return Step::Read,
                State::Sending => return Step::Write,
                _ => {}
            }
        }
        self.step(input, header_cache, tick)
    }

    fn step<'s, 'b: 's>(
        &'s mut self,
        input: &mut &'b [u8],
        header_cache: &mut HeaderCache,
        tick: &Tick<'_>,
    ) -> Step<'s> {
        match self.state {
            State::Closed(ending) => Step::Close(ending),
            State::Lingering(_) if self.our_fin().is_none() => Step::SendFin,
            State::Lingering(why) => self.read_on(input, why, tick),
            State::Opened | State::Idle | State::ReadingHead => self.read_head(input, header_cache, tick),
            State::ReadingContent => self.read_content(input, tick),
            State::Sending => self.read_ahead(input, header_cache, tick),
            State::Streaming => self.stream(input, tick.now),
            State::Pausing => Step::Wait,
            State::Stalled => self.discard_input(input, tick.now),
        }
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// The number of requests so far, including the one that is being answered.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// When it was accepted.
    pub fn opened(&self) -> Moment {
        self.opened
    }

    /// How long the connection was idle before the request that is being answered, or before it ended. `None` if it was
    /// not idle, and once a response has followed.
    pub fn last_idle(&self) -> Option<Duration> {
        self.last_idle.map(|micros| Duration::from_micros(micros.get()))
    }

    /// Bytes received, and bytes sent.
    pub fn bytes(&self) -> (u64, u64) {
        (self.received, self.sent)
    }

    /// Whether it is idle: the last response is out, and no byte of another request was used.
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Whether a response is going out, or held back by the lab.
    pub fn is_responding(&self) -> bool {
        matches!(self.state, State::Sending | State::Streaming | State::Pausing)
    }

    /// Whether its response is a live feed.
    pub fn is_streaming(&self) -> bool {
        self.state == State::Streaming
    }

    /// Why it lingers, if it does.
    pub fn lingers_for(&self) -> Option<CloseReason> {
        if let State::Lingering(reason) = self.state { Some(reason) } else { None }
    }

    /// Whether the socket may be read now. Behind unsent output it is not: a client that reads no responses can't make
    /// the server hold more requests.
    pub fn wants_input(&self) -> bool {
        !matches!(self.state, State::Sending | State::Pausing | State::Closed(_))
    }

    /// The version of the request that is being answered.
    pub fn version(&self) -> Version {
        self.exchange.version
    }

    /// The only writer of the state.
    fn enter(&mut self, state: State, now: Moment) {
        if self.state == State::Idle {
            self.last_idle = NonZeroU64::new(now.as_micros().saturating_sub(self.since.as_micros()));
        }
        self.state = state;
        self.since = now;
    }
}
