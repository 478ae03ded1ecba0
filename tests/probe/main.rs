//! `holdline probe-client` with real clients: it finds what they do when a server breaks their connections. And
//! `holdline probe-server`, in [`server`].
//!
//! Where client and server are equally quick, anything may happen: such rows are asked, and nothing is asserted.

#[path = "../support/mod.rs"]
mod support;

mod clients;
mod server;
mod waiting;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{CURL, test};

fn main() -> std::process::ExitCode {
    support::run_tests()
}

/// Runs `holdline probe-client` with these arguments.
fn probe(arguments: &[&str]) -> Output {
    // It runs many commands, one after the other, and some pause.
    Command::new("timeout")
        .args(["--kill-after=5", "300", env!("CARGO_BIN_EXE_holdline"), "probe-client"])
        .args(arguments)
        .output()
        .expect("the binary runs")
}

/// The card of this command, as JSON.
fn card(flags: &[&str], command: &[&str]) -> Value {
    let output = probe(&[flags, &["--json", "--"], command].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// The row of this name and method.
fn row<'a>(card: &'a Value, name: &str, method: &str) -> &'a Value {
    let rows = card["rows"].as_array().expect("there are rows");
    let row = rows.iter().find(|row| row["name"] == name && row["method"] == method);
    row.unwrap_or_else(|| panic!("no row {name} {method} in {card}"))
}

test!(what_can_not_be_probed_is_one_line);
fn what_can_not_be_probed_is_one_line() {
    for (arguments, status, culprit) in [
        (&["--", "curl"][..], 2, "{url}"),
        (&["--require", "reuse,no-such-thing", "--", "curl", "{url}"], 2, "no-such-thing"),
        (&["--require", "", "--", "curl", "{url}"], 2, "--require"),
        (&["--watch", "1500ms", "--", "curl", "{url}"], 2, "--watch"),
        (&["--watch", "0", "--", "curl", "{url}"], 2, "--watch"),
        (&["--for", "x"], 2, "--for"),
        (&["curl", "{url}"], 2, "curl"),
        (&["--", "/no/such/program", "{url}"], 1, "cannot run /no/such/program"),
        (
            &["--", "sh", "-c", "echo first >&2; echo nobody is there >&2; exit 7", "{url}"],
            1,
            "(exit status 7): nobody",
        ),
    ] {
        let output = probe(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.starts_with("holdline: ") && said.lines().count() == 1, "{arguments:?}: {said}");
        assert!(said.contains(culprit) && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
}

test!(a_command_that_does_not_end_is_ended_with_all_that_it_started);
fn a_command_that_does_not_end_is_ended_with_all_that_it_started() {
    let start = Instant::now();
    let output = probe(&["--", "sh", "-c", "sleep 300 & sleep 300", "{url}"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(100), "it took {:?}", start.elapsed());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("made no request") && said.contains("no exit status"), "{said}");
}

test!(what_is_required_and_not_met_is_exit_status_1, CURL);
fn what_is_required_and_not_met_is_exit_status_1() {
    let command = ["--", "curl", "-s", "{url}", "{url}"];
    let met = probe(&[&["--require", "reuse,honour-close"][..], &command].concat());
    assert!(met.status.success() && met.stderr.is_empty(), "{}", String::from_utf8_lossy(&met.stderr));
    let table = String::from_utf8_lossy(&met.stdout);
    assert!(table.contains("not asked: the command takes no {method}"), "{table}");
    assert!(table.contains("not asked: the command takes no {pause} or {wait}"), "{table}");

    // What was not asked is not met either.
    let unmet = probe(&[&["--require", "reuse,no-duplicate-post,survive-fin"][..], &command].concat());
    assert_eq!(unmet.status.code(), Some(1));
    let said = String::from_utf8_lossy(&unmet.stderr);
    assert_eq!(said, "holdline: the client does not meet: no-duplicate-post, survive-fin\n");
    assert!(!unmet.stdout.is_empty());
}
