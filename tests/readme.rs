//! The README's tour: every command in a `console` block is run, and prints what the README says.

mod support;

use std::path::Path;

use support::{Server, Step, matches_lines, require_tool, run_steps, steps};

/// A fenced block: its language, its first line's number, its lines.
struct Block<'a> {
    language: &'a str,
    start: usize,
    lines: Vec<&'a str>,
}

#[test]
fn every_command_prints_what_the_readme_says() {
    if !["sh", "curl", "ss"].into_iter().all(require_tool) {
        return;
    }
    let steps: Vec<Step> =
        blocks(&readme()).iter().filter(|block| block.language == "console").flat_map(steps_of).collect();
    assert!(!steps.is_empty(), "the README has no tour");
    let server = Server::serve(&repository().join("www"), &[]);
    run_steps(&steps, &server);
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

fn steps_of(block: &Block<'_>) -> Vec<Step> {
    steps("README.md", block.start, &block.lines)
}

#[test]
fn the_matcher_matches_what_it_should() {
    let matches = |expected: &str, printed: &str| matches_lines(&[expected], &[printed]);
    assert!(matches("a … c", "a b c") && matches("…", "") && matches("a…", "a"));
    assert!(!matches("a … c", "a b d") && !matches("a", "a b"));
    assert!(matches_lines(&["a", "…", "d"], &["a", "b", "c", "d"]) && matches_lines(&["…"], &[]));
    assert!(!matches_lines(&["a", "…", "d"], &["a", "b", "c"]) && !matches_lines(&["a"], &["a", "b"]));
    let tour = "text\n```console\n$ one \\\n  more\nout\n$ two\n```\n```sh\ncargo test\n```\n";
    let blocks = blocks(tour);
    let found = steps_of(&blocks[0]);
    assert_eq!(
        found,
        [
            Step { place: "README.md:3".into(), command: "one \\\n  more".into(), expected: vec!["out".into()] },
            Step { place: "README.md:6".into(), command: "two".into(), expected: vec![] },
        ]
    );
    assert_eq!((blocks[1].language, blocks[1].start), ("sh", 9));
}
