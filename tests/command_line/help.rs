//! What `--help` says: it fits, it is in groups, and it names each flag with its default.

use std::collections::BTreeSet;

use crate::holdline;
use crate::support::{SCRIPT, STTY, help_entries, run, test, tool};

/// The headings of the server's flags, in their order.
const HEADINGS: [&str; 7] = ["Listening", "Keep-alive", "Limits", "Files", "Console", "Logs", "Process"];

/// The server and its tools.
pub const COMMANDS: [&[&str]; 4] = [&[], &["compare"], &["probe-client"], &["probe-server"]];

test!(help_and_version_are_told_on_standard_output);
fn help_and_version_are_told_on_standard_output() {
    for (flag, told) in [("--help", "Usage:"), ("-h", "Usage:"), ("--version", "holdline "), ("-V", "holdline ")] {
        let output = holdline(&[flag]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{flag}");
        assert!(said.contains(told) && output.stderr.is_empty(), "{flag}: {said}");
    }
}

test!(off_a_terminal_help_fits_80_columns_and_has_no_colours);
fn off_a_terminal_help_fits_80_columns_and_has_no_colours() {
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let help = help_of(command, flag);
            let widest = help.lines().max_by_key(|line| line.chars().count()).expect("help has lines");
            assert!((60..=80).contains(&widest.chars().count()), "{command:?} {flag}: {widest}");
            assert!(!help.contains('\x1b'), "{command:?} {flag} is coloured: {help:?}");
        }
    }
}

test!(on_a_terminal_help_fits_it_and_uses_100_columns_at_most, SCRIPT, STTY);
fn on_a_terminal_help_fits_it_and_uses_100_columns_at_most() {
    for (columns, expected) in [(60, 40..=60), (80, 70..=80), (200, 90..=100)] {
        let help = help_on_a_terminal(columns, &[]);
        let plain = without_colours(&help);
        let widest = plain.lines().max_by_key(|line| line.trim_end().chars().count()).expect("help has lines");
        assert!(expected.contains(&widest.trim_end().chars().count()), "{columns} columns: {widest}");
        assert!(help.contains("\x1b["), "no colours on a terminal: {help}");
    }
    for plain in [["NO_COLOR", "1"], ["TERM", "dumb"]] {
        let help = help_on_a_terminal(80, &[plain]);
        assert!(help.contains("Usage:") && !help.contains("\x1b["), "coloured with {plain:?}: {help:?}");
    }
}

test!(every_flag_stands_under_one_of_the_seven_headings);
fn every_flag_stands_under_one_of_the_seven_headings() {
    let entries = help_entries(&[]);
    let mut headings: Vec<&str> = entries.iter().map(|entry| &*entry.heading).collect();
    headings.dedup();
    assert_eq!(headings, HEADINGS);
    for command in COMMANDS {
        let short: BTreeSet<String> = help_entries(command).into_iter().map(|entry| entry.flag).collect();
        let long = help_of(command, "--help");
        let long = long.lines().filter(|line| line.trim_start().starts_with('-'));
        let long = long.filter_map(|line| line.split_once("--")?.1.split(' ').next());
        assert_eq!(short, long.map(str::to_owned).collect(), "{command:?}: -h and --help have other flags");
    }
}

test!(help_ends_with_examples_signals_statuses_environment_and_tools);
fn help_ends_with_examples_signals_statuses_environment_and_tools() {
    let help = help_of(&[], "--help");
    let mut rest = &help[..];
    for part in ["\nExamples:\n", "\nSignals:\n", "\nExit status:\n", "\nEnvironment:\n", "\nTools, "] {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is not in its place: {help}")).1;
    }
    for command in COMMANDS.into_iter().flatten() {
        assert!(rest.contains(&format!("\n  {command} ")), "the tool {command} is not named: {rest}");
    }
    let summary = help_of(&[], "-h");
    assert!(summary.contains("holdline --help") && !summary.contains("Signals:"), "{summary}");
}

test!(help_names_each_flag_with_its_default);
/// The names and defaults of the interface, which people's habits depend on.
fn help_names_each_flag_with_its_default() {
    let entries = help_entries(&[]);
    for (flag, value, default) in [
        ("listen", "<ADDR>", "127.0.0.1:8080"),
        ("keep-alive-timeout", "<D>", "70s"),
        ("keep-alive-grace", "<D>", "5s"),
        ("max-requests", "<N>", "1000"),
        ("max-age", "<D>", "1h"),
        ("head-timeout", "<D>", "10s"),
        ("body-timeout", "<D>", "10s"),
        ("send-timeout", "<D>", "60s"),
        ("linger", "<D>", "2s"),
        ("drain-timeout", "<D>", "10s"),
        ("drain-delay", "<D>", "0"),
        ("max-connections", "<N>", "from RLIMIT_NOFILE"),
        ("max-per-ip", "<N>", "0"),
        ("max-head", "<BYTES>", "16KiB"),
        ("max-body", "<BYTES>", "256KiB"),
        ("tcp-keep-alive", "<D>", "60s"),
        ("index", "<NAME>", "index.html"),
        ("log-format", "<FORMAT>", "text"),
        ("console", "<WHO>", "local"),
        ("sandbox", "<WHEN>", "auto"),
    ] {
        let entry = entries.iter().find(|entry| entry.flag == flag).unwrap_or_else(|| panic!("no --{flag}"));
        assert_eq!((entry.value.as_deref(), entry.default()), (Some(value), Some(default)), "{entry:?}");
    }
    assert!(
        help_of(&[], "-h")
            .contains("  [ROOT]  Folder to serve [default: ./www, else the built-in demonstration site]\n")
    );
}

fn help_of(command: &[&str], flag: &str) -> String {
    let output = holdline(&[command, &[flag]].concat());
    String::from_utf8(output.stdout).expect("help is text")
}

/// The server's help as a terminal of that many columns gets it, with this in the environment.
fn help_on_a_terminal(columns: u16, environment: &[[&str; 2]]) -> String {
    let mut command = tool("script");
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(variable);
    }
    command.env("TERM", "xterm").envs(environment.iter().map(|[name, value]| (name, value)));
    let help = format!("stty cols {columns} rows 24 && '{}' --help", env!("CARGO_BIN_EXE_holdline"));
    run(command.args(["--quiet", "--return", "--command", &help, "/dev/null"])).assert_success().stdout.clone()
}

/// Without what stands between ESC and `m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').expect("a colour ends").1)
}
