//! Accepts connections, and backs off when no descriptor is left for the next one.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};

use super::listener::{Accepted, BACKLOG, Listener};
use crate::http::{Moment, Tick};
use crate::server::engine::{ConnectionKey, Engine};
use crate::server::process::descriptor_limit;
use crate::server::register;
use crate::server::socket::StreamSocket;
use crate::site::Arrival;

/// Connections that are accepted from one listener per loop iteration.
const MAX_ACCEPTS: usize = 64;

/// How long connections stay in the accept queue when there is no descriptor for them.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Descriptors that are kept for files, as long as an idle connection can be evicted instead.
const FILE_DESCRIPTORS: u64 = 16;

/// Tokens from here on belong to listeners; those below are handles of connections.
const FIRST_LISTENER: usize = usize::MAX - 0xFFFF;

/// The listeners, and what is known of their accept queues.
#[derive(Debug)]
pub struct Acceptor {
    listeners: Vec<Listener>,
    /// A listener has reported connections that are not accepted yet. Events are edge-triggered (epoll(7)), so it will
    /// not report them again.
    pending: bool,
    /// No descriptor was left: do not accept before this moment.
    not_before: Option<Moment>,
    /// Each listener is closed when its accept queue is drained.
    closing: bool,
    /// Descriptors from this one on are the last ones.
    scarce_from: RawFd,
}

/// What is left in an accept queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AcceptQueue {
    Empty,
    /// There may be more, but the listener has used up its budget for this iteration.
    NotEmpty,
    /// The next connection can't be accepted now: no descriptor or memory is left, or accept(2) keeps failing.
    NoDescriptor,
}

impl Acceptor {
    /// Registers the listeners with the poll.
    ///
    /// # Errors
    /// If the poll can't register one of them.
    pub fn open(listeners: Vec<Listener>, poll: &Poll) -> io::Result<Self> {
        for (index, listener) in listeners.iter().enumerate() {
            register(poll, listener.as_raw_fd(), Token(FIRST_LISTENER + index), Interest::READABLE)?;
        }
        let scarce_from = scarce_from();
        Ok(Acceptor { listeners, pending: true, not_before: None, closing: false, scarce_from })
    }

    /// Whether an event with this token belongs to a listener.
    pub fn owns(token: Token) -> bool {
        token.0 >= FIRST_LISTENER
    }

    /// Notes that a listener is readable: its accept queue is not empty.
    pub fn readable(&mut self) {
        self.pending = true;
    }

    /// Accepts until the accept queues are empty, or each listener has used up its budget for this iteration.
    pub fn accept(&mut self, engine: &mut Engine<StreamSocket>, poll: &Poll, tick: &Tick<'_>) {
        if !self.pending || self.not_before.is_some_and(|moment| moment > tick.now) {
            return;
        }
        let Acceptor { listeners, pending, not_before, closing, scarce_from } = self;
        *pending = false;
        *not_before = None;
        listeners.retain(|listener| {
            let budget = if *closing { BACKLOG as usize } else { MAX_ACCEPTS };
            let queue = accept_from(listener, budget, *scarce_from, engine, poll, tick);
            *pending |= queue != AcceptQueue::Empty;
            if queue == AcceptQueue::NoDescriptor {
                *not_before = Some(tick.now + ACCEPT_PAUSE);
            }
            let done = *closing && queue == AcceptQueue::Empty;
            if done {
                forget(listener, poll);
            }
            !done
        });
    }

    /// Drains the accept queues, then closes the listeners: the handshake has told those clients that they are connected.
    pub fn close(&mut self, engine: &mut Engine<StreamSocket>, poll: &Poll, tick: &Tick<'_>) {
        self.closing = true;
        self.pending = true;
        self.accept(engine, poll, tick);
    }

    /// The listeners that are open.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Whether all listeners are closed.
    pub fn is_closed(&self) -> bool {
        self.listeners.is_empty()
    }

    /// How long the poll may sleep before pending connections are to be accepted.
    pub fn wait(&self, now: Moment) -> Option<Duration> {
        match self.not_before {
            Some(moment) if self.pending => Some(moment.since(now)),
            _ => self.pending.then_some(Duration::ZERO),
        }
    }
}

/// Accepts at most `budget` connections. Returns what is left in the accept queue.
fn accept_from(
    listener: &Listener,
    budget: usize,
    scarce_from: RawFd,
    engine: &mut Engine<StreamSocket>,
    poll: &Poll,
    tick: &Tick<'_>,
) -> AcceptQueue {
    for _ in 0..budget {
        match listener.accept() {
            Accepted::Connection(mut socket, peer) => {
                // The kernel gives out the lowest free descriptor: a high one says that few are left. Files need some
                // too, so another descriptor is freed, and the connection moves to it.
                if socket.as_raw_fd() >= scarce_from && engine.free_descriptor(tick) {
                    socket = socket.with_lowest_descriptor();
                }
                // The connection is driven before it is registered: with short connections the request has usually come
                // already, and registering reports whatever comes later.
                if let Some(handle) = engine.adopt(socket, Arrival { peer, role: listener.role() }, tick) {
                    watch(engine, poll, handle, tick);
                }
            }
            Accepted::Nothing => return AcceptQueue::Empty,
            Accepted::Exhausted if engine.free_descriptor(tick) => {}
            Accepted::Exhausted | Accepted::Failing => return AcceptQueue::NoDescriptor,
        }
    }
    AcceptQueue::NotEmpty
}

/// Registers a connection with the poll, if it is still open.
fn watch(engine: &mut Engine<StreamSocket>, poll: &Poll, handle: ConnectionKey, tick: &Tick<'_>) {
    let Some(socket) = engine.socket(handle) else { return };
    // A connection that lingers already never writes again.
    let interest = if engine.lingers(handle) { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
    if let Err(error) = register(poll, socket.as_raw_fd(), handle.token(), interest) {
        log::error!("cannot watch a connection: {error}");
        engine.forget(handle, tick);
    }
}

/// Takes a listener out of the poll. Closing it is not enough: an inherited socket stays open elsewhere.
fn forget(listener: &Listener, poll: &Poll) {
    if let Err(error) = poll.registry().deregister(&mut SourceFd(&listener.as_raw_fd())) {
        log::error!("cannot forget a listener: {error}");
    }
}

/// The lowest of the descriptors that are kept for files.
fn scarce_from() -> RawFd {
    RawFd::try_from(descriptor_limit().saturating_sub(FILE_DESCRIPTORS)).unwrap_or(RawFd::MAX)
}

impl ConnectionKey {
    /// The token of the connection in the poll.
    pub(super) fn token(self) -> Token {
        Token((self.generation as usize) << 32 | self.key)
    }

    /// The handle of the connection with this token.
    pub(in crate::server) fn from_token(Token(token): Token) -> Self {
        ConnectionKey { key: token & 0xFFFF_FFFF, generation: (token >> 32) as u32 }
    }
}
