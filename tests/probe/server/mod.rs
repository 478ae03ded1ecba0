//! `holdline probe-server` with servers whose truth is known.

mod judged;
mod manners;
mod others;
mod trouble;

use std::process::{Command, Output};

use serde_json::Value;

/// Runs `holdline probe-server` with these arguments.
fn probe_server(arguments: &[&str]) -> Output {
    Command::new("timeout")
        .args(["--kill-after=5", "120", env!("CARGO_BIN_EXE_holdline"), "probe-server"])
        .args(arguments)
        .output()
        .expect("the binary runs")
}

/// The card of the server with this URL, as JSON.
fn server_card(url: &str, flags: &[&str]) -> Value {
    let output = probe_server(&[flags, &["--json", url]].concat());
    assert!(output.status.success(), "{url} {flags:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Tries up to three times: on a busy machine a server may be later than it is told to be, or the probe.
fn in_time<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let found = (0..2).find_map(|_| attempt().ok());
    found.unwrap_or_else(|| attempt().unwrap_or_else(|why| panic!("{why}")))
}

/// The grade and the sentence of a row.
fn judgement<'a>(card: &'a Value, name: &str) -> (&'a str, &'a str) {
    let rows = card["rows"].as_array().expect("there are rows");
    let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row {name} in {card}"));
    (row["grade"].as_str().expect("a grade"), row["sentence"].as_str().expect("a sentence"))
}
