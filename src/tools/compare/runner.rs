//! Makes requests in one of the ways, and counts.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::tally::Tally;
use super::way::Way;
use crate::tools::connection::{Broken, ClientConnection};

/// Requests that are sent together by the way that pipelines.
pub const PIPELINE_DEPTH: u32 = 10;

/// So often in a row the server may end a connection without a response.
const MAX_ATTEMPTS: u32 = 3;

/// How long to wait for the FIN of a server that is to close.
const CLOSE_WAIT: Duration = Duration::from_millis(500);

/// One way at work.
#[derive(Debug)]
pub struct Runner {
    way: Way,
    request: String,
    server: SocketAddr,
    held: Option<Held>,
    /// When the request that is to be sent again was first sent.
    waiting_since: Option<Instant>,
    failures: u32,
    /// What was counted.
    pub tally: Tally,
}

/// The open connection.
#[derive(Debug)]
struct Held {
    connection: ClientConnection,
    responses: u32,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CloseKind {
    /// The last response said so.
    Announced,
    /// Without `Connection: close`.
    Unannounced,
    /// We have no more requests.
    Ours,
}

impl Runner {
    /// Nothing is sent yet.
    pub fn new(way: Way, request: String, server: SocketAddr) -> Runner {
        let tally = Tally::default();
        Runner { way, request, server, held: None, waiting_since: None, failures: 0, tally }
    }

    /// Makes this many requests, and goes on until all are answered.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn make(&mut self, requests: u32) -> Result<(), Broken> {
        let mut left = requests;
        while left > 0 {
            left -= self.exchange(left)?;
        }
        Ok(())
    }

    /// Closes the connection that is still open.
    pub fn finish(&mut self) {
        if let Some(held) = self.held.take() {
            self.end(held, CloseKind::Ours);
        }
    }

    /// Sends as many of the requests as go together, and reads what is answered. Says how many were.
    fn exchange(&mut self, left: u32) -> Result<u32, Broken> {
        let start = Instant::now();
        let first_sent = self.waiting_since.take().unwrap_or(start);
        let mut held = match self.held.take() {
            Some(held) => held,
            None => self.open()?,
        };
        // The first request goes alone: that the connection persists is known when its response is here, and
        // what is sent behind a request that is the last one is lost.
        let together = if self.way.pipelines && held.responses > 0 { left.min(PIPELINE_DEPTH) } else { 1 };
        let requests = self.request.repeat(together as usize);
        let sent = held.connection.send(requests.as_bytes());
        let (answered, outcome) = match sent {
            Ok(()) => self.read_responses(&mut held.connection, together, first_sent, start),
            Err(broken) => (0, Err(broken)),
        };
        held.responses += answered;
        self.tally.busy += start.elapsed();
        self.tally.together = self.tally.together.max(answered);
        if answered < together {
            self.tally.retried += together - answered;
            self.waiting_since = Some(if answered == 0 { first_sent } else { start });
        }
        self.failures = if answered > 0 { 0 } else { self.failures + 1 };
        match outcome {
            Ok(true) => self.held = Some(held),
            Ok(false) => self.end(held, CloseKind::Announced),
            Err(Broken::Gone) if self.failures < MAX_ATTEMPTS => self.end(held, CloseKind::Unannounced),
            Err(broken) => return Err(broken),
        }
        Ok(answered)
    }

    /// Reads responses until `count` are here, or no more can come. Says how many came, and whether the connection
    /// lives on.
    fn read_responses(
        &mut self,
        connection: &mut ClientConnection,
        most: u32,
        first_sent: Instant,
        sent: Instant,
    ) -> (u32, Result<bool, Broken>) {
        for answered in 0..most {
            let head = match connection.read_response(self.way.is_http10()) {
                // RFC 9110 §15.5.9: the server was tired of waiting before our request came.
                Ok(head) if head.status == 408 && !head.persists => return (answered, Err(Broken::Gone)),
                Ok(head) => head,
                Err(broken) => return (answered, Err(broken)),
            };
            self.tally.errors += u32::from(!(200..400).contains(&head.status));
            let since = if answered == 0 { first_sent } else { sent };
            self.tally.latencies.push(since.elapsed());
            if !head.persists || !self.way.reuses {
                return (answered + 1, Ok(false));
            }
        }
        (most, Ok(true))
    }

    fn open(&mut self) -> Result<Held, Broken> {
        let connection = ClientConnection::open(self.server)?;
        self.tally.handshakes.extend(connection.handshake);
        Ok(Held { connection, responses: 0 })
    }

    fn end(&mut self, held: Held, end: CloseKind) {
        self.tally.responses.push(held.responses);
        self.tally.sent += held.connection.sent;
        self.tally.received += held.connection.received;
        match end {
            CloseKind::Announced if self.way.reuses => self.tally.announced.push(held.responses),
            // One that leaves them open is found out once, and not waited for again.
            CloseKind::Announced if self.tally.left_open == 0 && !held.connection.ends_within(CLOSE_WAIT) => {
                self.tally.left_open += 1;
            }
            CloseKind::Unannounced => self.tally.unannounced.push(held.responses),
            CloseKind::Announced | CloseKind::Ours => {}
        }
    }
}
