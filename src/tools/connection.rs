//! One connection of a client that measures: blocking, and every wait bounded.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::RecvFlags;
use socket2::{Domain, Socket, Type};

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
    /// How the server has ended the connection, if it has.
    pub ended: Option<ServerEnd>,
    /// Bytes that came and are not read as a response yet: `buffer[start..end]`.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// When the response that is awaited is late.
    deadline: Instant,
}

/// How a server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEnd {
    /// It sends no more.
    Fin,
    /// It takes nothing more either, and drops what is on its way.
    Reset,
}

/// What came while nothing was asked for.
#[derive(Debug)]
pub struct Unsolicited {
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// The end of the connection and when it came, if it has ended.
    pub end: Option<(ServerEnd, Instant)>,
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
        ClientConnection::open_with(server, None)
    }

    /// Opens a connection, perhaps one whose kernel holds little of what is not read: about this many bytes.
    ///
    /// # Errors
    /// If the server can't be reached.
    pub fn open_with(server: SocketAddr, receive_buffer: Option<usize>) -> io::Result<ClientConnection> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.connect_timeout(&server.into(), TIMEOUT)?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(ClientConnection {
            handshake: tcp_info::read(stream.as_fd()).map(|info| info.round_trip),
            stream,
            sent: 0,
            received: 0,
            ended: None,
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
            kind if is_end(kind) => {
                // It is reported once: what is read afterwards looks like a FIN.
                self.ended = self.ended.or((kind == ErrorKind::ConnectionReset).then_some(ServerEnd::Reset));
                Broken::Gone
            }
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

    /// Says that no more is sent. What the server sends can still be read.
    pub fn half_close(&self) {
        // One that has ended already needs it no more.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Another handle, for a thread that sends while this one reads.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    pub fn sender(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }

    /// Whether bytes or the end of the connection have arrived, which are not read.
    pub fn has_news(&self) -> bool {
        let news = rustix::net::recv(&self.stream, &mut [0_u8; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        self.start < self.end || !matches!(news, Err(Errno::AGAIN | Errno::INTR))
    }

    /// Reads on without having asked for anything, until the server ends the connection or this moment comes.
    pub fn watch(&mut self, until: Instant) -> Unsolicited {
        let mut bytes = Vec::new();
        let end = loop {
            let room = BUFFER.saturating_sub(bytes.len());
            bytes.extend(self.buffer[self.start..self.end].iter().take(room));
            self.start = self.end;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break None;
            }
            // The option can't fail: the time is not zero.
            let _ = self.stream.set_read_timeout(Some(left));
            self.deadline = until;
            match self.fill() {
                Ok(()) | Err(Broken::TimedOut) => {}
                Err(_) => break Some((self.ended.unwrap_or(ServerEnd::Reset), Instant::now())),
            }
        };
        let _ = self.stream.set_read_timeout(Some(TIMEOUT));
        Unsolicited { bytes, end }
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
            Ok(0) => {
                self.ended = self.ended.or(Some(ServerEnd::Fin));
                Err(Broken::Cut)
            }
            Err(error) if is_end(error.kind()) => {
                self.ended = Some(ServerEnd::Reset);
                Err(Broken::Cut)
            }
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
