//! `/-/events`: what a viewer is told, how one comes back, and how the stream ends.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use rustix::process::Signal;

use crate::report::{assert_sum, status};
use crate::support::{CURL, PATIENCE, Root, Server, Told, Viewer, get, ms, request, run, test, tool, wait_for};

/// The ids of what was told. The first event, `hello`, has none.
fn ids(told: &[Told]) -> Vec<u64> {
    told.iter().filter_map(|told| told.id).collect()
}

test!(a_life_is_told_in_order_with_growing_ids_and_times);
fn a_life_is_told_in_order_with_growing_ids_and_times() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let viewer = Viewer::open(&server);
    assert_eq!(viewer.head().field("content-type"), Some("text/event-stream"));
    let mut wire = server.connect();
    wire.get("/");
    wire.expect_silence(ms(30));
    wire.get("/nothing?here");
    let peer = wire.address().to_string();
    drop(wire);
    let conn = viewer
        .wait_for("closed", |closed| (closed["peer"] == peer).then(|| closed["conn"].as_u64()))
        .expect("a number");
    let told = viewer.leave();

    let of_conn: Vec<&Told> = told.iter().filter(|told| told.data["conn"] == conn).collect();
    let names: Vec<&str> = of_conn.iter().map(|told| &*told.name).collect();
    assert_eq!(names, ["opened", "request", "response", "idle", "request", "response", "idle", "closed"]);
    let [opened, first, answered, idle, second, refused, ..] = &of_conn[..] else { unreachable!("as above") };
    assert_eq!(opened.data["peer"], peer);
    assert_eq!(
        (&first.data["n"], &first.data["method"], &first.data["idle_ms"]),
        (&1.into(), &"GET".into(), &().into())
    );
    assert_eq!((&answered.data["status"], &answered.data["keep"]), (&200.into(), &true.into()));
    assert_eq!(answered.data["why"], "HTTP/1.1 persists by default");
    assert_eq!((&idle.data["promised_ms"], &idle.data["closes_ms"]), (&70_000.0.into(), &75_000.0.into()));
    assert_eq!((&second.data["n"], &second.data["target"]), (&2.into(), &"/nothing?here".into()));
    assert!(second.data["idle_ms"].as_f64().is_some_and(|idle| (30.0..5000.0).contains(&idle)), "{second:?}");
    assert_eq!(refused.data["status"], 404);

    assert!(ids(&told).is_sorted_by(|a, b| a < b), "ids do not grow: {:?}", ids(&told));
    let times: Vec<f64> = of_conn.iter().filter_map(|told| told.data["t"].as_f64()).collect();
    assert!(times.is_sorted(), "times do not grow: {times:?}");
    assert_eq!(told.iter().filter(|told| told.id.is_none()).map(|told| &*told.name).collect::<Vec<_>>(), ["hello"]);
    for totals in told.iter().filter(|told| told.name == "totals") {
        assert_sum(&totals.data);
    }
}

test!(the_viewer_s_own_connection_is_marked);
fn the_viewer_s_own_connection_is_marked() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    server.connect().get("/");
    let viewer = Viewer::open(&server);
    let you = viewer.wait_for("hello", |hello| hello["you"].as_u64());
    viewer.wait_for_event("viewer", you);
    let status = status(&server);
    let open = status["connections"].as_array().expect("a list");
    let own = open.iter().find(|open| open["id"] == you).expect("it is open");
    assert_eq!((&own["peer"], &own["state"]), (&viewer.address().to_string().into(), &"streaming".into()));
    assert_eq!(own["last"]["target"], "/-/events");
}

test!(one_who_comes_back_has_lost_nothing);
/// All that happened in between is told, and nothing twice.
fn one_who_comes_back_has_lost_nothing() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let witness = Viewer::open(&server);
    let gone = Viewer::open(&server);
    let mut wire = server.connect();
    for _ in 0..20 {
        wire.get("/");
    }
    gone.wait_for("request", |request| (request["n"] == 20).then_some(()));
    let before = gone.leave();
    for _ in 0..20 {
        wire.get("/");
    }
    witness.wait_for("request", |request| (request["n"] == 40).then_some(()));
    // From the middle of what it has seen, to see that it begins right there.
    for last in [*ids(&before).last().expect("some"), ids(&before)[30]] {
        let back = Viewer::resume(&server, last);
        assert_eq!(back.wait_for("hello", |hello| hello["missed"].as_u64()), 0);
        back.wait_for("request", |request| (request["n"] == 40).then_some(()));
        let after = back.leave();
        let seen_by_witness = witness.told();
        let expected = ids(&seen_by_witness);
        let expected: Vec<u64> = expected.into_iter().filter(|id| *id > last).collect();
        let common = expected.len().min(ids(&after).len());
        assert!(common > 60, "{common} events");
        assert_eq!(ids(&after)[..common], expected[..common]);
    }
}

test!(one_who_comes_back_too_late_is_told_what_it_missed);
/// What is kept for those who come back has a limit. Past it they learn how much they have missed.
fn one_who_comes_back_too_late_is_told_what_it_missed() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-requests", "0"]);
    let viewer = Viewer::open(&server);
    viewer.wait_for("totals", |_| Some(()));
    let first = ids(&viewer.told())[0];
    let mut wire = server.connect();
    let requests = get(&format!("/{}", "x".repeat(1000)), &[]).repeat(30);
    // It is never so much that something is left out: then this would take longer.
    let missed = loop {
        for _ in 0..10 {
            wire.send(&requests);
            for _ in 0..30 {
                assert_eq!(wire.read_response().status, 404);
            }
            std::thread::sleep(ms(50));
        }
        let back = Viewer::resume(&server, first);
        match back.wait_for("hello", |hello| hello["missed"].as_u64()) {
            0 => {}
            missed => break missed,
        }
    };
    let told = ids(&viewer.told());
    assert!(missed > 100 && missed <= told.last().expect("some") - first + 200, "{missed} missed");
}

test!(an_id_of_another_process_is_known_as_such);
/// The ids begin with the time at which the process started, so that no other process has given the same.
fn an_id_of_another_process_is_known_as_such() {
    let root = Root::new();
    let earlier = Server::start(&root, &[]);
    let viewer = Viewer::open(&earlier);
    viewer.wait_for("totals", |_| Some(()));
    let last = *ids(&viewer.leave()).last().expect("some");
    drop(earlier);
    let later = Server::start(&root, &[]);
    for last in [1, last] {
        let back = Viewer::resume(&later, last);
        assert!(back.wait_for("hello", |hello| Some(hello["missed"].is_null())), "{last}");
    }
}

test!(no_proxy_is_to_hold_events_back);
fn no_proxy_is_to_hold_events_back() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(get("/-/events", &[]).as_bytes()).unwrap();
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(head.iter().any(|line| line == "X-Accel-Buffering: no"), "{head:#?}");
}

test!(http10_gets_events_without_chunks);
fn http10_gets_events_without_chunks() {
    let root = Root::new();
    let mut server = Server::start(&root, &["--console", "any"]);
    let viewer = Viewer::ask(&server, "GET /-/events HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert_eq!((viewer.head().field("transfer-encoding"), viewer.head().closes()), (None, true));
    viewer.wait_for("totals", |_| Some(()));
    server.signal(Signal::TERM);
    viewer.wait_for_end();
    drop(viewer);
    server.wait();
}

test!(head_gets_the_head_and_the_connection_lives_on);
fn head_gets_the_head_and_the_connection_lives_on() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send(request("HEAD", "/-/events", &[]));
    let response = wire.read_response_to_head();
    assert_eq!((response.status, response.closes()), (200, false));
    assert_eq!(response.field("content-type"), Some("text/event-stream"));
    assert_eq!(wire.get("/").status, 200);
}

test!(a_request_behind_the_feed_is_not_answered);
/// Nothing behind the request for a feed will ever be answered.
fn a_request_behind_the_feed_is_not_answered() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let viewer = Viewer::ask(&server, &(get("/-/events", &[]) + &get("/never", &[])));
    viewer.wait_for("totals", |_| Some(()));
    let conn = viewer.wait_for("hello", |hello| hello["you"].as_u64());
    let status = status(&server);
    // The viewer's, and the one for this report.
    assert_eq!(status["totals"]["requests"], 2, "{status}");
    let told = viewer.leave();
    assert!(!told.iter().any(|told| told.name == "request" && told.data["conn"] == conn && told.data["n"] == 2));
}

test!(sigterm_ends_the_stream_last_and_cleanly);
/// The stream of a server that stops ends when all else has ended: its viewers see how.
fn sigterm_ends_the_stream_last_and_cleanly() {
    let root = Root::new();
    let mut server = Server::start(&root, &[]);
    let viewer = Viewer::open(&server);
    let mut wire = server.connect();
    wire.get("/");
    let other = Viewer::open(&server);
    server.signal(Signal::TERM);
    wait_for("the listener's end", || std::net::TcpStream::connect(server.address()).is_err().then_some(()));
    assert!(wire.get("/").closes());
    wire.expect_eof(PATIENCE);
    let its = wire.address().to_string();
    drop(wire);
    for viewer in [&viewer, &other] {
        let told = viewer.wait_for_end();
        let closed = told
            .iter()
            .find(|told| told.name == "closed" && told.data["peer"] == its)
            .expect("the other connection's end");
        assert_eq!(closed.data["reason"], "draining");
    }
    let peer = viewer.address();
    drop((viewer, other));
    server.ledger(peer).assert_end("server", "fin", "draining", "yes");
    assert_eq!(server.wait().code(), Some(0));
}

test!(curl_reads_it_as_it_is, CURL);
fn curl_reads_it_as_it_is() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let finished = run(tool("curl").args(["--silent", "-N", "--max-time", "2", &server.url("/-/events")]));
    let lines: Vec<&str> = finished.stdout.lines().take(3).collect();
    assert_eq!(lines[0], "event: hello");
    assert!(lines[1].starts_with("data: {\"t\":"), "{lines:?}");
    assert_eq!(lines[2], "");
    assert!(finished.stdout.contains("\nevent: totals\ndata: {"), "{}", finished.stdout);
}
