//! RFC 9112 §9.6: closing in stages. What was sent is read, even by a client that is still sending.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::support::{Broken, PATIENCE, Root, Server, get, ms, pattern};

#[test]
fn a_client_that_has_finished_sending_gets_the_whole_file() {
    let content = pattern(20_000_000);
    let root = Root::new().file("big.bin", &content);
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    wire.finish_sending();
    let response = wire.read_response();
    assert!(response.body == content, "{} of {} bytes, or others", response.body.len(), content.len());
    wire.expect_eof(PATIENCE);
    server.ledger_of(wire).assert_end("client", "fin", "client-closed", "no");
}

#[test]
fn a_client_that_has_finished_sending_gets_every_answer() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send(get("/", &[]).repeat(50));
    wire.finish_sending();
    for _ in 0..50 {
        assert_eq!(wire.read_response().status, 200);
    }
    wire.expect_eof(PATIENCE);
    assert_eq!(server.ledger_of(wire).get("requests"), "50");
}

/// The refusal is there before the content has been sent, and the client sends it all before it reads.
#[test]
fn a_refused_upload_of_ten_megabytes_is_read_whole() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n");
    for _ in 0..100 {
        wire.send([b'x'; 100_000]);
    }
    let response = wire.read_response();
    assert_eq!((response.status, response.closes()), (413, true));
    assert_eq!(response.field("content-length"), Some(&*response.body.len().to_string()));
    wire.expect_eof(PATIENCE);
    server.ledger_of(wire).assert_end("server", "fin", "body-too-large", "yes");
}

/// The same, in chunks, from a client that never stops sending: the linger limit ends it, after the answer.
#[test]
fn an_endless_upload_reads_its_refusal_and_is_cut() {
    let root = Root::new();
    let server = Server::start(&root, &["--linger", "500ms"]);
    let mut wire = server.connect();
    wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut sender = wire.sender();
    let chunk = [b"1000\r\n", &[b'x'; 0x1000][..], b"\r\n"].concat();
    let sending = std::thread::spawn(move || {
        while sender.write_all(&chunk).is_ok() {
            std::thread::sleep(ms(1));
        }
    });
    let response = wire.read_response();
    assert_eq!((response.status, response.closes()), (413, true));
    wire.expect_eof(PATIENCE);
    server.ledger(wire.address());
    drop(wire);
    sending.join().expect("the sender is stopped by the end of the connection");
}

/// A bad request with more behind it: the unread rest must not turn the answer into a reset.
#[test]
fn what_follows_a_bad_request_does_not_destroy_its_answer() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    for _ in 0..50 {
        let mut wire = server.connect();
        wire.send(["GET / HTTP/1.1\r\n\r\n".as_bytes(), &[b'x'; 200_000]].concat());
        assert_eq!(wire.read_response().status, 400);
        wire.expect_eof(PATIENCE);
    }
}

/// After an announced close the client may take its time to close its own side.
#[test]
fn the_server_reads_on_after_its_fin() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send(get("/", &["Connection: close"]));
    assert_eq!(wire.read_response().status, 200);
    wire.expect_eof(PATIENCE);
    for _ in 0..5 {
        wire.send(get("/", &[]));
        std::thread::sleep(ms(20));
    }
    assert_eq!((wire.read_to_end(ms(100)), wire.unread()), (Broken::Eof, 0));
}

#[test]
fn the_longest_idle_connection_makes_room_for_a_new_one() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-connections", "2"]);
    let mut first = server.connect();
    first.get("/");
    let mut second = server.connect();
    second.get("/");
    let mut third = server.connect();
    assert_eq!(third.get("/").status, 200);
    first.expect_eof(PATIENCE);
    server.ledger_of(first).assert_end("server", "fin", "evicted", "no");
    assert_eq!(second.get("/").status, 200, "the other idle connection was closed too");
}

#[test]
fn without_an_idle_connection_a_new_one_is_refused_in_words() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-connections", "2"]);
    let mut busy: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for wire in &mut busy {
        wire.get("/");
        wire.send("GET / HTTP/1.1\r\n");
    }
    std::thread::sleep(ms(100));
    let mut refused = server.connect();
    refused.send(get("/", &[]));
    let response = refused.read_response();
    assert_eq!((response.status, response.closes()), (503, true));
    refused.expect_eof(PATIENCE);
    server.ledger_of(refused).assert_end("server", "fin", "too-many", "yes");
    for wire in &mut busy {
        wire.send("Host: localhost\r\n\r\n");
        assert_eq!(wire.read_response().status, 200);
    }
}

#[test]
fn of_one_address_only_so_many_are_served() {
    let root = Root::new();
    let path = root.at("holdline.socket");
    let server = Server::start(&root, &["--max-per-ip", "2", "--listen", &format!("unix:{}", path.display())]);
    let mut first = server.connect();
    first.get("/");
    let mut second = server.connect();
    second.get("/");
    let mut third = server.connect();
    let response = third.get("/");
    assert_eq!((response.status, response.closes(), response.field("retry-after")), (503, true, Some("1")));
    third.expect_eof(PATIENCE);
    server.ledger_of(third).assert_end("server", "fin", "too-many", "yes");
    // A Unix socket has no address.
    for _ in 0..5 {
        let mut stream = UnixStream::connect(&path).expect("the server accepts");
        stream.write_all(get("/", &["Connection: close"]).as_bytes()).expect("the request is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the answer is read");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    server.ledger_of(first);
    assert_eq!(server.connect().get("/").status, 200);
    assert_eq!(second.get("/").status, 200);
}
