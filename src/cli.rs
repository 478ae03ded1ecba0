//! The command line, and how its words become numbers.

mod tools;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

use crate::http::Limits;
use crate::observe::{Format, Observers};
use crate::server::{ListenAddress, Listener, LogOptions, Needs, SocketOptions};
use crate::site::{Access, SiteOptions};
use crate::units::{Bytes, Span};

pub use tools::Tool;

/// Descriptors that are not connections: standard streams, listeners, epoll, logs, and the connections
/// that linger or are turned away.
const MIN_SPARE_DESCRIPTORS: u64 = 32;

/// Serves a folder over HTTP/1.1, and shows why each connection stayed open and who hung up.
#[derive(Debug, Parser)]
#[command(name = "holdline", version, about, max_term_width = 100)]
pub struct Args {
    /// Folder to serve
    #[arg(value_name = "ROOT", default_value = "./www")]
    pub root: PathBuf,

    /// Where to listen: `host:port`, `[ipv6]:port` or `unix:PATH`.
    #[arg(
        short,
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080",
        help = "Where to listen: host:port, [ipv6]:port or unix:PATH; port 0 takes a free one; may be repeated"
    )]
    pub listen: Vec<ListenAddress>,

    /// Idle time between requests that clients are promised; 0 closes after each response
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.keep_alive_timeout))]
    keep_alive_timeout: Span,

    /// Added to the promise before the server really closes
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.keep_alive_grace))]
    keep_alive_grace: Span,

    /// Requests on one connection; 0 is unlimited
    #[arg(long, value_name = "N", default_value_t = Limits::DEFAULT.max_requests)]
    max_requests: u32,

    /// A connection older than this is closed with its next response; 0 never
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.max_age))]
    max_age: Span,

    /// A whole request head must arrive within this of its first byte
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.head_timeout), value_parser = positive_span)]
    head_timeout: Span,

    /// Longest pause while an unwanted request body is read and dropped
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.body_timeout), value_parser = positive_span)]
    body_timeout: Span,

    /// Longest pause in which a client takes none of the response
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.send_timeout), value_parser = positive_span)]
    send_timeout: Span,

    /// How long to read on after our FIN
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.linger))]
    linger: Span,

    /// The most that a stop may take before it cuts what is left
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.drain_timeout))]
    drain_timeout: Span,

    /// How long to go on accepting after SIGTERM
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.drain_delay))]
    drain_delay: Span,

    /// When so many are open, the longest idle one is closed to make room [default: from RLIMIT_NOFILE]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: Option<u32>,

    /// Connections from one address; more get 503; 0 is unlimited
    #[arg(long, value_name = "N", default_value_t = Limits::DEFAULT.max_per_ip)]
    max_per_ip: u32,

    /// Request line and fields; more is 414 or 431
    #[arg(long, value_name = "BYTES", default_value_t = Bytes(Limits::DEFAULT.max_head as u64), value_parser = head_bytes)]
    max_head: Bytes,

    /// Most of an unwanted request body that is drained to keep the connection
    #[arg(long, value_name = "BYTES", default_value_t = Bytes(Limits::DEFAULT.max_body))]
    max_body: Bytes,

    /// TCP keep-alive probes after this much silence, every 10 s, 6 times; 0 is off
    #[arg(long, value_name = "D", default_value = "60s", value_parser = probe_span)]
    tcp_keep_alive: Span,

    /// Let several processes share an address (SO_REUSEPORT)
    #[arg(long)]
    reuse_port: bool,

    /// The file that stands for its folder
    #[arg(long, value_name = "NAME", default_value = "index.html", value_parser = file_name)]
    index: String,

    /// List folders that have no index
    #[arg(long)]
    listing: bool,

    /// Serve FILE.br, .zst and .gz beside FILE by Accept-Encoding
    #[arg(long)]
    precompressed: bool,

    /// Cache-Control of files
    #[arg(long, value_name = "VALUE", value_parser = field_value)]
    cache_control: Option<String>,

    /// Page for 404, a path beneath ROOT
    #[arg(long, value_name = "FILE")]
    not_found: Option<String>,

    /// Send that page with 200 for paths without an extension
    #[arg(long, requires = "not_found")]
    spa: bool,

    /// Who may see inside: the pages under /-/ and the explaining fields
    #[arg(long, value_name = "WHO", value_enum, default_value_t = Who::Local)]
    console: Who,

    /// Confine the process to what it serves and logs: if the kernel has Landlock, or else do not start, or not
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Sandboxing::Auto)]
    pub sandbox: Sandboxing,

    /// Serve names that begin with a dot (.well-known is always served)
    #[arg(long)]
    hidden: bool,

    /// Write one line a request to FILE; - is standard output
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,

    /// Write one line a connection to FILE, at its end; - is standard output
    #[arg(long, value_name = "FILE")]
    connection_log: Option<PathBuf>,

    /// Format of both logs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: Format,
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Job {
    /// To serve.
    Serve(Box<Args>),
    /// To run one of the tools beside the server.
    Run(Tool),
}

impl Job {
    /// Reads the process's command line. Its first word alone can name a tool: a folder of that name is served as
    /// `./compare`, or behind an option.
    ///
    /// # Errors
    /// One line that says what is wrong, or the text of `--help` or `--version`.
    pub fn from_command_line() -> Result<Job, NotRun> {
        let words: Vec<OsString> = std::env::args_os().collect();
        let job = if words.get(1).is_some_and(|word| Tool::is_named(word)) {
            let tool = Tool::try_parse_from(words);
            if let Ok(tool) = &tool {
                tool.check().map_err(NotRun::Wrong)?;
            }
            tool.map(Job::Run)
        } else {
            let matches = Args::command().after_help(Tool::overview()).try_get_matches_from(words);
            matches.and_then(|matches| Args::from_arg_matches(&matches)).map(|args| Job::Serve(Box::new(args)))
        };
        job.map_err(|error| {
            if error.use_stderr() {
                NotRun::Wrong(what_is_wrong(&error.to_string()))
            } else {
                NotRun::Told(error.to_string())
            }
        })
    }
}

impl Args {
    /// What a connection is allowed.
    pub fn limits(&self) -> Limits {
        Limits {
            keep_alive_timeout: self.keep_alive_timeout.0,
            keep_alive_grace: self.keep_alive_grace.0,
            max_requests: self.max_requests,
            max_age: self.max_age.0,
            head_timeout: self.head_timeout.0,
            body_timeout: self.body_timeout.0,
            send_timeout: self.send_timeout.0,
            linger: self.linger.0,
            drain_timeout: self.drain_timeout.0,
            drain_delay: self.drain_delay.0,
            max_per_ip: self.max_per_ip,
            max_head: self.max_head.0 as usize,
            max_body: self.max_body.0,
        }
    }

    /// How many connections are served at a time.
    pub fn max_connections(&self) -> usize {
        self.max_connections.map_or_else(connections_from_nofile, |number| number as usize)
    }

    /// How the folder is served.
    pub fn site_options(&self) -> SiteOptions {
        SiteOptions {
            index: self.index.clone(),
            hidden: self.hidden,
            listing: self.listing,
            precompressed: self.precompressed,
            cache_control: self.cache_control.clone(),
            not_found: self.not_found.clone(),
            spa: self.spa,
            console: match self.console {
                Who::Local => Access::Local,
                Who::Off => Access::Off,
                Who::Any => Access::Any,
            },
        }
    }

    /// Who looks on.
    pub fn observers(&self) -> Observers {
        Observers::new(self.console != Who::Off)
    }

    /// Which logs are written.
    pub fn log_options(&self) -> LogOptions {
        LogOptions {
            access_log: self.access_log.clone(),
            connection_log: self.connection_log.clone(),
            format: self.log_format,
        }
    }

    /// What the process goes on opening by name, with these listeners.
    pub fn needs(&self, listeners: &[Listener]) -> Needs {
        let logs = [&self.access_log, &self.connection_log].into_iter().flatten();
        Needs {
            root: self.root.clone(),
            logs: logs.filter(|log| log.as_path() != Path::new("-")).cloned().collect(),
            unix_sockets: listeners.iter().filter_map(|listener| listener.own_path()).map(Path::to_owned).collect(),
        }
    }

    /// Options of the listening sockets and of those that they accept.
    pub fn socket_options(&self) -> SocketOptions {
        SocketOptions { reuse_port: self.reuse_port, tcp_keep_alive: self.tcp_keep_alive.0 }
    }
}

/// The values of `--console`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Who {
    /// Who sits at this machine
    Local,
    /// Nobody
    Off,
    /// Everybody
    Any,
}

/// The values of `--sandbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Sandboxing {
    /// If the kernel has Landlock
    Auto,
    /// Or else do not start
    On,
    /// Not at all
    Off,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum NotRun {
    /// A word of the command line is wrong.
    Wrong(String),
    /// It asked for a text.
    Told(String),
}

/// clap's message without its hints, on one line.
fn what_is_wrong(message: &str) -> String {
    let end = ["\n\nUsage:", "\n\n  tip:", "\n\nFor more"].iter().filter_map(|hint| message.find(hint)).min();
    let message = &message[..end.unwrap_or(message.len())];
    let words: Vec<&str> = message.strip_prefix("error: ").unwrap_or(message).split_whitespace().collect();
    words.join(" ")
}

/// As many as the process may have descriptors, less a part for what is not a connection. A file that is
/// being sent holds one too; when they run out, idle connections give way.
fn connections_from_nofile() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let descriptors = limit.current.unwrap_or(1 << 20);
    let spare = (descriptors / 8).max(MIN_SPARE_DESCRIPTORS);
    usize::try_from(descriptors.saturating_sub(spare).max(1)).unwrap_or(usize::MAX)
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Format::Text, Format::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Format::Text => "text",
            Format::Json => "json",
        }))
    }
}

/// A timeout that guards against peers who do nothing can't be switched off.
fn positive_span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    if span.0.is_zero() { Err("must be longer than 0".into()) } else { Ok(span) }
}

/// The kernel counts probes in whole seconds.
fn probe_span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    let whole = span.0.subsec_millis() == 0 && span.0 <= Duration::from_secs(32_767);
    if whole { Ok(span) } else { Err("must be whole seconds, at most 32767s".into()) }
}

fn head_bytes(text: &str) -> Result<Bytes, String> {
    let bytes: Bytes = text.parse()?;
    if (256..=1 << 20).contains(&bytes.0) { Ok(bytes) } else { Err("must be from 256 to 1MiB".into()) }
}

fn file_name(text: &str) -> Result<String, String> {
    let plain = !text.is_empty() && !text.contains(['/', '\0']) && text != "." && text != "..";
    if plain { Ok(text.to_owned()) } else { Err("must be the name of a file, without a folder".into()) }
}

fn field_value(text: &str) -> Result<String, String> {
    let plain = !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if plain { Ok(text.to_owned()) } else { Err("must be printable ASCII".into()) }
}
