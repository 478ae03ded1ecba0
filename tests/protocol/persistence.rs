//! RFC 9112 §9.3, §9.6 and RFC 9110 §7.6.1: does the connection live on?

use std::sync::LazyLock;

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{Server, get, request};

#[test]
fn persistence() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

/// Nothing but `close` means something to us in it.
static LONG_LIST: LazyLock<String> = LazyLock::new(|| "option, ".repeat(1000) + "close");

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("9112 §9.3 (2)", "HTTP/1.1 persists", get("/hello.txt", &[])).gives(&[200]),
        row("9112 §9.3 (2)", "a later minor version too", "GET /hello.txt HTTP/1.2\r\nHost: localhost\r\n\r\n").gives(&[200]),
        row("9112 §9.3 (1)", "unless it says close", "GET /hello.txt HTTP/1.2\r\nHost: localhost\r\nConnection: close\r\n\r\n").gives(&[200]).closed(),
        row("9112 §9.3 (4)", "HTTP/1.0 does not persist", "GET /hello.txt HTTP/1.0\r\n\r\n").gives(&[200]).closed(),
        row("9112 §9.3 (4)", "nor its HEAD", "HEAD /hello.txt HTTP/1.0\r\n\r\n").gives_head(&[200]).closed(),
        row("9112 §C.2.2", "Keep-Alive alone asks for nothing", "GET /hello.txt HTTP/1.0\r\nKeep-Alive: timeout=5\r\n\r\n").gives(&[200]).closed(),
        row("9112 §C.2.2", "Proxy-Connection asks for nothing", "GET /hello.txt HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n").gives(&[200]).closed(),
        row("9112 §C.2.2", "nor does it ask for the end", get("/hello.txt", &["Proxy-Connection: close"])).gives(&[200]),
        row("9112 §9.3", "HEAD persists", request("HEAD", "/hello.txt", &[])).gives_head(&[200]),
        row("9112 §9.3", "404 persists", get("/missing.txt", &[])).gives(&[404]),
        row("9112 §9.3", "405 persists", request("DELETE", "/hello.txt", &[])).gives(&[405]),
        row("9112 §9.3", "301 persists", get("/dir", &[])).gives(&[301]),
        row("9112 §9.3", "403 persists", get("/bare/", &[])).gives(&[403, 404]),
        row("9112 §9.3", "304 persists", get("/hello.txt", &["If-None-Match: *"])).gives(&[304]),
        row("9112 §9.3", "412 persists", get("/hello.txt", &["If-Match: \"x\""])).gives(&[412]),
        row("9112 §9.3", "416 persists", get("/hello.txt", &["Range: bytes=100-"])).gives(&[416]),
        row("9112 §9.3", "206 persists", get("/hello.txt", &["Range: bytes=1-"])).gives(&[206]),
        row("9112 §9.3", "a large file persists", get("/big.bin", &[])).gives(&[200]),
        row("9112 §9.6", "close is obeyed after a large file", get("/big.bin", &["Connection: close"])).gives(&[200]).closed(),
        row("9112 §9.6", "close is obeyed after 404", get("/missing.txt", &["Connection: close"])).gives(&[404]).closed(),
        row("9112 §9.6", "close is obeyed after 304", get("/hello.txt", &["If-None-Match: *", "Connection: close"])).gives(&[304]).closed(),
    ];
    for (option, why) in [
        ("close", "close asks for the end"),
        ("CLOSE", "in any case"),
        ("Close", "in title case too"),
        ("close, keep-alive", "close wins over what follows"),
        ("keep-alive, close", "and over what precedes"),
        ("foo, close", "among others"),
        ("foo,close", "without a space"),
        ("foo , close", "with one before the comma"),
        (",close", "after an empty member (RFC 9110 §5.6.1)"),
        (", ,close,", "between empty members"),
        ("close\t", "before a tab"),
        ("close,close", "twice"),
        ("TE, close", "beside TE"),
        (&LONG_LIST, "at the end of a long list"),
    ] {
        rows.push(row("9110 §7.6.1", why, get("/hello.txt", &[&format!("Connection: {option}")])).gives(&[200]).closed());
    }
    rows.push(row("9110 §7.6.1", "close on a second line", get("/hello.txt", &["Connection: foo", "Connection: close"])).gives(&[200]).closed());
    rows.push(row("9110 §7.6.1", "close on the first line", get("/hello.txt", &["Connection: close", "X: y", "connection: keep-alive"])).gives(&[200]).closed());
    for (option, why) in [
        ("closed", "a longer token is another one"),
        ("enclose", "also at the end"),
        ("not-close", "also after a hyphen"),
        ("close-not", "also before one"),
        ("\"close\"", "a quoted string is not a token"),
        ("clos", "part of a token is another one"),
        ("close=1", "a parameter makes it something else"),
        ("keep-alive", "what it is anyway"),
        ("", "an empty list"),
        (",", "a list of empty members"),
        ("Upgrade", "another option"),
    ] {
        rows.push(row("9110 §7.6.1", why, get("/hello.txt", &[&format!("Connection: {option}")])).gives(&[200]));
    }
    for (fields, kept, why) in [
        ("Connection: keep-alive\r\n", true, "asked for and granted"),
        ("Connection: Keep-Alive\r\n", true, "in any case"),
        ("Connection: foo, keep-alive\r\n", true, "among others"),
        ("Connection: foo\r\nConnection: keep-alive\r\n", true, "on a second line"),
        ("Connection: keep-alive\r\nKeep-Alive: timeout=1, max=1\r\n", true, "its own wishes don't bind us"),
        ("Connection: keep-alive, close\r\n", false, "close wins"),
        ("Connection: close, keep-alive\r\n", false, "close wins, whatever the order"),
        ("Connection: keep-alives\r\n", false, "another token"),
        ("Connection: \"keep-alive\"\r\n", false, "no token"),
        ("Connection: close\r\n", false, "what it is anyway"),
        ("Connection: upgrade\r\n", false, "another option"),
    ] {
        let row = row("9112 §9.3 (3)", format!("HTTP/1.0: {why}"), format!("GET /hello.txt HTTP/1.0\r\n{fields}\r\n")).gives(&[200]);
        rows.push(if kept { row } else { row.closed() });
    }
    rows
}
