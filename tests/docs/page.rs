//! A page of the documentation, and the parts of it that tests look at.

use std::fs;
use std::path::{Path, PathBuf};

/// A Markdown file.
pub struct Page {
    /// Its path beneath the repository.
    pub name: String,
    pub text: String,
}

/// A fenced block: its language, the number of its first line, its lines.
pub struct Block<'a> {
    pub language: &'a str,
    pub start: usize,
    pub lines: Vec<&'a str>,
}

/// The README, in each of its languages, and the pages in `docs/`.
pub fn pages() -> Vec<Page> {
    let mut names: Vec<String> = ["", "docs/"].into_iter().flat_map(markdown_in).collect();
    names.sort();
    names.iter().map(|name| page(name)).collect()
}

/// One page, by its path beneath the repository.
pub fn page(name: &str) -> Page {
    let text = fs::read_to_string(repository().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    Page { name: name.to_owned(), text }
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files beneath a folder of the repository, by their paths beneath it.
pub fn files_beneath(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(repository().join(folder)).expect("a folder of sources") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        if entry.path().is_dir() {
            files.extend(files_beneath(&format!("{folder}/{name}")).iter().map(|file| format!("{name}/{file}")));
        } else {
            files.push(name);
        }
    }
    files
}

fn markdown_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(repository().join(folder)).expect("a folder of pages");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8"));
    names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}{name}")).collect()
}

impl Page {
    pub fn is_readme(&self) -> bool {
        self.name.starts_with("README")
    }

    /// The folder that its links are relative to.
    pub fn folder(&self) -> PathBuf {
        repository().join(&self.name).parent().expect("a file lies in a folder").to_owned()
    }

    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks: Vec<Block<'_>> = Vec::new();
        let mut inside = false;
        for (number, line) in (1..).zip(self.text.lines()) {
            match (line.trim_start().strip_prefix("```"), inside) {
                (Some(language), false) => {
                    blocks.push(Block { language: language.trim(), start: number + 1, lines: Vec::new() });
                    inside = true;
                }
                (Some(_), true) => inside = false,
                (None, true) => blocks.last_mut().expect("a block has begun").lines.push(line),
                (None, false) => {}
            }
        }
        let begun = blocks.last().map_or(0, |block| block.start - 1);
        assert!(!inside, "the block at {}:{begun} does not end", self.name);
        blocks
    }

    /// The lines outside of fenced blocks, with their numbers.
    pub fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut inside = false;
        (1..).zip(self.text.lines()).filter(move |(_, line)| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
    }

    /// What stands beneath a heading, up to the next one of its level.
    pub fn section(&self, title: &str) -> &str {
        let heading = format!("\n## {title}\n");
        let (_, section) =
            self.text.split_once(&heading).unwrap_or_else(|| panic!("{} lacks the section {title}", self.name));
        section.split("\n## ").next().unwrap_or_default()
    }
}

/// The rows of tables in a text.
pub fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with('|'))
}

/// The cells of a row.
pub fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// What stands in the first cell of a row between backticks.
pub fn first_name(row: &str) -> Option<&str> {
    row.strip_prefix("| `")?.split('`').next()
}
