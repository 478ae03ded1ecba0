//! The tools beside the server, as the command line knows them.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValue};
use clap::{CommandFactory, Parser, ValueEnum};

use crate::tools::Target;
use crate::tools::compare::compare;
use crate::tools::probe::{Probe, Virtue};
use crate::units::Span;

/// What to do in place of serving.
#[derive(Clone, Debug, Parser)]
#[command(name = "holdline", version, about, max_term_width = 100)]
pub enum Tool {
    /// Make the same requests over short connections and long ones, and show what each way costs
    ///
    /// It works with any http server: five ways (HTTP/1.0 and 1.1, kept alive or closed, and pipelined) take
    /// turns. The handshake is the kernel's time from SYN to SYN-ACK; p50 and p99 are from a request to the end
    /// of its response, the handshake included where one was needed for it.
    Compare(Compare),

    /// Find out what a client makes of a server that breaks its connections
    ///
    /// COMMAND is run, without a shell, once for each thing that the server does. It makes two requests for {url}, one
    /// after the other, from one pool of connections. If it takes {method} it is asked for POST too. If it takes
    /// {pause}, so many seconds lie between the two; a client that can't pause may request {wait} in between, another
    /// URL that is answered after that time. Without COMMAND the URLs are shown, for a client to be pointed at.
    ///
    /// Examples:
    ///   holdline probe-client -- curl -s {url} {url}
    ///   holdline probe-client -- curl -s -X {method} {url} {wait} {url}
    ///   holdline probe-client --require reuse,no-duplicate-post -- ./client {url} {method} {pause}
    #[command(verbatim_doc_comment)]
    ProbeClient(ProbeClient),
}

/// The arguments of `holdline compare`.
#[derive(Clone, Debug, clap::Args)]
pub struct Compare {
    /// What to ask for, http://host:port/path
    #[arg(value_name = "URL")]
    url: Target,

    /// Requests in each way
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    requests: u32,

    /// Write the numbers as JSON in place of the table
    #[arg(long)]
    json: bool,

    /// Draw a chart into FILE, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// The arguments of `holdline probe-client`.
#[derive(Clone, Debug, clap::Args)]
pub struct ProbeClient {
    /// What the client must do, else the exit status is 1
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    require: Vec<Virtue>,

    /// How long to watch for the client to close an idle connection, in whole seconds
    #[arg(long, value_name = "D", default_value = "10s", value_parser = watch_span)]
    watch: Span,

    /// Without COMMAND: how long to wait for the client
    #[arg(long = "for", value_name = "D", default_value = "60s")]
    time: Span,

    /// Write the findings as JSON in place of the tables
    #[arg(long)]
    json: bool,

    /// What to run; {url}, {method}, {pause} and {wait} stand for what is asked of it
    #[arg(last = true, value_name = "COMMAND", value_parser = NonEmptyStringValueParser::new())]
    command: Vec<String>,
}

/// What a tool has to tell.
#[derive(Debug)]
pub struct Told {
    /// Its result, for standard output.
    pub text: String,
    /// What is not as it was required to be.
    pub unmet: Option<String>,
}

impl Tool {
    /// Whether a tool is called so.
    pub fn is_named(word: &OsStr) -> bool {
        Tool::command().get_subcommands().any(|tool| tool.get_name() == word)
    }

    /// A line for each tool, for the help of the server.
    pub fn overview() -> String {
        let tools = Tool::command();
        let line = |tool: &clap::Command| {
            let about = tool.get_about().map(ToString::to_string).unwrap_or_default();
            format!("\n  holdline {:<14}{about}", tool.get_name())
        };
        let lines: String = tools.get_subcommands().map(line).collect();
        format!("Tools in place of the server (a folder so called is served as ./NAME):{lines}")
    }

    /// Does it, and gives what there is to tell.
    ///
    /// # Errors
    /// One line that says why it could not be done.
    pub fn run(&self) -> Result<Told, String> {
        match self {
            Tool::Compare(arguments) => arguments.run().map(|text| Told { text, unmet: None }),
            Tool::ProbeClient(arguments) => arguments.run(),
        }
    }

    /// Looks whether the arguments go together.
    ///
    /// # Errors
    /// One line that says why they do not.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Tool::ProbeClient(ProbeClient { command, .. })
                if !command.is_empty() && !command.iter().any(|word| word.contains("{url}")) =>
            {
                Err("the command of probe-client names no {url}".into())
            }
            _ => Ok(()),
        }
    }
}

impl Compare {
    fn run(&self) -> Result<String, String> {
        let comparison = compare(&self.url, self.requests)?;
        if let Some(path) = &self.svg {
            let written = fs::write(path, comparison.to_svg());
            written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        Ok(match self.json {
            true => as_json(&comparison),
            false => comparison.to_string(),
        })
    }
}

impl ProbeClient {
    fn run(&self) -> Result<Told, String> {
        let probe = Probe::start(self.watch.0).map_err(|error| format!("cannot start the lab: {error}"))?;
        let card = if self.command.is_empty() {
            // Nothing is lost if nobody reads it.
            let _ = io::stderr().write_all(probe.invitation().as_bytes());
            probe.wait(self.time.0)
        } else {
            probe.run(&self.command)?
        };
        let unmet = card.unmet(&self.require);
        Ok(Told {
            text: if self.json { as_json(&card) } else { card.to_string() },
            unmet: (!unmet.is_empty()).then(|| format!("the client does not meet: {}", unmet.join(", "))),
        })
    }
}

impl ValueEnum for Virtue {
    fn value_variants<'a>() -> &'a [Self] {
        Virtue::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.label()).help(self.meaning()))
    }
}

/// It becomes `{pause}`, which is told in whole seconds.
fn watch_span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    let whole = span.0.subsec_millis() == 0 && (1..=600).contains(&span.0.as_secs());
    if whole { Ok(span) } else { Err("must be whole seconds, from 1s to 10m".into()) }
}

fn as_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).map_or_else(|error| error.to_string(), |text| text + "\n")
}
