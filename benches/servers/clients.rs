//! The connections of a load: who has sent what, and is owed what.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustix::net::RecvFlags;

use super::interrupt;
use super::load::{BUFFER, Done, Load, PATIENCE};
use super::response::Reader;

/// All of a load's connections.
pub struct Clients<'a> {
    load: &'a Load,
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    next_batch: usize,
    /// What came so far.
    pub done: Done,
}

/// One place for a connection.
pub struct Client {
    stream: Option<TcpStream>,
    reader: Reader,
    batch: usize,
    /// Bytes of the batch that were sent.
    sent: usize,
    /// Responses that are still to come.
    owed: u64,
}

impl<'a> Clients<'a> {
    /// None is open yet.
    ///
    /// # Errors
    /// If there is no poll for them.
    pub fn new(load: &'a Load) -> Result<Self, String> {
        let client = || Client { stream: None, reader: Reader::new(load.status), batch: 0, sent: 0, owed: 0 };
        Ok(Clients {
            load,
            poll: Poll::new().map_err(|error| error.to_string())?,
            events: Events::with_capacity(1024),
            clients: (0..load.connections).map(|_| client()).collect(),
            buffer: vec![0; BUFFER],
            next_batch: 0,
            done: Done::default(),
        })
    }

    /// Sends the next batch over a connection that owes nothing, opening it if need be.
    ///
    /// # Errors
    /// If the connection fails.
    pub fn send(&mut self, index: usize) -> Result<(), String> {
        let client = &mut self.clients[index];
        client.batch = self.next_batch;
        self.next_batch = (self.next_batch + 1) % self.load.batches.len();
        client.sent = 0;
        client.owed = self.load.batches[client.batch].requests as u64;
        if client.stream.is_none() {
            let mut stream = TcpStream::connect(self.load.address).map_err(|error| format!("connect: {error}"))?;
            let both = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), both).map_err(|error| error.to_string())?;
            client.stream = Some(stream);
            client.reader = Reader::new(self.load.status);
        }
        self.write(index)
    }

    /// Writes what of the batch is not sent yet, as far as there is room.
    fn write(&mut self, index: usize) -> Result<(), String> {
        let client = &mut self.clients[index];
        let bytes = &self.load.batches[client.batch].bytes;
        while client.owed > 0 && client.sent < bytes.len() {
            let Some(stream) = &mut client.stream else { break };
            match stream.write(&bytes[client.sent..]) {
                Ok(written) => client.sent += written,
                Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::NotConnected].contains(&error.kind()) => break,
                Err(error) => return Err(format!("write: {error}")),
            }
        }
        Ok(())
    }

    /// Waits for events, reads what has come. Appends the clients whose batch is answered.
    ///
    /// # Errors
    /// If a connection fails, a response is not what was expected, or none comes for long.
    pub fn turn(&mut self, wait: Option<Duration>, finished: &mut Vec<usize>) -> Result<(), String> {
        interrupt::check()?;
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(format!("poll: {error}")),
            Ok(()) => {}
        }
        if self.events.is_empty() && wait == Some(PATIENCE) {
            return Err(format!("no response within {PATIENCE:?}"));
        }
        let ready: Vec<(usize, bool, bool, bool)> = self
            .events
            .iter()
            .map(|event| (event.token().0, event.is_writable(), event.is_readable(), event.is_read_closed()))
            .collect();
        for (index, writable, readable, closed) in ready {
            if writable {
                self.write(index)?;
            }
            if readable || closed {
                self.read(index, closed, finished)?;
            }
        }
        Ok(())
    }

    /// Reads what is there.
    fn read(&mut self, index: usize, closed: bool, finished: &mut Vec<usize>) -> Result<(), String> {
        let client = &mut self.clients[index];
        let owed_before = client.owed;
        let mut ended = false;
        while let Some(stream) = &client.stream {
            // The kernel drops what is only counted, so that a large content costs the server, not us.
            let skipped = client.reader.content_left().min(BUFFER as u64) as usize;
            let counted = skipped == BUFFER;
            let flags = if counted { RecvFlags::TRUNC } else { RecvFlags::empty() };
            let read = match rustix::net::recv(stream, &mut self.buffer[..], flags) {
                Ok((read, _)) => read,
                Err(rustix::io::Errno::AGAIN) => break,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(format!("read, {} responses owed: {error}", client.owed)),
            };
            if read == 0 {
                ended = true;
                break;
            }
            let seen =
                if counted { client.reader.skip(read as u64) } else { client.reader.feed(&self.buffer[..read])? };
            client.owed = client.owed.checked_sub(seen.responses).ok_or("more responses than requests")?;
            self.done.responses += seen.responses;
            self.done.content += seen.content;
            ended |= seen.closes && !self.load.short;
            // A short read has emptied the queue, but for a FIN that came meanwhile.
            if ended || read < BUFFER && !closed && !self.load.short {
                break;
            }
        }
        if ended {
            client.stream = None;
            if client.owed > 0 && !client.reader.closing() {
                return Err(format!("it hung up with {} responses owed", client.owed));
            }
            // What was pipelined behind the last response is not answered: ask again.
            if client.owed > 0 {
                return self.send(index);
            }
        }
        let through = if self.load.short { ended } else { owed_before > 0 && client.owed == 0 };
        if through {
            finished.push(index);
        }
        Ok(())
    }

    /// The connections themselves, as they are.
    pub fn into_all(self) -> Vec<Client> {
        self.clients
    }

    /// Waits for what is owed.
    ///
    /// # Errors
    /// As [`Clients::turn`].
    pub fn finish(&mut self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        let mut finished = Vec::new();
        let waits = |client: &Client| client.owed > 0 || self.load.short && client.stream.is_some();
        while self.clients.iter().any(waits) {
            self.turn(Some(PATIENCE), &mut finished)?;
            if Instant::now() > end {
                return Err("the last responses do not come".into());
            }
        }
        Ok(())
    }
}
