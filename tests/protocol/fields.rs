//! RFC 9112 §5 and RFC 9110 §5, §7.2: field lines, and Host.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{Server, get};

#[test]
fn field_lines() {
    let root = site::root();
    run(&Server::start(&root, &[]), &field_rows());
}

#[test]
fn host() {
    let root = site::root();
    run(&Server::start(&root, &[]), &host_rows());
}

const PLAIN: &str = "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n";

#[rustfmt::skip]
fn field_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (fields, why) in [
        ("hOsT: localhost\r\n", "names are case-insensitive"),
        ("Host:localhost\r\n", "no space is needed after the colon"),
        ("Host:   localhost   \r\n", "white space around a value is not part of it"),
        ("Host:\tlocalhost\t\r\n", "tabs neither"),
        ("Host: localhost\r\nX-Empty:\r\n", "a value may be empty"),
        ("Host: localhost\r\nX-Empty: \t \r\n", "or only white space"),
        ("Host: localhost\r\nX-Tab: a\tb\r\n", "a tab may stand within a value"),
        ("Host: localhost\r\n!#$%&'*+-.^_`|~09aZ: any tchar\r\n", "a name is any token"),
        ("Host: localhost\r\nX: 1\r\nX: 2\r\nX: 3\r\n", "unknown fields may repeat"),
        ("Host: localhost\r\nX-Colons: a:b: c\r\n", "a value may hold colons"),
        ("Host: localhost\r\nUpgrade: h2c\r\nConnection: upgrade\r\n", "an upgrade that we don't know is ignored (RFC 9110 §7.8)"),
        ("Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", "also to WebSocket"),
        ("Host: localhost\r\nTE: trailers\r\nConnection: TE\r\n", "TE asks for nothing that must be given (RFC 9110 §10.1.4)"),
        ("Host: localhost\r\nAccept: application/json\r\n", "Accept may be disregarded (RFC 9110 §12.1)"),
        ("Host: localhost\r\nAccept-Language: tlh\r\nAccept-Charset: x\r\n", "so may the other Accept fields"),
        ("Host: localhost\r\nAuthorization: Basic eDp5\r\n", "credentials that nobody asked for are ignored"),
        ("Host: localhost\r\nMax-Forwards: 0\r\n", "Max-Forwards is for TRACE and OPTIONS only (RFC 9110 §7.6.2)"),
        ("Host: localhost\r\nContent-Type: text/plain\r\n", "Content-Type without content means nothing"),
    ] {
        rows.push(row("9112 §5", why, format!("GET /hello.txt HTTP/1.1\r\n{fields}\r\n")).gives(&[200]).body("hello, world\n"));
    }
    rows.push(row("9110 §5.5", "bytes beyond ASCII may stand in a value", [PLAIN.as_bytes(), b"X-Text: \xfc\xff\x80\r\n\r\n"].concat()).gives(&[200]));
    rows.push(row("9112 §5.2", "a folded line is refused, or unfolded", format!("{PLAIN}X: a\r\n b\r\n\r\n")).gives(&[200, 400]).kept_or_closed());
    for (bad, why) in [
        ("X : a\r\n", "a space before the colon (RFC 9112 §5.1)"),
        ("X\t: a\r\n", "a tab before the colon (RFC 9112 §5.1)"),
        ("Content-Length : 5\r\n", "a space before the colon of a framing field"),
        ("X Y: a\r\n", "a space in a name"),
        (": a\r\n", "an empty name"),
        ("X\r\n", "no colon"),
        ("X: a\r\n b\r\n", "a folded line (RFC 9112 §5.2), which we refuse"),
        ("X: a\r\n\tb\r\n", "a line folded by a tab"),
        ("X: a\r\n \r\n", "a folded line of white space"),
        ("X[]: a\r\n", "brackets in a name"),
        ("X(y): a\r\n", "parentheses in a name"),
        ("X@y: a\r\n", "an @ in a name"),
        ("\"X\": a\r\n", "a quoted name"),
        ("X/Y: a\r\n", "a slash in a name"),
        ("X=Y: a\r\n", "an equals sign in a name"),
        ("Xü: a\r\n", "bytes beyond ASCII in a name"),
        ("X\0: a\r\n", "NUL in a name"),
        ("X\x7f: a\r\n", "DEL in a name"),
        ("X: a\0b\r\n", "NUL in a value"),
        ("X: a\rb\r\n", "a bare CR in a value (RFC 9112 §2.2)"),
        ("X: a\x07b\r\n", "a control byte in a value"),
        ("X: a\x7fb\r\n", "DEL in a value"),
        ("X: a\x1bb\r\n", "ESC in a value"),
        ("X: a\x0bb\r\n", "a vertical tab in a value"),
    ] {
        rows.push(row("9110 §5", why, format!("{PLAIN}{bad}\r\n")).gives(&[400]).closed());
    }
    rows
}

#[rustfmt::skip]
fn host_rows() -> Vec<Row> {
    let mut rows = vec![
        row("9112 §3.2", "HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "also with other fields", "GET / HTTP/1.1\r\nUser-Agent: x\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "twice the same Host", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "two Hosts far apart", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: a\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "two Hosts, one empty", "GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "two Hosts in HTTP/1.0 too", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "a bad Host in HTTP/1.0 too", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "HTTP/1.2 needs one as well", "GET / HTTP/1.2\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3.2", "HTTP/1.0 needs none", "GET /hello.txt HTTP/1.0\r\n\r\n").gives(&[200]).closed(),
        row("9112 §3.2", "an empty Host is what a client without an authority sends", "GET / HTTP/1.1\r\nHost:\r\n\r\n").gives(&[200, 400]).kept_or_closed(),
    ];
    for host in [
        "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080", "[::ffff:1.2.3.4]", "[v1.a:b]", "EXAMPLE.com", "example.com.",
        "a_b.example", "xn--bcher-kva.example", "localhost:", "%41.example", "a-b~c!$&'()*+,;=d", "x:65535",
    ] {
        rows.push(row("9110 §7.2", format!("{host} is a host"), get("/hello.txt", &[]).replace("localhost", host)).gives(&[200]));
    }
    for host in [
        "a b", "a/b", "/", "user@localhost", "user:password@localhost", "a\\b", "a\"b", "<a>", "a#b", "a?b", "a^b", "a|b", "a`b", "{a}",
        "a%", "a%4", "a%zz", "a:b", "a:80:80", "a:-1", "a:+80", "a:8 0", "a:99999", "[::1", "::1", "[::1]x", "[::1]:x", "[]", "[zz]", "[1.2.3.4]",
        "http://a", "a\tb", "ünï.example",
    ] {
        rows.push(row("9112 §3.2", format!("{host} is not a host"), get("/hello.txt", &[]).replace("localhost", host)).gives(&[400]).closed());
    }
    rows
}
