//! Commands that a text shows with their output: they are run, and must print what the text says.
//!
//! A line `$ command` begins a command, a line that ends with `\` continues it; the lines that follow are its
//! output, standard error included where the command asks for it (`2>&1`). In expected output `…` stands for
//! anything within a line, and a line that is just `…` for any number of lines.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// The address that the texts write.
const ADDRESS: &str = "127.0.0.1:8080";

/// One command, and what it prints.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The file and the line where it stands.
    pub place: String,
    /// What the shell is given.
    pub command: String,
    /// Lines of output.
    pub expected: Vec<String>,
}

/// Runs them all against the server at this address; panics with what differs, if anything does.
pub fn run_steps(steps: &[Step], server: SocketAddr) {
    let failures: Vec<String> = steps.iter().filter_map(|step| run_step(step, server).err()).collect();
    assert!(failures.is_empty(), "{} of {} commands:\n\n{}", failures.len(), steps.len(), failures.join("\n\n"));
}

/// The commands in these lines of a file, the first of which has this number.
pub fn steps(file: &str, first: usize, lines: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut continued = false;
    for (line, text) in (first..).zip(lines) {
        if let (true, Some(step)) = (continued, steps.last_mut()) {
            step.command.push('\n');
            step.command.push_str(text);
            continued = text.ends_with('\\');
        } else if let Some(command) = text.strip_prefix("$ ") {
            let place = format!("{file}:{line}");
            steps.push(Step { place, command: command.to_owned(), expected: Vec::new() });
            continued = command.ends_with('\\');
        } else {
            let step = steps.last_mut().unwrap_or_else(|| panic!("{file}:{line}: output before any command"));
            step.expected.push((*text).to_owned());
        }
    }
    steps
}

/// The commands find `holdline` as if it were installed.
fn path_with_holdline() -> OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_holdline")).parent().map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))).expect("folders without colons")
}

/// Runs a command against the server; explains how its output differs, if it does.
fn run_step(step: &Step, server: SocketAddr) -> Result<(), String> {
    let real = server.to_string();
    let output = Command::new("timeout")
        .env("PATH", path_with_holdline())
        .args(["--kill-after=5", "30", "sh", "-c", &step.command.replace(ADDRESS, &real)])
        .env("no_proxy", "*")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| format!("{}: {error}", step.place))?;
    let printed = String::from_utf8_lossy(&output.stdout).replace(&real, ADDRESS).replace('\r', "");
    let printed: Vec<&str> = printed.trim_end_matches('\n').lines().map(str::trim_end).collect();
    let expected: Vec<&str> = step.expected.iter().map(|line| line.trim_end()).collect();
    let expected = &expected[..expected.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1)];
    if matches_lines(expected, &printed) {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: $ {}\n{}\n{stderr}", step.place, step.command, difference(expected, &printed)))
}

/// Whether the lines match, where a line `…` matches any number of lines.
pub fn matches_lines(expected: &[&str], printed: &[&str]) -> bool {
    match expected {
        [] => printed.is_empty(),
        ["…", rest @ ..] => (0..=printed.len()).any(|skipped| matches_lines(rest, &printed[skipped..])),
        [first, rest @ ..] => {
            printed.first().is_some_and(|line| matches_line(first, line)) && matches_lines(rest, &printed[1..])
        }
    }
}

/// Whether a line matches, where `…` matches anything.
fn matches_line(expected: &str, printed: &str) -> bool {
    match expected.split_once('…') {
        None => expected == printed,
        Some((start, rest)) => printed.strip_prefix(start).is_some_and(|tail| {
            let ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.into_iter().any(|at| matches_line(rest, &tail[at..]))
        }),
    }
}

/// Both texts, with a mark where they part.
pub fn difference(expected: &[&str], printed: &[&str]) -> String {
    let begins_alike =
        |count: &usize| (0..=expected.len()).any(|taken| matches_lines(&expected[..taken], &printed[..*count]));
    let alike = (0..=printed.len()).rev().find(begins_alike).unwrap_or(0);
    let mut text = String::from(" it should print:\n");
    for line in expected {
        text += &format!("  | {line}\n");
    }
    text += " it printed (> where they part):\n";
    for (at, line) in printed.iter().chain([&"(the end)"]).enumerate() {
        text += &format!("{} | {line}\n", if at == alike { ">" } else { " " });
    }
    text
}
