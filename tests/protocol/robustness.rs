//! What is not HTTP at all is refused in words, and nothing that one connection says harms another.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{PATIENCE, Server, get, pattern};

#[test]
fn foreign_protocols() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let tls_hello = [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03][..], &[0x5a; 200]].concat();
    vec![
        row("9112 §2.2", "a TLS hello", tls_hello).gives(&[400]).closed(),
        row("9112 §2.2", "zeros", [0; 64]).gives(&[400]).closed(),
        row("9112 §2.2", "bytes beyond ASCII", [0xff; 64]).gives(&[400]).closed(),
        row("9112 §2.2", "an SSH greeting", "SSH-2.0-OpenSSH_9.0\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "an SMTP greeting", "EHLO example.org\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "a Redis command", "*1\r\n$4\r\nPING\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "a PROXY line", "PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "an RTSP request", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "a SIP request", "OPTIONS sip:a@b SIP/2.0\r\n\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "a response", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "a line of one byte", "x\r\n\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "twenty empty lines before a request", format!("{}{}", "\r\n".repeat(20), get("/hello.txt", &[]))).gives(&[200, 400]).kept_or_closed(),
    ]
}

/// Random bytes get an answer or the end of the connection, and the server lives on.
#[test]
fn noise() {
    let root = site::root();
    let server = Server::start(&root, &["--head-timeout", "300ms"]);
    let noise = pattern(400_000);
    for start in (0..200).map(|n| n * 1999) {
        let mut wire = server.connect();
        let length = 1 + start % 777;
        wire.send_anyway(&noise[start..start + length]);
        wire.finish_sending();
        wire.read_to_end(PATIENCE);
    }
    // The same, but within an otherwise good request.
    let good = get("/hello.txt", &["Range: bytes=0-4", "If-None-Match: \"x\"", "Connection: keep-alive"]);
    for n in 0..200 {
        let mut bytes = good.clone().into_bytes();
        let at = n * 7919 % (bytes.len() - "\r\n\r\n".len());
        bytes[at] = noise[n * 31];
        let mut wire = server.connect();
        wire.send_anyway(&bytes);
        wire.finish_sending();
        wire.read_to_end(PATIENCE);
        assert!(wire.unread() > 0, "no answer to {}", bytes.escape_ascii());
    }
    assert_eq!(server.connect().get("/hello.txt").status, 200);
}

/// A FIFO in the root neither blocks the loop nor the one who asks for it.
#[test]
fn a_fifo_does_not_hang_the_server() {
    let root = site::root();
    let server = Server::start(&root, &[]);
    let mut waiting = server.connect();
    waiting.send(get("/pipe", &[]));
    assert_eq!(server.connect().get("/hello.txt").status, 200);
    assert_eq!(waiting.read_response().status, 404);
}
