//! Every way in which a connection ends, and what the ledger says of it.

use std::net::SocketAddr;

use crate::support::{PATIENCE, Root, Server, get, ms, pattern};

/// One way: the flags it needs, what a client does, and the end it must lead to.
struct Ending {
    reason: &'static str,
    flags: &'static [&'static str],
    by: &'static str,
    how: &'static str,
    announced: &'static str,
    /// Leads one connection to its end; gives its address.
    act: fn(&Server, &Root) -> SocketAddr,
}

#[rustfmt::skip]
const ENDINGS: &[Ending] = &[
    Ending { reason: "client-asked",   flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, &get("/", &["Connection: close"])) },
    Ending { reason: "http10",         flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "GET / HTTP/1.0\r\n\r\n") },
    Ending { reason: "keep-alive-off", flags: &["--keep-alive-timeout", "0"], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, &get("/", &[])) },
    Ending { reason: "request-limit",  flags: &["--max-requests", "1"], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, &get("/", &[])) },
    Ending { reason: "age-limit",      flags: &["--max-age", "1ms"], by: "server", how: "fin", announced: "yes", act: after_a_while },
    Ending { reason: "idle-timeout",   flags: &["--keep-alive-timeout", "200ms", "--keep-alive-grace", "100ms"], by: "server", how: "fin", announced: "no", act: |server, _| answered(server, &get("/", &[])) },
    Ending { reason: "no-request",     flags: &["--head-timeout", "300ms"], by: "server", how: "fin", announced: "no", act: silent },
    Ending { reason: "head-timeout",   flags: &["--head-timeout", "300ms"], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "GET / HT") },
    Ending { reason: "body-timeout",   flags: &["--body-timeout", "300ms"], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf") },
    Ending { reason: "body-too-large", flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n") },
    Ending { reason: "send-timeout",   flags: &["--send-timeout", "500ms"], by: "server", how: "reset", announced: "no", act: takes_nothing },
    Ending { reason: "bad-request",    flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "GET / HTTP/1.1\r\n\r\n") },
    Ending { reason: "evicted",        flags: &["--max-connections", "1"], by: "server", how: "fin", announced: "no", act: makes_room },
    Ending { reason: "too-many",       flags: &["--max-connections", "1"], by: "server", how: "fin", announced: "yes", act: finds_no_room },
    Ending { reason: "draining",       flags: &[], by: "server", how: "fin", announced: "no", act: is_stopped },
    Ending { reason: "file-changed",   flags: &[], by: "server", how: "fin", announced: "no", act: loses_its_file },
    Ending { reason: "client-closed",  flags: &[], by: "client", how: "fin", announced: "no", act: closes_between_requests },
    Ending { reason: "client-closed",  flags: &[], by: "client", how: "fin", announced: "no", act: closes_before_any },
    Ending { reason: "client-aborted", flags: &[], by: "client", how: "fin", announced: "no", act: closes_inside_a_request },
    Ending { reason: "client-aborted", flags: &[], by: "client", how: "fin", announced: "no", act: closes_inside_its_content },
    Ending { reason: "client-reset",   flags: &[], by: "client", how: "reset", announced: "no", act: resets },
];

#[test]
fn each_has_its_line_in_the_ledger() {
    let failures: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = ENDINGS.iter().map(|ending| (ending, scope.spawn(|| check(ending)))).collect();
        let failed = |(ending, running): (&Ending, std::thread::ScopedJoinHandle<'_, ()>)| {
            running.join().is_err().then(|| ending.reason.to_owned())
        };
        running.into_iter().filter_map(failed).collect()
    });
    assert!(failures.is_empty(), "wrong ends, described above: {failures:?}");
}

fn check(ending: &Ending) {
    let root = Root::new();
    let server = Server::start(&root, ending.flags);
    let peer = (ending.act)(&server, &root);
    server.ledger(peer).assert_end(ending.by, ending.how, ending.reason, ending.announced);
}

/// Sends one request, reads its response and then the server's FIN.
fn answered(server: &Server, request: &str) -> SocketAddr {
    let mut wire = server.connect();
    wire.send(request);
    wire.read_response();
    wire.expect_eof(PATIENCE);
    wire.address()
}

fn after_a_while(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    std::thread::sleep(ms(100));
    wire.get("/");
    wire.expect_eof(PATIENCE);
    wire.address()
}

fn silent(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.expect_eof(PATIENCE);
    wire.address()
}

fn takes_nothing(server: &Server, root: &Root) -> SocketAddr {
    std::fs::write(root.at("big.bin"), vec![7; 30_000_000]).expect("the file is written");
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    let peer = wire.address();
    server.ledger(peer);
    wire.expect_reset(PATIENCE);
    peer
}

fn makes_room(server: &Server, _: &Root) -> SocketAddr {
    let mut idle = server.connect();
    idle.get("/");
    let mut new = server.connect();
    new.get("/");
    idle.expect_eof(PATIENCE);
    idle.address()
}

fn finds_no_room(server: &Server, _: &Root) -> SocketAddr {
    let mut busy = server.connect();
    busy.get("/");
    busy.send("GET / HT");
    std::thread::sleep(ms(100));
    let mut refused = server.connect();
    refused.send(get("/", &[]));
    assert_eq!(refused.read_response().status, 503);
    refused.expect_eof(PATIENCE);
    refused.address()
}

fn is_stopped(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.get("/");
    server.signal(rustix::process::Signal::INT);
    wire.expect_eof(PATIENCE);
    wire.address()
}

/// The file shrinks while it is sent: the response ends early, which its reader can see.
fn loses_its_file(server: &Server, root: &Root) -> SocketAddr {
    let path = root.at("big.bin");
    std::fs::write(&path, pattern(30_000_000)).expect("the file is written");
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    wire.read_some(100_000);
    std::fs::File::options().write(true).open(&path).and_then(|file| file.set_len(1000)).expect("the file shrinks");
    assert!(wire.try_read(false, PATIENCE).is_err(), "a whole response of a file that was cut");
    wire.address()
}

fn closes_between_requests(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.get("/");
    wire.address()
}

fn closes_before_any(server: &Server, _: &Root) -> SocketAddr {
    server.connect().address()
}

fn closes_inside_a_request(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.send("GET / HT");
    wire.address()
}

fn closes_inside_its_content(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf");
    wire.address()
}

fn resets(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.get("/");
    let peer = wire.address();
    wire.reset();
    peer
}
