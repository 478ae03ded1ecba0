//! What `-h` says, taken apart.

use std::process::Command;

/// An entry of the short help: one flag.
#[derive(Debug)]
pub struct HelpEntry {
    /// The heading that it stands under.
    pub heading: String,
    /// Its long name, without dashes.
    pub flag: String,
    /// The name of its value, if it takes one.
    pub value: Option<String>,
    /// What it does, on one line.
    pub text: String,
}

/// The flags of the server (`[]`) or of a tool, in the order of the help.
pub fn help_entries(command: &[&str]) -> Vec<HelpEntry> {
    let output = Command::new(env!("CARGO_BIN_EXE_holdline")).args(command).arg("-h").output().expect("it runs");
    let help = String::from_utf8(output.stdout).expect("help is text");
    let mut heading = String::new();
    let mut entries: Vec<HelpEntry> = Vec::new();
    for line in help.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|name| !name.starts_with(' ')) {
            heading = name.to_owned();
        } else if line.trim_start().starts_with('-') {
            entries.push(entry(&heading, line));
        } else if line.starts_with("        ") {
            let last = entries.last_mut().filter(|entry| entry.heading == heading);
            let last = last.unwrap_or_else(|| panic!("nothing goes on with {line:?}"));
            last.text = format!("{} {}", last.text, line.trim_start()).trim_start().to_owned();
        }
    }
    entries
}

/// The first line of an entry: `  -l, --listen <ADDR>  Listen on ...`.
fn entry(heading: &str, line: &str) -> HelpEntry {
    let (_, rest) = line.split_once("--").unwrap_or_else(|| panic!("no long name in {line:?}"));
    let (name, text) = rest.split_once("  ").unwrap_or((rest, ""));
    let (flag, value) = name.split_once(' ').map_or((name, None), |(flag, value)| (flag, Some(value.to_owned())));
    HelpEntry { heading: heading.to_owned(), flag: flag.to_owned(), value, text: text.trim_start().to_owned() }
}

impl HelpEntry {
    /// The default that it shows.
    pub fn default(&self) -> Option<&str> {
        self.text.split_once("[default: ")?.1.split(']').next()
    }

    /// The values that it takes, if there are some only.
    pub fn possible_values(&self) -> impl Iterator<Item = &str> {
        let list = self.text.split_once("[possible values: ").and_then(|(_, list)| list.split(']').next());
        list.into_iter().flat_map(|list| list.split(", "))
    }
}
