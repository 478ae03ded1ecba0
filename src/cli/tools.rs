//! The tools beside the server, as the command line knows them.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use clap::{CommandFactory, Parser};

use crate::client::Target;
use crate::client::compare::compare;

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
    pub fn run(&self) -> Result<String, String> {
        match self {
            Tool::Compare(arguments) => arguments.run(),
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

fn as_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).map_or_else(|error| error.to_string(), |text| text + "\n")
}
