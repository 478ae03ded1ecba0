//! RFC 9112 §9.3.2: pipelined requests are answered in order, all of them, and none after a close.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{Server, get, pattern, request};

#[test]
fn pipelining() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let hello = get("/hello.txt", &[]);
    let digits = get("/digits.txt", &[]);
    let missing = get("/missing.txt", &[]);
    let big = get("/big.bin", &[]);
    let head = request("HEAD", "/big.bin", &[]);
    let close = get("/hello.txt", &["Connection: close"]);
    let http10 = "GET /hello.txt HTTP/1.0\r\n\r\n";
    let http10_kept = "GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let post = "POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let bad = "GET /hello.txt HTTP/1.1\r\n\r\n";
        let mut twenty = row("9112 §9.3.2", "twenty at once", hello.repeat(20));
    for _ in 0..20 {
        twenty = twenty.gives(&[200]).body("hello, world\n");
    }
    vec![
        twenty,
        row("9112 §9.3.2", "two requests", [&*hello, &digits].concat()).gives(&[200]).body("hello, world\n").gives(&[200]).body(site::DIGITS),
        row("9112 §9.3.2", "in their order", [&*digits, &missing, &hello].concat()).gives(&[200]).body(site::DIGITS).gives(&[404]).gives(&[200]).body("hello, world\n"),
        row("9112 §9.3.2", "HEAD between GETs has no content", [&*hello, &head, &hello].concat()).gives(&[200]).gives_head(&[200]).gives(&[200]).body("hello, world\n"),
        row("9112 §9.3.2", "a large file between small ones", [&*hello, &big, &hello].concat()).gives(&[200]).gives(&[200]).body(pattern(site::BIG)).gives(&[200]).body("hello, world\n"),
        row("9112 §9.3.2", "two large files", [&*big, &big].concat()).gives(&[200]).body(pattern(site::BIG)).gives(&[200]).body(pattern(site::BIG)),
        row("9112 §9.3.2", "304 between others", [&*hello, &get("/hello.txt", &["If-None-Match: *"]), &digits].concat()).gives(&[200]).gives(&[304]).gives(&[200]).body(site::DIGITS),
        row("9112 §9.3.2", "206 between others", [&*hello, &get("/digits.txt", &["Range: bytes=0-1"]), &digits].concat()).gives(&[200]).gives(&[206]).body("00").gives(&[200]).body(site::DIGITS),
        row("9112 §9.3.2", "a request with content between others", [&*hello, post, &digits].concat()).gives(&[200]).gives(&[405]).gives(&[200]).body(site::DIGITS),
        row("9112 §9.3.2", "one with chunked content", [&*hello, chunked, &digits].concat()).gives(&[200]).gives(&[405]).gives(&[200]).body(site::DIGITS),
        row("9112 §9.3.2", "two with content", [post, chunked, post].concat()).gives(&[405]).gives(&[405]).gives(&[405]),
        row("9112 §9.3.2", "HEAD with content between others", [&*hello, "HEAD /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", &digits].concat()).gives(&[200]).gives_head(&[200]).gives(&[200]).body(site::DIGITS),
        row("9110 §10.1.1", "nothing after content that is held back: where it would end is not known", ["POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", &*hello].concat()).gives(&[405]).kept_or_closed(),
        row("9112 §2.2", "empty lines between requests", [&*hello, "\r\n", &digits, "\r\n\r\n"].concat()).gives(&[200]).gives(&[200]).body(site::DIGITS),
        row("9112 §9.3.2", "HTTP/1.0 that persists", [http10_kept, http10_kept].concat()).gives(&[200]).gives(&[200]),
        row("9112 §9.3.2", "HTTP/1.0 and 1.1 by turns", [http10_kept, &hello, http10_kept].concat()).gives(&[200]).gives(&[200]).gives(&[200]),
        row("9112 §9.6", "nothing after close is processed", [&*hello, &close, &hello, &hello].concat()).gives(&[200]).gives(&[200]).closed(),
        row("9112 §9.6", "not even garbage", [&*close, "\0\0\0\0"].concat()).gives(&[200]).closed(),
        row("9112 §9.6", "also when the last response is large", [&*hello, &get("/big.bin", &["Connection: close"]), &hello].concat()).gives(&[200]).gives(&[200]).body(pattern(site::BIG)).closed(),
        row("9112 §9.3 (4)", "nothing after HTTP/1.0", [&*hello, http10, &hello].concat()).gives(&[200]).gives(&[200]).closed(),
        row("9112 §9.6", "nothing after what was not understood", [&*hello, bad, &hello].concat()).gives(&[200]).gives(&[400]).closed(),
        row("9112 §9.3", "content is never taken for a request", "POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 53\r\n\r\nGET /probe.txt HTTP/1.1\r\nHost: localhost\r\nX: abcd\r\n\r\n").gives(&[405]),
        row("9112 §9.3", "also not that of a GET", "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 27\r\n\r\nGET /missing.txt HTTP/1.1\r\n").gives(&[200]).body("hello, world\n"),
    ]
}
