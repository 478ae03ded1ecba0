//! Every command in a `console` block is run, and prints what its page says.

use std::time::Instant;

use crate::page::{Block, Page, pages, repository};
use crate::support::{
    CURL, PATIENCE, SETSID, SS, Server, Step, Terminal, difference, matches_lines, ms, run_steps, steps, test,
};

test!(every_command_prints_what_its_page_says, CURL, SETSID, SS);
fn every_command_prints_what_its_page_says() {
    let count: usize = pages().iter().map(run_page).sum();
    assert!(count > 0, "no page shows a command");
}

/// Runs the commands of a page in their order; gives their number. They ask the server that the page has started last,
/// on a terminal; if it starts none, one of the page's own, so that what it counts begins with 0.
fn run_page(page: &Page) -> usize {
    let mut terminals: Vec<Session> = Vec::new();
    let mut unseen: Option<Server> = None;
    let mut count = 0;
    for block in page.blocks() {
        let steps = if block.language == "console" { steps_of(page, &block) } else { Vec::new() };
        count += steps.len();
        for step in steps {
            if let Some(words) = words_of_a_server(&step.command) {
                terminals.push(Session::start(&words, &step));
                continue;
            }
            let address = match terminals.last() {
                Some(session) => session.terminal.address(),
                None => unseen.get_or_insert_with(|| Server::serve(&repository().join("www"), &[])).address(),
            };
            run_steps(&[step], address);
        }
        if block.language == "text" && is_of_a_terminal(&block) {
            let session = terminals.last_mut().unwrap_or_else(|| panic!("{}:{}: of what?", page.name, block.start));
            session.shows_somewhere(page, &block);
        }
    }
    terminals.iter().for_each(Session::check);
    count
}

/// What follows `holdline`, if the command starts the server. In a clone it may be started by Cargo.
fn words_of_a_server(command: &str) -> Option<Vec<&str>> {
    let mut words = command.split(' ');
    match (words.next()?, words.clone().next()) {
        (
            "holdline",
            Some("compare" | "probe-client" | "probe-server" | "-h" | "--help" | "-V" | "--version" | "--generate"),
        ) => None,
        ("holdline", _) => Some(words.collect()),
        ("cargo", Some("run")) => Some(words.skip_while(|word| *word != "--").skip(1).collect()),
        _ => None,
    }
}

/// Whether a block shows lines of a server's terminal: local time, and the number of a connection.
fn is_of_a_terminal(block: &Block<'_>) -> bool {
    block.lines[0].split_once("  #").is_some_and(|(time, _)| without_numbers(time) == "#:#:#")
}

/// A server on a terminal, and what a page says that it shows there.
struct Session {
    terminal: Terminal,
    /// Where the page says it, and the lines.
    expected: Vec<(String, Vec<String>)>,
}

impl Session {
    fn start(words: &[&str], step: &Step) -> Session {
        let terminal = Terminal::run(words, &[("NO_COLOR", "1")]);
        // The terminal goes on behind what the page shows of its beginning.
        let lines = step.expected.iter().cloned().chain(["…".to_owned()]).collect();
        Session { terminal, expected: vec![(step.place.clone(), lines)] }
    }

    fn shows_somewhere(&mut self, page: &Page, block: &Block<'_>) {
        let lines = [&["…"], &block.lines[..], &["…"]].concat();
        let place = format!("{}:{}", page.name, block.start);
        self.expected.push((place, lines.into_iter().map(str::to_owned).collect()));
    }

    /// Waits until the terminal shows all that it should. Numbers differ from run to run: times, ports, sizes.
    fn check(&self) {
        let deadline = Instant::now() + PATIENCE;
        for (place, expected) in &self.expected {
            let expected: Vec<String> = expected.iter().map(|line| without_numbers(line)).collect();
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            loop {
                let mut shown = vec![without_numbers(self.terminal.first_line())];
                shown.extend(self.terminal.lines().iter().map(|line| without_numbers(line)));
                let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
                if matches_lines(&expected, &shown) {
                    break;
                }
                assert!(Instant::now() < deadline, "{place}: on the terminal\n{}", difference(&expected, &shown));
                std::thread::sleep(ms(20));
            }
        }
    }
}

/// A line with a mark in place of each number, and the same unit for all times.
fn without_numbers(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.chars().peekable();
    while let Some(letter) = rest.next() {
        if !letter.is_ascii_digit() {
            text.push(letter);
            continue;
        }
        text.push('#');
        while rest.next_if(|next| next.is_ascii_digit() || *next == '.').is_some() {}
    }
    text.replace("# ms", "# s")
}

test!(numbers_do_not_count_on_a_terminal);
fn numbers_do_not_count_on_a_terminal() {
    let line = "14:03:07.412  #1   GET / -> 200, 15.5k in 0.3 ms  (request 1, kept)";
    assert_eq!(without_numbers(line), "#:#:#  ##   GET / -> #, #k in # s  (request #, kept)");
    assert_eq!(words_of_a_server("cargo run --release -- --listing ."), Some(vec!["--listing", "."]));
    assert_eq!(words_of_a_server("cargo run --release"), Some(vec![]));
    assert_eq!(words_of_a_server("holdline compare URL"), None);
    assert_eq!(words_of_a_server("curl URL"), None);
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
