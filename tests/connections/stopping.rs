//! SIGTERM and SIGINT: what is in flight finishes, and the exit status says whether anything was cut.

use std::net::TcpStream;
use std::time::Instant;

use rustix::process::Signal;

use crate::support::{PATIENCE, Root, Server, Wire, get, ms, pattern, wait_for};

#[test]
fn a_signal_ends_a_server_that_does_nothing() {
    for signal in [Signal::TERM, Signal::INT] {
        let root = Root::new();
        let mut server = Server::start(&root, &[]);
        server.connect().get("/");
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{signal:?}");
    }
}

/// Begins to download a large file, sends the signal, and asserts that the rest comes and that nobody new is let in.
fn download_while_stopping(server: &Server, content: &[u8], signal: Signal) -> Wire {
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    wire.read_some(1_000_000);
    server.signal(signal);
    wait_for("the listener's end", || TcpStream::connect(server.address()).is_err().then_some(()));
    let response = wire.read_response();
    assert!(response.body == content, "{} of {} bytes, or others", response.body.len(), content.len());
    wire
}

#[test]
fn after_sigint_a_download_finishes_and_its_connection_is_closed() {
    let content = pattern(20_000_000);
    let root = Root::new().file("big.bin", &content);
    let mut server = Server::start(&root, &[]);
    let mut wire = download_while_stopping(&server, &content, Signal::INT);
    wire.expect_eof(PATIENCE);
    server.ledger_of(wire).assert_end("server", "fin", "draining", "no");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn after_sigterm_a_download_finishes() {
    let content = pattern(20_000_000);
    let root = Root::new().file("big.bin", &content);
    let mut server = Server::start(&root, &[]);
    drop(download_while_stopping(&server, &content, Signal::TERM));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn sigint_closes_idle_connections_at_once() {
    let root = Root::new();
    let mut server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.get("/");
    server.signal(Signal::INT);
    wire.expect_eof(PATIENCE);
    let peer = wire.address();
    drop(wire);
    assert_eq!(server.wait().code(), Some(0));
    server.ledger(peer).assert_end("server", "fin", "draining", "no");
}

#[test]
fn requests_that_had_arrived_are_answered_with_close() {
    let root = Root::new();
    let mut server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send("GET / HTTP/1.1\r\nHost: loc");
    std::thread::sleep(ms(100));
    server.signal(Signal::INT);
    wait_for("the listener's end", || TcpStream::connect(server.address()).is_err().then_some(()));
    wire.send("alhost\r\n\r\n");
    let response = wire.read_response();
    assert_eq!((response.status, response.closes()), (200, true));
    wire.expect_eof(PATIENCE);
    assert_eq!(server.wait().code(), Some(0));
    server.ledger_of(wire).assert_end("server", "fin", "draining", "yes");
}

/// A client that takes nothing can't hold the exit: a second signal doesn't wait for it.
#[test]
fn a_second_signal_stops_at_once() {
    let root = Root::new().file("big.bin", vec![7; 20_000_000]);
    let mut server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    wire.read_some(1_000_000);
    server.signal(Signal::TERM);
    wait_for("the listener's end", || TcpStream::connect(server.address()).is_err().then_some(()));
    assert!(server.is_running());
    let start = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(1), "a download was cut");
    assert!(start.elapsed() < ms(5000), "it took {:?}", start.elapsed());
}
