//! What the black-box tests share: the real binary, a folder for it to serve, a client that speaks
//! raw bytes, the ledger, and the programs of others.
//!
//! Nothing here is from the library: these tests know what a client knows.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test crate uses its own part of this")]

mod chromium;
mod collected;
mod console;
mod harness;
mod help;
mod ledger;
mod needs;
mod process;
mod response;
mod root;
mod server;
mod terminal;
mod tools;
mod viewer;
mod wire;

use std::time::{Duration, Instant};

pub use chromium::{Chromium, Tab};
pub use collected::Collected;
pub use console::{Step, difference, matches_lines, run_steps, steps};
pub(crate) use harness::test;
pub use harness::{Test, run_tests};
pub use help::{HelpEntry, help_entries};
pub use ledger::LedgerLine;
pub use needs::*;
pub use response::{Broken, Response};
pub use root::{Root, pattern};
pub use server::{Server, address_in, urls_in};
pub use terminal::Terminal;
pub use tools::{Finished, run, tool};
pub use viewer::{Told, Viewer};
pub use wire::Wire;

/// How long to wait for what must happen. Far longer than it takes, so that a loaded machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Milliseconds, seconds: durations that read like the flags.
pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A GET of `path` over HTTP/1.1, with further field lines if there are any.
pub fn get(path: &str, fields: &[&str]) -> String {
    request("GET", path, fields)
}

/// A request without content over HTTP/1.1, with further field lines if there are any.
pub fn request(method: &str, path: &str, fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

/// By how much a timer may seem early: the server measures it from the beginning of a loop iteration, which on a busy machine
/// may be before its client has looked at its own clock.
const ITERATION: Duration = ms(50);

/// Asserts that at least `least` has passed since `start`.
pub fn assert_not_early(start: Instant, least: Duration, what: &str) {
    let took = start.elapsed();
    assert!(took + ITERATION >= least, "{what} after {took:?}, too early: expected {least:?}");
}

/// Asserts that at least `least` has passed since `start`, and not so much more that the timer can't have
/// been the cause.
pub fn assert_took(start: Instant, least: Duration, what: &str) {
    assert_not_early(start, least, what);
    let took = start.elapsed();
    assert!(took < least + ms(4000), "{what} after {took:?}, too late: expected {least:?}");
}

/// Waits until `condition` gives something, asking again and again; panics with `what` if it never does.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what}");
        std::thread::sleep(ms(5));
    }
}
