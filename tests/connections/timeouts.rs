//! When the server stops waiting. Each lower bound is counted from before the server can have begun to wait, so
//! that no machine is too slow for it.

use std::time::Instant;

use rustix::process::Signal;

use crate::support::{PATIENCE, Root, Server, Wire, assert_took, get, ms};

const SHORT: &[&str] = &["--keep-alive-timeout", "2s", "--keep-alive-grace", "1s"];

#[test]
fn an_idle_connection_is_closed_after_promise_and_grace() {
    let root = Root::new();
    let server = Server::start(&root, SHORT);
    let mut wire = server.connect();
    assert_eq!(wire.get("/").field("keep-alive"), Some("timeout=2, max=999"));
    // A request within the promise starts the clock again.
    wire.expect_silence(ms(1900));
    let asked = Instant::now();
    assert_eq!(wire.get("/").field("keep-alive"), Some("timeout=2, max=998"));
    wire.expect_eof(PATIENCE);
    assert_took(asked, ms(2900), "the idle close came");
    server.ledger_of(wire).assert_end("server", "fin", "idle-timeout", "no");
}

#[test]
fn a_request_within_the_grace_is_answered() {
    let root = Root::new();
    let server = Server::start(&root, SHORT);
    let mut wire = server.connect();
    wire.get("/");
    wire.expect_silence(ms(2300));
    assert_eq!(wire.get("/").status, 200);
}

/// A request that reached the socket in time is answered, however late the server comes to look.
#[test]
fn a_server_that_slept_past_the_deadline_looks_before_it_closes() {
    let root = Root::new();
    let server = Server::start(&root, &["--keep-alive-timeout", "500ms", "--keep-alive-grace", "0"]);
    let mut wires: Vec<_> = (0..60).map(|_| server.connect()).collect();
    for wire in &mut wires {
        wire.get("/");
    }
    server.signal(Signal::STOP);
    for wire in &mut wires {
        wire.send(get("/", &[]));
    }
    std::thread::sleep(ms(1000));
    server.signal(Signal::CONT);
    for wire in &mut wires {
        assert_eq!(wire.read_response().status, 200);
    }
}

/// Some clients send an empty line after a request. It is not a request, and breaks no promise.
#[test]
fn an_empty_line_does_not_shorten_the_idle_time() {
    let root = Root::new();
    let server = Server::start(&root, &["--head-timeout", "500ms"]);
    let mut wire = server.connect();
    wire.get("/");
    wire.send("\r\n");
    wire.expect_silence(ms(1200));
    assert_eq!(wire.get("/").status, 200);
}

/// Sends a byte of a head every tenth of a second until an answer comes; gives when it began.
fn trickle(wire: &mut Wire) -> Instant {
    let start = Instant::now();
    for byte in get("/", &["X: much of it"]).bytes().take(60) {
        wire.send_anyway([byte]);
        wire.read_to_end(ms(100));
        if wire.unread() > 0 {
            break;
        }
    }
    start
}

#[test]
fn a_trickled_head_is_cut_in_total_not_per_byte() {
    let root = Root::new();
    let server = Server::start(&root, &["--head-timeout", "1s"]);
    let mut wire = server.connect();
    let start = trickle(&mut wire);
    let response = wire.read_response();
    assert_took(start, ms(1000), "408 came");
    assert_eq!((response.status, response.closes()), (408, true));
    wire.expect_eof(PATIENCE);
    server.ledger_of(wire).assert_end("server", "fin", "head-timeout", "yes");
}

/// The limit is for every head of a connection, not only for its first (CVE-2019-5739).
#[test]
fn a_second_head_that_trickles_is_cut_too() {
    let root = Root::new();
    let server = Server::start(&root, &["--head-timeout", "1s"]);
    let mut wire = server.connect();
    wire.get("/");
    let start = trickle(&mut wire);
    assert_eq!(wire.read_response().status, 408);
    assert_took(start, ms(1000), "408 came");
    wire.expect_eof(PATIENCE);
}

#[test]
fn a_connection_that_never_spoke_is_closed_without_a_word() {
    let root = Root::new();
    let server = Server::start(&root, &["--head-timeout", "1s"]);
    let start = Instant::now();
    let mut wire = server.connect();
    wire.expect_eof(PATIENCE);
    assert_took(start, ms(1000), "the end came");
    server.ledger_of(wire).assert_end("server", "fin", "no-request", "no");
}

/// RFC 9112 §2.2: empty lines before a request are ignored, so they are not a request either.
#[test]
fn empty_lines_do_not_keep_a_connection_open() {
    let root = Root::new();
    let server = Server::start(&root, &["--head-timeout", "1s"]);
    let start = Instant::now();
    let mut wire = server.connect();
    while wire.read_to_end(ms(100)) == crate::support::Broken::Silent && start.elapsed() < PATIENCE {
        wire.send_anyway("\r\n");
    }
    assert!(start.elapsed() < ms(6000), "still open after {:?}", start.elapsed());
}

#[test]
fn a_request_body_that_stops_is_not_waited_for() {
    let root = Root::new();
    let server = Server::start(&root, &["--body-timeout", "1s"]);
    let mut wire = server.connect();
    let start = Instant::now();
    wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this");
    let response = wire.read_response();
    assert_took(start, ms(1000), "the answer came");
    assert_eq!((response.status, response.closes()), (408, true));
    wire.expect_eof(PATIENCE);
}

/// One byte per moment is not progress: a drip can't hold a connection for ever.
#[test]
fn a_request_body_that_drips_is_not_waited_for() {
    let root = Root::new();
    let server = Server::start(&root, &["--body-timeout", "1s"]);
    let mut wire = server.connect();
    let start = Instant::now();
    wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
    while wire.unread() == 0 && start.elapsed() < PATIENCE {
        wire.send_anyway("x");
        wire.read_to_end(ms(100));
    }
    assert_eq!(wire.read_response().status, 408);
    assert!(start.elapsed() < ms(6000), "408 came only after {:?}", start.elapsed());
}

#[test]
fn a_reader_that_takes_nothing_is_reset_and_a_slow_one_is_not() {
    let root = Root::new().file("big.bin", vec![7; 30_000_000]);
    let server = Server::start(&root, &["--send-timeout", "1s"]);

    let mut stalled = server.connect();
    stalled.send(get("/big.bin", &[]));
    server.ledger(stalled.address()).assert_end("server", "reset", "send-timeout", "no");
    stalled.expect_reset(PATIENCE);

    // Half a megabyte every fifth of a second is progress.
    let mut slow = server.connect();
    slow.send(get("/big.bin", &["Range: bytes=0-4999999"]));
    for _ in 0..8 {
        std::thread::sleep(ms(200));
        slow.read_some(500_000);
    }
    assert_eq!(slow.read_response().body.len(), 5_000_000);
}
