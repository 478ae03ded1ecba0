//! One connection of a client that measures: blocking, and every wait bounded.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::response::{self, ContentEnd, Head};
use crate::server::tcp_info;

/// The longest wait for a handshake, and for a whole response.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is read at once; also the most that the head of a response may have.
const BUFFER: usize = 16 * 1024;

/// A connection to a server.
#[derive(Debug)]
pub struct ClientConnection {
    stream: TcpStream,
    /// The kernel's round-trip time when the connection was new: from SYN to SYN-ACK.
    pub handshake: Option<Duration>,
    /// Bytes that went.
    pub sent: u64,
    /// Bytes that came.
    pub received: u64,
    /// Bytes that came and are not read as a response yet: `buffer[start..end]`.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// When the response that is awaited is late.
    deadline: Instant,
}

/// Why there is no response.
#[derive(Debug)]
pub enum Broken {
    /// The server had ended the connection before the first byte of the response. The request may be sent again
    /// elsewhere, if it is idempotent (RFC 9110 §9.2.2).
    Gone,
    /// The server ended the connection inside the response.
    Cut,
    /// Nothing came, or not all of it, in time.
    TimedOut,
    /// What came is not a response.
    Malformed(&'static str),
    /// The system says no.
    Io(io::Error),
}

impl ClientConnection {
    /// Opens a connection. What is written goes out at once.
    ///
    /// # Errors
    /// If the server can't be reached.
    pub fn open(server: SocketAddr) -> io::Result<ClientConnection> {
        let stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(ClientConnection {
            handshake: tcp_info::read(stream.as_fd()).map(|info| info.round_trip),
            stream,
            sent: 0,
            received: 0,
            buffer: vec![0; BUFFER].into(),
            start: 0,
            end: 0,
            deadline: Instant::now(),
        })
    }

    /// Sends requests, all in one write.
    ///
    /// # Errors
    /// If the connection takes them no more.
    pub fn send(&mut self, requests: &[u8]) -> Result<(), Broken> {
        self.stream.write_all(requests).map_err(|error| match error.kind() {
            kind if is_end(kind) => Broken::Gone,
            _ => Broken::from(error),
        })?;
        self.sent += requests.len() as u64;
        Ok(())
    }

    /// Reads the next response; its content is dropped.
    ///
    /// # Errors
    /// If there is none, or not all of it.
    pub fn read_response(&mut self, http10_request: bool) -> Result<Head, Broken> {
        self.deadline = Instant::now() + TIMEOUT;
        let mut began = self.start < self.end;
        loop {
            match response::parse(&self.buffer[self.start..self.end], http10_request).map_err(Broken::Malformed)? {
                Some((head, length)) => {
                    self.start += length;
                    // Interim responses announce the real one (RFC 9110 §15.2).
                    if !(100..200).contains(&head.status) {
                        self.skip_content(head.content)?;
                        return Ok(head);
                    }
                }
                None => {
                    self.fill().map_err(|broken| match broken {
                        Broken::Cut if !began => Broken::Gone,
                        other => other,
                    })?;
                    began = true;
                }
            }
        }
    }

    /// Whether the server's FIN, or an RST, is all that comes, and comes within this time.
    pub fn ends_within(mut self, time: Duration) -> bool {
        // The option can't fail: the time is not zero.
        let _ = self.stream.set_read_timeout(Some(time));
        self.deadline = Instant::now() + time;
        self.start == self.end && matches!(self.fill(), Err(Broken::Cut))
    }

    fn skip_content(&mut self, content: ContentEnd) -> Result<(), Broken> {
        match content {
            ContentEnd::Length(length) => self.skip(length),
            ContentEnd::Chunked => self.skip_chunks(),
            ContentEnd::UntilClose => loop {
                self.start = self.end;
                match self.fill() {
                    Ok(()) => {}
                    Err(Broken::Cut) => return Ok(()),
                    Err(other) => return Err(other),
                }
            },
        }
    }

    /// RFC 9112 §7.1.
    fn skip_chunks(&mut self) -> Result<(), Broken> {
        loop {
            match httparse::parse_chunk_size(&self.buffer[self.start..self.end]) {
                Ok(httparse::Status::Complete((length, size))) => {
                    self.start += length;
                    if size == 0 {
                        break;
                    }
                    self.skip(size)?;
                    self.skip(2)?;
                }
                Ok(httparse::Status::Partial) => self.fill()?,
                Err(_) => return Err(Broken::Malformed("a chunk has no size")),
            }
        }
        // The trailer section ends with an empty line.
        while self.line_length()? > 2 {}
        Ok(())
    }

    /// Takes a line and says how long it was, its end included.
    fn line_length(&mut self) -> Result<usize, Broken> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.start += at + 1;
                return Ok(at + 1);
            }
            self.fill()?;
        }
    }

    fn skip(&mut self, length: u64) -> Result<(), Broken> {
        let mut left = length;
        loop {
            let here = left.min((self.end - self.start) as u64);
            self.start += here as usize;
            left -= here;
            if left == 0 {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads more, once.
    fn fill(&mut self) -> Result<(), Broken> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            return Err(Broken::Malformed("a line or head of the response is longer than 16 KiB"));
        }
        let read = loop {
            if Instant::now() >= self.deadline {
                return Err(Broken::TimedOut);
            }
            match self.stream.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => break outcome,
            }
        };
        match read {
            Ok(0) => Err(Broken::Cut),
            Err(error) if is_end(error.kind()) => Err(Broken::Cut),
            Err(error) => Err(Broken::from(error)),
            Ok(count) => {
                self.end += count;
                self.received += count as u64;
                Ok(())
            }
        }
    }
}

fn is_end(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Broken::TimedOut,
            _ => Broken::Io(error),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Gone => f.write_str("the server ended the connection without a response"),
            Broken::Cut => f.write_str("the server ended the connection inside a response"),
            Broken::TimedOut => write!(f, "no whole response within {} s", TIMEOUT.as_secs()),
            Broken::Malformed(why) => f.write_str(why),
            Broken::Io(error) => write!(f, "{error}"),
        }
    }
}
