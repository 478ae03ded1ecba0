//! How the lab is asked: what it knows, what it does not, and whom it answers.

use crate::support::{PATIENCE, Root, Server, Wire, get};

/// The manual at `/-/lab/`, the table in `docs/lab.md` and what works are the same.
#[test]
fn each_row_of_the_manual_is_on_its_page_and_works() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let manual = server.connect().get("/-/lab/");
    let manual = String::from_utf8(manual.body).expect("it is text");
    let page = include_str!("../../docs/lab.md");
    let told: Vec<&str> =
        page.lines().skip_while(|line| !line.starts_with("| `")).take_while(|line| line.starts_with('|')).collect();
    let mut rows = Vec::new();
    for line in manual.lines() {
        let (usage, what) = line.split_once(' ').expect("a use, and what it does");
        let usage = usage.strip_prefix("/-/lab/").expect("a path of the lab");
        rows.push(format!("| `{usage}` | {} |", what.trim()));
        let path = usage.replace("N", "2").replace("R", "1KiB").replace("3s", "3ms");
        if !path.contains("=head") {
            let mut wire = server.connect();
            wire.send(get(&format!("/-/lab/{path}"), &[]));
            wire.read_some(17);
            assert!(wire.take_unread().starts_with(b"HTTP/1.1 200 OK\r\n"), "{path}");
        }
    }
    assert_eq!(rows, told);
}

#[test]
fn a_malformed_query_is_400_and_says_why() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    for (path, word) in [
        ("close?when=never", "when=never"),
        ("close?when=request", "when=request"),
        ("close?when=request:0", "from 1"),
        ("close?when=request:4294967296", "from 1"),
        ("close?when=idle:5", "unit"),
        ("close?when=idle:11m", "when=idle:11m: must be at most 10m"),
        ("close?when=body:x", "when=body:x"),
        ("close?when=body:2048GiB", "at most 1099511627776"),
        ("close?how=softly", "how=softly"),
        ("close?announce=", "announce="),
        ("close?announce=maybe", "announce=maybe"),
        ("close?whem=head", "whem"),
        ("close?when=head&when=body", "more than once"),
        ("wait", "for=… is missing"),
        ("wait?for=", "for=: expected a duration"),
        ("wait?for=1h", "for=1h: must be at most 10m"),
        ("bytes/", "bytes/: expected a size"),
        ("bytes/ten", "bytes/ten"),
        ("bytes/-1", "bytes/-1"),
        ("bytes/1025GiB", "at most"),
        ("bytes/1?rate=0", "rate=0"),
        ("bytes/1?chunked=perhaps", "chunked=perhaps"),
    ] {
        let response = wire.get(&format!("/-/lab/{path}"));
        let text = String::from_utf8(response.body).expect("it is text");
        assert_eq!(response.status, 400, "{path}: {text}");
        assert!(text.lines().next().is_some_and(|line| line.contains(word)), "{path}: {text}");
        assert!(text.contains("\n/-/lab/"), "{path} does not list the valid queries: {text}");
    }
}

/// A URL that a browser's `URLSearchParams` has made.
#[test]
fn values_may_be_percent_encoded() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let response = server.connect().get("/-/lab/close?when=idle%3A250ms&how=fin&");
    assert!(String::from_utf8_lossy(&response.body).contains("after 250ms"));
}

#[test]
fn what_is_not_there_is_404_and_post_is_as_good_as_get() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    for (path, location) in [("/-", "-/"), ("/-/lab", "lab/"), ("/-/status/", "../status")] {
        let response = wire.get(path);
        assert_eq!((response.status, response.field("location")), (301, Some(location)), "{path}");
    }
    for path in ["/-/lab/open", "/-/lab/close/", "/-/lab/bytes", "/-/lab/waiting?for=3s"] {
        assert_eq!(wire.get(path).status, 404, "{path}");
    }
    for (method, status) in [("PUT", 405), ("DELETE", 405), ("POST", 200)] {
        wire.send(format!("{method} /-/lab/close HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nx=1"));
        let response = wire.read_response();
        assert_eq!(response.status, status, "{method}");
        let allow = (status == 405).then_some("GET, HEAD, POST, OPTIONS");
        assert_eq!(response.field("allow"), allow, "{method}: RFC 9110 §15.5.6");
    }
    wire.expect_eof(PATIENCE);
    let mut wire = server.connect();
    for (path, allow) in [("/-/lab/close", "GET, HEAD, POST, OPTIONS"), ("/", "GET, HEAD, OPTIONS")] {
        wire.send(format!("OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(wire.read_response().field("allow"), Some(allow), "{path}");
    }
}

/// Who may not see inside may not break anything either.
#[test]
fn it_is_there_for_insiders_only() {
    let root = Root::new();
    let asks = |server: &Server, fields: &str| {
        let mut wire: Wire = server.connect();
        wire.send(format!("GET /-/lab/close HTTP/1.1\r\n{fields}\r\n"));
        wire.read_response().status
    };
    let local = Server::start(&root, &[]);
    assert_eq!(asks(&local, "Host: localhost\r\n"), 200);
    assert_eq!(asks(&local, "Host: example.org\r\n"), 404);
    assert_eq!(asks(&local, "Host: localhost\r\nX-Forwarded-For: 10.0.0.1\r\n"), 404);
    assert_eq!(asks(&Server::start(&root, &["--console", "off"]), "Host: localhost\r\n"), 404);
    assert_eq!(asks(&Server::start(&root, &["--console", "any"]), "Host: example.org\r\n"), 404);
    assert_eq!(asks(&Server::start(&root, &["--lab", "any"]), "Host: example.org\r\n"), 200);
    assert_eq!(asks(&Server::start(&root, &["--lab", "off"]), "Host: localhost\r\n"), 404);
}
