//! The clients whose behaviour was first found by hand: curl, Python's http.client and requests, Node's http and fetch.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{CURL, NODE, PYTHON, REQUESTS, python_with, test};
use crate::{card, row};

/// The card of a client that is a script of ours.
fn scripted(program: impl AsRef<Path>, script: &str, watch: &str) -> Value {
    let script = format!("{}/tests/probe/clients/{script}", env!("CARGO_MANIFEST_DIR"));
    let program = program.as_ref().to_string_lossy();
    card(&["--watch", watch], &[&program, &script, "{url}", "{method}", "{pause}"])
}

/// Asserts what holds, and what does not.
fn assert_holds(card: &Value, expected: &[(&str, bool)]) {
    for (requirement, holds) in expected {
        assert_eq!(card["holds"][requirement], *holds, "{requirement}: {card:#}");
    }
}

/// Asserts that a lost request, by a FIN or by an RST, arrived so often in all: two times, or once more.
fn assert_arrived(card: &Value, method: &str, arrived: u32) {
    for name in ["fin-on-reuse", "reset-on-reuse"] {
        let row = row(card, name, method);
        assert_eq!((&row["lost"], &row["arrived"]), (&json!(1), &json!(arrived)), "{row}");
    }
}

/// Asserts that the caller is given the 408.
fn assert_takes_408(card: &Value) {
    for method in ["GET", "POST"] {
        let row = row(card, "408-on-reuse", method);
        assert_eq!((&row["client"], &row["arrived"]), (&json!("gave the 408 to its caller"), &json!(2)), "{row}");
    }
}

test!(curl_sends_a_post_twice, CURL);
fn curl_sends_a_post_twice() {
    // It can't pause, so it waits for another URL.
    let command = ["curl", "-s", "-X", "{method}", "--data", "x=1", "{url}", "{wait}", "{url}"];
    let card = card(&["--watch", "1s"], &command);
    assert_holds(
        &card,
        &[
            ("reuse", true),
            ("honour-close", true),
            ("retry-get", true),
            ("no-duplicate-post", false),
            ("survive-fin", true),
            ("survive-reset", true),
        ],
    );
    assert_arrived(&card, "GET", 3);
    assert_arrived(&card, "POST", 3);
    assert_eq!(row(&card, "reset-on-reuse", "POST")["client"], "SENT IT TWICE");
    assert_takes_408(&card);
}

test!(http_client_looks_at_nothing, PYTHON);
fn http_client_looks_at_nothing() {
    let card = scripted("python3", "http_client.py", "1s");
    assert_holds(
        &card,
        &[
            ("reuse", true),
            ("honour-close", true),
            ("honour-timeout", false),
            ("retry-get", false),
            ("no-duplicate-post", true),
            ("survive-fin", false),
            ("survive-reset", false),
            ("survive-408", false),
        ],
    );
    assert_arrived(&card, "GET", 2);
    assert_arrived(&card, "POST", 2);
    assert_takes_408(&card);
    // It was watched for a second only, and its end was that of its process.
    assert_eq!(row(&card, "idle", "GET")["closed_idle_ms"], Value::Null);
}

test!(requests_looks_before_it_uses_a_connection_again, REQUESTS);
fn requests_looks_before_it_uses_a_connection_again() {
    let card = scripted(python_with("requests"), "requests_session.py", "1s");
    assert_holds(
        &card,
        &[
            ("reuse", true),
            ("honour-close", true),
            ("honour-timeout", false),
            ("retry-get", false),
            ("no-duplicate-post", true),
            ("survive-fin", true),
            ("survive-reset", true),
            ("survive-408", true),
        ],
    );
    assert_arrived(&card, "GET", 2);
    assert_arrived(&card, "POST", 2);
    assert_takes_408(&card);
}

test!(node_http_closes_idle_connections_by_itself, NODE);
fn node_http_closes_idle_connections_by_itself() {
    let card = scripted("node", "node_http.js", "9s");
    // Whether it heeds Keep-Alive: timeout depends on its version.
    assert_holds(
        &card,
        &[
            ("reuse", true),
            ("honour-close", true),
            ("retry-get", false),
            ("no-duplicate-post", true),
            ("survive-fin", true),
            ("survive-reset", true),
            ("survive-408", true),
        ],
    );
    assert_arrived(&card, "GET", 2);
    assert_arrived(&card, "POST", 2);
    assert_takes_408(&card);
    let closed = row(&card, "idle", "GET")["closed_idle_ms"].as_u64();
    assert!(closed.is_some_and(|idle| (4000..9000).contains(&idle)), "its agent is told 5 s: {closed:?}");
}

test!(node_fetch_trusts_the_promise, NODE);
fn node_fetch_trusts_the_promise() {
    let card = scripted("node", "node_fetch.js", "1s");
    assert_holds(
        &card,
        &[
            ("reuse", true),
            ("honour-close", true),
            ("honour-timeout", true),
            ("retry-get", false),
            ("no-duplicate-post", true),
            ("survive-fin", true),
            ("survive-reset", true),
            ("survive-408", true),
        ],
    );
    assert_arrived(&card, "GET", 2);
    assert_arrived(&card, "POST", 2);
    assert_takes_408(&card);
}
