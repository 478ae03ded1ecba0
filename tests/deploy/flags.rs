//! Flags in files that start holdline, read as it reads them.

use std::process::Command;
use std::time::Duration;

/// The duration that a flag has in a command line; if it is not there, its default.
pub fn duration(command_line: &str, flag: &str) -> Duration {
    value(command_line, flag).unwrap_or_else(|| default(flag))
}

/// `250ms`, `5s`, `2m`: as on the command line, in units of systemd and of HAProxy.
pub fn parse(text: &str) -> Duration {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = digits.parse().unwrap_or_else(|_| panic!("no duration: {text:?}"));
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(60 * number),
        _ => panic!("no unit of a duration: {text:?}"),
    }
}

/// What follows a word, up to the next space.
pub fn word_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_whitespace().next()
}

fn value(command_line: &str, flag: &str) -> Option<Duration> {
    let value = word_after(command_line, &format!("{flag}=")).or_else(|| word_after(command_line, &format!("{flag} ")));
    value.map(parse)
}

fn default(flag: &str) -> Duration {
    let help = Command::new(env!("CARGO_BIN_EXE_holdline")).arg("--help").output().expect("it runs");
    let help = String::from_utf8(help.stdout).expect("help is text");
    let (_, about) = help.split_once(&format!("{flag} <")).unwrap_or_else(|| panic!("no {flag}"));
    let (_, default) = about.split_once("[default: ").unwrap_or_else(|| panic!("{flag} has no default"));
    let (default, _) = default.split_once(']').expect("a default ends");
    match default {
        "0" => Duration::ZERO,
        text => parse(text),
    }
}
