//! `/-/lab/wait` and `/-/lab/bytes`: content that comes late, slowly, or in chunks.

use std::time::Instant;

use crate::support::{PATIENCE, Root, Server, assert_took, get, ms, request};

#[test]
fn the_answer_comes_as_much_later_as_asked() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    let asked = Instant::now();
    let response = wire.get("/-/lab/wait?for=300ms");
    assert_took(asked, ms(300), "the answer came");
    assert_eq!((response.status, response.closes()), (200, false));
    assert_eq!(wire.get("/").status, 200);
    server.ledger_of(wire).assert_end("client", "fin", "client-closed", "no");
}

/// Six lanes at a browser: who waits does not keep others waiting.
#[test]
fn one_that_waits_holds_nobody_else_up() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut waiting = server.connect();
    waiting.send(get("/-/lab/wait?for=10m", &[]));
    waiting.expect_silence(ms(50));
    assert_eq!(server.connect().get("/").status, 200);
}

#[test]
fn bytes_come_by_length_or_in_chunks() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    for length in [0, 1, 64, 16_383, 16_384, 16_385, 5_000_000] {
        let whole = wire.get(&format!("/-/lab/bytes/{length}"));
        assert_eq!(whole.field("content-length"), Some(&*length.to_string()));
        let chunked = wire.get(&format!("/-/lab/bytes/{length}?chunked=yes"));
        assert_eq!((chunked.field("transfer-encoding"), chunked.field("content-length")), (Some("chunked"), None));
        assert!(whole.body.len() == length && chunked.body == whole.body, "{length}");
    }
}

/// RFC 9112 §6.1: "A server MUST NOT send a response containing Transfer-Encoding unless the corresponding request
/// indicates HTTP/1.1 (or later minor revisions)."
#[test]
fn http_1_0_gets_a_length_instead_of_chunks() {
    let root = Root::new();
    let server = Server::start(&root, &["--lab", "any"]);
    let mut wire = server.connect();
    wire.send("GET /-/lab/bytes/100?chunked=yes HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
    let response = wire.read_response();
    assert_eq!((response.field("transfer-encoding"), response.field("content-length")), (None, Some("100")));
    assert_eq!((response.body.len(), wire.get("/").status), (100, 200));
}

#[test]
fn the_rate_is_kept() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    for chunked in ["", "&chunked=yes"] {
        let mut wire = server.connect();
        let asked = Instant::now();
        let response = wire.get(&format!("/-/lab/bytes/30000?rate=20000{chunked}"));
        assert_took(asked, ms(1500), "the last byte came");
        assert_eq!(response.body.len(), 30_000);
    }
}

/// A rate that no network has is not a reason to be busy, and none to hold the content in memory.
#[test]
fn much_content_is_not_held() {
    let root = Root::new();
    let server = Server::start(&root, &["--send-timeout", "500ms"]);
    let mut wire = server.connect();
    wire.send(get("/-/lab/bytes/1GiB?rate=1024GiB", &[]));
    wire.read_some(1_000_000);
    server.ledger(wire.address()).assert_end("server", "reset", "send-timeout", "no");
    let memory = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
    let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < 64_000, "{peak} kB");
}

#[test]
fn head_is_told_and_nothing_sent() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send(request("HEAD", "/-/lab/bytes/1000?rate=1", &[]));
    assert_eq!(wire.read_response_to_head().field("content-length"), Some("1000"));
    wire.send(request("HEAD", "/-/lab/close?when=body:100&how=reset", &[]));
    assert_eq!(wire.read_response_to_head().status, 200);
    wire.expect_reset(PATIENCE);
}
