//! The driver: the only floor with mio, sockets, system calls and the clock.

mod accept;
mod clock;
mod deadlines;
mod drive;
mod engine;
mod inside;
mod live;
mod logs;
mod process;
mod queue;
mod signals;
mod socket;
mod tcp_info;

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::http::{Limits, Moment, Tick};
use crate::observe::{Observers, Peer};
use crate::site::Site;

pub use accept::{ListenAddress, Listener, SocketOptions};
pub use engine::{Engine, Handle, Readiness, Watch};
pub use logs::{LogFile, LogOptions, Logs, StandardError};
pub use socket::Socket;
pub use tcp_info::TcpInfo;

use accept::Accepted;
use clock::Clock;
use signals::{Request, Signals};
use socket::StreamSocket;

/// Events that one poll may bring.
const MAX_EVENTS: usize = 1024;

/// Connections that one listener may bring in a turn.
const MAX_ACCEPTS: usize = 64;

/// How long to leave connections in the accept queue when there is no descriptor for them.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Descriptors that connections leave to files, as long as idle ones can give way.
const FILE_DESCRIPTORS: u64 = 16;

const SIGNALS: Token = Token(usize::MAX);

/// Tokens from here on are listeners; below are the handles of connections.
const FIRST_LISTENER: usize = usize::MAX - 0xFFFF;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Connections that were cut in the middle of something.
    pub cut: usize,
}

/// A server that listens.
pub struct Server {
    poll: Poll,
    signals: Signals,
    clock: Clock,
    limits: Limits,
    entrance: Entrance,
    engine: Engine<StreamSocket>,
    logs: Logs,
    stop: Option<Stop>,
}

/// Where connections come in.
#[derive(Debug)]
struct Entrance {
    listeners: Vec<Listener>,
    /// A listener has told of connections that are not accepted yet. It will not tell again: we come back.
    waiting: bool,
    /// No descriptor was left: not before this moment.
    not_before: Option<Moment>,
    /// Descriptors from this one on are the last ones.
    scarce_from: RawFd,
}

/// The server is about to stop.
#[derive(Clone, Copy, Debug)]
struct Stop {
    /// Who only looks on, and does not read, is waited for until then.
    viewers_deadline: Moment,
    /// What is still open then is cut.
    deadline: Moment,
}

impl Server {
    /// Serves what comes in by the listeners, from the next turn on, and writes these logs.
    ///
    /// # Errors
    /// If the kernel has no epoll instance or signal handler for us.
    pub fn new(
        listeners: Vec<Listener>,
        site: Site,
        mut observers: Observers,
        logs: Logs,
        limits: Limits,
        max_connections: usize,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let signals = Signals::register(poll.registry(), SIGNALS)?;
        for (index, listener) in listeners.iter().enumerate() {
            register(&poll, listener.as_raw_fd(), Token(FIRST_LISTENER + index), Interest::READABLE)?;
        }
        let clock = Clock::start();
        let stopwatch = clock.stopwatch();
        let watch = Watch { read: Box::new(move || stopwatch.now()), started_unix: stopwatch.started_unix() };
        logs.invite_writers(&mut observers);
        Ok(Server {
            poll,
            signals,
            clock,
            engine: Engine::new(site, observers, &limits, max_connections, watch),
            limits,
            entrance: Entrance { listeners, waiting: true, not_before: None, scarce_from: scarce_from() },
            logs,
            stop: None,
        })
    }

    /// Turns until a signal asks to stop and nothing is in flight any more.
    ///
    /// # Errors
    /// If the poll fails, which it does not in a sane kernel.
    pub fn run(mut self) -> io::Result<Outcome> {
        let mut events = Events::with_capacity(MAX_EVENTS);
        loop {
            let wait = self.wait();
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            let outcome = self.turn(&events);
            self.logs.flush();
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
        }
    }

    /// One turn: what became ready first, then what could go on, then who waits at the door, and the timers
    /// last, so that what has arrived in time counts however late we are.
    fn turn(&mut self, events: &Events) -> Option<Outcome> {
        let now = self.clock.now();
        let tick = Tick { now, date: self.clock.date(now), limits: &self.limits, draining: self.stop.is_some() };
        self.engine.begin_turn(self.logs.dropped_lines(), &tick);
        let mut signalled = false;
        for event in events {
            match event.token() {
                SIGNALS => signalled = true,
                Token(token) if token >= FIRST_LISTENER => self.entrance.waiting = true,
                Token(token) => {
                    let readiness = Readiness {
                        readable: event.is_readable() || event.is_read_closed() || event.is_error(),
                        writable: event.is_writable() || event.is_write_closed() || event.is_error(),
                        // An RST looks like a FIN too, but for the error.
                        hangup: event.is_read_closed() && !event.is_error(),
                    };
                    self.engine.ready(Handle::from_token(token), readiness, &tick);
                }
            }
        }
        self.engine.go_on(&tick);
        self.entrance.accept(&mut self.engine, &self.poll, &tick);
        self.engine.expire(&tick);
        self.engine.feed(&tick);

        let stops = if signalled { self.heed_signals() } else { 0 };
        self.stop_if_asked(stops)
    }

    /// Does what signals ask for; says how many asked to stop.
    fn heed_signals(&mut self) -> usize {
        let mut stops = 0;
        for request in self.signals.pending() {
            match request {
                Request::Reopen => self.logs.reopen(),
                Request::Stop => stops += 1,
            }
        }
        stops
    }

    /// SIGINT and SIGTERM: the first closes what is idle and lets what is in flight finish, the second cuts it.
    fn stop_if_asked(&mut self, signals: usize) -> Option<Outcome> {
        if signals == 0 && self.stop.is_none() {
            return None;
        }
        let now = self.clock.now();
        let mut signals = signals;
        if self.stop.is_none() {
            signals -= 1;
            let viewers_deadline = now + self.limits.linger;
            self.stop = Some(Stop { viewers_deadline, deadline: now + self.limits.drain_timeout });
            self.entrance.listeners.clear();
            let tick = Tick { now, date: self.clock.date(now), limits: &self.limits, draining: true };
            self.engine.close_idle(&tick);
        }
        let stop = self.stop?;
        let tick = Tick { now, date: self.clock.date(now), limits: &self.limits, draining: true };
        let no_more_time = signals > 0 || now >= stop.deadline;
        self.engine.end_feed(no_more_time, &tick);
        let cut = if no_more_time { self.engine.abort_all(&tick) } else { 0 };
        self.engine.is_empty().then_some(Outcome { cut })
    }

    /// How long the poll may sleep.
    fn wait(&self) -> Option<Duration> {
        let now = self.clock.now();
        let stop = self.stop.map(|stop| match now < stop.viewers_deadline {
            true => stop.viewers_deadline.since(now),
            false => stop.deadline.since(now),
        });
        let waits = [self.engine.wait(now), self.entrance.wait(now, &self.engine), self.logs.wait(), stop];
        waits.into_iter().flatten().min()
    }
}

impl Entrance {
    /// Accepts until nobody waits, or each listener has had its share of the turn.
    fn accept(&mut self, engine: &mut Engine<StreamSocket>, poll: &Poll, tick: &Tick<'_>) {
        if !self.waiting || self.not_before.is_some_and(|moment| moment > tick.now) {
            return;
        }
        self.waiting = false;
        self.not_before = None;
        for listener in &self.listeners {
            for accepts in 0.. {
                if accepts == MAX_ACCEPTS || !engine.has_room() {
                    self.waiting = true;
                    break;
                }
                match listener.accept() {
                    Accepted::Connection(socket, peer) => {
                        // Descriptors are given out from the lowest: a high one says that few are left. Files
                        // need some too.
                        if socket.as_raw_fd() >= self.scarce_from {
                            engine.free_descriptor(tick);
                        }
                        take_in(engine, poll, socket, peer, tick);
                    }
                    Accepted::Nothing => break,
                    Accepted::Exhausted if engine.free_descriptor(tick) => {}
                    Accepted::Exhausted | Accepted::Failing => {
                        self.waiting = true;
                        self.not_before = Some(tick.now + ACCEPT_PAUSE);
                        return;
                    }
                }
            }
        }
    }

    /// How long the poll may sleep before somebody at the door is let in.
    fn wait(&self, now: Moment, engine: &Engine<StreamSocket>) -> Option<Duration> {
        match self.not_before {
            Some(moment) if self.waiting => Some(moment.since(now)),
            // If there is no room, it is the end of another connection that wakes us.
            _ => (self.waiting && engine.has_room()).then_some(Duration::ZERO),
        }
    }
}

/// A new connection is driven before it is registered: with short connections the request is usually there,
/// and registering tells of whatever comes later.
fn take_in(engine: &mut Engine<StreamSocket>, poll: &Poll, socket: StreamSocket, peer: Peer, tick: &Tick<'_>) {
    let Some(handle) = engine.adopt(socket, peer, tick) else { return };
    let Some(socket) = engine.socket(handle) else { return };
    let both = Interest::READABLE | Interest::WRITABLE;
    if let Err(error) = register(poll, socket.as_raw_fd(), handle.token(), both) {
        log::error!("cannot watch a connection: {error}");
        engine.forget(handle, tick);
    }
}

/// The descriptor from which on they are kept for files.
fn scarce_from() -> RawFd {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    RawFd::try_from(limit.saturating_sub(FILE_DESCRIPTORS)).unwrap_or(RawFd::MAX)
}

/// Once for the life of the descriptor: mio is edge-triggered, and closing it takes it out.
fn register(poll: &Poll, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
    poll.registry().register(&mut SourceFd(&fd), token, interest)
}

impl Handle {
    fn token(self) -> Token {
        Token((self.generation as usize) << 32 | self.key)
    }

    fn from_token(token: usize) -> Self {
        Handle { key: token & 0xFFFF_FFFF, generation: (token >> 32) as u32 }
    }
}
