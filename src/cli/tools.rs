//! The tools beside the server, as the command line knows them.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValue};
use clap::{Subcommand, ValueEnum, ValueHint};

use super::start;
use super::values::{positive_count, positive_span, request_count, watch_span};
use crate::tools::HttpUrl;
use crate::tools::compare::compare;
use crate::tools::peers::Behind;
use crate::tools::probe::{Probe, Requirement};
use crate::tools::probe_server::{ServerProbe, ServerRequirement};
use crate::units::Span;

/// For how long `holdline probe-server` watches a connection: longer than nginx waits by default.
const WATCH: Duration = Duration::from_secs(100);

/// … and for how long if it is to be quick.
const QUICK_WATCH: Duration = Duration::from_secs(15);

/// Command lines of `holdline compare`, and what they do.
const COMPARE_EXAMPLES: &[(&str, &str)] = &[
    ("holdline compare http://127.0.0.1:8080/", "Make 100 requests in each way"),
    ("holdline compare -n 1000 --svg ways.svg http://127.0.0.1:8080/", "Make 1000, and draw a chart"),
];

/// Command lines of `holdline probe-client`, and what they do.
const PROBE_CLIENT_EXAMPLES: &[(&str, &str)] = &[
    ("holdline probe-client -- curl -s {url} {url}", "Test curl with GET"),
    ("holdline probe-client -- curl -s -X {method} {url} {wait} {url}", "Test it with POST and with pauses, too"),
    (
        "holdline probe-client --require reuse -- ./client {url} {method} {pause}",
        "Fail unless ./client reuses connections",
    ),
];

/// Command lines of `holdline probe-server`, and what they do.
const PROBE_SERVER_EXAMPLES: &[(&str, &str)] = &[
    ("holdline probe-server http://127.0.0.1:8080/", "Test a server; it takes as long as the server waits"),
    (
        "holdline probe-server --behind alb http://127.0.0.1:8080/",
        "Ask whether 502s are possible behind AWS's balancer",
    ),
    ("holdline probe-server --require half-close http://127.0.0.1:8080/", "Fail unless half-closed clients get all"),
];

/// Command lines of the tool of this name.
pub fn examples(tool: &str) -> &'static [(&'static str, &'static str)] {
    match tool {
        "compare" => COMPARE_EXAMPLES,
        "probe-client" => PROBE_CLIENT_EXAMPLES,
        "probe-server" => PROBE_SERVER_EXAMPLES,
        _ => &[],
    }
}

/// What to do in place of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Tool {
    /// Compare the cost of short and long connections, with any server
    ///
    /// Five ways (HTTP/1.0 and HTTP/1.1, kept alive or closed, and pipelined) take turns, so
    /// that background load affects all of them equally. The handshake is the kernel's time from SYN to SYN-ACK; p50
    /// and p99 are from a request to the end of its response, with the handshake where the request needed one.
    Compare(Compare),

    /// Test how a client copes with a server that breaks connections
    ///
    /// COMMAND is run, without a shell, once for each way in which a server can break a connection. It requests {url}
    /// twice, one after the other, from one pool of connections. A command with {method} is tested with POST, too. A
    /// command with {pause} waits for that many seconds between the two requests; a client that cannot pause can
    /// request {wait} in between, a URL that is answered after that time. Without COMMAND the URLs are printed, and
    /// any client can request them.
    ProbeClient(ProbeClient),

    /// Test what a server does with its connections
    ///
    /// Some twenty connections idle, are slow, or send what a server need not like; each row of the result says what
    /// became of them, and whether that can hurt. It takes little longer than the longest wait. Ask the owner first if
    /// the server is not yours.
    ProbeServer(ProbeServer),
}

/// The arguments of `holdline compare`.
#[derive(Clone, Debug, clap::Args)]
pub struct Compare {
    /// Request this URL, http://host:port/path
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    url: HttpUrl,

    /// Make this many requests in each way
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = request_count)]
    requests: u32,

    /// Write all numbers as JSON in place of the table
    #[arg(long)]
    json: bool,

    /// Draw a chart into FILE (SVG)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    svg: Option<PathBuf>,
}

/// The arguments of `holdline probe-client`.
#[derive(Clone, Debug, clap::Args)]
pub struct ProbeClient {
    /// Exit with status 1 unless the client does this; names are separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    require: Vec<Requirement>,

    /// Watch for this long whether the client closes an idle connection
    #[arg(long, value_name = "D", default_value = "10s", value_parser = watch_span)]
    watch: Span,

    /// Without COMMAND, wait for this long for a client
    #[arg(long = "for", value_name = "D", default_value = "60s")]
    time: Span,

    /// Write all findings as JSON in place of the tables
    #[arg(long)]
    json: bool,

    /// Run this; {url}, {method}, {pause} and {wait} in it are replaced
    #[arg(last = true, value_name = "COMMAND", value_parser = NonEmptyStringValueParser::new())]
    command: Vec<String>,
}

/// The arguments of `holdline probe-server`.
#[derive(Clone, Debug, clap::Args)]
pub struct ProbeServer {
    /// Probe the server of this URL, http://host:port/path
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    url: HttpUrl,

    /// Watch for this long whether the server closes a connection [default: 100s]
    #[arg(long, value_name = "D", value_parser = positive_span)]
    watch: Option<Span>,

    /// Watch for 15s, and make at most 200 requests on a connection, unless other options say more
    #[arg(long)]
    quick: bool,

    /// Make at most this many requests on one connection [default: 2000]
    #[arg(long, value_name = "N", value_parser = request_count)]
    max: Option<u32>,

    /// Say whether a pool can meet the server's close: the name of a load balancer, proxy or client, or its idle time
    #[arg(long, value_name = "PEER")]
    behind: Option<Behind>,

    /// Exit with status 1 unless the server does this: idle>60s, or names of rows, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    require: Vec<ServerRequirement>,

    /// Open this many idle connections and see what the next one gets
    #[arg(long, value_name = "N", value_parser = positive_count)]
    connections: Option<u32>,

    /// Stop the server by this command at the end, and see what becomes of open connections
    #[arg(long, value_name = "COMMAND", value_parser = NonEmptyStringValueParser::new())]
    stop: Option<String>,

    /// Write all findings as JSON in place of the table
    #[arg(long)]
    json: bool,
}

/// What a tool has found.
#[derive(Debug)]
pub struct ToolOutput {
    /// The result, for standard output.
    pub text: String,
    /// What is wrong with it, in one line: requirements that are not met, a file that could not be written.
    pub failure: Option<String>,
}

impl Tool {
    /// Runs it, and returns what it has found.
    ///
    /// # Errors
    /// One line that says why it can't be done.
    pub fn run(&self) -> Result<ToolOutput, String> {
        match self {
            Tool::Compare(arguments) => arguments.run(),
            Tool::ProbeClient(arguments) => arguments.run(),
            Tool::ProbeServer(arguments) => arguments.run(),
        }
    }

    /// Checks that the arguments go together.
    ///
    /// # Errors
    /// One line that says why they don't.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Tool::ProbeClient(ProbeClient { command, .. })
                if !command.is_empty() && !command.iter().any(|word| word.contains("{url}")) =>
            {
                Err("the command of probe-client has no {url}: write {url} where the client takes its URL".into())
            }
            _ => Ok(()),
        }
    }
}

impl Compare {
    fn run(&self) -> Result<ToolOutput, String> {
        let cannot_write = |path: &PathBuf, error| start::cannot_write(path, &error);
        if let Some(path) = &self.svg {
            // Better now than after the work.
            start::check_writable(path).map_err(|error| cannot_write(path, error))?;
        }
        let comparison = compare(&self.url, self.requests)?;
        let text = if self.json { as_json(&comparison) } else { comparison.to_string() };
        let written = self.svg.as_ref().map(|path| (path, fs::write(path, comparison.to_svg())));
        let failure = written.and_then(|(path, written)| Some(cannot_write(path, written.err()?)));
        Ok(ToolOutput { text, failure })
    }
}

impl ProbeClient {
    fn run(&self) -> Result<ToolOutput, String> {
        let probe = Probe::start(self.watch.0).map_err(|error| format!("cannot start the lab: {error}"))?;
        let card = if self.command.is_empty() {
            // Nothing is lost if nobody reads it.
            let _ = io::stderr().write_all(probe.invitation().as_bytes());
            probe.wait(self.time.0)
        } else {
            probe.run(&self.command)?
        };
        let unmet = card.unmet(&self.require);
        Ok(ToolOutput {
            text: if self.json { as_json(&card) } else { card.to_string() },
            failure: (!unmet.is_empty()).then(|| format!("the client does not meet: {}", unmet.join(", "))),
        })
    }
}

impl ProbeServer {
    fn run(&self) -> Result<ToolOutput, String> {
        let (usual_watch, usual_max) = if self.quick { (QUICK_WATCH, 200) } else { (WATCH, 2000) };
        let probe = ServerProbe {
            watch: self.watch.map_or(usual_watch, |watch| watch.0),
            max: self.max.unwrap_or(usual_max),
            behind: self.behind,
            connections: self.connections,
            stop: self.stop.clone(),
        };
        let card = probe.run(&self.url)?;
        Ok(ToolOutput {
            text: if self.json { as_json(&card) } else { card.to_string() },
            failure: card.failure(&self.require),
        })
    }
}

impl ValueEnum for Requirement {
    fn value_variants<'a>() -> &'a [Self] {
        Requirement::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.label()).help(self.meaning()))
    }
}

fn as_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).map_or_else(|error| error.to_string(), |text| text + "\n")
}
