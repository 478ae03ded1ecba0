//! Drives the connections that are ready: first their sockets are read, then the files are looked at once for all the
//! requests that came, and then each connection goes on by itself.

use std::panic::{self, AssertUnwindSafe};

use crate::http::{State, Tick};

use super::dispatch::abort;
use super::drive::read;
use super::{ConnectionKey, Engine, Readiness, max_read};
use crate::server::socket::Socket;

/// Bytes of first reads after which no further socket is read before these are answered: a request waits for the reads of
/// those beside it only, and the bytes stay in the processor's cache.
const FIRST_READS: usize = 64 * 1024;

/// The connections to drive.
pub(super) struct ReadyLists {
    /// Connections that the events of this iteration reported.
    reported: Vec<usize>,
    /// The ready list of the last iteration. Events don't drive the connections on it: that would be a second budget.
    due: Vec<usize>,
    /// The ready list (epoll(7), *starvation*): connections that used up their budget and have more to do in the next
    /// iteration.
    pub(super) next: Vec<usize>,
    /// Connections whose sockets were read, and where in the buffer their input lies.
    read: Vec<(usize, FirstRead)>,
    /// First reads of several sockets, one behind the other.
    buffer: Box<[u8]>,
    /// How much of the buffer is filled with them.
    filled: usize,
}

/// Where in the buffer of first reads the input of a connection lies.
#[derive(Clone, Copy)]
pub(super) struct FirstRead {
    begin: u32,
    length: u32,
}

impl ReadyLists {
    /// Empty lists, with room for first reads of at most `max_read` bytes each.
    pub(super) fn with_room(max_read: usize) -> Self {
        ReadyLists {
            reported: Vec::new(),
            due: Vec::new(),
            next: Vec::new(),
            read: Vec::new(),
            buffer: vec![0; FIRST_READS + max_read].into_boxed_slice(),
            filled: 0,
        }
    }

    /// The ready list of the last iteration becomes that of this one.
    pub(super) fn begin_iteration(&mut self) {
        if !self.next.is_empty() {
            std::mem::swap(&mut self.due, &mut self.next);
        }
    }

    /// What was read first from a socket.
    pub(super) fn input(&self, FirstRead { begin, length }: FirstRead) -> &[u8] {
        &self.buffer[begin as usize..][..length as usize]
    }

    /// Whether no connection has more to do in the next iteration.
    pub(super) fn is_empty(&self) -> bool {
        self.next.is_empty()
    }
}

impl<S: Socket> Engine<S> {
    /// Takes note of an event. [`drive_ready`](Self::drive_ready) drives the connection.
    pub fn ready(&mut self, handle: ConnectionKey, readiness: Readiness) {
        let Some(live) = self.connections.get_mut(handle.key) else { return };
        if live.id.0 as u32 != handle.generation {
            return;
        }
        live.readable |= readiness.readable;
        live.writable |= readiness.writable;
        live.read_closed |= readiness.read_closed;
        live.error |= readiness.error;
        let wanted = live.writable && live.http.has_unsent() || live.readable && live.http.state() != State::Sending;
        if wanted && !live.on_ready_list {
            live.on_ready_list = true;
            self.ready.reported.push(handle.key);
        }
    }

    /// Drives the connections that events have reported, then those that were on the ready list when the iteration began.
    /// To be called after the events.
    pub fn drive_ready(&mut self, tick: &Tick<'_>) {
        // A connection that is alone shares its look at the files with no other: its socket is read where it is driven.
        if let ([key], []) = (&self.ready.reported[..], &self.ready.due[..]) {
            let key = *key;
            self.ready.reported.clear();
            self.connections[key].on_ready_list = false;
            return self.drive(key, tick);
        }
        let mut keys = std::mem::take(&mut self.ready.reported);
        keys.append(&mut self.ready.due);
        for key in keys.drain(..) {
            self.read_first(key, tick);
            if self.ready.filled >= FIRST_READS {
                self.drive_read(tick);
            }
        }
        self.drive_read(tick);
        self.ready.reported = keys;
    }

    /// Reads the socket of a connection, if that has not ended meanwhile.
    fn read_first(&mut self, key: usize, tick: &Tick<'_>) {
        let Some(live) = self.connections.get_mut(key).filter(|live| live.on_ready_list) else { return };
        live.on_ready_list = false;
        let begin = self.ready.filled;
        let buffer = &mut self.ready.buffer[begin..begin + max_read(tick.limits)];
        // A panic on one connection must not end the others.
        let filled = panic::catch_unwind(AssertUnwindSafe(|| read(live, buffer, tick.now))).unwrap_or_else(|_| {
            abort(live, tick.now);
            0
        });
        self.ready.filled = begin + filled;
        self.ready.read.push((key, FirstRead { begin: begin as u32, length: filled as u32 }));
    }

    /// Looks at the files for all the requests that were read, and drives their connections.
    fn drive_read(&mut self, tick: &Tick<'_>) {
        // The clients may have changed files before they sent these bytes.
        self.site.look_again();
        let mut connections = std::mem::take(&mut self.ready.read);
        for (key, input) in connections.drain(..) {
            self.drive_from(key, Some(input), tick);
        }
        self.ready.read = connections;
        self.ready.filled = 0;
    }
}
