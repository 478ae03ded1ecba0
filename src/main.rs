//! Reads the command line, starts the logger, runs the server or a tool beside it.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use holdline::cli::{self, Args, CliExit, Document, Job, Sandboxing, Tool, start};
use holdline::observe::{Observer, Palette, TerminalLog};
use holdline::server::{
    self, BindError, Config, ListenAddress, Listener, LogFile, Logs, Needs, Sandbox, Served, Server, Signals,
    StandardError,
};
use holdline::site::ListenerRole;
use jiff::tz::TimeZone;

/// The command line was wrong.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    // What is said must not stop the server either: standard error is a log like the others.
    let Ok(stderr) = LogFile::standard_error() else { return ExitCode::FAILURE };
    let args = match Job::from_command_line() {
        Ok(Job::Serve(args)) => args,
        Ok(Job::Run(tool)) => return run(&tool, &stderr),
        Ok(Job::Generate(document)) => return generate(document, &stderr),
        Err(CliExit::UsageError(line)) => return fail(&stderr, USAGE, &line),
        Err(CliExit::Help(text)) => {
            // A reader that has gone away (`| head -1`) has read enough.
            let _ = text.print();
            return ExitCode::SUCCESS;
        }
    };
    let terminal = terminal();
    start_logger(&stderr, terminal);
    log_panics();
    match serve(&args, &stderr, terminal) {
        Ok(exit) => exit,
        Err(line) => fail(&stderr, 1, &line),
    }
}

fn serve(args: &Args, stderr: &LogFile, terminal: Option<Palette>) -> Result<ExitCode, String> {
    let root = root(args);
    if let Err(error) = server::raise_descriptor_limit() {
        log::warn!("cannot raise the limit of descriptors: {}", start::reason(&error));
    }
    let mut server =
        Server::bind(config(args, root, stderr, terminal)?).map_err(|error| start::cannot_start(&error))?;
    let mut warnings = args.warnings(server.site());
    warnings.extend(args.exposure(server.listeners()));
    let urls_of = |role: ListenerRole, path: &str| {
        let listeners = server.listeners().iter().filter(move |listener| listener.role() == role);
        listeners.map(|listener| url(listener.address(), path)).collect::<Vec<String>>()
    };
    let public_urls = urls_of(ListenerRole::Public, "");
    let console_urls = urls_of(ListenerRole::Console, "-/");
    let metrics_urls = urls_of(ListenerRole::Metrics, "-/metrics");
    let logs = Logs::open(&args.log_options(), stderr.clone());
    server.write_logs(logs.map_err(|(path, error)| start::cannot_open_log(&path, &error))?);
    let needs = args.needs(root, server.listeners());
    let obeyed = Signals::install().and_then(|signals| server.obey(signals));
    obeyed.map_err(|error| start::cannot_start(&BindError::Poll(error)))?;
    server.on_shutdown(|| server::notify("STOPPING=1"));
    let _sandbox = confine(args.sandbox(), &needs)?;
    let served = root.map_or("the embedded demonstration site".to_owned(), |root| root.display().to_string());
    stderr.say(&format!("serving {served} on {}", public_urls.join(" and ")));
    for (what, urls) in [("the console is on", console_urls), ("the metrics are on", metrics_urls)] {
        if !urls.is_empty() {
            stderr.say(&format!("{what} {}", urls.join(" and ")));
        }
    }
    if let Some(line) = args.behind() {
        stderr.say(&line);
    }
    if let Some(palette) = terminal {
        let network = cli::network_addresses().unwrap_or_default();
        let banner = cli::banner(&public_addresses(&server), &network, args.site_options().console, &palette);
        stderr.push(banner.as_bytes());
        stderr.flush();
    }
    for warning in warnings {
        log::warn!("{warning}");
    }

    server::notify("READY=1");
    let outcome = server.run().map_err(|error| format!("cannot go on: {}", start::reason(&error)))?;
    Ok(if outcome.cut == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the command line makes of the server.
fn config(args: &Args, root: Option<&Path>, stderr: &LogFile, terminal: Option<Palette>) -> Result<Config, String> {
    let mut observers: Vec<Box<dyn Observer + Send>> = Vec::new();
    if let Some(palette) = terminal.filter(|_| env::var_os(env_logger::DEFAULT_FILTER_ENV).is_none()) {
        // The time zone is read now: later the sandbox is closed.
        observers.push(Box::new(TerminalLog::new(stderr.sink(), TimeZone::system(), palette)));
    }
    Ok(Config {
        listen: args.listen(),
        console_listen: args.console_listen(),
        metrics_listen: args.metrics_listen(),
        listeners: server::inherited_listeners(args.socket_options())?,
        socket_options: args.socket_options(),
        serve: root.map_or(Served::Demonstration, |root| Served::Folder(root.to_owned())),
        site_options: args.site_options(),
        limits: args.limits(),
        max_connections: args.max_connections()?,
        observers,
    })
}

/// The folder to serve: the one that is named, else `./www`. None if neither is there.
fn root(args: &Args) -> Option<&Path> {
    let default = Path::new("./www");
    // A symlink that leads nowhere is there: it was meant to lead to the folder.
    args.root.as_deref().or_else(|| default.symlink_metadata().is_ok().then_some(default))
}

/// From here on the process opens what it serves and its logs, and nothing else.
fn confine(when: Sandboxing, needs: &Needs) -> Result<Option<Sandbox>, String> {
    if when == Sandboxing::Off {
        return Ok(None);
    }
    let why = match Sandbox::enter(needs) {
        Ok(Some(sandbox)) => return Ok(Some(sandbox)),
        Ok(None) => "this kernel has no Landlock".to_owned(),
        Err(error) => start::reason(&error),
    };
    if when == Sandboxing::On {
        return Err(format!("cannot confine the process: {why}; --sandbox auto starts without"));
    }
    log::warn!("no sandbox: {why}; if that is intended, give --sandbox off");
    Ok(None)
}

/// Runs a tool beside the server, whose result goes to standard output.
fn run(tool: &Tool, stderr: &LogFile) -> ExitCode {
    match tool.run() {
        Ok(output) => {
            // As with --help, a reader may have gone away.
            let _ = io::stdout().write_all(output.text.as_bytes());
            output.failure.map_or(ExitCode::SUCCESS, |line| fail(stderr, 1, &line))
        }
        Err(line) => fail(stderr, 1, &line),
    }
}

/// Writes a generated text to standard output.
fn generate(document: Document, stderr: &LogFile) -> ExitCode {
    let written = document.text().and_then(|text| io::stdout().write_all(&text));
    match written {
        // Half of a page or of a script must not pass for a whole one, unless the reader has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            fail(stderr, 1, &format!("cannot write to standard output: {}", start::reason(&error)))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Where the site is served.
fn public_addresses(server: &Server) -> Vec<SocketAddr> {
    let public = server.listeners().iter().filter(|listener| listener.role() == ListenerRole::Public);
    public.flat_map(Listener::ip_addresses).collect()
}

/// The URL of a path at an address, if a browser can open it.
fn url(address: &ListenAddress, path: &str) -> String {
    match address {
        ListenAddress::Tcp(address) => format!("http://{address}/{path}"),
        ListenAddress::Unix(_) => address.to_string(),
    }
}

/// The colours of standard error, if it is a terminal.
fn terminal() -> Option<Palette> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_colours = is_set("TERM") && env::var_os("TERM").is_some_and(|kind| kind != "dumb") && !is_set("NO_COLOR");
    let palette = if has_colours { Palette::COLOURS } else { Palette::PLAIN };
    io::stderr().is_terminal().then_some(palette)
}

/// `RUST_LOG` rules. Without it a terminal gets short lines in place of the ledger, and a log file only trouble.
fn start_logger(stderr: &LogFile, terminal: Option<Palette>) {
    let has_colours = terminal == Some(Palette::COLOURS);
    let env = env_logger::Env::default()
        .default_filter_or(if terminal.is_some() { "info,holdline::observe=warn" } else { "warn" })
        .default_write_style_or(if has_colours { "always" } else { "never" });
    let target = env_logger::Target::Pipe(Box::new(StandardError(stderr.clone())));
    env_logger::Builder::from_env(env).format_target(false).target(target).init();
}

/// A panic is one line of the log. The engine says which connection it has ended.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log::error!("panicked at {place}: {}", panic.payload_as_str().unwrap_or("(no word)"));
    }));
}

fn fail(stderr: &LogFile, status: u8, line: &str) -> ExitCode {
    stderr.say(line);
    ExitCode::from(status)
}
