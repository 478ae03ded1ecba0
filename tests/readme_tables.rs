//! The README's tables say what the code says: every reason, flag, file and crate has its row, and no row
//! speaks of what is no more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use holdline::http::CloseReason;

#[test]
fn every_close_reason_has_its_row() {
    let readme = readme();
    for reason in CloseReason::ALL {
        let row = format!("| `{}` | {} | {} |", reason.label(), reason.by().label(), reason.sentence());
        assert!(rows(&readme).any(|line| line.starts_with(&row)), "README.md lacks {row}");
    }
}

#[test]
fn every_flag_has_a_row_with_its_default() {
    let readme = readme();
    let help = help_of(&[]) + &help_of(&["compare"]) + &help_of(&["probe-client"]);
    let entries = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let flags = entries.filter_map(|line| Some((line.split_once("--")?.1, line)));
    for (flag, line) in flags.filter(|(flag, _)| !flag.starts_with("help") && !flag.starts_with("version")) {
        let flag = flag.split_once(' ').map_or(flag, |(name, _)| name);
        let row = rows(&readme).find(|row| row.contains(&format!("`--{flag}`")));
        let row = row.unwrap_or_else(|| panic!("README.md has no row for --{flag}"));
        if let Some((_, default)) = line.split_once("[default: ") {
            let default = default.split(']').next().expect("a default ends");
            let word = default.trim_start_matches("from ");
            assert!(row.contains(word), "README.md: the default of --{flag} is {word}, not as in {row}");
        }
    }
}

#[test]
fn every_file_is_on_the_map_and_nothing_else() {
    let readme = readme();
    let named: BTreeSet<String> = rows(section(&readme, "The map"))
        .filter_map(first_name)
        .filter(|name| !name.ends_with('/'))
        .map(|name| name.trim_start_matches("src/").to_owned())
        .collect();
    let mut files = BTreeSet::new();
    collect_files(&repository().join("src"), &mut files);
    let odd: Vec<_> = named.symmetric_difference(&files).collect();
    assert!(odd.is_empty(), "README.md's map and src/ differ in {odd:?}");
}

#[test]
fn every_crate_has_its_reason() {
    let readme = readme();
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).expect("there is a Cargo.toml");
    let mut crates = BTreeSet::new();
    for heading in ["[dependencies]\n", "[dev-dependencies]\n"] {
        let (_, lines) = manifest.split_once(heading).expect("the manifest has this table");
        let lines = lines.lines().take_while(|line| !line.starts_with('['));
        crates.extend(lines.filter_map(|line| line.split_once(" =")).map(|(name, _)| name));
    }
    let named: BTreeSet<&str> = rows(section(&readme, "Crates")).filter_map(first_name).collect();
    let odd: Vec<_> = named.symmetric_difference(&crates).collect();
    assert!(odd.is_empty(), "README.md's table and Cargo.toml differ in {odd:?}");
}

#[test]
fn every_promise_has_its_tests() {
    let readme = readme();
    let mut tests = BTreeSet::new();
    for folder in ["src", "tests"] {
        collect_tests(&repository().join(folder), &mut tests);
    }
    let promises: Vec<&str> = rows(section(&readme, "What it promises")).skip(2).collect();
    assert!(promises.len() > 10, "{promises:#?}");
    for promise in promises {
        let shown_by = promise.trim_end_matches([' ', '|']).rsplit('|').next().expect("a last cell");
        let names: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows: {promise}");
        let unknown: Vec<_> = names.into_iter().filter(|name| !tests.contains(*name)).collect();
        assert!(unknown.is_empty(), "there are no tests {unknown:?} for: {promise}");
    }
}

/// The short help of the server or of a tool: one line an option.
fn help_of(tool: &[&str]) -> String {
    let help = Command::new(env!("CARGO_BIN_EXE_holdline")).args(tool).arg("-h").output().expect("it runs");
    String::from_utf8(help.stdout).expect("help is text")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).expect("there is a README.md")
}

fn section<'a>(readme: &'a str, title: &str) -> &'a str {
    let (_, section) = readme.split_once(&format!("\n## {title}\n")).expect("the README has this section");
    section.split("\n## ").next().unwrap_or_default()
}

fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with('|'))
}

/// What stands in the first cell of a row between backticks.
fn first_name(row: &str) -> Option<&str> {
    row.strip_prefix("| `")?.split('`').next()
}

/// The sources beneath a folder, by their paths beneath `src`; tests inside are left to their own folder.
fn collect_files(folder: &Path, files: &mut BTreeSet<String>) {
    let entries = fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    for path in entries.collect::<Vec<PathBuf>>() {
        if path.is_dir() && !path.ends_with("tests") {
            collect_files(&path, files);
        } else if path.is_file() {
            let beneath = path.strip_prefix(repository().join("src")).expect("it lies beneath src");
            files.insert(beneath.display().to_string());
        }
    }
}

/// The names of all tests in the sources beneath a folder.
fn collect_tests(folder: &Path, tests: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_tests(&path, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source");
            let after = source.split("#[test]").skip(1).filter_map(|test| test.split_once("fn ")?.1.split_once('('));
            tests.extend(after.map(|(name, _)| name.to_owned()));
        }
    }
}
