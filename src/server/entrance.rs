//! Where connections come in: who is let in when, and what happens when there is no descriptor for them.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};

use super::accept::{Accepted, BACKLOG, Listener};
use super::engine::{Engine, Handle};
use super::register;
use super::socket::StreamSocket;
use crate::http::{Moment, Tick};

/// Connections that are accepted from one listener per loop iteration.
const MAX_ACCEPTS: usize = 64;

/// How long to leave connections in the accept queue when there is no descriptor for them.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Descriptors that connections leave to files, as long as idle ones can give way.
const FILE_DESCRIPTORS: u64 = 16;

/// Tokens from here on are listeners; below are the handles of connections.
const FIRST_LISTENER: usize = usize::MAX - 0xFFFF;

/// The listeners, and what is known of those who wait there.
#[derive(Debug)]
pub struct Entrance {
    listeners: Vec<Listener>,
    /// A listener has told of connections that are not accepted yet. It will not tell again: we come back.
    waiting: bool,
    /// No descriptor was left: not before this moment.
    not_before: Option<Moment>,
    /// Each listener is closed when nobody waits there any more.
    closing: bool,
    /// Descriptors from this one on are the last ones.
    scarce_from: RawFd,
}

/// Who is left in an accept queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nobody,
    /// Others come first.
    Some,
    /// There is no descriptor for them.
    NoDescriptor,
}

impl Entrance {
    /// Watches the listeners.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(listeners: Vec<Listener>, poll: &Poll) -> io::Result<Self> {
        for (index, listener) in listeners.iter().enumerate() {
            register(poll, listener.as_raw_fd(), Token(FIRST_LISTENER + index), Interest::READABLE)?;
        }
        let scarce_from = scarce_from();
        Ok(Entrance { listeners, waiting: true, not_before: None, closing: false, scarce_from })
    }

    /// Whether an event with this token is one of a listener.
    pub fn owns(token: Token) -> bool {
        token.0 >= FIRST_LISTENER
    }

    /// Somebody waits.
    pub fn knocked(&mut self) {
        self.waiting = true;
    }

    /// Accepts until the accept queues are empty, or each listener has used up its budget for this iteration.
    pub fn accept(&mut self, engine: &mut Engine<StreamSocket>, poll: &Poll, tick: &Tick<'_>) {
        if !self.waiting || self.not_before.is_some_and(|moment| moment > tick.now) {
            return;
        }
        let Entrance { listeners, waiting, not_before, closing, scarce_from } = self;
        *waiting = false;
        *not_before = None;
        listeners.retain(|listener| {
            let share = if *closing { BACKLOG as usize } else { MAX_ACCEPTS };
            let left = accept_from(listener, share, *scarce_from, engine, poll, tick);
            *waiting |= left != Left::Nobody;
            if left == Left::NoDescriptor {
                *not_before = Some(tick.now + ACCEPT_PAUSE);
            }
            let done = *closing && left == Left::Nobody;
            if done {
                forget(listener, poll);
            }
            !done
        });
    }

    /// Closes the listeners, but lets in first who has come before: the handshake told them that they are welcome.
    pub fn close(&mut self, engine: &mut Engine<StreamSocket>, poll: &Poll, tick: &Tick<'_>) {
        self.closing = true;
        self.waiting = true;
        self.accept(engine, poll, tick);
    }

    /// Whether nobody comes in here any more.
    pub fn is_closed(&self) -> bool {
        self.listeners.is_empty()
    }

    /// How long the poll may sleep before somebody at the door is let in.
    pub fn wait(&self, now: Moment) -> Option<Duration> {
        match self.not_before {
            Some(moment) if self.waiting => Some(moment.since(now)),
            _ => self.waiting.then_some(Duration::ZERO),
        }
    }
}

/// Accepts at most so many; says who is left.
fn accept_from(
    listener: &Listener,
    share: usize,
    scarce_from: RawFd,
    engine: &mut Engine<StreamSocket>,
    poll: &Poll,
    tick: &Tick<'_>,
) -> Left {
    for _ in 0..share {
        match listener.accept() {
            Accepted::Connection(mut socket, peer) => {
                // Descriptors are given out from the lowest: a high one says that few are left. Files need some
                // too. So a connection makes room there, and moves into it.
                if socket.as_raw_fd() >= scarce_from && engine.free_descriptor(tick) {
                    socket = socket.with_lowest_descriptor();
                }
                // It is driven before it is watched: with short connections the request is usually there, and to watch
                // it tells of whatever comes later.
                if let Some(handle) = engine.adopt(socket, peer, tick) {
                    watch(engine, poll, handle, tick);
                }
            }
            Accepted::Nothing => return Left::Nobody,
            Accepted::Exhausted if engine.free_descriptor(tick) => {}
            Accepted::Exhausted | Accepted::Failing => return Left::NoDescriptor,
        }
    }
    Left::Some
}

/// Watches a connection, if it is still there.
fn watch(engine: &mut Engine<StreamSocket>, poll: &Poll, handle: Handle, tick: &Tick<'_>) {
    let Some(socket) = engine.socket(handle) else { return };
    // One that has had its answer already will never write again.
    let interest = if engine.lingers(handle) { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
    if let Err(error) = register(poll, socket.as_raw_fd(), handle.token(), interest) {
        log::error!("cannot watch a connection: {error}");
        engine.forget(handle, tick);
    }
}

/// A socket that was handed over stays open elsewhere: closing ours does not take it out of the poll.
fn forget(listener: &Listener, poll: &Poll) {
    if let Err(error) = poll.registry().deregister(&mut SourceFd(&listener.as_raw_fd())) {
        log::error!("cannot forget a listener: {error}");
    }
}

/// The descriptor from which on they are kept for files.
fn scarce_from() -> RawFd {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    RawFd::try_from(limit.saturating_sub(FILE_DESCRIPTORS)).unwrap_or(RawFd::MAX)
}

impl Handle {
    /// What the poll calls it.
    pub(super) fn token(self) -> Token {
        Token((self.generation as usize) << 32 | self.key)
    }

    /// What the poll calls so.
    pub(super) fn from_token(Token(token): Token) -> Self {
        Handle { key: token & 0xFFFF_FFFF, generation: (token >> 32) as u32 }
    }
}
