//! `/-/lab/close`: every point, with every end, and with everything that is said of it.

use std::thread::scope;
use std::time::{Duration, Instant};

use crate::support::{Broken, LedgerLine, PATIENCE, Response, Root, Server, Wire, assert_not_early, get, ms};

/// Where the stall and the lie end: long enough for the next request to come before it on a busy machine.
const IDLE: Duration = ms(4500);

const PATIENT: &[&str] = &[];
const IMPATIENT: &[&str] = &["--keep-alive-timeout", "4s", "--keep-alive-grace", "500ms"];

/// How much of the response comes.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    SomeOfTheHead,
    HalfOfTheContent,
    BytesOfTheContent(usize),
}

/// One row a point: how it is asked for, what comes of the response, how many requests bring the end about, what is
/// said of it if nothing is asked, and whether a request that is lost to a FIN has raced with it.
#[derive(Clone, Copy)]
struct Point {
    when: &'static str,
    part: Part,
    requests: usize,
    default: &'static str,
    race: &'static str,
}

#[rustfmt::skip]
const POINTS: &[Point] = &[
    Point { when: "response",   part: Part::All,                     requests: 0, default: "yes", race: "no" },
    Point { when: "reuse",      part: Part::All,                     requests: 1, default: "no",  race: "yes" },
    Point { when: "request:1",  part: Part::All,                     requests: 1, default: "no",  race: "yes" },
    Point { when: "request:3",  part: Part::All,                     requests: 3, default: "no",  race: "yes" },
    Point { when: "idle:250ms", part: Part::All,                     requests: 0, default: "no",  race: "no" },
    Point { when: "head",       part: Part::SomeOfTheHead,           requests: 0, default: "no",  race: "no" },
    Point { when: "body",       part: Part::HalfOfTheContent,        requests: 0, default: "no",  race: "no" },
    Point { when: "body:0",     part: Part::BytesOfTheContent(0),    requests: 0, default: "no",  race: "no" },
    Point { when: "body:4096",  part: Part::BytesOfTheContent(4096), requests: 0, default: "no",  race: "no" },
];

#[test]
fn fin() {
    check("fin", PATIENT);
}

#[test]
fn reset() {
    check("reset", PATIENT);
}

#[test]
fn refused_with_408() {
    check("408", PATIENT);
}

#[test]
fn stall() {
    check("stall", IMPATIENT);
}

/// Asks for the end at every point, announced, unannounced and by default, all at the same time.
fn check(how: &str, flags: &[&str]) {
    let root = Root::new();
    let server = &Server::start(&root, flags);
    scope(|scope| {
        for point in POINTS {
            for announce in [None, Some("yes"), Some("no")] {
                scope.spawn(move || check_one(server, point, how, announce));
            }
        }
    });
}

fn check_one(server: &Server, point: &Point, how: &str, announce: Option<&str>) {
    let asked = announce.map(|announce| format!("&announce={announce}")).unwrap_or_default();
    let query = format!("when={}&how={how}{asked}", point.when);
    let announced = announce.unwrap_or(point.default) == "yes";
    let started = Instant::now();
    let mut wire = server.connect();
    wire.send(get(&format!("/-/lab/close?{query}"), &[]));
    if point.part == Part::All {
        let response = wire.read_response();
        assert_eq!((response.status, response.closes()), (200, announced), "{query}");
        assert!(response.body.starts_with(b"The lab's plan: "), "{query}");
        for _ in 1..point.requests {
            assert_eq!(wire.get("/").status, 200, "{query}");
        }
        if point.requests > 0 {
            wire.send_anyway(get("/unanswered", &[]));
        }
    }
    let end = wire.read_to_end(PATIENCE);
    let rest = wire.take_unread();
    let rest = match how {
        "408" => without_refusal(&rest, &query),
        _ => &rest[..],
    };
    check_part(point.part, rest, announced, &query);
    assert_eq!(end, if how == "reset" { Broken::Reset } else { Broken::Eof }, "{query}");
    if point.when == "idle:250ms" {
        assert_not_early(started, ms(250), &query);
    }
    if how == "stall" {
        assert_not_early(started, IDLE, &query);
    }
    let line = server.ledger_of(wire);
    let told = how == "408" || announced && point.part != Part::SomeOfTheHead;
    line.assert_end("server", if how == "reset" { "reset" } else { "fin" }, "lab", if told { "yes" } else { "no" });
    assert_eq!(line.get("race"), if how == "fin" && !announced { point.race } else { "no" }, "{query}");
    // The request that brings the end about counts if it is answered, if only by a 408.
    let counted = if how == "408" { point.requests + 1 } else { point.requests.max(1) };
    assert_requests(&line, counted, &query);
}

/// So much of the response came, and no more.
fn check_part(part: Part, bytes: &[u8], announced: bool, query: &str) {
    let head = Response::parse_head(bytes).expect("a head, or the beginning of one");
    match (part, head) {
        (Part::All, None) => assert_eq!(bytes.escape_ascii().to_string(), "", "{query}"),
        (Part::SomeOfTheHead, None) => assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"), "{query}"),
        (Part::HalfOfTheContent | Part::BytesOfTheContent(_), Some((head, length))) => {
            let promised: usize = head.field("content-length").expect("a length").parse().expect("a number");
            let expected = if let Part::BytesOfTheContent(count) = part { count } else { promised / 2 };
            assert_eq!((head.closes(), bytes.len() - length), (announced, expected), "{query}");
            assert!(expected < promised, "{query}");
        }
        (_, head) => panic!("{query}: {head:?}"),
    }
}

/// What comes before the 408, which closes and is whole.
fn without_refusal<'a>(bytes: &'a [u8], query: &str) -> &'a [u8] {
    let start =
        bytes.windows(12).position(|window| window == b"HTTP/1.1 408").unwrap_or_else(|| panic!("{query}: no 408"));
    let (head, length) = Response::parse_head(&bytes[start..]).expect("a head").expect("all of it");
    let content = (bytes.len() - start - length).to_string();
    assert!(head.closes() && head.field("content-length") == Some(&content), "{query}: {head:?}");
    &bytes[..start]
}

fn assert_requests(line: &LedgerLine, expected: usize, query: &str) {
    assert_eq!(line.get("requests"), expected.to_string(), "{query}");
}

/// Nothing ends: whoever goes on gets answers, and whoever does not is left waiting until the idle timeout.
#[test]
fn lie() {
    let root = Root::new();
    let server = &Server::start(&root, IMPATIENT);
    scope(|scope| {
        for point in POINTS {
            for how in ["fin", "reset", "408", "stall"] {
                scope.spawn(move || lie_once(server, point, how));
            }
        }
    });
}

fn lie_once(server: &Server, point: &Point, how: &str) {
    let query = format!("when={}&how={how}&announce=lie", point.when);
    let mut wire: Wire = server.connect();
    let response = wire.get(&format!("/-/lab/close?{query}"));
    assert_eq!((response.status, response.closes()), (200, true), "{query}");
    let started = Instant::now();
    for _ in 0..=point.requests {
        let response = wire.get("/");
        assert_eq!((response.status, response.closes()), (200, false), "{query}");
    }
    wire.expect_eof(PATIENCE);
    assert_not_early(started, IDLE, &query);
    let line = server.ledger_of(wire);
    line.assert_end("server", "fin", "lab", "yes");
    assert_requests(&line, point.requests + 2, &query);
}

#[test]
fn a_short_connection() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    assert!(wire.get("/-/lab/close").closes());
    wire.expect_eof(PATIENCE);
    server.ledger_of(wire).assert_end("server", "fin", "lab", "yes");
}

/// The lab hurts nobody else, and can be left at any time.
#[test]
fn a_client_that_leaves_a_stalled_connection_has_ended_it() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    for (query, end) in [("how=stall", "client-closed"), ("when=body&how=stall", "client-aborted")] {
        let mut wire = server.connect();
        wire.send(get(&format!("/-/lab/close?{query}"), &[]));
        wire.read_some(100);
        assert_eq!(wire.read_to_end(ms(100)), Broken::Silent, "{query}");
        assert_eq!(server.connect().get("/").status, 200);
        let line = server.ledger_of(wire);
        assert_eq!((line.get("by"), line.get("reason")), ("client", end), "{query}");
    }
}
