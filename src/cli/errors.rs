//! What is wrong with a command line, in one line that says what to do.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Error, Subcommand};

use super::Tool;

/// How alike two words must be, from 0 to 1, for one to be taken for a slip of the other. clap takes 0.7 for its flags;
/// the words here are fewer and shorter, so that more of a chance likeness would pass.
const ALIKE: f64 = 0.8;

/// Flags by which other servers know what has another name here.
const FLAGS_ELSEWHERE: &[(&[&str], &str)] = &[
    (&["--port", "-p"], "use --listen 127.0.0.1:8080"),
    (&["--host", "--bind", "--address", "-b", "-a"], "use --listen HOST:PORT"),
    (&["--root", "--dir", "--directory", "-d"], "write the folder without an option, as in 'holdline www'"),
    (&["--verbose", "--debug", "-v"], "set RUST_LOG=debug"),
    (&["--quiet", "--silent", "-q"], "set RUST_LOG=error"),
];

/// First words by which other programs know what is done by a flag here, or by none.
const WORDS_ELSEWHERE: &[(&str, &str)] = &[
    ("help", "did you mean 'holdline --help'?"),
    ("version", "did you mean 'holdline --version'?"),
    ("serve", "'holdline FOLDER' serves a folder"),
    ("probe", "did you mean 'holdline probe-client' or 'holdline probe-server'?"),
    ("completions", "did you mean 'holdline --generate bash'?"),
    ("man", "did you mean 'holdline --generate man'?"),
];

/// What a value is, by the name that it has in the help.
const VALUES: &[(&str, &str)] = &[
    ("ADDR", "an address like 127.0.0.1:8080"),
    ("BYTES", "a size like 16KiB"),
    ("COMMAND", "the program to run"),
    ("D", "a duration like 5s"),
    ("FILE", "the name of a file"),
    ("N", "a number"),
    ("NAME", "the name of a file"),
    ("NAMES", "names, separated by commas"),
    ("PEER", "a name like alb, or a duration like 60s"),
    ("ROOT", "a folder, '.' for this one"),
    ("URL", "a URL like http://127.0.0.1:8080/"),
    ("VALUE", "a field value like no-cache"),
];

/// What clap has found, in one line.
pub fn usage_error(error: &Error, words: &[OsString]) -> String {
    let argument = one(error, ContextKind::InvalidArg);
    let word = one(error, ContextKind::InvalidSubcommand).or(argument);
    match (error.kind(), argument, word) {
        (ErrorKind::ArgumentConflict, Some(flag), _) => conflict(error, flag),
        (ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand | ErrorKind::ArgumentConflict, _, Some(word)) => {
            match word.starts_with('-') {
                true => unknown_flag(error, word, words),
                false => unexpected_word(word, words),
            }
        }
        (ErrorKind::InvalidValue, Some(flag), _) => not_a_choice(error, flag),
        (ErrorKind::ValueValidation, Some(flag), _) => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("invalid value '{}' for '{flag}': {why}", one(error, ContextKind::InvalidValue).unwrap_or_default())
        }
        (ErrorKind::MissingRequiredArgument, ..) => {
            let missing = all(error, ContextKind::InvalidArg).join(" ");
            format!("{missing} is missing: give {}", meaning_of_value(&missing))
        }
        (ErrorKind::TooManyValues, Some(flag), _) => {
            let flag = flag.split('=').next().unwrap_or_default();
            format!(
                "'{flag}' takes no value: leave '={}' out",
                one(error, ContextKind::InvalidValue).unwrap_or_default()
            )
        }
        (ErrorKind::InvalidUtf8, ..) => {
            "a value is not UTF-8: only the names of ROOT and of the logs may be something else".into()
        }
        // Nothing else is known to come. If it does, clap's first sentence is better than none.
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

/// What was probably meant by a first word that names no folder.
pub fn meant_by(word: &OsStr) -> Option<String> {
    let word = word.to_str()?;
    if let Some((_, hint)) = WORDS_ELSEWHERE.iter().find(|(name, _)| *name == word) {
        return Some((*hint).to_owned());
    }
    let tools = tools();
    let tool = most_alike(word, tools.iter().map(String::as_str))?;
    Some(format!("did you mean 'holdline {tool}'?"))
}

fn unknown_flag(error: &Error, flag: &str, words: &[OsString]) -> String {
    // The hints are for the server.
    let of_the_server = if tool_in(words.get(1..2)).is_none() { FLAGS_ELSEWHERE } else { &[] };
    let elsewhere = |known: &str| {
        let (_, hint) = of_the_server.iter().find(|(names, _)| names.contains(&known))?;
        Some(hint.replace("8080", port_after(flag, words).unwrap_or("8080")))
    };
    let names = of_the_server.iter().flat_map(|(names, _)| *names).copied();
    let suggested = || one(error, ContextKind::SuggestedArg).map(|known| format!("did you mean '{known}'?"));
    let hint = elsewhere(flag)
        .or_else(suggested)
        .or_else(|| elsewhere(most_alike(flag, names.filter(|name| name.starts_with("--")))?))
        .unwrap_or_else(|| format!("'{} --help' lists all", command(words)));
    format!("unknown option '{flag}': {hint}")
}

fn unexpected_word(word: &str, words: &[OsString]) -> String {
    let first = words.get(1).map(OsString::as_os_str).unwrap_or_default();
    let hint = match tool_in(words.get(1..2)).as_deref() {
        Some("probe-client") => "write -- before the command: holdline probe-client -- curl -s {url} {url}".into(),
        Some(tool) => format!("'holdline {tool} --help' says what it takes"),
        None => match (meant_by(first), tool_in(words.get(1..))) {
            (Some(hint), _) => return format!("'{}' is not a tool: {hint}", first.display()),
            (None, Some(tool)) => format!("a tool must be the first word: holdline {tool} ..."),
            (None, None) => "give one folder, with quotes around a name that has spaces".into(),
        },
    };
    format!("unexpected argument '{word}': {hint}")
}

/// A flag that is given twice, or beside another that excludes it.
fn conflict(error: &Error, flag: &str) -> String {
    match one(error, ContextKind::PriorArg) {
        Some(prior) if prior == flag => format!("'{flag}' is given twice: give it once"),
        Some(prior) => format!("'{flag}' and '{prior}' exclude each other: give one of them"),
        None => format!("'{flag}' goes alone: leave everything else out"),
    }
}

/// A value that is not among the possible ones, or none at all.
fn not_a_choice(error: &Error, flag: &str) -> String {
    let value = one(error, ContextKind::InvalidValue).unwrap_or_default();
    let choices = all(error, ContextKind::ValidValue);
    let choices = match choices {
        [] => meaning_of_value(flag).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    };
    match (value, one(error, ContextKind::SuggestedValue)) {
        ("", _) => format!("'{flag}' needs a value: {choices}"),
        (_, Some(known)) => format!("invalid value '{value}' for '{flag}': did you mean '{known}'?"),
        _ => format!("invalid value '{value}' for '{flag}': use {choices}"),
    }
}

/// The name of a value stands in brackets: `--listen <ADDR>`, `[ROOT]`, `<COMMAND>...`.
fn meaning_of_value(argument: &str) -> &'static str {
    let name = argument.trim_end_matches(['>', ']', '.']).rsplit(['<', '[']).next().unwrap_or_default();
    VALUES.iter().find(|(value, _)| *value == name).map_or("a value", |(_, meaning)| meaning)
}

/// The port that was given with a flag which is not ours: `--port 9000`, `--port=9000`.
fn port_after<'a>(flag: &str, words: &'a [OsString]) -> Option<&'a str> {
    let mut words = words.iter().filter_map(|word| word.to_str()).skip_while(|word| !word.starts_with(flag));
    let value = words.next().and_then(|word| word.split_once('=')).map(|(_, value)| value).or_else(|| words.next())?;
    value.parse::<u16>().is_ok().then_some(value)
}

/// The program and, if one is named, the tool.
fn command(words: &[OsString]) -> String {
    tool_in(words.get(1..2)).map_or("holdline".to_owned(), |tool| format!("holdline {tool}"))
}

/// The first of these words that is the name of a tool.
fn tool_in(words: Option<&[OsString]>) -> Option<String> {
    let tools = tools();
    words?.iter().find_map(|word| tools.iter().find(|tool| word == tool.as_str()).cloned())
}

fn tools() -> Vec<String> {
    let tools = Tool::augment_subcommands(clap::Command::new("holdline"));
    tools.get_subcommands().map(|tool| tool.get_name().to_owned()).collect()
}

fn most_alike<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Dashes would make all flags alike.
    let likeness = |known: &str| strsim::jaro(word.trim_start_matches('-'), known.trim_start_matches('-'));
    let alike = known.map(|known| (likeness(known), known)).filter(|(likeness, _)| *likeness > ALIKE);
    alike.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, known)| known)
}

fn one(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

fn all(error: &Error, kind: ContextKind) -> &[String] {
    match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts,
        _ => &[],
    }
}
