//! `holdline compare` against holdline, nginx, Python's `http.server`, and servers that misbehave. How many
//! requests share a connection is exactly right; times are only printed.

#[path = "../support/mod.rs"]
mod support;

mod others;
mod servers;

use std::process::Output;

use support::{Root, Server, test, tool};

fn main() -> std::process::ExitCode {
    support::run_tests()
}

/// The ways, in the order in which they are told.
const WAYS: [&str; 5] = ["HTTP/1.0", "HTTP/1.0 keep-alive", "HTTP/1.1 close", "HTTP/1.1", "HTTP/1.1 pipelined"];

/// Runs `holdline compare` with these arguments.
fn compare(arguments: &[&str]) -> Output {
    tool(env!("CARGO_BIN_EXE_holdline")).arg("compare").args(arguments).output().expect("the binary runs")
}

/// What it told, as JSON; the table is printed for whoever looks at the test.
fn compared(url: &str, requests: u32) -> serde_json::Value {
    let requests = requests.to_string();
    let table = compare(&[url, "-n", &requests]);
    println!("{}", String::from_utf8_lossy(&table.stdout));
    let output = compare(&[url, "-n", &requests, "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "no bar where no terminal is: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Asserts how many responses each connection had, for each way, and gives what the server is said to have done.
fn assert_responses(told: &serde_json::Value, expected: [&[u32]; 5]) -> Vec<String> {
    for (at, expected) in expected.into_iter().enumerate() {
        let way = &told["ways"][at];
        assert_eq!(way["way"], WAYS[at]);
        assert_eq!(way["responses"], serde_json::json!(expected), "{way}");
        assert_eq!(way["connections"], expected.len(), "{way}");
        assert!(way["handshake_us"].is_u64() && way["requests_per_second"].as_f64() > Some(0.0), "{way}");
    }
    (0..5).map(|at| told["ways"][at]["verdict"].as_str().expect("a verdict").to_owned()).collect()
}

test!(holdline_keeps_what_may_be_kept);
fn holdline_keeps_what_may_be_kept() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let told = compared(&server.url("/"), 25);
    let verdicts = assert_responses(&told, [&[1; 25], &[25], &[1; 25], &[25], &[25]]);
    assert_eq!(
        verdicts,
        ["closed after each response", "kept", "closed after each response", "kept", "kept, answered 10 sent together"]
    );
    assert_eq!((&told["status"], &told["software"]), (&200.into(), &"holdline".into()));
    // Two runs of five ways, and what each asked first.
    let ledgers = server.ledgers(2 * (25 + 1 + 25 + 1 + 1 + 1));
    let received = |way: usize| told["ways"][way]["received_bytes"].as_u64().expect("a number");
    let sent: Vec<u64> = (0..5).map(|way| told["ways"][way]["sent_bytes"].as_u64().expect("a number")).collect();
    assert_eq!(sent[3], sent[4]);
    assert_eq!(sent[3] % 25, 0);
    assert!(received(3) > 25 * 100 && received(0) > 25 * 100);
    assert_eq!(ledgers.iter().filter(|line| line.get("requests") == "25").count(), 6);
}

test!(a_limit_of_requests_is_found_and_it_was_announced);
fn a_limit_of_requests_is_found_and_it_was_announced() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-requests", "10"]);
    let told = compared(&server.url("/"), 25);
    let verdicts = assert_responses(&told, [&[1; 25], &[10, 10, 5], &[1; 25], &[10, 10, 5], &[10, 10, 5]]);
    assert_eq!(verdicts[3], "closed after 10 requests, announced");
    assert_eq!(told["ways"][3]["announced_closes"], 2);
    // The first request of a connection goes alone, nine follow together.
    assert!(
        verdicts[4].starts_with("closed after 10 requests, announced, answered 9 sent together"),
        "{}",
        verdicts[4]
    );
}

test!(a_chart_is_drawn_and_chunks_are_understood);
fn a_chart_is_drawn_and_chunks_are_understood() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let picture = root.at("chart.svg");
    let output = compare(&[&server.url("/missing"), "-n", "3", "--svg", &picture.to_string_lossy()]);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && table.contains("status 404"), "{table}");
    assert!(table.contains("kept, 3 with an error status"), "{table}");
    let svg = std::fs::read_to_string(picture).expect("the chart is there");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    for way in WAYS {
        assert!(svg.contains(way) && table.contains(way), "{way}");
    }
}

test!(what_can_not_be_measured_is_one_line);
fn what_can_not_be_measured_is_one_line() {
    let root = Root::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let server = Server::start(&root, &[]);
    let url = server.url("/");
    let nobody = format!("http://{taken}/");
    for (arguments, status, culprit) in [
        (&["https://127.0.0.1/"][..], 2, "https is not measured"),
        (&["127.0.0.1:8080"], 2, "write http://127.0.0.1:8080"),
        (&[], 2, "<URL>"),
        (&[&url, "-n", "0"], 2, "--requests"),
        (&[&url, "--no-such-flag"], 2, "--no-such-flag"),
        (&[&nobody], 1, "cannot connect"),
        (&["http://no-such-host.invalid/"], 1, "cannot find"),
        (&[&url, "-n", "1", "--svg", "/no/such/folder/x.svg"], 1, "cannot write /no/such/folder/x.svg"),
    ] {
        let output = compare(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.starts_with("holdline: ") && said.lines().count() == 1, "{arguments:?}: {said}");
        assert!(said.contains(culprit) && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
}

test!(a_folder_that_is_called_like_a_tool_is_served);
/// Its first word alone names a tool.
fn a_folder_that_is_called_like_a_tool_is_served() {
    let root = Root::new().file("compare/index.html", "a folder called compare");
    let server = Server::serve(&root.at("compare"), &["--hidden"]);
    assert!(server.connect().get("/").body == b"a folder called compare");
    let help = tool(env!("CARGO_BIN_EXE_holdline")).arg("--help").output().expect("the binary runs");
    assert!(String::from_utf8_lossy(&help.stdout).contains("holdline compare"));
}
