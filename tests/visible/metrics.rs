//! `/-/metrics`: the format of Prometheus, in the eyes of its own tool.

use std::io::Write;
use std::process::Stdio;

use crate::report::metrics;
use crate::support::{PROMTOOL, Root, Server, get, ms, test, tool};

test!(promtool_finds_nothing_to_say, PROMTOOL);
fn promtool_finds_nothing_to_say() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-requests", "2"]);
    // One of each, so that every family has samples.
    let mut wire = server.connect();
    wire.get("/");
    wire.get("/missing");
    server.ledger_of(wire);
    let page = metrics(&server);
    assert_eq!(page.value("holdline_requests_total{code=\"404\"}"), 1.0);

    let mut check = tool("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut stdin = check.stdin.take().expect("its standard input is piped");
    stdin.write_all(page.text().as_bytes()).expect("it reads the page");
    drop(stdin);
    let output = check.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}\n{}", String::from_utf8_lossy(&said), page.text());
}

test!(the_media_type_names_the_version_of_the_format);
fn the_media_type_names_the_version_of_the_format() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let response = server.connect().get("/-/metrics");
    assert_eq!(response.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(response.field("cache-control"), Some("no-store"));
}

test!(counters_and_histograms_count_what_happened);
fn counters_and_histograms_count_what_happened() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.get("/");
    wire.expect_silence(ms(120));
    wire.get("/");
    wire.send(get("/", &[]).repeat(3));
    for _ in 0..3 {
        wire.read_response();
    }
    server.ledger_of(wire);
    let page = metrics(&server);
    for (name, value) in [
        ("holdline_connections_accepted_total", 2.0),
        ("holdline_connections{state=\"sending\"}", 1.0),
        ("holdline_connections{state=\"idle\"}", 0.0),
        ("holdline_requests_total{code=\"200\"}", 5.0),
        ("holdline_requests_reused_total", 4.0),
        ("holdline_keepalive_races_total", 0.0),
        ("holdline_requests_per_connection_bucket{le=\"3\"}", 0.0),
        ("holdline_requests_per_connection_bucket{le=\"5\"}", 1.0),
        ("holdline_requests_per_connection_sum", 5.0),
        ("holdline_requests_per_connection_count", 1.0),
        ("holdline_connection_duration_seconds_bucket{le=\"0.1\"}", 0.0),
        ("holdline_connection_duration_seconds_count", 1.0),
        ("holdline_idle_gap_seconds_bucket{le=\"+Inf\"}", page.value("holdline_idle_gap_seconds_count")),
    ] {
        assert_eq!(page.value(name), value, "{name} in:\n{}", page.text());
    }
    assert!(page.value("holdline_idle_gap_seconds_sum") >= 0.12);
    let open_fds = page.value("process_open_fds");
    assert!(open_fds > 3.0 && open_fds < page.value("process_max_fds"), "{}", page.text());
    assert!(page.value("process_resident_memory_bytes") > 1e6);
}
