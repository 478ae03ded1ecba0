//! A server whose manners are known by construction: good ones, but for what a test changes.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::ms;

/// What the server does with its connections.
#[derive(Clone, Debug)]
pub struct Manners {
    /// How long an idle connection is kept, and what is promised.
    pub idle: Duration,
    pub promise: Option<u64>,
    /// How it is ended.
    pub idle_end: End,
    /// When and how a connection that never spoke is ended.
    pub silent: Duration,
    pub silent_end: End,
    /// The time for a head; in total, or else from byte to byte.
    pub head: Duration,
    pub head_in_total: bool,
    /// What a request gets on a connection that is used again, once another one has ended idle.
    pub race: Option<End>,
    /// The number of responses on a connection, and whether the last one announces the close.
    pub max: usize,
    pub announces: bool,
    /// What follows a response that has to be the last one.
    pub closes: Closes,
    /// Whether `closed` is taken for `close`.
    pub finds_parts_of_words: bool,
    /// Whether a kept HTTP/1.0 connection is said to be kept.
    pub says_keep_alive: bool,
    /// Whether requests that arrive together are all answered.
    pub pipelines: bool,
    /// Bytes of a response to a half-closed client; all of them if there is no limit.
    pub half_closed: Option<usize>,
    /// What a body of more than 1 KiB gets.
    pub upload: Uploads,
    /// Connections that are served, and what another one gets.
    pub places: usize,
    pub full: Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Fin,
    Reset,
    Say408,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closes {
    Announced,
    Unannounced,
    ButAnswersFirst,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploads {
    Read,
    RefusedInWords,
    RefusedUnannounced,
    AnsweredAndReset,
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    Waits,
    Says503,
    Closes,
}

/// No row finds fault with these.
pub const GOOD: Manners = Manners {
    idle: ms(1700),
    promise: Some(1),
    idle_end: End::Fin,
    silent: ms(1000),
    silent_end: End::Fin,
    head: ms(1500),
    head_in_total: true,
    race: None,
    max: usize::MAX,
    announces: true,
    closes: Closes::Announced,
    finds_parts_of_words: false,
    says_keep_alive: true,
    pipelines: true,
    half_closed: None,
    upload: Uploads::Read,
    places: usize::MAX,
    full: Full::Says503,
};

/// What all connections know.
#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    one_ended_idle: AtomicBool,
    /// Tickets of the connections that have been answered, in the order of their last responses.
    tickets: Mutex<BTreeSet<usize>>,
    last_ticket: AtomicUsize,
}

/// Starts a server with these manners, for the life of the test's process.
pub fn server(manners: Manners) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let shared = Arc::new(Shared::default());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (manners, shared) = (manners.clone(), Arc::clone(&shared));
            thread::spawn(move || {
                let stream = stream.expect("a connection");
                let place = shared.connections.fetch_add(1, Ordering::SeqCst);
                Connection { stream, manners, shared: Arc::clone(&shared), buffer: Vec::new(), ticket: 0 }.live(place);
                shared.connections.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    address
}

struct Connection {
    stream: TcpStream,
    manners: Manners,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    ticket: usize,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.tickets.lock().expect("nobody panics with it").remove(&self.ticket);
    }
}

/// Why there is no request.
enum Nothing {
    /// The time was over, before its first byte or behind it.
    Late { begun: bool },
    /// The client sends no more.
    Ended,
}

impl Connection {
    fn live(mut self, place: usize) {
        if place >= self.manners.places {
            return self.refuse();
        }
        for answered in 1.. {
            let head = match self.next_head(answered) {
                Ok(head) => head,
                Err(Nothing::Ended) => return self.end(End::Fin),
                Err(Nothing::Late { begun: true }) => return self.end(End::Say408),
                Err(Nothing::Late { begun: false }) if answered == 1 => return self.end(self.manners.silent_end),
                Err(Nothing::Late { begun: false }) => {
                    self.shared.one_ended_idle.store(true, Ordering::SeqCst);
                    return self.end(self.manners.idle_end);
                }
            };
            let races = answered > 1 && self.shared.one_ended_idle.load(Ordering::SeqCst);
            if let (Some(end), true) = (self.manners.race, races) {
                return self.end(end);
            }
            if !self.exchange(&head, answered) {
                return;
            }
        }
    }

    /// The next request head. In the race only the connection that has been idle for longest ends by the clock, the others
    /// by their next request.
    fn next_head(&mut self, answered: usize) -> Result<String, Nothing> {
        match self.head(if answered == 1 { self.manners.silent } else { self.manners.idle }) {
            Err(Nothing::Late { begun: false }) if self.manners.race.is_some() && answered > 1 && !self.is_first() => {
                self.head(ms(6000))
            }
            other => other,
        }
    }

    fn is_first(&self) -> bool {
        !self.shared.one_ended_idle.load(Ordering::SeqCst)
            && self.shared.tickets.lock().expect("nobody panics with it").first() == Some(&self.ticket)
    }

    /// Answers a request; whether another one may follow.
    fn exchange(&mut self, head: &str, answered: usize) -> bool {
        let length = field(head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let upload = if length > 1024 { self.manners.upload } else { Uploads::Read };
        match upload {
            Uploads::Reset => {
                self.end(End::Reset);
                return false;
            }
            Uploads::AnsweredAndReset => {
                self.respond(head, true, None);
                thread::sleep(ms(100));
                self.end(End::Reset);
                return false;
            }
            Uploads::Read if !self.content(length) => {
                self.end(End::Say408);
                return false;
            }
            _ => {}
        }
        let limit = self.manners.half_closed.filter(|_| {
            thread::sleep(ms(20));
            self.is_half_closed()
        });
        let refuses = upload != Uploads::Read;
        let must_close = !self.keeps(head) || refuses;
        let last = answered >= self.manners.max;
        let announced =
            (must_close && upload != Uploads::RefusedUnannounced && self.manners.closes != Closes::Unannounced)
                || (last && self.manners.announces);
        self.respond(head, announced, limit);
        if !self.manners.pipelines {
            self.buffer.clear();
        }
        match self.manners.closes {
            _ if last || limit.is_some() || refuses => {}
            _ if !must_close => return true,
            Closes::Not => {
                thread::sleep(ms(1000));
            }
            Closes::ButAnswersFirst => return answered < 8,
            Closes::Announced | Closes::Unannounced => {}
        }
        self.end(End::Fin);
        false
    }

    fn keeps(&self, head: &str) -> bool {
        let option = field(head, "connection").unwrap_or_default();
        let closes = match self.manners.finds_parts_of_words {
            true => option.contains("close"),
            false => option.split(',').any(|option| option.trim() == "close"),
        };
        !closes && (!head.contains("HTTP/1.0") || option.contains("keep-alive"))
    }

    fn respond(&mut self, head: &str, announced: bool, limit: Option<usize>) {
        // Before the client has its response, so that what it does next comes later.
        let ticket = self.shared.last_ticket.fetch_add(1, Ordering::SeqCst) + 1;
        let mut tickets = self.shared.tickets.lock().expect("nobody panics with it");
        tickets.remove(&self.ticket);
        tickets.insert(ticket);
        drop(tickets);
        self.ticket = ticket;
        let mut fields = String::new();
        if announced {
            fields += "Connection: close\r\n";
        } else if self.manners.says_keep_alive || !head.contains("HTTP/1.0") {
            fields += "Connection: keep-alive\r\n";
        }
        fields += &self.manners.promise.map(|time| format!("Keep-Alive: timeout={time}\r\n")).unwrap_or_default();
        let response = format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{fields}\r\nhello");
        let bytes = &response.as_bytes()[..limit.unwrap_or(response.len())];
        let _ = self.stream.write_all(bytes);
    }

    /// Reads the content, for as long as a head may take.
    fn content(&mut self, length: usize) -> bool {
        let until = Instant::now() + self.manners.head;
        while self.buffer.len() < length {
            if !self.read(until).is_ok_and(|count| count > 0) {
                return false;
            }
        }
        self.buffer.drain(..length);
        true
    }

    /// The next request head.
    fn head(&mut self, wait: Duration) -> Result<String, Nothing> {
        let mut until = Instant::now() + if self.buffer.is_empty() { wait } else { self.manners.head };
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return Ok(String::from_utf8_lossy(&head).into_owned());
            }
            let begun = !self.buffer.is_empty();
            match self.read(until) {
                Ok(0) => return Err(Nothing::Ended),
                Ok(_) if begun && self.manners.head_in_total => {}
                Ok(_) => until = Instant::now() + self.manners.head,
                Err(kind) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&kind) => {
                    return Err(Nothing::Late { begun });
                }
                Err(_) => return Err(Nothing::Ended),
            }
        }
    }

    fn read(&mut self, until: Instant) -> Result<usize, ErrorKind> {
        let left = until.saturating_duration_since(Instant::now()).max(ms(1));
        self.stream.set_read_timeout(Some(left)).expect("a time that is not zero");
        let mut bytes = [0; 64 * 1024];
        let count = self.stream.read(&mut bytes).map_err(|error| error.kind())?;
        self.buffer.extend(&bytes[..count]);
        Ok(count)
    }

    fn is_half_closed(&self) -> bool {
        self.stream.set_read_timeout(Some(ms(1))).expect("a time that is not zero");
        matches!(self.stream.peek(&mut [0]), Ok(0))
    }

    fn refuse(&mut self) {
        match self.manners.full {
            Full::Waits => thread::sleep(ms(30_000)),
            Full::Closes => self.end(End::Fin),
            Full::Says503 => {
                let _ = self.head(ms(1000));
                let _ = self.stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                self.end(End::Fin);
            }
        }
    }

    /// Ends the connection, and reads on behind a FIN, so that no RST follows it.
    fn end(&mut self, how: End) {
        self.shared.tickets.lock().expect("nobody panics with it").remove(&self.ticket);
        if how == End::Reset {
            return socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("an option of TCP");
        }
        if how == End::Say408 {
            let said = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = self.stream.write_all(said);
        }
        let _ = self.stream.shutdown(Shutdown::Write);
        let until = Instant::now() + ms(2000);
        while Instant::now() < until && self.read(until).is_ok_and(|count| count > 0) {}
    }
}

/// The value of a field, in lower case.
fn field(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_lowercase()))
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}
