//! The load: one thread, many connections, and the same bytes to every server. Every response is read to its end,
//! and its status looked at.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::clients::{Client, Clients};
use super::response::{Reader, Seen};

/// Bytes that one read may bring.
pub const BUFFER: usize = 256 * 1024;

/// What is sent is answered within this, or the server is broken.
pub const PATIENCE: Duration = Duration::from_secs(20);

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
        Ok(Idle { _clients: clients.into_all() })
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
    let mut stream = TcpStream::connect(address).map_err(wrong)?;
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
