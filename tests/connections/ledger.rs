//! What a line of the ledger holds, and that a log nobody reads stops nothing.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{PATIENCE, Root, Server, Wire, address_in, get, ms, pattern, urls_in};

#[test]
fn a_line_tells_the_whole_life() {
    let root = Root::new().file("big.bin", pattern(500_000));
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.get("/");
    wire.expect_silence(ms(300));
    wire.get("/big.bin");
    let line = server.ledger_of(wire);
    line.assert_end("client", "fin", "client-closed", "no");
    for (member, value) in
        [("requests", "2"), ("race", "no"), ("first", "GET /"), ("last", "GET /big.bin"), ("conn", "1")]
    {
        assert_eq!(line.get(member), value, "{member}");
    }
    let number = |member: &str, unit: &str| {
        let digits = line.get(member).strip_suffix(unit);
        digits.and_then(|digits| digits.parse::<f64>().ok()).unwrap_or_else(|| panic!("{member}={}", line.get(member)))
    };
    assert!(number("age", "s") >= 0.3);
    assert!(number("idle", "s") <= number("age", "s"));
    assert!((500.0..510.0).contains(&number("sent", "k")));
    assert!((50.0..150.0).contains(&number("received", "")));
    assert!(number("rtt", "ms") >= 0.0);
}

/// Whatever a client asks for, its connection is one line, whose members can be read.
#[test]
fn no_request_breaks_a_line() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    for target in ["/a\"b\\c", "/\"reason=none", "/%0Aconn=9%20by=nobody", "/a=b&c=d?e=\"f"] {
        let mut wire = server.connect();
        wire.get(target);
        let line = server.ledger_of(wire);
        assert_eq!(line.get("last"), format!("GET {target}"));
        line.assert_end("client", "fin", "client-closed", "no");
    }
    let mut wire = server.connect();
    wire.get(&format!("/{}", "a".repeat(10_000)));
    assert!(server.ledger_of(wire).get("last").len() < 1000, "a target without measure is logged");
}

/// The keep-alive race: the request was under way when we closed. Nobody but the server can see it.
#[test]
fn a_request_that_lost_the_race_is_told() {
    let root = Root::new();
    let server = Server::start(&root, &["--keep-alive-timeout", "200ms", "--keep-alive-grace", "0"]);
    let mut wire = server.connect();
    wire.get("/");
    wire.expect_eof(PATIENCE);
    wire.send(get("/", &[]));
    let line = server.ledger_of(wire);
    line.assert_end("server", "fin", "idle-timeout", "no");
    assert_eq!((line.get("race"), line.get("requests")), ("yes", "1"));
    assert!(line.get("late").ends_with("ms"), "late={}", line.get("late"));
}

/// After an announced close a request is a client's mistake, and no race.
#[test]
fn a_request_after_an_announced_close_is_not_a_race() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send(get("/", &["Connection: close"]));
    wire.read_response();
    wire.expect_eof(PATIENCE);
    wire.send(get("/", &[]));
    assert_eq!(server.ledger_of(wire).get("race"), "no");
}

/// Its reader goes away while the log is written: the server ignores SIGPIPE and the error.
#[test]
fn a_closed_standard_error_stops_nothing() {
    let root = Root::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_holdline"))
        .args(["--listen", "127.0.0.1:0"])
        .arg(root.path())
        .env("RUST_LOG", "debug")
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut first = String::new();
    let mut log = BufReader::new(child.stderr.take().expect("standard error is piped"));
    log.read_line(&mut first).expect("the first line is read");
    drop(log);
    let mut wire = Wire::connect(address_in(&urls_in(first.trim_end())[0]));
    for _ in 0..100 {
        assert_eq!(wire.get("/").status, 200);
    }
    child.kill().expect("it still runs");
    child.wait().expect("it is our child");
}
