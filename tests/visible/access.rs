//! Who may see inside. The others get 404, and no field that explains.

use crate::support::{Need, OWN_ADDRESS, Response, Root, Server, Wire, address_in, get, request, test};

const INSIDE: [&str; 5] = ["/-/", "/-/status", "/-/metrics", "/-/nothing", "/-/events"];
const HEALTH: [&str; 2] = ["/-/healthy", "/-/ready"];

/// Asks for each page, and for one of the site, on one connection, in this manner. A feed has no end, so it is
/// the last that is asked for, and only its head is read.
fn ask(wire: &mut Wire, ask: impl Fn(&str) -> String) -> Vec<(String, Response)> {
    let paths = ["/"].iter().chain(&HEALTH).chain(&INSIDE);
    paths
        .map(|path| {
            wire.send(ask(path).replacen("GET /-/events", "HEAD /-/events", 1));
            let response = if *path == "/-/events" { wire.read_response_to_head() } else { wire.read_response() };
            ((*path).to_owned(), response)
        })
        .collect()
}

/// Asserts that the asker sees the site, and health if anybody may, but nothing of the inside.
fn assert_outsider(answers: &[(String, Response)], health: u16, who: &str) {
    for (path, response) in answers {
        let expected = match &**path {
            "/" => 200,
            path if HEALTH.contains(&path) => health,
            _ => 404,
        };
        assert_eq!(response.status, expected, "{path} {who}");
        assert_eq!(response.field("server-timing"), None, "{path} {who}");
    }
}

/// Asserts that the asker sees everything, and what each response says of its connection.
fn assert_insider(answers: &[(String, Response)], who: &str) {
    for (path, response) in answers {
        assert_eq!(response.status, if path == "/-/nothing" { 404 } else { 200 }, "{path} {who}");
        let timing = response.field("server-timing").unwrap_or_else(|| panic!("no Server-Timing: {path} {who}"));
        assert!(timing.contains("keep;desc=\"HTTP/1.1 persists by default\""), "{timing}");
    }
}

test!(one_at_this_machine_sees_inside);
fn one_at_this_machine_sees_inside() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    for host in ["localhost", "LocalHost:80", "127.0.0.1:8080", "[::1]:8080", "192.0.2.7"] {
        let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_insider(&ask(&mut server.connect(), request), host);
    }
}

test!(behind_a_proxy_or_under_a_foreign_name_there_is_no_console);
fn behind_a_proxy_or_under_a_foreign_name_there_is_no_console() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let of_proxies = [
        "X-Forwarded-For: 203.0.113.9",
        "Forwarded: for=203.0.113.9",
        "Via: 1.1 proxy",
        "x-forwarded-for:",
        "X-Forwarded-Proto: https",
        "X-Real-IP: 203.0.113.9",
        "CF-Connecting-IP: 203.0.113.9",
        "X-Envoy-External-Address: 203.0.113.9",
    ];
    for field in of_proxies {
        assert_outsider(&ask(&mut server.connect(), |path| get(path, &[field])), 200, field);
    }
    for host in ["rebound.example", "localhost.rebound.example", "127.0.0.1.nip.example:8080", "a127.0.0.1"] {
        let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_outsider(&ask(&mut server.connect(), request), 200, host);
    }
    // Sent to a proxy, or as if to one: its authority counts, whatever the Host field says (RFC 9112 §3.2.2).
    let request = |path: &str| format!("GET http://rebound.example{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_outsider(&ask(&mut server.connect(), request), 200, "absolute target");
}

// nginx with a bare `proxy_pass` names its upstream in Host and adds no field, but it speaks HTTP/1.0.
test!(to_http10_the_site_is_served_and_no_console);
fn to_http10_the_site_is_served_and_no_console() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let request = |path: &str| format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
    assert_outsider(&ask(&mut server.connect(), request), 200, "HTTP/1.0");
}

test!(a_page_of_another_site_neither_reads_nor_uses_what_is_inside);
fn a_page_of_another_site_neither_reads_nor_uses_what_is_inside() {
    let root = Root::new();
    for console in ["local", "any"] {
        let server = Server::start(&root, &["--console", console]);
        for field in ["Origin: http://localhost:3000", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"] {
            assert_outsider(&ask(&mut server.connect(), |path| get(path, &[field])), 200, field);
            let mut wire = server.connect();
            wire.send(request("POST", "/-/lab/close", &[field, "Content-Length: 0"]));
            assert_eq!(wire.read_response().status, 405, "{field}");
        }
    }
}

test!(from_another_address_there_is_no_console, Need::OwnNetwork);
fn from_another_address_there_is_no_console() {
    let root = Root::new();
    let server = Server::start(&root, &["--listen", &format!("{OWN_ADDRESS}:0")]);
    let mut wire = Wire::connect(address_in(&server.urls()[1]));
    assert_eq!(wire.address().ip().to_string(), OWN_ADDRESS, "where the client's socket is");
    assert_outsider(&ask(&mut wire, |path| get(path, &[])), 200, "from beyond loopback");
    assert_insider(&ask(&mut server.connect(), |path| get(path, &[])), "from loopback");
}

test!(with_the_console_off_nobody_sees_anything_and_with_any_everybody);
fn with_the_console_off_nobody_sees_anything_and_with_any_everybody() {
    let root = Root::new();
    let off = Server::start(&root, &["--console", "off"]);
    assert_outsider(&ask(&mut off.connect(), |path| get(path, &[])), 200, "with the console off");
    let any = Server::start(&root, &["--console", "any"]);
    let as_proxy = |path: &str| get(path, &["X-Forwarded-For: 203.0.113.9"]).replace("localhost", "rebound.example");
    assert_insider(&ask(&mut any.connect(), as_proxy), "with the console open to any");
}
