//! The observers: events in; log lines, counters and pages out. One stream, one fan-out.

mod access_line;
mod access_log;
mod connection_log;
pub mod feed;
pub mod feed_events;
mod ledger;
mod lines;
pub mod metrics;
#[cfg(feature = "bin")]
mod palette;
pub mod snapshot;
#[cfg(feature = "bin")]
mod terminal;
#[cfg(feature = "bin")]
mod terminal_line;
pub mod text;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::http::{
    CloseReason, Closer, Date, Ending, FirstFin, KeepOrClose, KeepReason, Moment, Persistence, RequestHead, Status,
};
use feed::Feed;
use metrics::Counters;
use snapshot::{EndedConnection, Recent};
use text::Escaped;

pub use access_log::AccessLog;
pub use connection_log::ConnectionLog;
pub use ledger::LedgerLine;
pub use lines::{Format, Sink};
#[cfg(feature = "bin")]
pub use palette::Palette;
#[cfg(feature = "bin")]
pub use terminal::TerminalLog;

/// The number of a connection, counted from 1 in the order of acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP peer.
    Ip(SocketAddr),
    /// A process on this machine, through a Unix socket.
    Unix,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Ip(address) => write!(f, "{address}"),
            Peer::Unix => f.write_str("unix"),
        }
    }
}

/// An event in the life of a connection, as the observers see it.
#[derive(Debug)]
pub enum Event<'a> {
    /// The connection was accepted.
    Opened {
        /// The address of the peer.
        peer: Peer,
    },
    /// A request is complete.
    Request {
        /// 1-based index of the request on its connection.
        number: u32,
        /// The request head.
        head: &'a RequestHead<'a>,
        /// How long the connection was idle before the request.
        idle: Option<Duration>,
    },
    /// Input that is not a request came. It is answered with 4xx or 5xx.
    Refused,
    /// The last byte of a response was handed to the kernel, or the connection ended before that.
    Response(Answered),
    /// The connection became idle: it waits for another request.
    Idle {
        /// The keep-alive timeout that was promised to the client.
        promised: Duration,
        /// The time after which the server closes.
        closes: Duration,
    },
    /// The connection has become the live feed of a viewer.
    Viewer,
    /// Our FIN was sent.
    Closing {
        /// The reason of the close.
        reason: CloseReason,
        /// Whether a `Connection: close` was sent before.
        announced: bool,
    },
    /// A request arrived after our FIN: its sender lost a keep-alive race.
    Race {
        /// The time from our FIN to the request.
        late: Duration,
    },
    /// The connection ended.
    Closed(&'a Life<'a>),
}

/// A response that was sent, wholly or in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// 1-based index, on its connection, of the request that it answers.
    pub number: u32,
    /// The status.
    pub status: Status,
    /// Bytes of its content that were handed to the kernel.
    pub content: u64,
    /// The decision about the connection.
    pub persistence: Persistence,
    /// From the last byte of the request to the last byte of the response.
    pub took: Duration,
    /// Whether all of it was handed to the kernel.
    pub complete: bool,
}

/// The whole life of a connection, reported at its end.
#[derive(Clone, Copy, Debug)]
pub struct Life<'a> {
    /// The number of the connection.
    pub id: ConnectionId,
    /// The peer.
    pub peer: Peer,
    /// Why and how it ended.
    pub ending: Ending,
    /// Whether a `Connection: close` was sent before the end.
    pub announced: bool,
    /// The side whose FIN was first.
    pub first_fin: FirstFin,
    /// The side whose RST ended the connection, if one did.
    pub reset_by: Option<Closer>,
    /// The number of requests.
    pub requests: u32,
    /// How long the connection was idle before it ended.
    pub idle: Duration,
    /// From the accept to the end.
    pub age: Duration,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// The kernel's smoothed round-trip time, if the socket has one.
    pub round_trip: Option<Duration>,
    /// A lost keep-alive race: the time from our FIN to the request.
    pub race: Option<Duration>,
    /// The first request, `GET /`; empty if there was none.
    pub first: &'a str,
    /// The last request, in the same form.
    pub last: &'a str,
}

/// Receives the events of all connections.
pub trait Observer {
    /// An event of connection `conn` has happened at `now`.
    fn observe(&mut self, now: Moment, conn: ConnectionId, event: &Event<'_>);

    /// A loop iteration begins. Its date is that of all events in it.
    fn begin_iteration(&mut self, _now: Moment, _date: &Date) {}

    /// When it wants a loop iteration to begin, if nothing happens before.
    fn wake(&self) -> Option<Moment> {
        None
    }

    /// Whether it reads the times of events and how long a response took. To know them costs a look at the clock per
    /// event; an observer that does not read them says so. If no observer reads them, an event has the time at which
    /// its loop iteration began.
    fn needs_clock(&self) -> bool {
        true
    }

    /// Whether it reads a connection's [round-trip time](Life::round_trip). To know it costs a system call per
    /// connection; an observer that does not read it says so.
    fn needs_round_trip(&self) -> bool {
        true
    }
}

/// The fan-out: passes each event to all observers.
#[derive(Default)]
pub struct Observers {
    /// Counts of what happened.
    pub counters: Counters,
    /// The live feed of events.
    pub feed: Feed,
    recent: Recent,
    /// The console is on, so the feed and the recently ended connections are kept.
    console: bool,
    observers: Vec<Box<dyn Observer>>,
    /// What at least one observer needs, so that they need not be asked at each request.
    an_observer_needs_clock: bool,
    an_observer_needs_round_trip: bool,
    /// In this loop iteration the counters are all there is to update.
    only_counters: bool,
    /// In this loop iteration the clock is read for each event.
    reads_clock: bool,
}

impl Observers {
    /// Observers without any added. `console` says whether the console is on, which needs the feed and the recently ended
    /// connections.
    pub fn new(console: bool) -> Self {
        Observers { console, ..Observers::default() }
    }

    /// Adds an observer.
    pub fn add(&mut self, observer: Box<dyn Observer>) {
        self.an_observer_needs_clock |= observer.needs_clock();
        self.an_observer_needs_round_trip |= observer.needs_round_trip();
        self.observers.push(observer);
    }

    /// Tells all observers the date of the loop iteration that begins now.
    pub fn begin_iteration(&mut self, now: Moment, date: &Date) {
        self.only_counters = !self.console && self.observers.is_empty() && log::max_level() < log::LevelFilter::Info;
        self.reads_clock =
            self.an_observer_needs_clock || self.feed.is_active(now) || log::log_enabled!(log::Level::Debug);
        for observer in &mut self.observers {
            observer.begin_iteration(now, date);
        }
    }

    /// When the next loop iteration must begin, if anybody waits for it.
    pub fn wake(&self, now: Moment) -> Option<Moment> {
        self.observers.iter().filter_map(|observer| observer.wake()).chain(self.feed.wake(now)).min()
    }

    /// Tells all observers what happened.
    pub fn observe(&mut self, now: Moment, conn: ConnectionId, event: &Event<'_>) {
        self.counters.count(event);
        if self.only_counters {
            return;
        }
        if self.console {
            self.recent.remember(now, conn, event);
            self.feed.show(now, conn, event);
        }
        if log::log_enabled!(log::Level::Debug) {
            log_step(conn, event);
        }
        if let Event::Closed(life) = event {
            log::info!("{}", LedgerLine(life));
        }
        for observer in &mut self.observers {
            observer.observe(now, conn, event);
        }
    }

    /// Connections that have just ended.
    pub fn recent(&self) -> &VecDeque<EndedConnection> {
        &self.recent.0
    }

    /// Whether more than the counters is updated in this loop iteration.
    pub fn is_active(&self) -> bool {
        !self.only_counters
    }

    /// The time of an event: read from the clock if an observer measures how long responses take, else, at no cost,
    /// the moment at which the loop iteration began.
    pub fn moment(&self, began: Moment, clock: impl Fn() -> Moment) -> Moment {
        if self.reads_clock { clock() } else { began }
    }

    /// Whether the round-trip time of a connection that ends is read, which costs a system call.
    pub fn needs_round_trip(&self) -> bool {
        self.an_observer_needs_round_trip || log::log_enabled!(log::Level::Info)
    }
}

/// At `debug`, each step is a line.
fn log_step(conn: ConnectionId, event: &Event<'_>) {
    match event {
        Event::Opened { peer } => log::debug!("conn={conn} opened peer={peer}"),
        Event::Request { number, head, idle } => {
            let target = Escaped(head.target_as_sent.as_bytes());
            let (method, version) = (Escaped(head.method_as_sent.as_bytes()), head.version.as_str());
            let idle = idle.unwrap_or_default().as_secs_f64();
            log::debug!("conn={conn} req={number} \"{method} {target} {version}\" idle={idle:.3}s");
        }
        Event::Refused => log::debug!("conn={conn} refused what is not a request"),
        Event::Response(answered) => {
            let Answered { number, status, content, persistence, took, complete } = answered;
            let verdict = match persistence.keep_or_close() {
                KeepOrClose::Keep(KeepReason::Http11) => "keep (HTTP/1.1 persists by default)".to_owned(),
                KeepOrClose::Keep(why) => format!("keep ({})", why.sentence()),
                KeepOrClose::Close(why) => format!("close={why} ({})", why.sentence()),
            };
            let cut = if *complete { "" } else { " cut" };
            let (code, took) = (status.code(), took.as_secs_f64() * 1000.0);
            log::debug!("conn={conn} req={number} {code} content={content} took={took:.3}ms{cut} {verdict}");
        }
        Event::Idle { .. } => log::debug!("conn={conn} idle"),
        Event::Viewer => log::debug!("conn={conn} views the live feed"),
        Event::Closing { reason, announced } => {
            log::debug!("conn={conn} closing reason={reason} announced={}", text::yes_no(*announced));
        }
        Event::Race { late } => {
            log::debug!("conn={conn} race late={:.1}ms", late.as_secs_f64() * 1000.0);
        }
        Event::Closed(life) => {
            let Ending { reason, how } = life.ending;
            log::debug!("conn={conn} closed by={} how={} reason={reason}", reason.by().label(), how.label());
        }
    }
}
