//! The command line: what it explains, and what it says of mistakes.

#[path = "../support/mod.rs"]
mod support;

mod errors;
mod help;

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
