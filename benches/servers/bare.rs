//! The bare loop: epoll, read, write, and a canned answer. It parses nothing: it knows how long a request is. What a
//! server on epoll can't go below.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);

/// What the command line of the process says: address, length of a request, length of the content, `short` or not.
pub struct Bare {
    pub address: SocketAddr,
    pub request: usize,
    pub content: usize,
    pub short: bool,
}

impl Bare {
    /// Reads the words that [`Bare::words`] writes.
    pub fn from_words(words: &[String]) -> Option<Bare> {
        let [address, request, content, short] = words else { return None };
        Some(Bare {
            address: address.parse().ok()?,
            request: request.parse().ok()?,
            content: content.parse().ok()?,
            short: short == "short",
        })
    }

    /// The words for the command line.
    pub fn words(&self) -> [String; 4] {
        let end = if self.short { "short" } else { "long" };
        [self.address.to_string(), self.request.to_string(), self.content.to_string(), end.to_owned()]
    }

    /// Answers until the process is ended.
    ///
    /// # Errors
    /// If the address is taken, or the poll fails.
    pub fn run(&self) -> io::Result<()> {
        let answer = self.answer();
        let mut listener = TcpListener::bind(self.address)?;
        let mut poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let mut events = Events::with_capacity(1024);
        let mut connections: Vec<Option<(TcpStream, usize)>> = Vec::new();
        let mut free = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        let mut out = Vec::new();
        loop {
            poll.poll(&mut events, None)?;
            for event in &events {
                if event.token() != LISTENER {
                    let Token(key) = event.token();
                    if !serve(&mut connections[key], self, &answer, &mut buffer, &mut out) {
                        connections[key] = None;
                        free.push(key);
                    }
                    continue;
                }
                while let Ok((mut stream, _)) = listener.accept() {
                    let key = free.pop().unwrap_or(connections.len());
                    if key == connections.len() {
                        connections.push(None);
                    }
                    poll.registry().register(&mut stream, Token(key), Interest::READABLE)?;
                    connections[key] = Some((stream, 0));
                }
            }
        }
    }

    fn answer(&self) -> Vec<u8> {
        let end = if self.short { "close" } else { "keep-alive" };
        let head = format!(
            "HTTP/1.1 200 OK\r\nServer: bare\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: {end}\r\n\
             Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"0123456789abcdef\"\r\n\
             Content-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            self.content
        );
        [head.into_bytes(), vec![b'x'; self.content]].concat()
    }
}

/// Reads once, and writes as many answers as whole requests have come. Says whether the connection lives on.
fn serve(
    connection: &mut Option<(TcpStream, usize)>,
    bare: &Bare,
    answer: &[u8],
    buffer: &mut [u8],
    out: &mut Vec<u8>,
) -> bool {
    let Some((stream, received)) = connection else { return true };
    match stream.read(buffer) {
        Ok(0) => return false,
        Ok(count) => *received += count,
        Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
    }
    let requests = *received / bare.request;
    *received %= bare.request;
    // What the kernel has no room for would need a queue; a client that reads leaves room for these few.
    let written = match requests {
        0 => return true,
        1 => stream.write_all(answer),
        _ => {
            out.clear();
            (0..requests).for_each(|_| out.extend_from_slice(answer));
            stream.write_all(out)
        }
    };
    written.is_ok() && !bare.short
}
