//! The README's tour: every command in a `console` block is run, and prints what the README says.
//!
//! A line `$ command` begins a command, a line that ends with `\` continues it; the lines that follow are its
//! output, standard error included where the command asks for it (`2>&1`). In expected output `…` stands for
//! anything within a line, and a line that is just `…` for any number of lines.

mod support;

use std::path::Path;
use std::process::Command;

use support::{Server, require_tool};

/// The address that the README writes.
const ADDRESS: &str = "http://127.0.0.1:8080";

/// One command of the tour.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

/// A fenced block: its language, its first line's number, its lines.
struct Block<'a> {
    language: &'a str,
    start: usize,
    lines: Vec<&'a str>,
}

#[test]
fn every_command_prints_what_the_readme_says() {
    if !require_tool("sh") || !require_tool("curl") {
        return;
    }
    let steps: Vec<Step> =
        blocks(&readme()).iter().filter(|block| block.language == "console").flat_map(steps).collect();
    assert!(!steps.is_empty(), "the README has no tour");
    let server = Server::serve(&repository().join("www"), &[]);
    let failures: Vec<String> = steps.iter().filter_map(|step| run(step, &server).err()).collect();
    assert!(failures.is_empty(), "{} of {} commands:\n\n{}", failures.len(), steps.len(), failures.join("\n\n"));
}

/// What isn't run can't be wrong in ways that nobody notices: such blocks hold `cargo` commands only.
#[test]
fn blocks_that_are_not_run_hold_cargo_commands_only() {
    for block in blocks(&readme()).iter().filter(|block| ["sh", "bash", "shell"].contains(&block.language)) {
        for (at, line) in block.lines.iter().enumerate() {
            let line = line.trim();
            let allowed = line.is_empty() || line.starts_with('#') || line.starts_with("cargo ");
            assert!(allowed, "README.md:{}: `{line}` is not run by a test: write it as console", block.start + at);
        }
    }
    for block in blocks(&readme()).iter().filter(|block| block.language != "console") {
        let command = block.lines.iter().find(|line| line.starts_with("$ "));
        assert_eq!(command, None, "README.md:{}: a command outside of a console block", block.start);
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).expect("there is a README.md")
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        match (line.trim_start().strip_prefix("```"), inside) {
            (Some(language), false) => {
                blocks.push(Block { language: language.trim(), start: number + 1, lines: Vec::new() });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => blocks.last_mut().expect("a block has begun").lines.push(line),
            (None, false) => {}
        }
    }
    assert!(!inside, "the block at README.md:{} does not end", blocks.last().map_or(0, |block| block.start - 1));
    blocks
}

fn steps(block: &Block<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut continued = false;
    for (line, text) in (block.start..).zip(&block.lines) {
        if let (true, Some(step)) = (continued, steps.last_mut()) {
            step.command.push('\n');
            step.command.push_str(text);
            continued = text.ends_with('\\');
        } else if let Some(command) = text.strip_prefix("$ ") {
            steps.push(Step { line, command: command.to_owned(), expected: Vec::new() });
            continued = command.ends_with('\\');
        } else {
            let step = steps.last_mut().unwrap_or_else(|| panic!("README.md:{line}: output before any command"));
            step.expected.push((*text).to_owned());
        }
    }
    steps
}

/// Runs a command against the server; explains how its output differs, if it does.
fn run(step: &Step, server: &Server) -> Result<(), String> {
    let real = server.url("");
    let output = Command::new("timeout")
        .args(["--kill-after=5", "30", "sh", "-c", &step.command.replace(ADDRESS, &real)])
        .env("no_proxy", "*")
        .current_dir(repository())
        .output()
        .map_err(|error| format!("README.md:{}: {error}", step.line))?;
    let printed = String::from_utf8_lossy(&output.stdout).replace(&real, ADDRESS).replace('\r', "");
    let printed: Vec<&str> = printed.trim_end_matches('\n').lines().map(str::trim_end).collect();
    let expected: Vec<&str> = step.expected.iter().map(|line| line.trim_end()).collect();
    let expected = &expected[..expected.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1)];
    if matches_lines(expected, &printed) {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!("README.md:{}: $ {}\n{}\n{stderr}", step.line, step.command, difference(expected, &printed)))
}

/// Whether the lines match, where a line `…` matches any number of lines.
fn matches_lines(expected: &[&str], printed: &[&str]) -> bool {
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
fn difference(expected: &[&str], printed: &[&str]) -> String {
    let begins_alike =
        |count: &usize| (0..=expected.len()).any(|taken| matches_lines(&expected[..taken], &printed[..*count]));
    let alike = (0..=printed.len()).rev().find(begins_alike).unwrap_or(0);
    let mut text = String::from(" the README says:\n");
    for line in expected {
        text += &format!("  | {line}\n");
    }
    text += " it printed (> where they part):\n";
    for (at, line) in printed.iter().chain([&"(the end)"]).enumerate() {
        text += &format!("{} | {line}\n", if at == alike { ">" } else { " " });
    }
    text
}

#[test]
fn the_matcher_matches_what_it_should() {
    assert!(matches_line("a … c", "a b c") && matches_line("…", "") && matches_line("a…", "a"));
    assert!(!matches_line("a … c", "a b d") && !matches_line("a", "a b"));
    assert!(matches_lines(&["a", "…", "d"], &["a", "b", "c", "d"]) && matches_lines(&["…"], &[]));
    assert!(!matches_lines(&["a", "…", "d"], &["a", "b", "c"]) && !matches_lines(&["a"], &["a", "b"]));
    let tour = "text\n```console\n$ one \\\n  more\nout\n$ two\n```\n```sh\ncargo test\n```\n";
    let blocks = blocks(tour);
    let found = steps(&blocks[0]);
    assert_eq!(
        found,
        [
            Step { line: 3, command: "one \\\n  more".into(), expected: vec!["out".into()] },
            Step { line: 6, command: "two".into(), expected: vec![] },
        ]
    );
    assert_eq!((blocks[1].language, blocks[1].start), ("sh", 9));
}
