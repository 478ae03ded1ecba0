//! RFC 9112 §6: where the content of a request ends. What two readers could read differently is refused.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::Server;

#[test]
fn framing() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

/// A POST with these framing fields, and what follows its head.
fn post(fields: &str, rest: &str) -> String {
    format!("POST /hello.txt HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{rest}")
}

const CHUNKED: &str = "5\r\nhello\r\n0\r\n\r\n";

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("9112 §6.3 (7)", "without a length there is no content", post("", "")).gives(&[405]),
        row("9112 §6.3 (6)", "a length of nothing", post("Content-Length: 0\r\n", "")).gives(&[405]),
        row("9112 §6.3 (6)", "a length", post("Content-Length: 5\r\n", "hello")).gives(&[405]),
        row("9110 §8.6", "leading zeros are digits", post("Content-Length: 005\r\n", "hello")).gives(&[405]),
        row("9110 §5.5", "white space around a length is not part of it", post("Content-Length: \t5 \t\r\n", "hello")).gives(&[405]),
        row("9112 §6.3 (4)", "chunked content", post("Transfer-Encoding: chunked\r\n", CHUNKED)).gives(&[405]),
        row("9112 §7", "coding names are case-insensitive", post("Transfer-Encoding: CHUNKED\r\n", CHUNKED)).gives(&[405]),
        row("9110 §5.6.1", "empty members of the list mean nothing", post("Transfer-Encoding: , chunked ,\r\n", CHUNKED)).gives(&[405, 400, 501]).kept_or_closed(),
        row("9110 §8.6", "the same length twice is refused, or taken once", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")).gives(&[400, 405]).kept_or_closed(),
        row("9110 §8.6", "also as a list", post("Content-Length: 5, 5\r\n", "hello")).gives(&[400, 405]).kept_or_closed(),
        row("9112 §6.3 (3)", "Content-Length beside Transfer-Encoding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", CHUNKED)).gives(&[400]).closed(),
        row("9112 §6.3 (3)", "in the other order", post("Transfer-Encoding: chunked\r\nContent-Length: 15\r\n", CHUNKED)).gives(&[400]).closed(),
        row("9112 §6.3 (3)", "even on a GET", "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n").gives(&[400]).closed(),
        row("9112 §6.3 (3)", "even with a bad length", post("Transfer-Encoding: chunked\r\nContent-Length: x\r\n", CHUNKED)).gives(&[400]).closed(),
        row("9112 §6.1", "HTTP/1.0 knows no Transfer-Encoding", "POST /hello.txt HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").gives(&[400, 405, 501]).closed(),
        row("9112 §6.1", "not even with keep-alive", "POST /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").gives(&[400, 405, 501]).closed(),
        row("9112 §6.3", "a GET may have content, which means nothing", "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello").gives(&[200]).body("hello, world\n"),
        row("9112 §6.3", "also chunked", "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").gives(&[200]).body("hello, world\n"),
        row("9112 §6.3", "so may a HEAD", "HEAD /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello").gives_head(&[200]),
        row("9112 §6.3", "HTTP/1.0 with content that persists", "POST /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello").gives(&[405]),
        row("9112 §6.3", "names that only look like framing mean nothing", "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n").gives(&[200]),
    ];
    for (length, why) in [
        ("+5", "a sign"),
        ("-5", "a negative number"),
        ("-0", "a negative nothing"),
        ("5 5", "a space within"),
        ("0x5", "hexadecimal digits"),
        ("5.0", "a fraction"),
        ("1e1", "an exponent"),
        ("", "no digit"),
        ("five", "a word"),
        ("5;", "a semicolon"),
        ("\"5\"", "a quoted string"),
        ("5,6", "a list of differing values"),
        ("0,5", "a list that begins with nothing"),
        ("5\t5", "a tab within"),
        ("99999999999999999999999", "more than any machine counts"),
        ("18446744073709551616", "one more than 64 bits hold"),
        ("-123456789123456789123456789", "less than any machine counts"),
    ] {
        rows.push(row("9112 §6.3 (5)", format!("a length that is none: {why}"), post(&format!("Content-Length: {length}\r\n"), "hello")).gives(&[400]).closed());
    }
    rows.push(row("9112 §6.3 (5)", "two differing lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")).gives(&[400]).closed());
    rows.push(row("9112 §6.3 (5)", "two differing lengths, one zero", post("Content-Length: 0\r\nContent-Length: 5\r\n", "hello")).gives(&[400]).closed());
    for (coding, why) in [
        ("gzip", "a coding that we don't know, and no final chunked"),
        ("gzip, chunked", "a coding that we don't know (§6.1)"),
        ("identity", "a coding that is no longer one"),
        ("chunked, gzip", "chunked that is not final"),
        ("chunked, chunked", "chunked twice"),
        ("chunked, identity", "chunked before what is not a coding"),
        ("xchunked", "a name that ends in chunked"),
        ("chunkedx", "a name that begins with chunked"),
        ("chunked;q=1", "a parameter that chunked does not have"),
        ("\"chunked\"", "a quoted string"),
        ("", "no coding"),
        ("chunked\r\nTransfer-Encoding: chunked", "chunked on two lines"),
        ("chunked\r\nTransfer-Encoding: gzip", "another coding on a second line"),
        ("gzip\r\nTransfer-Encoding: chunked", "another coding on the first line"),
        ("chunked\r\nTransfer-Encoding: identity", "identity on a second line"),
    ] {
        rows.push(row("9112 §6.3 (4)", why, post(&format!("Transfer-Encoding: {coding}\r\n"), CHUNKED)).gives(&[400, 501]).closed());
    }
    rows.push(row("9112 §5", "a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked\r\n", CHUNKED)).gives(&[400]).closed());
    rows.push(row("9112 §5.1", "a space before the colon of Transfer-Encoding", post("Transfer-Encoding : chunked\r\n", CHUNKED)).gives(&[400]).closed());
    rows.push(row("9112 §5.2", "a folded Transfer-Encoding", post("Transfer-Encoding:\r\n chunked\r\n", CHUNKED)).gives(&[400]).closed());
    rows
}
