//! SIGTERM and SIGINT: what is in flight finishes, and the exit status says whether anything was cut.

use std::net::TcpStream;
use std::time::Instant;

use rustix::process::Signal;

use crate::support::{PATIENCE, Root, Server, Wire, assert_took, get, ms, pattern, wait_for};

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

fn wait_until_nobody_is_let_in(server: &Server) {
    wait_for("the listener's end", || TcpStream::connect(server.address()).is_err().then_some(()));
}

/// What is idle at SIGTERM is answered once more and told so; when the last connection has ended, so has the process.
#[test]
fn sigterm_answers_each_idle_connection_once_more() {
    let root = Root::new();
    let mut server = Server::start(&root, &[]);
    let mut wires: Vec<Wire> = (0..10).map(|_| server.connect()).collect();
    for wire in &mut wires {
        assert!(!wire.get("/").closes());
    }
    server.signal(Signal::TERM);
    wait_until_nobody_is_let_in(&server);
    wires[0].expect_silence(ms(300));
    for mut wire in wires {
        assert!(wire.get("/").closes());
        wire.expect_eof(PATIENCE);
        server.ledger_of(wire).assert_end("server", "fin", "draining", "yes");
    }
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn after_sigterm_an_idle_connection_is_kept_as_long_as_was_promised() {
    let root = Root::new();
    let mut server = Server::start(&root, &["--keep-alive-timeout", "1s"]);
    let mut wire = server.connect();
    let asked = Instant::now();
    wire.get("/");
    server.signal(Signal::TERM);
    wire.expect_eof(PATIENCE);
    assert_took(asked, ms(1000), "the idle close came");
    server.ledger_of(wire).assert_end("server", "fin", "idle-timeout", "no");
    assert_eq!(server.wait().code(), Some(0));
}

/// Whatever clients do, the time to stop has an end. What is idle then is closed in order, and nothing was cut.
#[test]
fn when_the_drain_timeout_is_over_idle_connections_are_closed() {
    let root = Root::new();
    let mut server = Server::start(&root, &["--drain-timeout", "1s"]);
    let mut idle = server.connect();
    idle.get("/");
    let mut silent = server.connect();
    let stopped = Instant::now();
    server.signal(Signal::TERM);
    idle.expect_eof(PATIENCE);
    silent.expect_eof(PATIENCE);
    assert_took(stopped, ms(1000), "the end came");
    assert_eq!(server.wait().code(), Some(0));
    server.ledger_of(idle).assert_end("server", "fin", "draining", "no");
}

/// A stalled reader, half a head, half a body and a viewer who does not read: each cut, and the exit status says so.
#[test]
fn when_the_drain_timeout_is_over_what_is_in_flight_is_cut() {
    let root = Root::new().file("big.bin", vec![7; 20_000_000]);
    for words in [
        get("/big.bin", &[]),
        "GET / HT".to_owned(),
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf".to_owned(),
    ] {
        let mut server = Server::start(&root, &["--drain-timeout", "500ms"]);
        let mut wire = server.connect();
        wire.get("/");
        wire.send(&words);
        let mut viewer = server.connect();
        viewer.send(get("/-/events", &[]));
        viewer.read_some(100);
        let stopped = Instant::now();
        server.signal(Signal::TERM);
        assert_eq!(server.wait().code(), Some(1), "{words}");
        assert_took(stopped, ms(500), "the end came");
        server.ledger_of(wire).assert_end("server", "reset", "draining", "no");
    }
}

/// A viewer of the live feed is not waited for: it only looks on.
#[test]
fn a_viewer_who_does_not_read_holds_no_exit_and_is_nothing_that_was_cut() {
    let root = Root::new();
    let mut server = Server::start(&root, &["--drain-timeout", "1s"]);
    let mut viewer = server.connect();
    viewer.send(get("/-/events", &[]));
    viewer.read_some(100);
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
}

/// Who reaches the accept queue before the listener closes was let in by the handshake, and is answered.
#[test]
fn connections_that_wait_to_be_accepted_are_answered_first() {
    for signal in [Signal::TERM, Signal::INT] {
        let root = Root::new();
        let mut server = Server::start(&root, &[]);
        server.connect().get("/");
        server.signal(Signal::STOP);
        let mut wires: Vec<Wire> = (0..200).map(|_| server.connect()).collect();
        for wire in &mut wires {
            wire.send(get("/", &[]));
        }
        server.signal(signal);
        server.signal(Signal::CONT);
        for (number, wire) in wires.iter_mut().enumerate() {
            assert_eq!(wire.read_response().status, 200, "connection {number}, {signal:?}");
        }
        drop(wires);
        assert_eq!(server.wait().code(), Some(0));
    }
}

/// It may take a moment until the request follows the handshake.
#[test]
fn a_connection_that_was_just_accepted_is_waited_for() {
    let root = Root::new();
    let mut server = Server::start(&root, &[]);
    let mut wire = server.connect();
    server.signal(Signal::TERM);
    wait_until_nobody_is_let_in(&server);
    wire.expect_silence(ms(300));
    assert!(wire.get("/").closes());
    drop(wire);
    assert_eq!(server.wait().code(), Some(0));
}

/// Until the orchestrator sends nobody any more: all are let in, and told that they can't stay.
#[test]
fn during_the_drain_delay_new_connections_are_served() {
    let root = Root::new();
    let mut server = Server::start(&root, &["--drain-delay", "2s"]);
    assert_eq!(server.connect().get("/-/ready").status, 200);
    let mut idle = server.connect();
    idle.get("/");
    let stopped = Instant::now();
    server.signal(Signal::TERM);
    wait_for("not ready", || (server.connect().get("/-/ready").status == 503).then_some(()));
    assert_eq!(server.connect().get("/-/healthy").status, 200);
    let mut wire = server.connect();
    let response = wire.get("/");
    assert_eq!((response.status, response.closes()), (200, true));
    wait_until_nobody_is_let_in(&server);
    assert_took(stopped, ms(2000), "the listener closed");
    assert!(idle.get("/").closes());
    drop((wire, idle));
    assert_eq!(server.wait().code(), Some(0));
}

/// Begins to download a large file, sends the signal, and asserts that the rest comes and that nobody new is let in.
fn download_while_stopping(server: &Server, content: &[u8], signal: Signal) -> Wire {
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    wire.read_some(1_000_000);
    server.signal(signal);
    wait_until_nobody_is_let_in(server);
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
    wait_until_nobody_is_let_in(&server);
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
    wait_until_nobody_is_let_in(&server);
    assert!(server.is_running());
    let start = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(1), "a download was cut");
    assert!(start.elapsed() < ms(5000), "it took {:?}", start.elapsed());
}
