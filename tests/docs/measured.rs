//! Tables with measured figures: no test can measure them again, but their rows and words are still those of the tools.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::page::{cells, page, repository, rows};
use crate::support::{Root, Server, test};

test!(the_ways_to_compare_are_the_rows_of_its_table);
fn the_ways_to_compare_are_the_rows_of_its_table() {
    let server = Server::start(&Root::new(), &[]);
    let ways = tool(&["compare", "-n", "1", "--json", &server.url("/")]);
    assert_eq!(column("docs/compare.md", "Three servers", 0), members(&ways["ways"], "way"));
}

test!(the_rows_of_probe_client_are_those_of_its_table);
fn the_rows_of_probe_client_are_those_of_its_table() {
    const PAGE: &str = "docs/probe-client.md";
    const SECTION: &str = "Five clients";
    let card = tool(&["probe-client", "--for", "1ms", "--json"]);
    assert_eq!(column(PAGE, SECTION, 0), members(&card["rows"], "server"));
    assert_eq!(column(PAGE, SECTION, 1), members(&card["rows"], "method"));
    let source = fs::read_to_string(repository().join("src/tools/probe/facts.rs")).expect("the source of its words");
    for client in 2..7 {
        // Only how long a client keeps an idle connection is a number.
        for cell in column(PAGE, SECTION, client).iter().filter(|cell| !cell.starts_with("closed it after ")) {
            let said = format!("\"{}\"", cell.trim_matches('*'));
            assert!(source.contains(&said), "{PAGE}: probe-client never says {said}");
        }
    }
}

test!(the_rows_of_probe_server_are_those_of_its_tables);
/// What the servers of the second table do is compared in `tests/probe`.
fn the_rows_of_probe_server_are_those_of_its_tables() {
    let server = Server::start(&Root::new(), &[]);
    let words =
        ["probe-server", "--watch", "100ms", "--behind", "1s", "--connections", "1", "--stop", "true", "--json"];
    let card = tool(&[&words[..], &[&server.url("/")]].concat());
    let rows: Vec<String> = members(&card["rows"], "name").iter().map(|name| format!("`{name}`")).collect();
    assert_eq!(column("docs/probe-server.md", "The rows", 0), rows);
    let on_request = ["`behind`", "`race`", "`full`", "`stop`"];
    let usual: Vec<String> = rows.into_iter().filter(|row| !on_request.contains(&&**row)).collect();
    assert_eq!(column("docs/probe-server.md", "Seven servers", 0), usual);
}

test!(the_work_of_the_benchmark_is_in_its_table);
fn the_work_of_the_benchmark_is_in_its_table() {
    let page = page("docs/performance.md");
    let source = fs::read_to_string(repository().join("benches/servers/rows.rs")).expect("the rows of the benchmark");
    let measured: Vec<&str> = rows(&page.text).skip(2).collect();
    assert_eq!(measured.len(), source.matches("    figure(").count());
    for row in measured {
        let (work, unit) = (format!("\"{}\"", cells(row)[0]), format!("\"{}\"", cells(row)[1]));
        assert!(source.contains(&work) && source.contains(&unit), "{}: what is {row}?", page.name);
    }
}

/// What a tool says in JSON.
fn tool(words: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_holdline")).args(words).output().expect("it runs");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// The cells of a column in the only table of a section, without its header.
fn column(name: &str, section: &str, at: usize) -> Vec<String> {
    let page = page(name);
    let rows = rows(page.section(section)).skip(2);
    rows.map(|row| cells(row)[at].to_owned()).collect()
}

fn members(list: &Value, name: &str) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|item| item[name].as_str().expect("a text").to_owned()).collect()
}
