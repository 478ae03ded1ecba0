//! A server inside of another program: it loses a request on purpose, and says so.
//!
//! ```console
//! $ cargo run --example embed
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use holdline::http::Moment;
use holdline::observe::{ConnectionId, Event, LedgerLine, Observer};
use holdline::server::{Config, Server, Shutdown};

/// Keeps the line of each connection that has ended.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Vec<String>>>);

impl Observer for Ledger {
    fn observe(&mut self, _now: Moment, _connection: ConnectionId, event: &Event<'_>) {
        if let Event::Closed(life) = event {
            self.0.lock().unwrap().push(LedgerLine(life).to_string());
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let ledger = Ledger::default();
    // A free port of this machine, no files, the console with its lab.
    let server = Server::spawn(Config { observers: vec![Box::new(ledger.clone())], ..Config::default() })?;
    println!("the live page is {}", server.url("/-/"));

    // The lab closes when the connection is used again: the second request meets our FIN, and is lost.
    let mut client = TcpStream::connect(server.local_addrs()[0])?;
    for target in ["/-/lab/close?when=reuse", "/-/lab/bytes/10"] {
        write!(client, "GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", server.local_addrs()[0])?;
        let mut response = [0; 1024];
        match client.read(&mut response)? {
            0 => println!("{target}: no response, only a FIN"),
            count => println!("{target}: {}", String::from_utf8_lossy(&response[..count]).lines().next().unwrap_or("")),
        }
    }
    drop(client);

    server.shutdown(Shutdown::Graceful)?;
    for line in ledger.0.lock().unwrap().iter() {
        println!("{line}");
    }
    Ok(())
}
