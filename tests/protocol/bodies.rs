//! RFC 9112 §7.1, RFC 9110 §10.1.1: unwanted content is read and discarded, so that the connection can be used again.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::Server;

#[test]
fn bodies() {
    let root = site::root();
    run(&Server::start(&root, &[]), &chunk_rows());
}

#[test]
fn expectations() {
    let root = site::root();
    run(&Server::start(&root, &[]), &expectation_rows());
}

/// A POST with chunked content as given.
fn chunked(content: &str) -> String {
    format!("POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{content}")
}

fn chunk_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let hex_digits = "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n";
    for (content, why) in [
        ("0\r\n\r\n", "nothing but the last chunk"),
        ("5\r\nhello\r\n0\r\n\r\n", "one chunk"),
        ("1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "two chunks"),
        (hex_digits, "sizes are hexadecimal, in both cases"),
        ("0005\r\nhello\r\n0000\r\n\r\n", "leading zeros are digits"),
        ("5;a\r\nhello\r\n0\r\n\r\n", "an extension"),
        ("5;a=b;c=\"d;e\"\r\nhello\r\n0;last\r\n\r\n", "extensions with values (§7.1.1)"),
        ("5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n", "a trailer (§7.1.2)"),
        ("5\r\nhello\r\n0\r\nX: a\r\nY: b\r\nZ:\r\n\r\n", "several trailers"),
        ("5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n", "a trailer is not a framing field"),
        ("5\r\nhello\r\n0\r\nConnection: close\r\n\r\n", "a trailer is not a connection option"),
        ("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "content that looks like the end"),
        ("17\r\nGET /probe.txt HTTP/1.1\r\n0\r\n\r\n", "content that looks like a request"),
    ] {
        rows.push(row("9112 §7.1", why, chunked(content)).gives(&[405]));
    }
    for (content, why) in [
        ("FFFFFFFFFFFFFFFFF\r\n", "a size beyond 64 bits (\"MUST anticipate\")"),
        ("10000000000000000\r\nhello\r\n0\r\n\r\n", "a size that wraps to nothing"),
        ("10000000000000005\r\nhello\r\n0\r\n\r\n", "a size that wraps to five"),
        ("x\r\nhello\r\n0\r\n\r\n", "no hexadecimal digit"),
        ("5g\r\nhello\r\n0\r\n\r\n", "a letter after the size"),
        ("0x5\r\nhello\r\n0\r\n\r\n", "a prefix"),
        ("+5\r\nhello\r\n0\r\n\r\n", "a sign"),
        ("-5\r\nhello\r\n0\r\n\r\n", "a negative size"),
        (" 5\r\nhello\r\n0\r\n\r\n", "a space before the size"),
        ("\r\n5\r\nhello\r\n0\r\n\r\n", "an empty line before the size"),
        (";a\r\nhello\r\n0\r\n\r\n", "an extension without a size"),
        ("5\r\nhello0\r\n\r\n", "no line end after the chunk"),
        ("5\r\nhelloX\r\n0\r\n\r\n", "a chunk longer than it says"),
        ("5\r\nhello\r0\r\n\r\n", "half a line end after the chunk"),
        ("5\rhello\r\n0\r\n\r\n", "half a line end after the size"),
        ("5;a\rb\r\nhello\r\n0\r\n\r\n", "a bare CR in an extension"),
        ("5;a\nhello\r\n0\r\n\r\n", "a bare LF after an extension"),
        ("5\nhello\r\n0\r\n\r\n", "a bare LF after the size"),
        ("5\r\nhello\n0\r\n\r\n", "a bare LF after the chunk"),
        ("5;\0\r\nhello\r\n0\r\n\r\n", "NUL in an extension"),
        ("5\r\nhello\r\n0\r\nno trailer\r\n\r\n", "a trailer without a colon"),
        ("5\r\nhello\r\n0\r\nX : a\r\n\r\n", "a trailer with a space before the colon"),
        ("5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n", "a folded trailer"),
        ("5\r\nhello\r\n0\r\nX: \0\r\n\r\n", "NUL in a trailer"),
    ] {
        rows.push(row("9112 §7.1", why, chunked(content)).gives(&[400, 413]).closed());
    }
    let white = chunked("5 \r\nhello\r\n0\r\n\r\n");
    rows.push(
        row("9112 §7.1.1", "white space after a size is refused, or bad", white).gives(&[400, 405]).kept_or_closed(),
    );
    rows
}

/// A request to `method` a file, with these fields, and what follows its head.
fn expecting(method: &str, fields: &str, rest: &str) -> String {
    format!("{method} /hello.txt HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{rest}")
}

/// The final status of a POST is known at once, so none of these asks for the content.
#[rustfmt::skip]
fn expectation_rows() -> Vec<Row> {
    const CONTINUE: &str = "Expect: 100-continue\r\nContent-Length: 5\r\n";
    vec![
        row("9110 §10.1.1", "the final status without asking for the content, which is held back", expecting("POST", CONTINUE, "")).gives(&[405]).closed(),
        row("9110 §10.1.1", "the same with chunked content", expecting("POST", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "")).gives(&[405]).closed(),
        row("9110 §10.1.1", "content that comes nevertheless is not a request", expecting("POST", CONTINUE, "hello")).gives(&[405]).kept_or_closed(),
        row("9110 §10.1.1", "expectations are case-insensitive", expecting("POST", "Expect: 100-Continue\r\nContent-Length: 5\r\n", "")).gives(&[405]).kept_or_closed(),
        row("9110 §10.1.1", "a file may come without asking for the content too", expecting("GET", CONTINUE, "")).gives(&[200]).kept_or_closed(),
        row("9110 §10.1.1", "without content there is nothing to ask for", expecting("GET", "Expect: 100-continue\r\n", "")).gives(&[200]),
        row("9110 §10.1.1", "an unknown expectation fails", expecting("GET", "Expect: 200-ok\r\n", "")).gives(&[417]).kept_or_closed(),
        row("9110 §10.1.1", "also beside a known one", expecting("GET", "Expect: 100-continue, 200-ok\r\n", "")).gives(&[417]).kept_or_closed(),
        row("9110 §10.1.1", "also with content", expecting("POST", "Expect: 200-ok\r\nContent-Length: 5\r\n", "hello")).gives(&[417]).kept_or_closed(),
        row("9110 §10.1.1", "HTTP/1.0 knows no 100: it is ignored, and the content is read", "POST /hello.txt HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello").gives(&[405]).closed(),
        row("9110 §10.1.1", "content too large is refused without asking for it", expecting("POST", "Expect: 100-continue\r\nContent-Length: 99999999\r\n", "")).gives(&[405, 413]).closed(),
    ]
}
