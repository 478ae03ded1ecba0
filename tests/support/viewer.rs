//! A viewer of the live feed, `/-/events`, who reads strictly: chunks, then events, then their JSON.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use serde_json::Value;

use super::collected::Collected;
use super::{PATIENCE, Response, Server, get};

/// One event of the stream.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its number, to resume by.
    pub id: Option<u64>,
    /// What kind it is of.
    pub name: String,
    /// What it says.
    pub data: Value,
}

/// Somebody who reads all that the stream says.
pub struct Viewer {
    stream: TcpStream,
    response: Response,
    told: Arc<Collected<Told>>,
}

impl Viewer {
    /// Begins to view, with an ordinary request.
    pub fn open(server: &Server) -> Viewer {
        Viewer::ask(server, &get("/-/events", &[]))
    }

    /// Comes back after the event with this id.
    pub fn resume(server: &Server, last: u64) -> Viewer {
        Viewer::ask(server, &get("/-/events", &[&format!("Last-Event-ID: {last}")]))
    }

    /// Begins to view, with this request.
    pub fn ask(server: &Server, request: &str) -> Viewer {
        let mut stream = TcpStream::connect_timeout(&server.address(), PATIENCE).expect("the server accepts");
        stream.write_all(request.as_bytes()).expect("the server takes the request");
        let mut reader = BufReader::new(stream.try_clone().expect("the socket is cloned"));
        let response = read_head(&mut reader);
        let chunked = response.field("transfer-encoding") == Some("chunked");
        let content: Box<dyn Read + Send> =
            if chunked { Box::new(Chunks { coded: reader, left: 0, ended: false }) } else { Box::new(reader) };
        Viewer { stream, response, told: Collected::from(Events { text: BufReader::new(content), ended: false }) }
    }

    /// Our own address: the server's `peer`.
    pub fn address(&self) -> SocketAddr {
        self.stream.local_addr().expect("a connected socket has an address")
    }

    /// The head of the response.
    pub fn head(&self) -> &Response {
        &self.response
    }

    /// All that was told so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.all()
    }

    /// Waits for an event of this name in which `find` finds something.
    pub fn wait_for<R>(&self, name: &str, find: impl Fn(&Value) -> Option<R>) -> R {
        self.told.wait_for(&format!("`{name}` in the stream"), |told| {
            (told.name == name).then(|| find(&told.data)).flatten()
        })
    }

    /// Waits for an event of this name about this connection.
    pub fn wait_for_event(&self, name: &str, conn: u64) -> Value {
        self.wait_for(name, |data| (data["conn"] == conn).then(|| data.clone()))
    }

    /// Waits until the stream has ended as it should, with the last chunk; gives all that was told.
    pub fn wait_for_end(&self) -> Vec<Told> {
        let all = self.told.wait_for_end();
        assert_eq!(all.last().map(|told| &*told.name), Some(END), "the stream was cut");
        all
    }

    /// Goes away; gives all that was told.
    pub fn leave(self) -> Vec<Told> {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.told.wait_for_end()
    }
}

/// What stands in place of an event where the content has ended, and not only the connection.
const END: &str = "(end)";

fn read_head(reader: &mut impl BufRead) -> Response {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let length = reader.read_until(b'\n', &mut head).expect("the head arrives");
        assert!(length > 0, "no whole head: {}", head.escape_ascii());
    }
    Response::parse_head(&head).expect("a head").expect("a whole one").0
}

/// The content of chunks. Its end is the last chunk; a connection that ends before is an error.
struct Chunks<R> {
    coded: R,
    left: usize,
    ended: bool,
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 && !self.ended {
            let mut line = String::new();
            self.coded.read_line(&mut line)?;
            let size = line.strip_suffix("\r\n").and_then(|hex| usize::from_str_radix(hex, 16).ok());
            self.left = size.ok_or(std::io::ErrorKind::UnexpectedEof)?;
            self.ended = self.left == 0;
        }
        let room = self.left.min(buffer.len());
        let count = self.coded.read(&mut buffer[..room])?;
        self.left -= count;
        if self.left == 0 {
            let mut end = [0; 2];
            self.coded.read_exact(&mut end)?;
            assert_eq!(&end, b"\r\n", "a chunk has another end");
        }
        Ok(count)
    }
}

/// The events in a text, as the HTML standard reads them (section 9.2).
struct Events<R> {
    text: BufReader<R>,
    ended: bool,
}

impl<R: Read> Iterator for Events<R> {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        let mut told = Told { id: None, name: String::new(), data: Value::Null };
        loop {
            let mut line = String::new();
            let length = self.text.read_line(&mut line).ok().filter(|_| !self.ended)?;
            if length == 0 {
                self.ended = true;
                return Some(Told { name: END.to_owned(), ..told });
            }
            match line.trim_end_matches('\n').split_once(": ") {
                None if told.name.is_empty() => {} // the empty line behind a comment
                None => return Some(told),
                Some(("", _)) => {} // a comment
                Some(("id", digits)) => told.id = Some(digits.parse().expect("ids are numbers")),
                Some(("event", name)) => told.name = name.to_owned(),
                Some(("data", json)) => told.data = serde_json::from_str(json).expect("data is JSON"),
                Some(_) => panic!("an odd line in the stream: {line}"),
            }
        }
    }
}
