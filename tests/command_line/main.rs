//! The command line: what it explains, and what it says of mistakes.

#[path = "../support/mod.rs"]
mod support;

mod behind;
mod generate;
mod help;
mod start;
mod usage;

use std::process::{Command, Output};

fn main() -> std::process::ExitCode {
    support::run_tests()
}

/// Runs the binary with arguments that don't let it serve.
fn holdline(arguments: &[&str]) -> Output {
    Command::new("timeout")
        .args(["--kill-after=5", "20", env!("CARGO_BIN_EXE_holdline")])
        .args(arguments)
        .env("RUST_BACKTRACE", "1")
        .env_remove("RUST_LOG")
        .output()
        .expect("the binary runs")
}

/// Asserts that the binary refuses: this status, and one line on standard error, behind the program's name what it
/// should say, and nothing else.
fn assert_refuses(arguments: &[&str], status: i32, is_right: impl Fn(&str) -> bool) {
    let output = holdline(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{arguments:?} says more or less than a line: {said}");
    let line = said.trim_end_matches('\n').strip_prefix("holdline: ");
    let line = line.unwrap_or_else(|| panic!("{arguments:?} does not say who speaks: {said}"));
    assert!(is_right(line), "{arguments:?} says: {line}");
    for word in ["panicked", ".rs:", "os error", "invalid digit"] {
        assert!(!line.contains(word), "{arguments:?} shows {word} to a person: {line}");
    }
    assert!(output.stdout.is_empty(), "{arguments:?} writes to standard output");
}
