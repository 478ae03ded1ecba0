//! The load: one thread, many connections, and the same bytes to every server. Every response is read to its end,
//! and its status looked at.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as BlockingStream};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustix::net::RecvFlags;

use super::interrupt;
use super::response::{Reader, Seen};

/// Bytes that one read may bring.
const BUFFER: usize = 256 * 1024;

/// What is sent is answered within this, or the server is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// Requests that travel together, and how they are to be answered.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Whole requests, one behind the other.
    pub bytes: Vec<u8>,
    /// How many.
    pub requests: usize,
}

/// What is asked of a server.
#[derive(Clone, Debug)]
pub struct Load {
    pub address: SocketAddr,
    /// Sent in turn, over whichever connection is free.
    pub batches: Vec<Batch>,
    /// The status that every response must have.
    pub status: u16,
    pub connections: usize,
    /// Each connection carries one request, and is read until the server's FIN.
    pub short: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    pub responses: u64,
    /// Bytes of their contents.
    pub content: u64,
    pub took: Duration,
}

impl Load {
    /// Keeps all connections busy for a time, then waits until what was asked is answered.
    ///
    /// # Errors
    /// If a connection fails, or a response is not what was expected.
    pub fn run(&self, span: Duration) -> Result<Done, String> {
        let mut clients = Clients::new(self)?;
        let start = Instant::now();
        for index in 0..self.connections {
            clients.send(index)?;
        }
        let mut free = Vec::new();
        while start.elapsed() < span {
            clients.turn(Some(PATIENCE), &mut free)?;
            for index in free.drain(..) {
                clients.send(index)?;
            }
        }
        clients.finish()?;
        Ok(Done { took: start.elapsed(), ..clients.done })
    }

    /// Sends so many batches a second, whether or not the earlier ones are answered. Gives how long each took, from
    /// the moment when it was due: one that had to wait for a free connection has waited.
    ///
    /// # Errors
    /// As [`Load::run`].
    pub fn run_at(&self, rate: f64, span: Duration) -> Result<Vec<Duration>, String> {
        let mut clients = Clients::new(self)?;
        for index in 0..self.connections {
            clients.send(index)?;
        }
        clients.finish()?;
        // The longest free one goes first, so that all are in use.
        let mut free: VecDeque<usize> = (0..self.connections).collect();
        let mut finished = Vec::new();
        let mut due_of = vec![Duration::ZERO; self.connections];
        let total = (rate * span.as_secs_f64()) as usize;
        let mut times = Vec::with_capacity(total);
        let mut sent = 0;
        let start = Instant::now();
        while times.len() < total {
            // No sleep: the kernel would wake us a millisecond late.
            clients.turn(Some(Duration::ZERO), &mut finished)?;
            let now = start.elapsed();
            if now > span + PATIENCE {
                return Err("it does not keep up".into());
            }
            for index in finished.drain(..) {
                times.push(now.saturating_sub(due_of[index]));
                free.push_back(index);
            }
            while sent < total {
                let due = Duration::from_secs_f64(sent as f64 / rate);
                let Some(index) = free.front().copied().filter(|_| due <= now) else { break };
                free.pop_front();
                due_of[index] = due;
                sent += 1;
                clients.send(index)?;
            }
        }
        Ok(times)
    }

    /// Opens the connections, lets each carry one batch, and leaves them open, idle.
    ///
    /// # Errors
    /// As [`Load::run`].
    pub fn idle(&self) -> Result<Idle, String> {
        let mut clients = Clients::new(self)?;
        let mut finished = Vec::new();
        for index in 0..self.connections {
            clients.send(index)?;
            // One at a time: nobody's accept queue overflows.
            while finished.pop().is_none() {
                clients.turn(Some(PATIENCE), &mut finished)?;
            }
        }
        Ok(Idle { _clients: clients.clients })
    }
}

/// Connections that stay open as long as this lives.
pub struct Idle {
    _clients: Vec<Client>,
}

/// Sends so many requests over one connection, each when the one before is answered. Gives what came of the last.
///
/// # Errors
/// If the connection fails or closes, or a response has another status.
pub fn one_by_one(
    address: SocketAddr,
    request: &dyn Fn(usize) -> Vec<u8>,
    status: u16,
    count: usize,
) -> Result<Seen, String> {
    let wrong = |error: io::Error| format!("one by one: {error}");
    let mut stream = BlockingStream::connect(address).map_err(wrong)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(wrong)?;
    stream.set_nodelay(true).map_err(wrong)?;
    let mut buffer = vec![0; BUFFER];
    let mut reader = Reader::new(status);
    let mut seen = Seen::default();
    for number in 0..count {
        stream.write_all(&request(number)).map_err(wrong)?;
        let mut answered = 0;
        while answered == 0 {
            let read = stream.read(&mut buffer).map_err(wrong)?;
            if read == 0 {
                return Err("one by one: it hung up".into());
            }
            seen = reader.feed(&buffer[..read])?;
            answered = seen.responses;
        }
    }
    Ok(seen)
}

struct Clients<'a> {
    load: &'a Load,
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    next_batch: usize,
    done: Done,
}

/// One place for a connection.
struct Client {
    stream: Option<TcpStream>,
    reader: Reader,
    batch: usize,
    /// Bytes of the batch that were sent.
    sent: usize,
    /// Responses that are still to come.
    owed: u64,
}

impl<'a> Clients<'a> {
    fn new(load: &'a Load) -> Result<Self, String> {
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
    fn send(&mut self, index: usize) -> Result<(), String> {
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
    fn turn(&mut self, wait: Option<Duration>, finished: &mut Vec<usize>) -> Result<(), String> {
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
            if client.owed > 0 && !client.reader.closing() {
                return Err(format!("it hung up with {} responses owed", client.owed));
            }
            // What was pipelined behind the last response is not answered: ask again.
            if client.owed > 0 {
                client.stream = None;
                return self.send(index);
            }
            client.stream = None;
        }
        let through = if self.load.short { ended } else { owed_before > 0 && client.owed == 0 };
        if through {
            finished.push(index);
        }
        Ok(())
    }

    /// Waits for what is owed.
    fn finish(&mut self) -> Result<(), String> {
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
