//! The flags of the server, by the headings of its help, and what they mean to the floors below.

mod behind;
mod console;

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{ValueEnum, ValueHint};

use self::console::Console;
use super::generate::Document;
use super::listen::{Host, host};
use super::values::{
    count, field_value, file_name, head_bytes, path_beneath, positive_count, positive_span, probe_span,
};
use crate::http::Limits;
use crate::observe::Format;
use crate::server::{ListenAddress, Listener, LogOptions, Needs, SocketOptions, descriptor_limit};
use crate::site::{Site, SiteOptions};
use crate::tools::peers::Behind;
use crate::units::{Bytes, Span};

/// Descriptors that are not connections: standard streams, listeners, epoll, logs, and the connections
/// that linger or are turned away.
const MIN_SPARE_DESCRIPTORS: u64 = 32;

/// Every folder may lack it: no warning if ROOT does.
const DEFAULT_INDEX: &str = "index.html";

/// The heading of what concerns the process as a whole.
pub const PROCESS: &str = "Process";

/// The arguments of the server.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folder to serve [default: ./www, else the built-in demonstration site]
    #[arg(value_name = "ROOT", value_hint = ValueHint::DirPath, help_heading = "Arguments")]
    pub root: Option<PathBuf>,

    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    keep_alive: KeepAlive,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    logs: LogFlags,
    #[command(flatten)]
    process: Process,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Listening")]
struct Listening {
    /// Listen on host:port, [ipv6]:port or unix:PATH; port 0 takes a free port; may be repeated
    #[arg(short, long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = host)]
    listen: Vec<Host>,

    /// Let several processes listen on the same address (SO_REUSEPORT)
    #[arg(long)]
    reuse_port: bool,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Keep-alive")]
struct KeepAlive {
    /// Promise clients to keep an idle connection open for this long; 0 closes after each response
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.keep_alive_timeout))]
    keep_alive_timeout: Span,

    /// Keep an idle connection open for this much longer than promised
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.keep_alive_grace))]
    keep_alive_grace: Span,

    /// Outlive this load balancer, this proxy or a pool of this idle time: sets the timeout and the drain delay
    #[arg(long, value_name = "PEER")]
    behind: Option<Behind>,

    /// Close a connection with its Nth response; 0 sets no limit
    #[arg(long, value_name = "N", default_value_t = Limits::DEFAULT.max_requests, value_parser = count)]
    max_requests: u32,

    /// Close a connection that is older than this with its next response; 0 sets no limit
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.max_age))]
    max_age: Span,

    /// Probe a peer that has been silent for this long (TCP keep-alive: every 10 s, 6 times); 0 turns it off
    #[arg(long, value_name = "D", default_value = "60s", value_parser = probe_span)]
    tcp_keep_alive: Span,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Close a connection whose request head takes longer than this to arrive
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.head_timeout), value_parser = positive_span)]
    head_timeout: Span,

    /// Close a connection whose request body pauses for this long
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.body_timeout), value_parser = positive_span)]
    body_timeout: Span,

    /// Reset a client that reads nothing of the response for this long
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.send_timeout), value_parser = positive_span)]
    send_timeout: Span,

    /// Keep reading for this long after our FIN, so that the client can read the whole response
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.linger))]
    linger: Span,

    /// When this many connections are open, close the longest-idle one, else answer 503 [default: from RLIMIT_NOFILE]
    #[arg(long, value_name = "N", value_parser = positive_count)]
    max_connections: Option<u32>,

    /// Answer 503 to further connections of an address that has this many open; 0 sets no limit
    #[arg(long, value_name = "N", default_value_t = Limits::DEFAULT.max_per_ip, value_parser = count)]
    max_per_ip: u32,

    /// Answer 414 or 431 to a request whose line and fields are longer than this
    #[arg(long, value_name = "BYTES", default_value_t = Bytes(Limits::DEFAULT.max_head as u64), value_parser = head_bytes)]
    max_head: Bytes,

    /// Close the connection after a request whose body is longer than this; a shorter one is read and discarded
    #[arg(long, value_name = "BYTES", default_value_t = Bytes(Limits::DEFAULT.max_body))]
    max_body: Bytes,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Files")]
struct Files {
    /// Serve this file of a folder when the folder is requested
    #[arg(long, value_name = "NAME", default_value = DEFAULT_INDEX, value_parser = file_name)]
    index: String,

    /// List folders that have no index
    #[arg(long)]
    listing: bool,

    /// Serve FILE.br, FILE.zst or FILE.gz in place of FILE to clients that accept it (Accept-Encoding)
    #[arg(long)]
    precompressed: bool,

    /// Send this Cache-Control field with files
    #[arg(long, value_name = "VALUE", value_parser = field_value)]
    cache_control: Option<String>,

    /// Answer 404 with this file, a path beneath ROOT
    #[arg(long, value_name = "FILE", value_parser = path_beneath)]
    not_found: Option<String>,

    /// Answer 200 with the --not-found file to unknown paths that have no extension
    #[arg(long)]
    spa: bool,

    /// Serve names that begin with a dot, too; .well-known is always served
    #[arg(long)]
    hidden: bool,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Logs")]
struct LogFlags {
    /// Write one line per request to FILE; - is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    access_log: Option<PathBuf>,

    /// Write one line per connection to FILE when the connection ends; - is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    connection_log: Option<PathBuf>,

    /// Write both logs in this format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: Format,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = PROCESS)]
struct Process {
    /// When stopping, wait at most this long for connections to end, then cut them
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.drain_timeout))]
    drain_timeout: Span,

    /// When stopping, keep accepting connections for this long after SIGTERM
    #[arg(long, value_name = "D", default_value_t = Span(Limits::DEFAULT.drain_delay))]
    drain_delay: Span,

    /// Confine the process to the files that it serves and logs (Landlock)
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Sandboxing::Auto)]
    sandbox: Sandboxing,

    /// Write the man page, or the completions for a shell, to standard output
    #[arg(long, value_name = "WHAT", value_enum, exclusive = true)]
    generate: Option<Document>,
}

/// The values of `--sandbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sandboxing {
    /// If the kernel has Landlock, else start without it
    Auto,
    /// Required: without Landlock do not start
    On,
    /// Not at all
    Off,
}

impl Args {
    /// Checks that the arguments go together.
    ///
    /// # Errors
    /// One line that says why they don't.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.files.spa && self.files.not_found.is_none() {
            return Err("'--spa' needs '--not-found <FILE>', the file that it sends".into());
        }
        self.check_behind()?;
        self.check_addresses()?;
        let Listening { listen, reuse_port } = &self.listening;
        match Host::given_twice(listen) {
            Some(address) if !reuse_port => Err(format!("'--listen {address}' is given twice: give it once")),
            _ => Ok(()),
        }
    }

    /// What to write in place of serving.
    pub(super) fn generate(&self) -> Option<Document> {
        self.process.generate
    }

    /// Where to listen.
    pub fn listen(&self) -> Vec<ListenAddress> {
        self.addresses(&self.listening.listen)
    }

    fn addresses(&self, hosts: &[Host]) -> Vec<ListenAddress> {
        Host::addresses(hosts, self.listening.reuse_port)
    }

    /// What a connection is allowed.
    pub fn limits(&self) -> Limits {
        Limits {
            keep_alive_timeout: self.keep_alive.keep_alive_timeout.0,
            keep_alive_grace: self.keep_alive.keep_alive_grace.0,
            max_requests: self.keep_alive.max_requests,
            max_age: self.keep_alive.max_age.0,
            head_timeout: self.limits.head_timeout.0,
            body_timeout: self.limits.body_timeout.0,
            send_timeout: self.limits.send_timeout.0,
            linger: self.limits.linger.0,
            drain_timeout: self.process.drain_timeout.0,
            drain_delay: self.process.drain_delay.0,
            max_per_ip: self.limits.max_per_ip,
            max_head: self.limits.max_head.0 as usize,
            max_body: self.limits.max_body.0,
        }
    }

    /// How many connections are served at a time.
    ///
    /// # Errors
    /// One line, if there are more than the process may have descriptors.
    pub fn max_connections(&self) -> Result<usize, String> {
        let descriptors = Descriptors::of_this_process();
        match self.limits.max_connections {
            Some(number) if u64::from(number) > descriptors.limit => Err(format!(
                "--max-connections {number} needs more than the {} descriptors of this process; give at most {}, or \
                 raise its limit (ulimit -n)",
                descriptors.limit,
                descriptors.for_connections(),
            )),
            Some(number) => Ok(number as usize),
            None => Ok(usize::try_from(descriptors.for_connections()).unwrap_or(usize::MAX)),
        }
    }

    /// What is odd about the arguments, but may come right later: one line each.
    pub fn warnings(&self, site: &Site) -> Vec<String> {
        let mut warnings = Vec::from_iter(self.warning_of_behind());
        let Files { index, not_found, .. } = &self.files;
        if let Some(page) = not_found.as_deref().filter(|page| !site.has_file(page)) {
            warnings.push(format!("--not-found {page}: there is no such file yet, so 404 is answered without it"));
        }
        if index != DEFAULT_INDEX && !site.has_file(index) {
            warnings.push(format!("--index {index}: there is no such file yet where / is looked for"));
        }
        let descriptors = Descriptors::of_this_process();
        if let Some(number) =
            self.limits.max_connections.filter(|number| u64::from(*number) > descriptors.for_connections())
        {
            warnings.push(format!(
                "--max-connections {number} leaves few of the {} descriptors of this process for files and logs",
                descriptors.limit,
            ));
        }
        warnings
    }

    /// How the folder is served.
    pub fn site_options(&self) -> SiteOptions {
        SiteOptions {
            index: self.files.index.clone(),
            hidden: self.files.hidden,
            listing: self.files.listing,
            precompressed: self.files.precompressed,
            cache_control: self.files.cache_control.clone(),
            not_found: self.files.not_found.clone(),
            spa: self.files.spa,
            console: self.console.access(),
            lab: self.console.lab(),
            ..SiteOptions::default()
        }
    }

    /// Which logs are written.
    pub fn log_options(&self) -> LogOptions {
        LogOptions {
            access_log: self.logs.access_log.clone(),
            connection_log: self.logs.connection_log.clone(),
            format: self.logs.log_format,
        }
    }

    /// What the process goes on opening by name, with this folder to serve, if it is one, and these listeners.
    pub fn needs(&self, root: Option<&Path>, listeners: &[Listener]) -> Needs {
        Needs {
            root: root.map(Path::to_owned),
            logs: self.log_options().reopened(),
            unix_sockets: listeners.iter().filter_map(|listener| listener.own_path()).map(Path::to_owned).collect(),
        }
    }

    /// Options of the listening sockets and of those that they accept.
    pub fn socket_options(&self) -> SocketOptions {
        let Listening { reuse_port, .. } = self.listening;
        SocketOptions { reuse_port, tcp_keep_alive: self.keep_alive.tcp_keep_alive.0, ..SocketOptions::default() }
    }

    /// Whether to confine the process.
    pub fn sandbox(&self) -> Sandboxing {
        self.process.sandbox
    }
}

/// Descriptors that the process may have (RLIMIT_NOFILE).
struct Descriptors {
    limit: u64,
}

impl Descriptors {
    fn of_this_process() -> Self {
        Descriptors { limit: descriptor_limit() }
    }

    /// All but a part for what is not a connection. A file that is being sent holds a descriptor too; when they run
    /// out, idle connections give way.
    fn for_connections(&self) -> u64 {
        let spare = (self.limit / 8).max(MIN_SPARE_DESCRIPTORS);
        self.limit.saturating_sub(spare).max(1)
    }
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
