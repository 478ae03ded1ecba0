//! What stands around the flags in `--help`: the usage, and at the end examples, signals, exit statuses, the tools.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use clap::Command;
use clap::builder::styling::{AnsiColor, Styles};

use super::tools;

/// The colours of `cargo --help`. clap leaves them out where there is no terminal, or `NO_COLOR` or `TERM=dumb` is set.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Columns where no terminal says how many it has, and the most that are used of a wide one.
const WIDTH: usize = 80;
const MAX_WIDTH: usize = 100;

/// What it does, in a paragraph.
pub const DESCRIPTION: &str = "\
Serves a folder over HTTP/1.1. It decides in one place whether a connection stays open, and tells why: in every \
response, in the logs, and live on a page of its own, http://127.0.0.1:8080/-/. When a connection ends, one line says \
who ended it, how and why.";

/// A heading with rows: what stands on the left, and what it means.
pub struct Section {
    /// Its heading.
    pub heading: &'static str,
    /// Its rows.
    pub rows: &'static [(&'static str, &'static str)],
}

/// Command lines to begin with, and what they do.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("holdline www", "Serve www on http://127.0.0.1:8080/, with the live page at /-/"),
    ("holdline --listing .", "Serve the current folder, and list what is in it"),
    ("holdline --listen 0.0.0.0:8080 --console any www", "Serve www to the network, and show everybody the live page"),
    ("holdline --keep-alive-timeout 0 www", "Use short connections: close after each response"),
    ("holdline --listen 127.0.0.1:0 --connection-log - www", "Take a free port, and tell how each connection ends"),
    ("holdline compare http://127.0.0.1:8080/", "Compare short connections with long ones"),
    ("holdline probe-client -- curl -s {url} {url}", "Test how curl copes with broken connections"),
    ("holdline probe-server http://127.0.0.1:8080/", "Measure when a server closes its connections"),
    ("holdline --generate bash", "Write the completions for bash"),
];

/// What else a user needs to know.
pub const SECTIONS: &[Section] = &[
    Section {
        heading: "Values",
        rows: &[
            ("D", "A duration with its unit: 250ms, 5s, 2m or 1h; 0 needs no unit"),
            ("BYTES", "A size: 512, 16KiB or 1MiB"),
        ],
    },
    Section {
        heading: "Signals",
        rows: &[
            ("SIGTERM", "Stop gracefully: keep what was promised to clients, then exit"),
            ("SIGINT", "Stop fast: close idle connections, finish what is in flight"),
            ("", "A second SIGTERM or SIGINT cuts what is still open"),
            ("SIGHUP", "Reopen the log files"),
        ],
    },
    Section {
        heading: "Exit status",
        rows: &[
            ("0", "The server was stopped and cut no connection; a tool succeeded"),
            ("1", "The server could not start, or its stop cut a connection; a tool failed"),
            ("2", "The command line is wrong"),
        ],
    },
    Section {
        heading: "Environment",
        rows: &[
            ("RUST_LOG", "Log at this level: error, warn, info or debug; default warn"),
            ("NO_COLOR", "If set, write no colours"),
            ("LISTEN_FDS", "Listen on these inherited sockets (systemd), not on --listen"),
            ("NOTIFY_SOCKET", "Report READY=1 and STOPPING=1 to this socket (systemd)"),
        ],
    },
];

/// Completes the definition by all that only its help shows.
pub fn explain(definition: Command) -> Command {
    let list = list_of_tools(&definition);
    let summary = list.clone() + "\n\nExamples, signals, exit statuses and the environment: holdline --help";
    let all = [examples(EXAMPLES), SECTIONS.iter().map(two_columns).collect(), "\n".to_owned(), list].concat();
    let definition = definition
        .styles(STYLES)
        .max_term_width(MAX_WIDTH)
        // They would stand before the flags.
        .mut_subcommands(|tool| {
            let examples = examples(tools::examples(tool.get_name()));
            tool.hide(true).after_help(examples)
        })
        .after_help(summary)
        .after_long_help(all);
    if io::stdout().is_terminal() { definition } else { definition.term_width(WIDTH) }
}

/// The ways to call it, in the colours of the help.
pub fn usage() -> String {
    let (literal, placeholder) = (STYLES.get_literal(), STYLES.get_placeholder());
    let name = format!("{literal}holdline{literal:#}");
    format!("{name} {placeholder}[OPTIONS] [ROOT]{placeholder:#}\n       {name} {placeholder}TOOL ...{placeholder:#}")
}

/// A line for each tool.
fn list_of_tools(definition: &Command) -> String {
    let mut text = heading("Tools, in place of the server (a folder so called is served as ./NAME)");
    for tool in definition.get_subcommands() {
        let about = tool.get_about().map(ToString::to_string).unwrap_or_default();
        row(&mut text, tool.get_name(), 14, &about);
    }
    text.trim_end().to_owned()
}

/// Command lines, each with what it does below it.
fn examples(examples: &[(&str, &str)]) -> String {
    let mut text = heading("Examples");
    for (command, meaning) in examples {
        row(&mut text, command, 0, "");
        row(&mut text, "", 4, meaning);
    }
    text
}

fn two_columns(section: &Section) -> String {
    let mut text = format!("\n{}", heading(section.heading));
    let width = section.rows.iter().map(|(term, _)| term.len() + 2).max().unwrap_or_default();
    for (term, meaning) in section.rows {
        row(&mut text, term, width, meaning);
    }
    text
}

fn heading(heading: &str) -> String {
    let header = STYLES.get_header();
    format!("{header}{heading}:{header:#}\n")
}

/// A term in a column of that width, and what it means.
fn row(text: &mut String, term: &str, width: usize, meaning: &str) {
    let literal = STYLES.get_literal();
    let padding = " ".repeat(width.saturating_sub(term.len()));
    let term = if term.is_empty() { String::new() } else { format!("{literal}{term}{literal:#}") };
    let _ = writeln!(text, "{}", format!("  {term}{padding}{meaning}").trim_end());
}
