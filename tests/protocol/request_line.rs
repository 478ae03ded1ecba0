//! RFC 9112 §3: the request line and the forms of the target.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{Server, get};

#[test]
fn request_line() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

const HELLO: &str = "hello, world\n";

/// A request whose first line is given.
fn line(line: &str) -> String {
    format!("{line}\r\nHost: localhost\r\n\r\n")
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("9112 §3", "a plain request", line("GET /hello.txt HTTP/1.1")).gives(&[200]).body(HELLO),
        row("9112 §2.2", "an empty line before the request is skipped", format!("\r\n{}", get("/hello.txt", &[]))).gives(&[200]).body(HELLO),
        row("9112 §2.2", "so are two", format!("\r\n\r\n{}", get("/hello.txt", &[]))).gives(&[200]).body(HELLO),
        row("9112 §2.2", "a bare LF may end a line", "GET /hello.txt HTTP/1.1\nHost: localhost\n\n").gives(&[200, 400]).kept_or_closed(),
        row("9112 §2.2", "a bare CR ends none", "GET /hello.txt HTTP/1.1\rHost: localhost\r\n\r\n").gives(&[400]).closed(),
        row("9112 §2.2", "white space before the first field is refused", "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n").gives(&[400]).closed(),
        row("9110 §2.5", "a higher minor version counts as HTTP/1.1", line("GET /hello.txt HTTP/1.2")).gives(&[200]).body(HELLO),
        row("9110 §2.5", "the highest one too", line("GET /hello.txt HTTP/1.9")).gives(&[200]).body(HELLO),
        row("9110 §9.1", "methods are case-sensitive", line("get /hello.txt HTTP/1.1")).gives(&[501]).kept_or_closed(),
        row("9110 §9.1", "an unknown method is not implemented", line("FLY /hello.txt HTTP/1.1")).gives(&[501]).kept_or_closed(),
        row("9110 §9.1", "a long one too", line("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1")).gives(&[501]).kept_or_closed(),
        row("9110 §9.1", "one made of other token characters too", line("M-SEARCH!~ /hello.txt HTTP/1.1")).gives(&[501]).kept_or_closed(),
        row("9112 §3", "8000 bytes of request line are supported", line(&format!("GET /hello.txt?{} HTTP/1.1", "q".repeat(7980)))).gives(&[200]),
        row("9112 §3.2.1", "a query does not change the file", line("GET /hello.txt?a=b&c HTTP/1.1")).gives(&[200]).body(HELLO),
        row("9112 §3.2.1", "an empty query neither", line("GET /hello.txt? HTTP/1.1")).gives(&[200]).body(HELLO),
        row("9112 §3.2.1", "a query may hold / and ?", line("GET /hello.txt?/../?x HTTP/1.1")).gives(&[200]).body(HELLO),
        row("9112 §3.2.2", "absolute-form is accepted", line("GET http://localhost/hello.txt HTTP/1.1")).gives(&[200]).body(HELLO),
        row("9112 §3.2.2", "with a port", line("GET http://localhost:8080/hello.txt HTTP/1.1")).gives(&[200]).body(HELLO),
        row("9110 §4.2.3", "a scheme is case-insensitive", line("GET HTTP://localhost/hello.txt HTTP/1.1")).gives(&[200]).body(HELLO),
        row("9112 §3.2.2", "Host is ignored beside absolute-form", "GET http://localhost/hello.txt HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n").gives(&[200]).body(HELLO),
        row("9112 §3.2.2", "but must be there", "GET http://localhost/hello.txt HTTP/1.1\r\n\r\n").gives(&[400]).closed(),
        row("9110 §4.2.3", "an empty path means /", line("GET http://localhost HTTP/1.1")).gives(&[200]).shows("home page"),
        row("9110 §4.2.3", "also before a query", line("GET http://localhost?a=b HTTP/1.1")).gives(&[200]).shows("home page"),
        row("9110 §4.2.1", "an empty host is refused", line("GET http:///hello.txt HTTP/1.1")).gives(&[400]).closed(),
        row("9110 §4.2.4", "userinfo is an error", line("GET http://user@localhost/hello.txt HTTP/1.1")).gives(&[400]).closed(),
        row("9110 §7.4", "a foreign scheme is refused", line("GET ftp://localhost/hello.txt HTTP/1.1")).gives(&[400, 404, 421]).kept_or_closed(),
        row("9112 §3.2.4", "OPTIONS * asks of the server", line("OPTIONS * HTTP/1.1")).gives(&[200, 204]),
        row("9112 §3.2.4", "as absolute-form without a path", line("OPTIONS http://localhost HTTP/1.1")).gives(&[200, 204]),
        row("9112 §3.2.4", "OPTIONS * in HTTP/1.0", "OPTIONS * HTTP/1.0\r\n\r\n").gives(&[200, 204]).closed(),
        row("9112 §3.2.2", "a bad host in absolute-form", line("GET http://[::1/hello.txt HTTP/1.1")).gives(&[400]).closed(),
        row("9112 §3.2.2", "a bad port in absolute-form", line("GET http://localhost:x/hello.txt HTTP/1.1")).gives(&[400]).closed(),
        row("3986 §3.4", "a query is not decoded", line("GET /hello.txt?%zz%00%2e HTTP/1.1")).gives(&[200]).body(HELLO),
        row("9112 §3.2.4", "* is for OPTIONS only", line("GET * HTTP/1.1")).gives(&[400]).kept_or_closed(),
        row("9110 §9.3.6", "no tunnel is opened", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n").gives(&[400, 405, 501]).kept_or_closed(),
        row("9112 §3.2.3", "CONNECT wants host and port", "CONNECT / HTTP/1.1\r\nHost: localhost\r\n\r\n").gives(&[400, 405, 501]).kept_or_closed(),
        row("9112 §2.3", "the HTTP/2 preface is not HTTP/1", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").gives(&[400, 505]).closed(),
        row("9112 §3", "HTTP/0.9 is not spoken", "GET /hello.txt\r\n\r\n").gives(&[400]).closed(),
        row("9112 §3", "an empty line is not a request, however long one waits", "\r\n").waits(),
    ];
    for version in ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9"] {
        rows.push(row("9110 §15.6.6", format!("{version} is not supported"), line(&format!("GET / {version}"))).gives(&[505]).closed());
    }
    for (bad, why) in [
        ("GET  /hello.txt HTTP/1.1", "two spaces before the target"),
        ("GET /hello.txt  HTTP/1.1", "two spaces after the target"),
        ("GET /hello.txt HTTP/1.1 ", "a space after the version"),
        (" GET /hello.txt HTTP/1.1", "a space before the method"),
        ("GET\t/hello.txt\tHTTP/1.1", "tabs for spaces"),
        ("GET /hello world.txt HTTP/1.1", "a space in the target"),
        ("GET HTTP/1.1", "no target"),
        ("GET /hello.txt HTTP/1.1 extra", "a fourth word"),
        ("GET /hello.txt http/1.1", "the name of the protocol in lower case"),
        ("GET /hello.txt HTTP/1.10", "two digits of minor version"),
        ("GET /hello.txt HTTP/01.1", "two digits of major version"),
        ("GET /hello.txt HTTP/1.", "no minor version"),
        ("GET /hello.txt HTTP/1", "no point"),
        ("GET /hello.txt HTTP/1,1", "a comma for the point"),
        ("GET /hello.txt HTTP/1.x", "a letter for a digit"),
        ("GET /hello.txt HTTP/+1.1", "a sign"),
        ("GET /hello.txt HTTP /1.1", "a space in the version"),
        ("GET /hello.txt HTP/1.1", "the name of another protocol"),
        ("GET /hello.txt HTTPS/1.1", "the name of yet another"),
        ("G(T /hello.txt HTTP/1.1", "a method that is not a token"),
        ("GET: /hello.txt HTTP/1.1", "a colon in the method"),
        ("GET\0 /hello.txt HTTP/1.1", "NUL in the method"),
        ("GET hello.txt HTTP/1.1", "a target without /"),
        ("GET ?a=b HTTP/1.1", "a target that is a query only"),
        ("GET localhost/hello.txt HTTP/1.1", "a target without a scheme"),
        ("GET /hello.txt#part HTTP/1.1", "a fragment"),
        ("GET /hel\0lo.txt HTTP/1.1", "NUL in the target"),
        ("GET /hel\x7flo.txt HTTP/1.1", "DEL in the target"),
        ("GET /hel\x01lo.txt HTTP/1.1", "a control byte in the target"),
        ("GET /hel\tlo.txt HTTP/1.1", "a tab in the target"),
        ("GET /hel\rlo.txt HTTP/1.1", "a bare CR in the target"),
        ("GET /hel\x7flo.txt HTTP/1.1", "DEL in the target"),
    ] {
        rows.push(row("9112 §3", why, line(bad)).gives(&[400]).closed());
    }
    let typed = line("GET /hello.txt?q=测试 HTTP/1.1");
    rows.push(row("9112 §3", "bytes beyond ASCII are taken as themselves", typed).gives(&[200]));
    rows
}
