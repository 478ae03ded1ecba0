//! A limit that is not a flag is a named constant, and every such constant is in a table with its value.
//!
//! The tables have the header of [`HEADER`]. A constant that limits nothing is named in [`NOT_LIMITS`], so that a new
//! one is either explained to readers or put there on purpose.

use std::collections::BTreeMap;
use std::fs;

use crate::page::{cells, files_beneath, pages, repository, rows};
use crate::support::test;

const HEADER: &str = "| limit | value | constant |";

/// Constants that are sizes of tables, positions, marks, or pauses of which nobody notices anything.
const NOT_LIMITS: &[&str] = &[
    "cli/help.rs MAX_WIDTH",
    "cli/help.rs WIDTH",
    "cli/start.rs FIRST_FREE_PORT",
    "main.rs USAGE",
    "tests/robust/memory.rs DESCRIPTORS",
    "tests/robust/memory.rs KIB",
    "tests/robust/memory.rs SLACK",
    "server/engine/deadlines.rs BUCKETS",
    "server/engine/deadlines.rs BUCKET_BITS",
    "server/engine/deadlines.rs NEVER",
    "server/engine/deadlines.rs UNPLANNED",
    "server/engine/mod.rs EXPECTED_CONNECTIONS",
    "server/listen/acceptor.rs FIRST_LISTENER",
    "server/logs/device.rs PIPE_BUF",
    "server/engine/queue.rs NONE",
    "server/service.rs FIRST_DESCRIPTOR",
    "http/response.rs USUAL_FIELDS",
    "observe/terminal.rs SECOND",
    "observe/terminal_line.rs NOTABLE",
    "observe/terminal_line.rs TIME_COLUMNS",
    "site/cache.rs OVERHEAD",
    "tools/probe/mod.rs POLL_INTERVAL",
    "tools/probe/mod.rs GRACE",
    "tools/probe/rows.rs SECOND",
    "tools/probe/run.rs EXIT_TIME",
    "tools/probe/run.rs QUIET",
    "cli/server/behind.rs MARGIN",
    "cli/tools.rs QUICK_WATCH",
    "cli/tools.rs WATCH",
    "tools/probe_server/exchanges.rs HALF_CLOSE_PAUSE",
    "tools/probe_server/exchanges.rs HELD_BYTES",
    "tools/probe_server/exchanges.rs UPLOAD_PIECE",
    "tools/probe_server/extremes.rs STOP_PAUSE",
    "tools/probe_server/judge_waits.rs TICK",
    "tools/probe_server/mod.rs LOOK",
    "tools/probe_server/waits.rs DRIP_PAUSE",
    "tools/probe_server/waits.rs HEAD_START",
    "tools/probe_server/waits.rs SLOW_CONTENT",
    "tools/progress.rs WIDTH",
    "tools/table.rs BAR",
    "tools/url.rs DEFAULT_PORT",
];

test!(every_limit_has_a_row_with_its_value);
fn every_limit_has_a_row_with_its_value() {
    let mut constants = BTreeMap::new();
    let sources = files_beneath("src").into_iter().filter(|file| file.ends_with(".rs") && !file.contains("tests/"));
    for file in sources {
        read_constants(&format!("src/{file}"), &file, &mut constants);
    }
    read_constants("tests/robust/memory.rs", "tests/robust/memory.rs", &mut constants);
    let mut wrong = Vec::new();
    for name in NOT_LIMITS {
        if constants.remove(*name).is_none() {
            wrong.push(format!("there is no constant {name}"));
        }
    }
    for page in pages() {
        let tables = page.text.split(HEADER).skip(1).map(|table| table.split("\n\n").next().unwrap_or_default());
        // Behind its header a table has a line of dashes.
        for (value, constant) in tables.flat_map(|table| rows(table).skip(1)).map(limit) {
            match constants.remove(&constant) {
                None => wrong.push(format!("{}: there is no constant {constant}, or it has two rows", page.name)),
                Some(real) if read(value).is_some() && read(value) == evaluate(&real) => {}
                Some(real) => wrong.push(format!("{}: {constant} = {real}, not {value}", page.name)),
            }
        }
    }
    wrong.extend(constants.iter().map(|(constant, value)| format!("no page explains {constant} = {value}")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

test!(values_are_read_as_people_write_them);
fn values_are_read_as_people_write_them() {
    for (written, expression) in [
        ("100", "100"),
        ("10 000", "10_000"),
        ("32 KiB", "32 * 1024"),
        ("1 MiB", "1 << 20"),
        ("1 TiB", "1 << 40"),
        ("50 ms", "Duration::from_millis(50)"),
        ("10 min", "Duration::from_secs(600)"),
        ("1 year", "Duration::from_secs(365 * 24 * 3600)"),
    ] {
        assert!(read(written).is_some(), "{written}");
        assert_eq!(read(written), evaluate(expression), "{written}");
    }
    assert_eq!((read("some"), read("1 KB"), evaluate("OTHER + 1")), (None, None, None));
}

/// The value in a row, and the constant: `| … | 16 KiB | `NAME` in `file.rs` |`.
fn limit(row: &str) -> (&str, String) {
    let cells = cells(row);
    let names: Vec<&str> = cells.last().map(|cell| cell.split('`').skip(1).step_by(2).collect()).unwrap_or_default();
    let ([_, value, _], [name, file]) = (&cells[..], &names[..]) else { panic!("not a row of limits: {row}") };
    (value, format!("{file} {name}"))
}

/// A number, perhaps with a unit; durations in milliseconds.
fn read(value: &str) -> Option<u128> {
    let (number, unit) = value.split_at(value.find(|letter: char| letter.is_alphabetic()).unwrap_or(value.len()));
    let number: u128 = number.replace(' ', "").parse().ok()?;
    let factor = match unit {
        "" | "ms" => 1,
        "bytes" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "TiB" => 1 << 40,
        "s" => 1000,
        "min" => 60_000,
        "year" => 365 * 24 * 3_600_000,
        _ => return None,
    };
    Some(number * factor)
}

/// The value of an expression as constants have them: numbers, products, shifts, durations.
fn evaluate(expression: &str) -> Option<u128> {
    let inside = |function: &str| expression.strip_prefix(function)?.strip_suffix(')');
    if let Some(seconds) = inside("Duration::from_secs(") {
        return Some(evaluate(seconds)? * 1000);
    }
    if let Some(millis) = inside("Duration::from_millis(") {
        return evaluate(millis);
    }
    if let Some((number, bits)) = expression.split_once(" << ") {
        return Some(evaluate(number)? << evaluate(bits)?);
    }
    let factors = expression.split(" * ").map(|factor| if factor == "KIB" { "1024" } else { factor });
    factors.map(|factor| factor.replace('_', "").parse::<u128>().ok()).product()
}

/// The constants of a file that are numbers or durations, by the file's name and theirs, with their expressions.
fn read_constants(path: &str, file: &str, constants: &mut BTreeMap<String, String>) {
    let source = fs::read_to_string(repository().join(path)).expect("a source");
    // What a module's own tests need limits nothing.
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let found = source.lines().filter_map(constant);
    constants.extend(found.map(|(name, expression)| (format!("{file} {name}"), expression.to_owned())));
}

/// The name and the expression of a constant that is a number or a duration, and belongs to a whole file.
fn constant(line: &str) -> Option<(&str, &str)> {
    let rest = ["pub ", "pub(crate) ", "pub(super) "].iter().find_map(|before| line.strip_prefix(before));
    let (name, rest) = rest.unwrap_or(line).strip_prefix("const ")?.split_once(": ")?;
    let (kind, expression) = rest.strip_suffix(';')?.split_once(" = ")?;
    let counts = ["u8", "u16", "u32", "u64", "usize", "i32", "i64", "Duration"].contains(&kind);
    counts.then_some((name, expression))
}
