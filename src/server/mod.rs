//! The driver: the only floor with mio, sockets, system calls and the clock.

mod clock;
mod config;
mod engine;
mod handle;
mod listen;
mod logs;
mod process;
mod sandbox;
#[cfg(feature = "bin")]
mod service;
mod shutdown;
mod shutdown_notice;
#[cfg(feature = "bin")]
mod signals;
mod socket;
pub(crate) mod tcp_info;

use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::http::{Limits, Moment, Tick};
use crate::observe::Observers;
use crate::observe::text::plural;
use crate::site::Site;

pub use config::{BindError, Config, MAX_CONNECTIONS, Served};
pub use engine::{ConnectionKey, Engine, Readiness, SEND_BUDGET, Watch};
pub use handle::{Handle, Running};
pub use listen::{ListenAddress, Listener, SocketOptions};
pub use logs::{LogFile, LogOptions, Logs, StandardError};
pub use process::{MAX_DESCRIPTORS, descriptor_limit, raise_descriptor_limit};
pub use sandbox::{Needs, Sandbox};
#[cfg(feature = "bin")]
pub use service::{inherited_listeners, notify};
pub use shutdown::{Action, Draining, Remaining, Shutdown};
#[cfg(feature = "bin")]
pub use signals::Signals;
pub use socket::{FileError, Socket};
pub use tcp_info::TcpInfo;

use clock::Clock;
use engine::earlier;
use handle::Wish;
use listen::Acceptor;
#[cfg(feature = "bin")]
use signals::SignalAction;
use socket::StreamSocket;

/// Events per poll.
const MAX_EVENTS: usize = 1024;

const SIGNALS: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Connections that were cut in the middle of something.
    pub cut: usize,
}

/// A server that listens.
///
/// It installs no signal handler, writes no log and starts no thread unless it is told to; two of them in one process
/// know nothing of each other. It stays in the thread that makes it: [`Server::spawn`] makes it in a thread of its own.
pub struct Server {
    poll: Poll,
    handle: Handle,
    #[cfg(feature = "bin")]
    signals: Option<Signals>,
    clock: Clock,
    limits: Limits,
    acceptor: Acceptor,
    engine: Engine<StreamSocket>,
    logs: Logs,
    draining: Option<Draining>,
    /// Called when a shutdown begins.
    on_shutdown: Box<dyn FnMut()>,
}

impl Server {
    /// Opens what is served, and listens. Connections wait in the accept queue until the server [runs](Self::run).
    ///
    /// # Errors
    /// If the folder can't be served, an address can't be listened on, or the kernel refuses a poll.
    pub fn bind(mut config: Config) -> Result<Self, BindError> {
        let site = config.site()?;
        let listeners = config.take_listeners()?;
        let has_console = config.has_console();
        let Config { limits, max_connections, observers: added, .. } = config;
        let mut observers = Observers::new(has_console);
        added.into_iter().for_each(|observer| observers.add(observer));

        let poll = Poll::new().map_err(BindError::Poll)?;
        let handle = Handle::new(poll.registry(), WAKER).map_err(BindError::Poll)?;
        let acceptor = Acceptor::open(listeners, &poll).map_err(BindError::Poll)?;
        let clock = Clock::start();
        let stopwatch = clock.stopwatch();
        let watch = Watch { read: Box::new(move || stopwatch.now()), started_unix: stopwatch.started_unix() };
        let engine = Engine::new(site, observers, &limits, max_connections, watch);
        Ok(Server {
            poll,
            handle,
            #[cfg(feature = "bin")]
            signals: None,
            clock,
            limits,
            acceptor,
            engine,
            logs: Logs::default(),
            draining: None,
            on_shutdown: Box::new(|| {}),
        })
    }

    /// The sockets that it listens on.
    pub fn listeners(&self) -> &[Listener] {
        self.acceptor.listeners()
    }

    /// The IP addresses where it listens; port 0 has become the port that the kernel chose.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners().iter().flat_map(Listener::ip_addresses).collect()
    }

    /// What it serves.
    pub fn site(&self) -> &Site {
        self.engine.site()
    }

    /// A handle that shuts it down, from any thread.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Writes these logs from now on.
    pub fn write_logs(&mut self, logs: Logs) {
        logs.add_observers(&mut self.engine.observers);
        self.logs = logs;
    }

    /// Obeys these signals from now on.
    ///
    /// # Errors
    /// If the poll can't register them.
    #[cfg(feature = "bin")]
    pub fn obey(&mut self, mut signals: Signals) -> io::Result<()> {
        signals.register(self.poll.registry(), SIGNALS)?;
        self.signals = Some(signals);
        Ok(())
    }

    /// Calls this when a shutdown begins.
    pub fn on_shutdown(&mut self, call: impl FnMut() + 'static) {
        self.on_shutdown = Box::new(call);
    }

    /// Runs the loop until a shutdown was asked for and is over.
    ///
    /// # Errors
    /// If the poll fails, which it does not in a sane kernel.
    pub fn run(mut self) -> io::Result<Outcome> {
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
        let mut asked = false;
        for event in events {
            match event.token() {
                SIGNALS | WAKER => asked = true,
                token if Acceptor::owns(token) => self.acceptor.readable(),
                token => {
                    let readiness = Readiness {
                        readable: event.is_readable() || event.is_read_closed() || event.is_error(),
                        writable: event.is_writable() || event.is_write_closed() || event.is_error(),
                        // After an RST the kernel reports EPOLLRDHUP too, with EPOLLERR.
                        read_closed: event.is_read_closed() && !event.is_error(),
                        error: event.is_error(),
                    };
                    self.engine.ready(ConnectionKey::from_token(token), readiness);
                }
            }
        }
        self.engine.drive_ready(&tick);
        self.acceptor.accept(&mut self.engine, &self.poll, &tick);
        self.engine.expire(&tick);
        self.engine.feed(&tick);

        if asked {
            self.obey_signals();
            self.obey_handles();
        }
        self.continue_shutdown()
    }

    /// Does what the signals ask for. The first that asks for a shutdown begins it; the second cuts what is left.
    fn obey_signals(&mut self) {
        #[cfg(feature = "bin")]
        for action in self.signals.iter_mut().flat_map(Signals::pending).collect::<Vec<_>>() {
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

    /// Does what the handles ask for.
    fn obey_handles(&mut self) {
        let Some(wish) = self.handle.take() else { return };
        if self.draining.is_none() {
            self.begin_shutdown(if let Wish::Shutdown(mode) = wish { mode } else { Shutdown::Fast });
        }
        if let (Wish::Abort, Some(draining)) = (wish, &mut self.draining) {
            draining.cut_now(self.clock.now());
        }
    }

    fn begin_shutdown(&mut self, mode: Shutdown) {
        (self.on_shutdown)();
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
        let others = earlier(self.acceptor.wait(now), earlier(self.logs.wait(), shutdown));
        earlier(self.engine.wait(now), others)
    }
}

/// Registers a descriptor for its whole life: mio is edge-triggered, and closing the descriptor takes it out.
fn register(poll: &Poll, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
    poll.registry().register(&mut SourceFd(&fd), token, interest)
}
