//! Which connections are kept, what their responses say of it, and the limits that end them.

use crate::support::{PATIENCE, Response, Root, Server, get, ms};

/// What a response says of its connection.
fn said(response: &Response) -> (Option<&str>, Option<&str>) {
    (response.field("connection"), response.field("keep-alive"))
}

#[test]
fn the_keep_alive_fields_count_down() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    for left in (997..=999).rev() {
        assert_eq!(said(&wire.get("/")), (Some("keep-alive"), Some(&*format!("timeout=70, max={left}"))));
    }
    let peer = wire.address();
    drop(wire);
    assert_eq!(server.ledger(peer).get("requests"), "3");
}

#[test]
fn http10_closes_unless_it_asks_for_more() {
    let root = Root::new();
    let server = Server::start(&root, &[]);

    let mut wire = server.connect();
    wire.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(said(&wire.read_response()), (Some("close"), None));
    wire.expect_eof(PATIENCE);

    let mut wire = server.connect();
    for left in ["timeout=70, max=999", "timeout=70, max=998"] {
        wire.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(said(&wire.read_response()), (Some("keep-alive"), Some(left)));
    }
    wire.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(said(&wire.read_response()), (Some("close"), None));
    wire.expect_eof(PATIENCE);
}

#[test]
fn the_last_of_max_requests_says_close() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-requests", "3"]);
    let mut wire = server.connect();
    wire.send(get("/", &[]).repeat(5));
    assert_eq!(said(&wire.read_response()), (Some("keep-alive"), Some("timeout=70, max=2")));
    assert_eq!(said(&wire.read_response()), (Some("keep-alive"), Some("timeout=70, max=1")));
    assert_eq!(said(&wire.read_response()), (Some("close"), None));
    wire.expect_eof(PATIENCE);
    assert_eq!(server.ledger_of(wire).get("requests"), "3");
}

#[test]
fn without_max_requests_there_is_no_countdown() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-requests", "0"]);
    let mut wire = server.connect();
    for _ in 0..1100 {
        assert_eq!(said(&wire.get("/")), (Some("keep-alive"), Some("timeout=70")));
    }
}

#[test]
fn without_keep_alive_every_response_says_close() {
    let root = Root::new();
    let server = Server::start(&root, &["--keep-alive-timeout", "0"]);
    let mut wire = server.connect();
    wire.send(get("/", &["Connection: keep-alive"]).repeat(2));
    assert_eq!(said(&wire.read_response()), (Some("close"), None));
    wire.expect_eof(PATIENCE);
}

#[test]
fn an_old_connection_is_closed_with_its_next_response() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-age", "500ms"]);
    let mut wire = server.connect();
    assert_eq!(said(&wire.get("/")).0, Some("keep-alive"));
    wire.expect_silence(ms(600));
    assert_eq!(said(&wire.get("/")), (Some("close"), None));
    wire.expect_eof(PATIENCE);
}
