//! Under load the stream leaves something out and says so; who does not read it is dropped, and nobody else suffers.

use std::time::Duration;

use crate::report::metrics;
use crate::support::{PATIENCE, Root, Server, Viewer, WRK, Wire, get, run, test, tool, wait_for};

/// Runs wrk for some seconds, over 50 connections, and asserts that not one request failed.
fn load(server: &Server, seconds: u32) {
    let finished = run(tool("wrk").args(["-t1", "-c50", &format!("-d{seconds}s"), &server.url("/")]));
    let said = &finished.assert_success().stdout;
    assert!(!said.contains("Socket errors") && !said.contains("Non-2xx"), "{said}");
}

test!(the_stream_says_what_it_leaves_out_and_its_sums_stay_exact, WRK);
fn the_stream_says_what_it_leaves_out_and_its_sums_stay_exact() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let viewer = Viewer::open(&server);
    load(&server, 2);
    let left_out = viewer.wait_for("sampled", |sampled| sampled["left_out"].as_u64());
    assert!(left_out > 0);
    let counted = metrics(&server).value("holdline_requests_total{code=\"200\"}");
    // The request for the stream is one of them, that for the metrics not yet.
    viewer.wait_for("totals", |totals| (totals["requests"].as_f64() >= Some(counted)).then_some(()));
    let told = viewer.leave();
    assert!(counted > 1000.0, "{counted} requests");
    let shown = told.iter().filter(|told| told.name == "request").count();
    assert!((shown as f64) < counted, "{shown} of {counted} requests were shown, and {left_out} events left out");
}

test!(ten_viewers_who_never_read_are_dropped_and_memory_stays_flat, WRK);
fn ten_viewers_who_never_read_are_dropped_and_memory_stays_flat() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    // Warm: what the load itself needs is there before the first look.
    load(&server, 1);
    let before = resident(&server);
    let mut lazy: Vec<Wire> = (0..10).map(|_| server.connect()).collect();
    for wire in &mut lazy {
        wire.send(get("/-/events", &[]));
    }
    let diligent = Viewer::open(&server);
    let start = std::time::Instant::now();
    while !lazy.iter().all(|wire| server.has_ended(wire.address())) && start.elapsed() < PATIENCE {
        load(&server, 2);
    }
    for wire in &mut lazy {
        server.ledger(wire.address()).assert_end("server", "reset", "slow-reader", "yes");
        wire.expect_reset(PATIENCE);
    }
    let after = resident(&server);
    assert!(after < before + 8e6, "resident memory grew from {before} to {after} bytes");
    // One who reads is still told what happens.
    let t = diligent.told().last().and_then(|told| told.data["t"].as_f64()).expect("a time");
    diligent.wait_for("totals", |totals| (totals["t"].as_f64() > Some(t)).then_some(()));
    assert!(start.elapsed() < PATIENCE + Duration::from_secs(10));
}

test!(a_viewer_too_many_is_told_and_one_who_leaves_makes_room);
fn a_viewer_too_many_is_told_and_one_who_leaves_makes_room() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut viewers: Vec<_> = (0..64).map(|_| Viewer::open(&server)).collect();
    let response = server.connect().get("/-/events");
    assert_eq!((response.status, response.field("retry-after")), (503, Some("1")), "{response:?}");
    // It costs the others nothing, and the rest of the console is there.
    assert_eq!(server.connect().get("/-/status").status, 200);
    viewers.pop().map(Viewer::leave);
    wait_for("a place", || {
        let mut wire = server.connect();
        wire.send(get("/-/events", &[]));
        wire.read_some(12);
        wire.take_unread().starts_with(b"HTTP/1.1 200").then_some(())
    });
}

/// Resident memory, in bytes.
fn resident(server: &Server) -> f64 {
    metrics(server).value("process_resident_memory_bytes")
}
