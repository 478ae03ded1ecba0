//! The driver: the only floor with mio, sockets, system calls and the clock.

mod acceptor;
mod addresses;
mod admission;
mod clock;
mod console;
mod deadlines;
mod drive;
mod engine;
mod listen_address;
mod listener;
mod live;
mod logs;
mod process;
mod queue;
mod sandbox;
mod service;
mod shutdown;
mod shutdown_notice;
mod signals;
mod socket;
pub(crate) mod tcp_info;

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::http::{Limits, Moment, Tick};
use crate::observe::Observers;
use crate::observe::text::plural;
use crate::site::Site;

pub use drive::SEND_BUDGET;
pub use engine::{Engine, Handle, Readiness, Watch};
pub use listen_address::ListenAddress;
pub use listener::{Listener, SocketOptions};
pub use logs::{LogFile, LogOptions, Logs, StandardError};
pub use sandbox::{Needs, Sandbox};
pub use service::inherited_listeners;
pub use shutdown::{Action, Draining, Remaining, Shutdown};
pub use socket::Socket;
pub use tcp_info::TcpInfo;

use acceptor::Acceptor;
use clock::Clock;
use signals::{SignalAction, Signals};
use socket::StreamSocket;

/// Events per poll.
const MAX_EVENTS: usize = 1024;

const SIGNALS: Token = Token(usize::MAX);

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
    acceptor: Acceptor,
    engine: Engine<StreamSocket>,
    logs: Logs,
    draining: Option<Draining>,
}

impl Server {
    /// A server that accepts from these listeners and writes these logs, once it [runs](Self::run).
    ///
    /// # Errors
    /// If the kernel refuses an epoll instance or a signal handler.
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
        let acceptor = Acceptor::open(listeners, &poll)?;
        let clock = Clock::start();
        let stopwatch = clock.stopwatch();
        let watch = Watch { read: Box::new(move || stopwatch.now()), started_unix: stopwatch.started_unix() };
        logs.add_observers(&mut observers);
        let engine = Engine::new(site, observers, &limits, max_connections, watch);
        Ok(Server { poll, signals, clock, limits, acceptor, engine, logs, draining: None })
    }

    /// Runs the loop until a signal asks to stop and nothing is in flight any more.
    ///
    /// # Errors
    /// If the poll fails.
    pub fn run(mut self) -> io::Result<Outcome> {
        service::notify("READY=1");
        let mut events = Events::with_capacity(MAX_EVENTS);
        let mut now = self.clock.now();
        loop {
            let wait = self.wait(now);
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            now = self.clock.now();
            let outcome = self.iterate(&events, now);
            self.logs.flush();
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
        }
    }

    /// One loop iteration: first the sockets that became ready, then those that had more to do; then accept, and the timers
    /// last, so that a request that arrived in time is served however late the loop is.
    fn iterate(&mut self, events: &Events, now: Moment) -> Option<Outcome> {
        let tick = Tick { now, date: self.clock.date(now), limits: &self.limits, draining: self.draining.is_some() };
        self.engine.begin_iteration(self.logs.dropped_lines(), &tick);
        let mut signalled = false;
        for event in events {
            match event.token() {
                SIGNALS => signalled = true,
                token if Acceptor::owns(token) => self.acceptor.readable(),
                token => {
                    let readiness = Readiness {
                        readable: event.is_readable() || event.is_read_closed() || event.is_error(),
                        writable: event.is_writable() || event.is_write_closed() || event.is_error(),
                        // After an RST the kernel reports EPOLLRDHUP too, with EPOLLERR.
                        read_closed: event.is_read_closed() && !event.is_error(),
                        error: event.is_error(),
                    };
                    self.engine.ready(Handle::from_token(token), readiness, &tick);
                }
            }
        }
        self.engine.run_ready_list(&tick);
        self.acceptor.accept(&mut self.engine, &self.poll, &tick);
        self.engine.expire(&tick);
        self.engine.feed(&tick);

        if signalled {
            self.handle_signals();
        }
        self.continue_shutdown()
    }

    /// Does what the signals ask for. The first that asks for a shutdown begins it; the second cuts what is left.
    fn handle_signals(&mut self) {
        for action in self.signals.pending().collect::<Vec<_>>() {
            if action == SignalAction::Shutdown(Shutdown::Fast) {
                self.logs.end_typed_line();
            }
            match (action, &mut self.draining) {
                (SignalAction::ReopenLogs, _) => self.logs.reopen(),
                (SignalAction::Shutdown(mode), None) => self.begin_shutdown(mode),
                (SignalAction::Shutdown(_), Some(draining)) => draining.cut_now(self.clock.now()),
            }
        }
    }

    fn begin_shutdown(&mut self, mode: Shutdown) {
        service::notify("STOPPING=1");
        let now = self.clock.now();
        self.draining = Some(Draining::begin(mode, now, &self.limits));
        let tick = Tick { now, date: self.clock.date(now), limits: &self.limits, draining: true };
        self.engine.reschedule_all(&tick);
        if mode == Shutdown::Graceful && !self.limits.drain_delay.is_zero() {
            let notice = shutdown_notice::accepting(&self.limits, self.logs.again());
            self.logs.announce(log::Level::Info, &notice);
        }
    }

    /// Takes the steps of a shutdown that are due. Returns how it ended, once it has.
    fn continue_shutdown(&mut self) -> Option<Outcome> {
        let draining = self.draining.as_mut()?;
        let now = self.clock.now();
        let tick = Tick { now, date: self.clock.date(now), limits: &self.limits, draining: true };
        let mut cut = 0;
        let mut listeners_closed = false;
        while let Some(action) = draining.step(now, self.engine.remaining(!self.acceptor.is_closed())) {
            match action {
                Action::CloseListeners => {
                    self.acceptor.close(&mut self.engine, &self.poll, &tick);
                    listeners_closed = true;
                }
                Action::CloseIdle => self.engine.close_idle(&tick),
                Action::EndFeeds => self.engine.end_feeds(&tick),
                Action::AbortAll => cut = self.engine.abort_all(&tick),
                Action::Finish => return Some(self.finish(cut)),
            }
        }
        // From here on there is nothing to do but to wait.
        if listeners_closed && let Some(notice) = self.engine.waiting().notice(&self.limits, self.logs.again()) {
            self.logs.announce(log::Level::Info, &notice);
        }
        None
    }

    fn finish(&self, cut: usize) -> Outcome {
        if cut > 0 {
            let connections = plural(cut as u64, "connection", "connections");
            self.logs.announce(log::Level::Warn, &format!("stopped: cut {connections} in flight"));
        }
        Outcome { cut }
    }

    /// How long the poll may sleep, counted from `now`, when the last iteration began. The clock is read once per
    /// iteration, so the poll may sleep too long by the time that the iteration took.
    fn wait(&self, now: Moment) -> Option<Duration> {
        let shutdown = self.draining.map(|draining| draining.wait(now));
        let waits = [self.engine.wait(now), self.acceptor.wait(now), self.logs.wait(), shutdown];
        waits.into_iter().flatten().min()
    }
}

/// Registers a descriptor for its whole life: mio is edge-triggered, and closing the descriptor takes it out.
fn register(poll: &Poll, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
    poll.registry().register(&mut SourceFd(&fd), token, interest)
}
