//! Every command in a `console` block is run, and prints what its page says.

use crate::page::{Block, Page, pages};
use crate::support::{CURL, SS, Server, Step, matches_lines, run_steps, steps, test};

test!(every_command_prints_what_its_page_says, CURL, SS);
fn every_command_prints_what_its_page_says() {
    let mut count = 0;
    for page in pages() {
        let blocks = page.blocks();
        let consoles = blocks.iter().filter(|block| block.language == "console");
        let steps: Vec<Step> = consoles.flat_map(|block| steps_of(&page, block)).collect();
        // Each page has a server of its own: what it counts begins with 0.
        let server = Server::serve(&crate::page::repository().join("www"), &[]);
        run_steps(&steps, &server);
        count += steps.len();
    }
    assert!(count > 0, "no page shows a command");
}

test!(blocks_that_are_not_run_hold_cargo_commands_only);
/// What isn't run can't be wrong in ways that nobody notices: such blocks hold `cargo` commands only.
fn blocks_that_are_not_run_hold_cargo_commands_only() {
    for page in pages() {
        let blocks = page.blocks();
        for block in blocks.iter().filter(|block| ["sh", "bash", "shell"].contains(&block.language)) {
            for (number, line) in (block.start..).zip(&block.lines) {
                let line = line.trim();
                let allowed = line.is_empty() || line.starts_with('#') || line.starts_with("cargo ");
                assert!(allowed, "{}:{number}: `{line}` is not run by a test: write it as console", page.name);
            }
        }
        for block in blocks.iter().filter(|block| block.language != "console") {
            let command = block.lines.iter().find(|line| line.starts_with("$ "));
            assert_eq!(command, None, "{}:{}: a command outside of a console block", page.name, block.start);
        }
    }
}

fn steps_of(page: &Page, block: &Block<'_>) -> Vec<Step> {
    steps(&page.name, block.start, &block.lines)
}

test!(the_matcher_matches_what_it_should);
fn the_matcher_matches_what_it_should() {
    let matches = |expected: &str, printed: &str| matches_lines(&[expected], &[printed]);
    assert!(matches("a … c", "a b c") && matches("…", "") && matches("a…", "a"));
    assert!(!matches("a … c", "a b d") && !matches("a", "a b"));
    assert!(matches_lines(&["a", "…", "d"], &["a", "b", "c", "d"]) && matches_lines(&["…"], &[]));
    assert!(!matches_lines(&["a", "…", "d"], &["a", "b", "c"]) && !matches_lines(&["a"], &["a", "b"]));
    let text = "text\n```console\n$ one \\\n  more\nout\n$ two\n```\n```sh\ncargo test\n```\n".to_owned();
    let page = Page { name: "page.md".to_owned(), text };
    let blocks = page.blocks();
    let found = steps_of(&page, &blocks[0]);
    assert_eq!(
        found,
        [
            Step { place: "page.md:3".into(), command: "one \\\n  more".into(), expected: vec!["out".into()] },
            Step { place: "page.md:6".into(), command: "two".into(), expected: vec![] },
        ]
    );
    assert_eq!((blocks[1].language, blocks[1].start), ("sh", 9));
}
