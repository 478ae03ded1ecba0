//! The tables say what the code says: every reason, flag, file and crate has its row, and no row speaks of what is
//! no more.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use holdline::http::CloseReason;
use holdline::tools::peers::{KnownPeer, PEERS};
use holdline::units::Span;

use crate::page::{cells, files_beneath, first_name, page, pages, repository, rows};
use crate::support::{Root, Server, help_entries, test};

test!(every_close_reason_has_its_row);
fn every_close_reason_has_its_row() {
    let page = page("docs/close-reasons.md");
    let rows: Vec<&str> = rows(page.section("Every reason")).skip(2).collect();
    assert_eq!(rows.len(), CloseReason::ALL.len());
    for (row, reason) in rows.iter().zip(CloseReason::ALL) {
        let expected = format!("| `{}` | {} | {} |", reason.label(), reason.by().label(), reason.sentence());
        assert!(row.starts_with(&expected), "{} lacks {expected} where it has {row}", page.name);
    }
}

test!(the_ledger_has_these_members);
/// The members of a line, in their order, in the table and in every example.
fn the_ledger_has_these_members() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    server.connect().get("/");
    server.ledgers(1);
    let line = server.log().into_iter().find(|line| line.contains("reason=")).expect("a line of the ledger");
    let real = names_of_members(&line);
    assert!(real.len() > 10, "{line}");

    let page = page("docs/close-reasons.md");
    let explained = rows(&page.text).skip_while(|row| !row.starts_with("| member |")).skip(2);
    let explained: Vec<&str> = explained.map_while(first_name).take(real.len()).collect();
    assert_eq!(explained, real);
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.lines[0].starts_with("conn=")) {
            assert_eq!(names_of_members(&block.lines.join(" ")), real, "{}:{}", page.name, block.start);
        }
    }
}

/// The names in `… conn=1 … last="GET /"`.
fn names_of_members(line: &str) -> Vec<&str> {
    let line = &line[line.find("conn=").expect("it begins with the connection")..];
    line.split(' ').filter_map(|word| word.split_once('=')).map(|(name, _)| name).collect()
}

test!(every_section_of_the_rfcs_is_cited);
/// Where the code does what a section says, or where a test shows it, that section is cited, or one beneath it.
fn every_section_of_the_rfcs_is_cited() {
    let files = ["src", "tests/protocol"]
        .map(|folder| files_beneath(folder).into_iter().map(move |file| format!("{folder}/{file}")));
    let sources = files.into_iter().flatten().filter(|file| file.ends_with(".rs"));
    let cited: BTreeSet<String> = sources.flat_map(|file| sections(&read(&file))).collect();
    let page = page("docs/rfc.md");
    let implemented: Vec<&str> = rows(page.section("Implemented")).skip(2).collect();
    assert!(implemented.len() > 10, "{implemented:#?}");
    for row in implemented {
        let own = sections(cells(row).last().expect("a last cell"));
        assert!(!own.is_empty(), "{}: no section in {row}", page.name);
        for section in own {
            let beneath = format!("{section}.");
            let known = cited.iter().any(|cited| *cited == section || cited.starts_with(&beneath));
            assert!(known, "{}: nothing cites {section} of {row}", page.name);
        }
    }
}

/// The sections that a text names: `9112 §9.3, §9.6; 9110 §7.6.1`.
fn sections(text: &str) -> Vec<String> {
    let mut rfc = "";
    let mut sections = Vec::new();
    for (before, after) in text.match_indices('§').map(|(at, sign)| (&text[..at], &text[at + sign.len()..])) {
        rfc = ["9110", "9112"].into_iter().find(|number| before.trim_end().ends_with(number)).unwrap_or(rfc);
        let end = after.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.').unwrap_or(after.len());
        sections.push(format!("{rfc} §{}", after[..end].trim_end_matches('.')));
    }
    sections
}

test!(every_experiment_has_its_row);
fn every_experiment_has_its_row() {
    let page = page("docs/experiments.md");
    for file in files_beneath("www/experiments").iter().filter(|file| file.ends_with(".html")) {
        let link = format!("](../www/experiments/{file})");
        assert!(rows(&page.text).any(|row| row.contains(&link)), "{} lacks {file}", page.name);
    }
}

test!(every_flag_has_a_row_with_its_default);
fn every_flag_has_a_row_with_its_default() {
    for (command, names) in COMMANDS {
        let pages: Vec<_> = names.iter().map(|name| page(name)).collect();
        let rows: Vec<&str> = pages.iter().flat_map(|page| rows(&page.text)).collect();
        let entries = help_entries(command);
        for entry in entries.iter().filter(|entry| !["help", "version"].contains(&&*entry.flag)) {
            let flag = &entry.flag;
            let row = rows.iter().find(|row| row.contains(&format!("`--{flag}`")));
            let row = row.unwrap_or_else(|| panic!("{names:?} have no row for --{flag}"));
            if let Some(default) = entry.default() {
                let word = default.trim_start_matches("from ");
                assert!(row.contains(word), "{names:?}: the default of --{flag} is {word}, not as in {row}");
            }
            for value in entry.possible_values() {
                assert!(
                    row.contains(&format!("`{value}`")),
                    "{names:?}: --{flag} may be {value}, which lacks in {row}"
                );
            }
        }
        let known: BTreeSet<&str> = entries.iter().map(|entry| &*entry.flag).collect();
        for flag in rows.iter().flat_map(|row| cells(row)).filter_map(flag_alone) {
            assert!(known.contains(flag), "{names:?} have a row for --{flag}, which is unknown");
        }
    }
}

/// The commands, and the pages that have their flags.
const COMMANDS: [(&[&str], &[&str]); 4] = [
    (&[], &["docs/limits.md", "docs/running.md"]),
    (&["compare"], &["docs/compare.md"]),
    (&["probe-client"], &["docs/probe-client.md"]),
    (&["probe-server"], &["docs/probe-server.md"]),
];

/// The flag that is all that stands in a cell.
fn flag_alone(cell: &str) -> Option<&str> {
    cell.strip_prefix("`--")?.strip_suffix('`')
}

test!(a_flag_in_the_first_cell_has_its_default);
/// Where a page says `--flag` and its value, that is the default: so in the table of times in `docs/deploying.md`.
fn a_flag_in_the_first_cell_has_its_default() {
    let entries = help_entries(&[]);
    let page = page("docs/deploying.md");
    let options: Vec<(&str, &str)> =
        rows(&page.text).filter_map(|row| cells(row)[0].strip_prefix("`--")?.split_once("` ")).collect();
    assert!(options.len() > 2, "{options:?}");
    for (flag, value) in options {
        let entry = entries.iter().find(|entry| entry.flag == flag).unwrap_or_else(|| panic!("no --{flag}"));
        assert_eq!(entry.default(), Some(value), "--{flag} in {}", page.name);
    }
}

test!(every_pool_has_its_row_with_its_idle_time);
fn every_pool_has_its_row_with_its_idle_time() {
    let page = page("docs/deploying.md");
    let found: Vec<&str> = rows(page.section("How long a pool keeps an idle connection")).skip(2).collect();
    let span = |time: Option<Duration>, none: &str| time.map_or(none.to_owned(), |time| Span(time).to_string());
    let expected = PEERS.iter().map(|peer| {
        let KnownPeer { name, title, setting, idle, range, health_checks, source } = peer;
        let (idle, health_checks) = (span(*idle, "no limit"), span(*health_checks, "–"));
        format!("| `{name}` | {title} | `{setting}` | {idle} | {range} | {health_checks} | {source} |")
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
}

test!(every_file_for_deploying_is_there);
fn every_file_for_deploying_is_there() {
    let page = page("docs/deploying.md");
    let named: Vec<&str> = page.text.split('`').filter(|name| name.starts_with("deploy/")).collect();
    for file in files_beneath("deploy").iter().map(|file| format!("deploy/{file}")) {
        assert!(named.iter().any(|name| file.starts_with(name)), "{} lacks {file}", page.name);
    }
}

test!(every_file_is_on_the_map_once_and_nothing_else);
fn every_file_is_on_the_map_once_and_nothing_else() {
    let architecture = page("docs/architecture.md");
    let named: Vec<String> = rows(architecture.section("The map"))
        .filter_map(first_name)
        .filter(|name| !name.ends_with('/'))
        .map(|name| name.trim_start_matches("src/").to_owned())
        .collect();
    // The tests of a folder are one row, and so are the parts of the live page.
    let one_row = |file: &String| file.contains("tests/") || file.contains("live/");
    let files = files_beneath("src").into_iter().filter(|file| !one_row(file));
    assert_same("the map", named, "src/", files.collect());
}

test!(every_crate_of_tests_has_its_row);
fn every_crate_of_tests_has_its_row() {
    let page = page("docs/testing.md");
    let named = rows(page.section("The tests")).filter_map(first_name).map(str::to_owned).collect();
    let crates = files_beneath("tests").into_iter().filter(|file| file.ends_with(".rs"));
    let crates = crates.map(|file| format!("tests/{}", file.split('/').next().unwrap_or_default()));
    assert_same("the table of tests", named, "tests/", crates.collect());
}

test!(every_variable_has_its_row);
fn every_variable_has_its_row() {
    let page = page("docs/testing.md");
    let rows = rows(page.section("Variables")).filter_map(first_name);
    let named = rows.map(|name| name.split('=').next().unwrap_or_default().to_owned()).collect();
    let sources = ["src", "tests"].into_iter().flat_map(|folder| {
        files_beneath(folder)
            .into_iter()
            .filter(|file| file.ends_with(".rs"))
            .map(move |file| format!("{folder}/{file}"))
    });
    // Cut in two here, so that this line names none.
    let variables = sources.flat_map(|file| words_from(&read(&file), concat!("\"HOLD", "LINE_")));
    assert_same("the table of variables", named, "the code", variables.collect());
}

/// The names in a text that begin like this, without the first letter.
fn words_from(text: &str, beginning: &str) -> Vec<String> {
    let of_a_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let found = text.match_indices(beginning).map(|(at, _)| &text[at + 1..]);
    found.map(|rest| rest[..rest.find(|letter| !of_a_name(letter)).unwrap_or(rest.len())].to_owned()).collect()
}

test!(every_file_that_a_page_names_exists);
fn every_file_that_a_page_names_exists() {
    let folders = ["src/", "tests/", "docs/", "www/", "benches/", "deploy/", "fuzz/"];
    for page in pages() {
        let named = page.text.split('`').skip(1).step_by(2);
        let files = named.filter(|name| folders.iter().any(|folder| name.starts_with(folder)));
        for file in files.filter(|name| !name.contains([' ', '\n'])) {
            assert!(repository().join(file).exists(), "{}: there is no {file}", page.name);
        }
    }
}

test!(every_crate_has_its_reason);
fn every_crate_has_its_reason() {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).expect("there is a Cargo.toml");
    let mut crates = BTreeSet::new();
    for heading in ["[dependencies]\n", "[dev-dependencies]\n"] {
        let (_, lines) = manifest.split_once(heading).expect("the manifest has this table");
        let lines = lines.lines().take_while(|line| !line.starts_with('['));
        crates.extend(lines.filter_map(|line| line.split_once(" =")).map(|(name, _)| name.to_owned()));
    }
    let architecture = page("docs/architecture.md");
    let named = rows(architecture.section("Crates")).filter_map(first_name).map(str::to_owned).collect();
    assert_same("the table of crates", named, "Cargo.toml", crates);
}

/// Asserts that a table has one row for each, and no other.
fn assert_same(table: &str, mut rows: Vec<String>, truth: &str, expected: BTreeSet<String>) {
    rows.sort();
    let twice: Vec<_> = rows.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert!(twice.is_empty(), "{table} has these rows twice: {twice:?}");
    let rows = BTreeSet::from_iter(rows);
    let odd: Vec<_> = rows.symmetric_difference(&expected).collect();
    assert!(odd.is_empty(), "{table} and {truth} differ in {odd:?}");
}

test!(every_promise_has_its_tests);
fn every_promise_has_its_tests() {
    let page = page("docs/promises.md");
    let tests: BTreeSet<String> = ["src", "tests"].into_iter().flat_map(tests_beneath).collect();
    let promises: Vec<&str> = rows(&page.text).skip(2).collect();
    assert!(promises.len() > 10, "{promises:#?}");
    for promise in promises {
        let shown_by = cells(promise).pop().expect("a last cell");
        let names: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows: {promise}");
        let unknown: Vec<_> = names.into_iter().filter(|name| !tests.contains(*name)).collect();
        assert!(unknown.is_empty(), "there are no tests {unknown:?} for: {promise}");
    }
}

/// A file, by its path beneath the repository.
fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The names of all tests in the sources beneath a folder.
fn tests_beneath(folder: &str) -> Vec<String> {
    let sources = files_beneath(folder).into_iter().filter(|file| file.ends_with(".rs"));
    let names = sources.flat_map(|file| {
        let source = read(&format!("{folder}/{file}"));
        let by_attribute = source.split("#[test]").skip(1).filter_map(|test| Some(test.split_once("fn ")?.1));
        let by_macro = source.split("\ntest!(").skip(1);
        let names = by_attribute.chain(by_macro).filter_map(|test| test.split(['(', ',', ')']).next());
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}
