//! The access log and the connection log: what their lines say, and that no device they go to stops the server.

#[path = "../support/mod.rs"]
mod support;

mod devices;
mod lines;
mod rotation;

use std::fs;
use std::path::Path;

use support::{Root, Server, wait_for};

/// Waits until a log has so many lines, and gives them.
fn lines_of(path: &Path, count: usize) -> Vec<String> {
    wait_for(&format!("{count} lines of {}", path.display()), || {
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (lines.len() >= count && text.ends_with('\n')).then_some(lines)
    })
}

/// A server that writes an access log, or another one, into a file that tests read.
fn start_logging(root: &Root, flag: &str, log: &Path, flags: &[&str]) -> Server {
    let log = log.to_string_lossy();
    Server::start(root, &[&[flag, &log], flags].concat())
}

/// `127.0.0.1 - - [22/Nov/2026:12:47:07 +0000]`: gives what follows it.
fn without_beginning(line: &str) -> &str {
    let rest = line.strip_prefix("127.0.0.1 - - [").unwrap_or_else(|| panic!("no peer: {line}"));
    let (date, rest) = rest.split_once("] ").unwrap_or_else(|| panic!("no date: {line}"));
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let month = &date[3..6];
    assert_eq!(shape.replace(month, "Mon"), "00/Mon/0000:00:00:00 +0000", "{line}");
    rest
}
