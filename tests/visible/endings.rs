//! Every way in which a connection ends, and what the ledger, `/-/status`, `/-/metrics` and the stream say of it.

use std::net::SocketAddr;

use holdline::http::CloseReason;
use serde_json::Value;

use crate::report::{Asking, Metrics, metrics, read_status, status};
use crate::support::{PATIENCE, Root, Server, Told, Viewer, get, ms, pattern, test};

/// One way: the flags it needs (with room for one connection more, the viewer's), what a client does, and the end it must lead to.
struct Ending {
    reason: &'static str,
    flags: &'static [&'static str],
    by: &'static str,
    how: &'static str,
    announced: &'static str,
    /// Leads one connection to its end; gives its address.
    act: fn(&Server, &Root) -> SocketAddr,
}

#[rustfmt::skip]
const ENDINGS: &[Ending] = &[
    Ending { reason: "client-asked",   flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, &get("/", &["Connection: close"])) },
    Ending { reason: "http10",         flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "GET / HTTP/1.0\r\n\r\n") },
    Ending { reason: "keep-alive-off", flags: &["--keep-alive-timeout", "0"], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, &get("/", &[])) },
    Ending { reason: "request-limit",  flags: &["--max-requests", "1"], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, &get("/", &[])) },
    Ending { reason: "age-limit",      flags: &["--max-age", "1ms"], by: "server", how: "fin", announced: "yes", act: after_a_while },
    Ending { reason: "idle-timeout",   flags: &["--keep-alive-timeout", "200ms", "--keep-alive-grace", "100ms"], by: "server", how: "fin", announced: "no", act: |server, _| answered(server, &get("/", &[])) },
    Ending { reason: "no-request",     flags: &["--head-timeout", "300ms"], by: "server", how: "fin", announced: "no", act: silent },
    Ending { reason: "head-timeout",   flags: &["--head-timeout", "300ms"], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "GET / HT") },
    Ending { reason: "body-timeout",   flags: &["--body-timeout", "300ms"], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf") },
    Ending { reason: "body-too-large", flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n") },
    Ending { reason: "body-unread",    flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n") },
    Ending { reason: "send-timeout",   flags: &["--send-timeout", "500ms"], by: "server", how: "reset", announced: "no", act: takes_nothing },
    Ending { reason: "slow-reader",    flags: &["--max-requests", "0"], by: "server", how: "reset", announced: "yes", act: falls_behind },
    Ending { reason: "bad-request",    flags: &[], by: "server", how: "fin", announced: "yes", act: |server, _| answered(server, "GET / HTTP/1.1\r\n\r\n") },
    Ending { reason: "evicted",        flags: &["--max-connections", "2"], by: "server", how: "fin", announced: "no", act: makes_room },
    Ending { reason: "too-many",       flags: &["--max-connections", "2"], by: "server", how: "fin", announced: "yes", act: finds_no_room },
    Ending { reason: "draining",       flags: &[], by: "server", how: "fin", announced: "no", act: is_stopped },
    Ending { reason: "file-changed",   flags: &[], by: "server", how: "fin", announced: "no", act: loses_its_file },
    Ending { reason: "lab",            flags: &[], by: "server", how: "fin", announced: "no", act: |server, _| answered(server, &get("/-/lab/close?announce=no", &[])) },
    Ending { reason: "lab",            flags: &[], by: "server", how: "reset", announced: "yes", act: is_reset_as_planned },
    Ending { reason: "client-closed",  flags: &[], by: "client", how: "fin", announced: "no", act: closes_between_requests },
    Ending { reason: "client-closed",  flags: &[], by: "client", how: "fin", announced: "no", act: closes_before_any },
    Ending { reason: "client-aborted", flags: &[], by: "client", how: "fin", announced: "no", act: closes_inside_a_request },
    Ending { reason: "client-aborted", flags: &[], by: "client", how: "fin", announced: "no", act: closes_inside_its_content },
    Ending { reason: "client-reset",   flags: &[], by: "client", how: "reset", announced: "no", act: resets },
];

/// What can't be provoked over sockets of the loopback interface, and why.
const NOT_PROVOKED: &[(&str, &str)] = &[
    ("live-feed", "said in the head of the feed; what ends it then has a reason of its own"),
    ("internal-error", "a defect, by definition"),
    ("probe-failed", "this kernel answers every probe for its own sockets: it takes a cable that is cut"),
    ("io-error", "an error of the kernel's that is none of reset, broken pipe and timeout"),
];

test!(every_reason_is_provoked_or_can_not_be);
fn every_reason_is_provoked_or_can_not_be() {
    for reason in CloseReason::ALL.iter().map(|reason| reason.label()) {
        let rows = ENDINGS.iter().filter(|ending| ending.reason == reason).count();
        let excused = NOT_PROVOKED.iter().any(|(label, _)| *label == reason);
        assert!((rows > 0) != excused, "{reason}: {rows} rows, excused: {excused}");
    }
}

test!(each_is_told_alike_by_ledger_status_metrics_and_stream);
fn each_is_told_alike_by_ledger_status_metrics_and_stream() {
    let failures: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = ENDINGS.iter().map(|ending| (ending, scope.spawn(|| check(ending)))).collect();
        let failed = |(ending, running): (&Ending, std::thread::ScopedJoinHandle<'_, ()>)| {
            running.join().is_err().then(|| ending.reason.to_owned())
        };
        running.into_iter().filter_map(failed).collect()
    });
    assert!(failures.is_empty(), "wrong ends, described above: {failures:?}");
}

fn check(ending: &Ending) {
    let root = Root::new();
    let server = Server::start(&root, ending.flags);
    let viewer = Viewer::open(&server);
    // Who stops lets nobody in any more, but answers what has begun.
    let begun = (ending.reason == "draining").then(|| PAGES.map(|path| Asking::begin(&server, path)));
    let peer = (ending.act)(&server, &root);

    let line = server.ledger(peer);
    line.assert_end(ending.by, ending.how, ending.reason, ending.announced);
    let conn = line.get("conn").parse().expect("a number");
    ending.assert_told(&viewer.wait_for_event("closed", conn), peer);
    ending.assert_fin_told(&viewer.told(), conn);

    let [metrics, status] = match begun {
        Some(pages) => pages.map(Asking::finish),
        // One after the other: some of the flags leave no room for both.
        None => PAGES.map(|path| Asking::begin(&server, path).finish()),
    };
    let Ending { by, how, reason, announced, .. } = ending;
    let labels = format!("by=\"{by}\",how=\"{how}\",reason=\"{reason}\",announced=\"{announced}\"");
    let counted = Metrics::read(metrics).value(&format!("holdline_connections_closed_total{{{labels}}}"));
    assert_eq!(counted, 1.0, "{labels}");
    let status = read_status(&status);
    let recent = status["recent"].as_array().expect("recent is a list");
    let ended = recent.iter().find(|ended| ended["id"] == conn).expect("it is among the recent ones");
    ending.assert_told(ended, peer);
}

const PAGES: [&str; 2] = ["/-/metrics", "/-/status"];

impl Ending {
    /// Asserts what JSON says of the end.
    fn assert_told(&self, said: &Value, peer: SocketAddr) {
        let announced = self.announced == "yes";
        for (member, value) in [("by", self.by), ("how", self.how), ("reason", self.reason)] {
            assert_eq!(said[member], value, "{member} of {said}");
        }
        assert_eq!(said["announced"], announced, "announced of {said}");
        assert_eq!(said["peer"], peer.to_string(), "peer of {said}");
        assert_eq!(said["race"], Value::Null, "race of {said}");
        let first_fin = if self.by == "server" && self.how == "fin" { "server" } else { "client" };
        if self.how == "fin" {
            assert_eq!(said["first_fin"], first_fin, "first_fin of {said}");
        }
    }

    /// Our FIN is told before the end, with the same words; where we sent none, none is told.
    fn assert_fin_told(&self, told: &[Told], conn: u64) {
        let of_conn: Vec<&Told> = told.iter().filter(|told| told.data["conn"] == conn).collect();
        let names: Vec<&str> = of_conn.iter().map(|told| &*told.name).collect();
        assert_eq!(names.first(), Some(&"opened"), "{names:?}");
        assert_eq!(names.last(), Some(&"closed"), "{names:?}");
        let closing: Vec<&&Told> = of_conn.iter().filter(|told| told.name == "closing").collect();
        let ours = self.by == "server" && self.how == "fin";
        assert_eq!(closing.len(), usize::from(ours), "{names:?}");
        for told in closing {
            assert_eq!(told.data["reason"], self.reason);
            assert_eq!(told.data["by"], self.by);
            assert_eq!(told.data["announced"], self.announced == "yes");
        }
    }
}

test!(a_lost_race_is_told_alike_too);
/// The keep-alive race: the request was under way when we closed. Nobody but the server can see it.
fn a_lost_race_is_told_alike_too() {
    let root = Root::new();
    let server = Server::start(&root, &["--keep-alive-timeout", "200ms", "--keep-alive-grace", "0"]);
    let viewer = Viewer::open(&server);
    let mut wire = server.connect();
    wire.get("/");
    wire.expect_eof(PATIENCE);
    std::thread::sleep(ms(20));
    wire.send(get("/too-late", &[]));
    let conn = viewer.wait_for("race", |race| race["conn"].as_u64());
    let line = server.ledger_of(wire);
    line.assert_end("server", "fin", "idle-timeout", "no");
    assert_eq!(line.get("conn"), conn.to_string());
    let late = line.get("late").strip_suffix("ms").and_then(|late| late.parse::<f64>().ok()).expect("milliseconds");
    assert!((20.0..2000.0).contains(&late), "{late} ms late");

    let agrees = |race: &Value| {
        let told = race["late_ms"].as_f64().expect("a number");
        assert!((told - late).abs() < 0.1, "{told} ms late, but {late} in the ledger");
    };
    agrees(&viewer.wait_for_event("race", conn));
    agrees(&viewer.wait_for_event("closed", conn)["race"]);
    let names: Vec<String> =
        viewer.told().into_iter().filter(|told| told.data["conn"] == conn).map(|told| told.name).collect();
    assert_eq!(names, ["opened", "request", "response", "idle", "closing", "race", "closed"]);
    assert_eq!(metrics(&server).value("holdline_keepalive_races_total"), 1.0);
    let status = status(&server);
    assert_eq!(status["totals"]["races"], 1);
    let recent = status["recent"].as_array().expect("recent is a list");
    agrees(&recent.iter().find(|ended| ended["id"] == conn).expect("it is among the recent ones")["race"]);
}

/// Sends one request, reads its response and then the server's FIN.
fn answered(server: &Server, request: &str) -> SocketAddr {
    let mut wire = server.connect();
    wire.send(request);
    wire.read_response();
    wire.expect_eof(PATIENCE);
    wire.address()
}

fn after_a_while(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    std::thread::sleep(ms(100));
    wire.get("/");
    wire.expect_eof(PATIENCE);
    wire.address()
}

fn silent(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.expect_eof(PATIENCE);
    wire.address()
}

fn takes_nothing(server: &Server, root: &Root) -> SocketAddr {
    std::fs::write(root.at("big.bin"), vec![7; 30_000_000]).expect("the file is written");
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    let peer = wire.address();
    server.ledger(peer);
    wire.expect_reset(PATIENCE);
    peer
}

/// Views and reads nothing, while more happens than is kept for those who are behind. It is never so much that the
/// stream must leave something out.
fn falls_behind(server: &Server, _: &Root) -> SocketAddr {
    let mut viewer = server.connect();
    viewer.send(get("/-/events", &[]));
    let mut busy = server.connect();
    let requests = get(&format!("/{}", "x".repeat(1000)), &[]).repeat(30);
    while !server.has_ended(viewer.address()) {
        busy.send(&requests);
        for _ in 0..30 {
            assert_eq!(busy.read_response().status, 404);
        }
        std::thread::sleep(ms(50));
    }
    viewer.expect_reset(PATIENCE);
    viewer.address()
}

fn makes_room(server: &Server, _: &Root) -> SocketAddr {
    let mut idle = server.connect();
    idle.get("/");
    let mut new = server.connect();
    new.get("/");
    idle.expect_eof(PATIENCE);
    idle.address()
}

fn finds_no_room(server: &Server, _: &Root) -> SocketAddr {
    let mut busy = server.connect();
    busy.get("/");
    busy.send("GET / HT");
    std::thread::sleep(ms(100));
    let mut refused = server.connect();
    refused.send(get("/", &[]));
    assert_eq!(refused.read_response().status, 503);
    refused.expect_eof(PATIENCE);
    refused.address()
}

fn is_stopped(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.get("/");
    server.signal(rustix::process::Signal::INT);
    wire.expect_eof(PATIENCE);
    wire.address()
}

/// The file shrinks while it is sent: the response ends early, which its reader can see.
fn loses_its_file(server: &Server, root: &Root) -> SocketAddr {
    let path = root.at("big.bin");
    std::fs::write(&path, pattern(30_000_000)).expect("the file is written");
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    wire.read_some(100_000);
    std::fs::File::options().write(true).open(&path).and_then(|file| file.set_len(1000)).expect("the file shrinks");
    assert!(wire.try_read(false, PATIENCE).is_err(), "a whole response of a file that was cut");
    wire.address()
}

fn is_reset_as_planned(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.get("/-/lab/close?how=reset");
    wire.expect_reset(PATIENCE);
    wire.address()
}

fn closes_between_requests(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.get("/");
    wire.address()
}

fn closes_before_any(server: &Server, _: &Root) -> SocketAddr {
    server.connect().address()
}

fn closes_inside_a_request(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.send("GET / HT");
    wire.address()
}

fn closes_inside_its_content(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf");
    wire.address()
}

fn resets(server: &Server, _: &Root) -> SocketAddr {
    let mut wire = server.connect();
    wire.get("/");
    let peer = wire.address();
    wire.reset();
    peer
}
