//! The man page, and the completions of shells, from the definition of the command line.

use std::io;

use clap::{Command, ValueEnum};
use clap_complete::aot::{Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{definition, help, tools};

/// The values of `--generate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// The man page, holdline(1)
    Man,
    /// The completions for bash
    Bash,
    /// The completions for zsh
    Zsh,
    /// The completions for fish
    Fish,
}

impl Document {
    /// Its text.
    ///
    /// # Errors
    /// Never, because it is written into memory.
    pub fn text(self) -> io::Result<Vec<u8>> {
        let shell = match self {
            Document::Man => return man_page(),
            Document::Bash => Shell::Bash,
            Document::Zsh => Shell::Zsh,
            Document::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        generate(shell, &mut definition(), "holdline", &mut script);
        Ok(if shell == Shell::Fish { with_values_in_fish(&script) } else { script })
    }
}

/// clap_complete's script asks fish's argparse whether a tool is named yet. argparse fails for the flag whose value is
/// just being typed, which the script takes for a yes, so that no value is completed. It is a no.
fn with_values_in_fish(script: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(script).replacen("    or return\n", "    or return 0\n", 1).into_bytes()
}

/// One page for the server and its tools.
fn man_page() -> io::Result<Vec<u8>> {
    let mut definition = definition();
    definition.build();
    // It has no date, so that the same program always writes the same page. As an empty word it would vanish.
    let man = Man::new(definition.clone()).title("HOLDLINE").date("\"\"").manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    page.extend(section("Options").to_roff().into_bytes());
    page.extend(subsections(|options| man.render_options_section(options))?);
    for tool in definition.get_subcommands() {
        page.extend(tool_section(tool)?);
    }
    for help::Section { heading, rows } in help::SECTIONS.iter().chain(&[FILES, EXAMPLES]) {
        page.extend(rows_of(&mut section(heading), rows).to_roff().into_bytes());
    }
    Ok(page)
}

/// What a man page has besides. In `--help` the flags for what is served stand under this heading.
const FILES: help::Section = help::Section {
    heading: "Files",
    rows: &[(
        "./www",
        "The folder to serve if no ROOT is given. If it is missing too, the built-in demonstration site is served.",
    )],
};

const EXAMPLES: help::Section = help::Section { heading: "Examples", rows: help::EXAMPLES };

fn tool_section(tool: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(tool.clone());
    let mut text = section(&format!("holdline {}", tool.get_name())).to_roff().into_bytes();
    text.extend(subsections(|parts| {
        man.render_synopsis_section(parts)?;
        man.render_description_section(parts)?;
        man.render_options_section(parts)
    })?);
    let mut examples = Roff::new();
    examples.control("SS", ["Examples"]);
    text.extend(rows_of(&mut examples, tools::examples(tool.get_name())).to_roff().into_bytes());
    Ok(text)
}

/// The sections that clap_mangen writes, one level lower: `.SH KEEP-ALIVE` becomes `.SS Keep-alive`.
fn subsections(render: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    render(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(|line| match line.strip_prefix(".SH ") {
        Some(heading) => format!(".SS {}{}\n", &heading[..1], heading[1..].to_lowercase()),
        None => format!("{line}\n"),
    });
    Ok(lines.collect::<String>().into_bytes())
}

fn section(heading: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading.to_uppercase().as_str()]);
    roff
}

/// Terms, each with what it means. A row without a term goes on with the one before.
fn rows_of<'a>(roff: &'a mut Roff, rows: &[(&str, &str)]) -> &'a mut Roff {
    for (term, meaning) in rows {
        match *term {
            "" => roff.control("IP", []),
            term => roff.control("TP", []).text([bold(term)]),
        };
        roff.text([roman(*meaning)]);
    }
    roff
}
