//! A static HTTP/1.1 server on one thread that shows why each connection stayed open, and who hung up.
//!
//! [`server::Server`] is the front door. It installs no signal handler, no logger and no panic hook, and serves the console
//! and the lab even without a file. Here it loses a request on purpose, and the ledger tells of the race:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use std::sync::mpsc::{Sender, channel};
//!
//! use holdline::http::Moment;
//! use holdline::observe::{ConnectionId, Event, LedgerLine, Observer};
//! use holdline::server::{Config, Server, Shutdown};
//!
//! struct Ledger(Sender<String>);
//!
//! impl Observer for Ledger {
//!     fn observe(&mut self, _now: Moment, _connection: ConnectionId, event: &Event<'_>) {
//!         if let Event::Closed(life) = event {
//!             self.0.send(LedgerLine(life).to_string()).unwrap();
//!         }
//!     }
//! }
//!
//! let (tell, ledger) = channel();
//! let server = Server::spawn(Config { observers: vec![Box::new(Ledger(tell))], ..Config::default() })?;
//!
//! // The lab closes when the connection is used again: the second request meets our FIN.
//! let mut client = TcpStream::connect(server.local_addrs()[0])?;
//! client.write_all(b"GET /-/lab/close?when=reuse HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
//! assert!(client.read(&mut [0; 1024])? > 0);
//! client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
//! assert_eq!(client.read(&mut [0; 1024])?, 0, "no response, only a FIN");
//! drop(client);
//!
//! let line = ledger.recv()?;
//! assert!(line.contains("by=server how=fin reason=lab") && line.contains("race=yes"), "{line}");
//! assert_eq!(server.shutdown(Shutdown::Graceful)?.cut, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Five floors, each using only those below it:
//!
//! - [`tools`]: the tools beside the server, clients that measure;
//! - [`server`]: the driver, the only floor with mio, sockets, system calls and the clock;
//! - [`site`]: what is served, a request head in, a response out;
//! - [`observe`]: the observers, events in, log lines, counters and pages out;
//! - [`http`]: the protocol, without a socket, a file or a clock.
//!
//! Beside them, for all: [`units`], durations and sizes as people write them. The command line, the tools and what a program
//! needs beside the server stand behind the feature `bin`, which a library user switches off.

#[cfg(feature = "bin")]
pub mod cli;
pub mod http;
pub mod observe;
pub mod server;
pub mod site;
#[cfg(feature = "bin")]
pub mod tools;
pub mod units;
