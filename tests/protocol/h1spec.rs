//! The cases of the public list h1spec (uNetworking): fragments must be waited for, and each whole request
//! answered within the list's range. Its POST expects an echo or 404; from a file server that is 405.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::Server;

#[test]
fn h1spec() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

const FRAGMENTS: &[&str] = &[
    "G",
    "GET ",
    "GET /hello",
    "GET /hello ",
    "GET /hello HTTP",
    "GET /hello HTTP/1.1",
    "GET /hello HTTP/1.1\r",
    "GET /hello HTTP/1.1\r\n",
    "GET /hello HTTP/1.1\r\nHos",
    "GET /hello HTTP/1.1\r\nHost:",
    "GET /hello HTTP/1.1\r\nHost: ",
    "GET /hello HTTP/1.1\r\nHost: localhost",
    "GET /hello HTTP/1.1\r\nHost: localhost\r",
    "GET /hello HTTP/1.1\r\nHost: localhost\r\n",
    "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r",
];

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let with = |fields: &str| format!("GET / HTTP/1.1\r\nHost: example.com\r\n{fields}\r\n");
    let mut rows: Vec<Row> = FRAGMENTS.iter().map(|fragment| row("h1spec", "a fragment is waited for", *fragment).waits()).collect();
    rows.extend([
        row("h1spec", "no version", "GET / \r\n\r\n").gives(&[400]).closed(),
        row("h1spec", "Expect", with("Expect: 100-continue\r\n")).gives(&[100, 200]),
        row("h1spec", "a valid GET", with("")).gives(&[200]),
        row("h1spec", "a valid GET with an odd look", "GET / HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\n\r\n").gives(&[200]),
        row("h1spec", "brackets in a name", with("X-Invalid[]: test\r\n")).gives(&[400]).closed(),
        row("h1spec", "no Host", "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n").gives(&[400]).closed(),
        row("h1spec", "two Hosts", with("Host: example.org\r\n")).gives(&[400]).closed(),
        row("h1spec", "a negative length that overflows", with("Content-Length: -123456789123456789123456789\r\n")).gives(&[400]).closed(),
        row("h1spec", "a negative length", with("Content-Length: -1234\r\n")).gives(&[400]).closed(),
        row("h1spec", "a length that is not a number", with("Content-Length: abc\r\n")).gives(&[400]).closed(),
        row("h1spec", "an empty value", with("X-Empty-Header: \r\n")).gives(&[200]),
        row("h1spec", "a control byte in a value", with("X-Bad-Control-Char: test\x07\r\n")).gives(&[400]).closed(),
        row("h1spec", "a version that does not exist", "GET / HTTP/9.9\r\nHost: example.com\r\n\r\n").gives(&[505]).closed(),
        row("h1spec", "words before the method", "Extra lineGET / HTTP/1.1\r\nHost: example.com\r\n\r\n").gives(&[400]).closed(),
        row("h1spec", "a bare CR where a field begins", with("\rSome-Header: Test\r\n")).gives(&[400]).closed(),
        row("h1spec", "a POST with content", "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello").gives(&[405]),
        row("h1spec", "chunked content", with("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n").gives(&[200]),
        row("h1spec", "Transfer-Encoding beside Content-Length", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")).gives(&[400]).closed(),
        row("h1spec", "the same in varying case", with("tRANSFER-eNCODING: Chunked\r\ncONTENT-lENGTH: 5\r\n")).gives(&[400]).closed(),
    ]);
    rows
}
