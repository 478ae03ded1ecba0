//! A client that speaks raw bytes, so that a test says exactly what goes over a connection, and when.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::response::{Ends, join_chunks};
use super::{Broken, PATIENCE, Response, ms};

/// One connection to the server, with what was received on it and not yet read as a response.
pub struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    /// Connects; each `send` goes out at once, as a segment of its own.
    pub fn connect(server: SocketAddr) -> Wire {
        let stream = TcpStream::connect_timeout(&server, PATIENCE).expect("the server accepts");
        stream.set_nodelay(true).expect("TCP_NODELAY is set");
        stream.set_write_timeout(Some(PATIENCE)).expect("a write timeout is set");
        Wire { stream, received: Vec::new() }
    }

    /// Our own address: the server's `peer`.
    pub fn address(&self) -> SocketAddr {
        self.stream.local_addr().expect("a connected socket has an address")
    }

    /// Sends bytes; panics if the server doesn't take them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server takes the bytes");
    }

    /// Sends bytes to a server that may have closed already.
    pub fn send_anyway(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Sends the parts as segments of their own: the pause lets the server read each by itself.
    pub fn send_parts<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) {
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                std::thread::sleep(ms(2));
            }
            self.send_anyway(part);
        }
    }

    /// Sends a GET and reads its response.
    pub fn get(&mut self, path: &str) -> Response {
        self.send(super::get(path, &[]));
        self.read_response()
    }

    /// Reads the next response; panics if there is none.
    pub fn read_response(&mut self) -> Response {
        self.try_read(false, PATIENCE).unwrap_or_else(|broken| self.complain("a response", &broken))
    }

    /// Reads the next response, to a HEAD; panics if there is none.
    pub fn read_response_to_head(&mut self) -> Response {
        self.try_read(true, PATIENCE).unwrap_or_else(|broken| self.complain("a response to HEAD", &broken))
    }

    /// Reads the next response, if one comes within the time.
    pub fn try_read(&mut self, to_head: bool, within: Duration) -> Result<Response, Broken> {
        let deadline = Instant::now() + within;
        let (mut response, head_length) = loop {
            match Response::parse_head(&self.received)? {
                Some(found) => break found,
                None => self.receive(deadline)?,
            }
        };
        let ends = response.ends(to_head)?;
        self.received.drain(..head_length);
        let length = loop {
            match ends {
                Ends::NoContent => break 0,
                Ends::After(length) if self.received.len() >= length => break length,
                Ends::Chunked => {
                    if let Some((content, length)) = join_chunks(&self.received)? {
                        response.body = content;
                        break length;
                    }
                }
                Ends::After(_) | Ends::AtEof => {}
            }
            match self.receive(deadline) {
                Err(Broken::Eof) if matches!(ends, Ends::AtEof) => break self.received.len(),
                outcome => outcome?,
            }
        };
        let content: Vec<u8> = self.received.drain(..length).collect();
        if !matches!(ends, Ends::Chunked) {
            response.body = content;
        }
        Ok(response)
    }

    /// Asserts that the server's FIN is the next thing that comes.
    pub fn expect_eof(&mut self, within: Duration) {
        let end = self.read_to_end(within);
        assert_eq!(
            (self.received.escape_ascii().to_string(), end),
            (String::new(), Broken::Eof),
            "bytes before the end"
        );
    }

    /// Asserts that an RST is the next thing that comes, after any bytes that were on their way.
    pub fn expect_reset(&mut self, within: Duration) {
        assert_eq!(self.read_to_end(within), Broken::Reset);
    }

    /// Asserts that the server says nothing and keeps the connection open for this long.
    pub fn expect_silence(&mut self, lasting: Duration) {
        let end = self.read_to_end(lasting);
        assert_eq!(
            (self.received.escape_ascii().to_string(), end),
            (String::new(), Broken::Silent),
            "bytes, and the end"
        );
    }

    /// Reads until the connection ends, or the time is over; says how.
    pub fn read_to_end(&mut self, within: Duration) -> Broken {
        let deadline = Instant::now() + within;
        loop {
            if let Err(broken) = self.receive(deadline) {
                return broken;
            }
        }
    }

    /// Receives at least so many more bytes, and leaves the rest where it is.
    pub fn read_some(&mut self, length: usize) {
        let deadline = Instant::now() + PATIENCE;
        let wanted = self.received.len() + length;
        while self.received.len() < wanted {
            self.receive(deadline).expect("more bytes come");
        }
    }

    /// How many bytes have been received and not read as a response.
    pub fn unread(&self) -> usize {
        self.received.len()
    }

    /// Takes what has been received and not read as a response.
    pub fn take_unread(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.received)
    }

    /// Half-closes: sends our FIN and goes on reading.
    pub fn finish_sending(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("a FIN is sent");
    }

    /// The same, to a server that may have closed already.
    pub fn finish_sending_anyway(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Closes by RST.
    pub fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("SO_LINGER is set");
    }

    /// A second handle on the connection, for a thread that sends while this one reads.
    pub fn sender(&self) -> TcpStream {
        self.stream.try_clone().expect("the socket is cloned")
    }

    /// Waits for some bytes and keeps them.
    fn receive(&mut self, deadline: Instant) -> Result<(), Broken> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Broken::Silent);
        }
        self.stream.set_read_timeout(Some(left)).expect("a read timeout is set");
        let mut buffer = [0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Broken::Eof),
            Ok(length) => {
                self.received.extend_from_slice(&buffer[..length]);
                Ok(())
            }
            Err(error) => match error.kind() {
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Err(Broken::Reset),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(Broken::Silent),
                ErrorKind::Interrupted => Ok(()),
                _ => panic!("reading from the server: {error}"),
            },
        }
    }

    fn complain(&self, wanted: &str, broken: &Broken) -> ! {
        let received = &self.received[..self.received.len().min(400)];
        panic!("wanted {wanted}, got {broken:?} after {} bytes: {}", self.received.len(), received.escape_ascii())
    }
}
