//! The floors of the house: a file may use only the floors below its own. `http` touches no socket, file or
//! clock; only `server` and `tools` read a clock.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors that have sockets and clocks: the server and the tools.
const WORLDLY: &[&str] = &["server", "tools"];

/// A floor: its folder in `src`, and what none of its files may name.
struct Floor {
    name: &'static str,
    floors_above: &'static [&'static str],
    forbidden: &'static [&'static str],
}

const CLOCKS: &[&str] = &["Instant::now", "SystemTime::now", "UNIX_EPOCH.elapsed", "rustix::time"];

const SOCKETS: &[&str] = &[
    "mio::",
    "socket2::",
    "signal_hook",
    "rustix::net",
    "std::os::fd",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "UnixListener",
    "UdpSocket",
];

const FLOORS: &[Floor] = &[
    Floor {
        name: "http",
        floors_above: &["observe", "site", "server", "tools", "cli"],
        forbidden: &["std::fs", "std::io", "std::env", "std::process", "std::thread", "std::os", "cap_std", "rustix::"],
    },
    Floor { name: "observe", floors_above: &["site", "server", "tools", "cli"], forbidden: &[] },
    Floor { name: "site", floors_above: &["server", "tools", "cli"], forbidden: &[] },
    Floor { name: "server", floors_above: &["tools", "cli"], forbidden: &[] },
    Floor { name: "tools", floors_above: &["cli"], forbidden: &[] },
];

#[test]
fn each_floor_uses_only_those_below_it() {
    for floor in FLOORS {
        for file in rust_files(&source().join(floor.name)) {
            let code = code_of(&file);
            for used in own_modules(&code) {
                assert!(!floor.floors_above.contains(&used.as_str()), "{} uses crate::{used}", file.display());
            }
        }
    }
}

#[test]
fn http_touches_no_socket_file_or_clock_and_the_others_no_socket() {
    for floor in FLOORS.iter().filter(|floor| !WORLDLY.contains(&floor.name)) {
        for file in rust_files(&source().join(floor.name)) {
            let code = code_of(&file);
            for name in floor.forbidden.iter().chain(SOCKETS) {
                assert!(!code.contains(name), "{} names {name}", file.display());
            }
        }
    }
}

#[test]
fn only_the_server_and_the_tools_read_a_clock() {
    for file in rust_files(&source()) {
        if !WORLDLY.iter().any(|floor| file.starts_with(source().join(floor))) {
            let code = code_of(&file);
            for clock in CLOCKS {
                assert!(!code.contains(clock), "{} reads a clock: {clock}", file.display());
            }
        }
    }
}

/// RFC 9112 §9.3 is decided in one place. No other file can build a `Persistence`, since its fields are private (the
/// compiler sees to that, and an example in its documentation that must not compile), and in its own file one
/// expression does.
#[test]
fn keep_or_close_is_decided_in_one_place() {
    let built = places("", |line| builds(line, "Persistence"));
    assert_eq!(built, ["http/persistence.rs: Persistence { keep_or_close, says_close }"]);
    assert_eq!(places("http/persistence.rs", |line| builds(line, "Self")), [""; 0]);
}

/// A reader who meets a name in another file knows what it is. This holds for private types and those of unit tests too.
#[test]
fn no_two_types_of_src_share_a_name() {
    let mut definitions: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in rust_files(&source()) {
        for name in types_defined_in(&read(&file)) {
            definitions.entry(name).or_default().push(file.clone());
        }
    }
    assert!(definitions.contains_key("Connection") && definitions.contains_key("CloseReason"), "types are found");
    definitions.retain(|_, files| files.len() > 1);
    assert!(definitions.is_empty(), "defined more than once: {definitions:#?}");
}

#[test]
fn definitions_of_types_are_found_wherever_they_stand() {
    let code = "pub struct A<'a>(u8);\n    pub(super) enum B {\ntype C = u8;\npub trait D {}\n// struct E;\n\
                const TYPE: &str = \"type F\";\nimpl G {\n    type Err = String;\n    type Item = H;\n}\n";
    assert_eq!(types_defined_in(code), ["A", "B", "C", "D"]);
}

/// The associated types of the standard library's traits, which an `impl` has to call so.
const ASSOCIATED_TYPES: &[&str] = &["Err", "Error", "Item", "IntoIter", "Output"];

fn types_defined_in(code: &str) -> Vec<String> {
    let defined = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub").map_or(line, |rest| rest.split_once(' ').map_or(rest, |(_, rest)| rest));
        let name = ["struct ", "enum ", "union ", "trait ", "type "].iter().find_map(|word| line.strip_prefix(word))?;
        Some(identifier(name)).filter(|name| !name.is_empty() && !ASSOCIATED_TYPES.contains(&name.as_str()))
    };
    code.lines().filter_map(defined).collect()
}

#[test]
fn the_state_of_a_connection_is_written_in_one_place() {
    let written = places("http/connection", |line| line.contains(".state = ") || line.contains("&mut self.state"));
    assert_eq!(written, ["http/connection.rs: self.state = state;"]);
}

/// A file can be told in one sentence, and a function fits on a screen. Tables of tests may be longer.
#[test]
fn a_file_has_fewer_than_400_lines_and_a_function_of_code_at_most_60() {
    for file in rust_files(&source()) {
        let lines = read(&file).lines().count();
        assert!(lines < 400, "{} has {lines} lines: which two things does it hold?", file.display());
        for (name, lines) in functions_of(&code_of(&file)) {
            assert!(lines <= 60, "{name} in {} has {lines} lines", file.display());
        }
    }
}

#[test]
fn functions_and_their_lengths_are_found() {
    let code = "fn a() {\n}\nimpl B {\n    pub(super) fn b(\n        c: u8,\n    ) -> u8 {\n        c\n    }\n}\n\
                trait T {\n    fn d(&self);\n    fn e() {}\n}\n";
    let found: Vec<_> = functions_of(code).into_iter().map(|(name, lines)| format!("{name} {lines}")).collect();
    assert_eq!(found, ["a 2", "b 5", "d 1", "e 1"]);
}

/// The functions in formatted code, each with the number of its lines. It ends with the brace that stands where it
/// begins, or in its first line.
fn functions_of(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<_> = code.lines().map(str::trim_end).collect();
    let mut functions = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((before, name)) = line.split_once("fn ").filter(|(before, _)| is_qualifiers(before)) else { continue };
        let margin = &before[..before.len() - before.trim_start().len()];
        let is_end = |line: &&str| line.strip_prefix(margin).is_some_and(|rest| rest == "}" || rest == ");");
        let is_one_line = line.ends_with(['}', ';']);
        let length = if is_one_line { 1 } else { lines[at..].iter().position(is_end).unwrap_or(0) + 1 };
        functions.push((identifier(name), length));
    }
    functions
}

/// Whether these words may stand before `fn` in a definition.
fn is_qualifiers(words: &str) -> bool {
    words.split_whitespace().all(|word| word.starts_with("pub") || ["const", "unsafe", "extern"].contains(&word))
}

/// The lines of code in `src` of which this is true, each behind its file, whose path begins like this.
fn places(beginning: &str, is_one: impl Fn(&str) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for file in rust_files(&source()) {
        let name = file.strip_prefix(source()).expect("it lies beneath").display().to_string();
        if !name.starts_with(beginning) {
            continue;
        }
        let code = code_of(&file);
        places.extend(code.lines().map(str::trim).filter(|line| is_one(line)).map(|line| format!("{name}: {line}")));
    }
    places
}

/// Whether a line holds an expression that builds a value of this struct.
fn builds(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name} {{")).any(|(at, _)| {
        let before = &line[..at];
        let is_whole_word = !before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        is_whole_word && !["struct ", "impl ", "for ", "-> "].iter().any(|word| before.ends_with(word))
    })
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All Rust files in a folder and the folders within; there must be some.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("the folder is read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "no Rust files in {}", folder.display());
    files
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The code of a file, without its comments and its tests, which may do more.
fn code_of(file: &Path) -> String {
    let inside = file.strip_prefix(source()).expect("it lies beneath");
    if inside.with_extension("").iter().any(|name| name == "tests") {
        return String::new();
    }
    let text = read(file);
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that the code names: in `crate::http`, and in `crate::{http, site::Site}`.
fn own_modules(code: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => modules.extend(members(group)),
            None => modules.push(identifier(rest)),
        }
    }
    modules
}

/// The first identifiers of the members of a group, up to its closing brace.
fn members(group: &str) -> Vec<String> {
    let mut members = Vec::new();
    let mut depth = 0;
    let mut begins = true;
    for (at, character) in group.char_indices() {
        match character {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            other if begins && other.is_alphabetic() => {
                members.push(identifier(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    members
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}
