//! Reads the command line, starts the logger, runs the server or a tool beside it.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use holdline::cli::{self, Args, CliExit, Document, Job, Sandboxing, Tool, start};
use holdline::observe::{Palette, TerminalLog};
use holdline::server::{self, ListenAddress, Listener, LogFile, Logs, Needs, Sandbox, Server, StandardError};
use holdline::site::{Site, SiteOptions};
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
    let (site, served) = open_site(root, args.site_options())?;
    let max_connections = args.max_connections()?;
    let warnings = args.warnings(&site);
    let listeners = listeners(args)?;
    let urls: Vec<String> = listeners.iter().map(|listener| url(listener.address())).collect();
    let addresses: Vec<SocketAddr> = listeners.iter().flat_map(Listener::ip_addresses).collect();
    let logs = Logs::open(&args.log_options(), stderr.clone())
        .map_err(|(path, error)| start::cannot_open_log(&path, &error))?;
    let needs = args.needs(root, &listeners);
    let mut observers = args.observers();
    if let Some(palette) = terminal.filter(|_| env::var_os(env_logger::DEFAULT_FILTER_ENV).is_none()) {
        // The time zone is read now: later the sandbox is closed.
        observers.add(Box::new(TerminalLog::new(stderr.sink(), TimeZone::system(), palette)));
    }
    let server = Server::new(listeners, site, observers, logs, args.limits(), max_connections)
        .map_err(|error| format!("cannot start: {}", start::reason(&error)))?;
    let _sandbox = confine(args.sandbox(), &needs)?;
    stderr.say(&format!("serving {served} on {}", urls.join(" and ")));
    if let Some(palette) = terminal {
        let network = cli::network_addresses().unwrap_or_default();
        stderr.push(cli::banner(&addresses, &network, args.site_options().console, &palette).as_bytes());
        stderr.flush();
    }
    for warning in warnings {
        log::warn!("{warning}");
    }

    let outcome = server.run().map_err(|error| format!("cannot go on: {}", start::reason(&error)))?;
    Ok(if outcome.cut == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The folder to serve: the one that is named, else `./www`. None if neither is there.
fn root(args: &Args) -> Option<&Path> {
    let default = Path::new("./www");
    // A symlink that leads nowhere is there: it was meant to lead to the folder.
    args.root.as_deref().or_else(|| default.symlink_metadata().is_ok().then_some(default))
}

/// What is served, and its name for people.
fn open_site(root: Option<&Path>, options: SiteOptions) -> Result<(Site, String), String> {
    let Some(root) = root else {
        return Ok((Site::embedded(options), "the embedded demonstration site".to_owned()));
    };
    let name = root.display().to_string();
    match Site::open(root, options) {
        Ok(site) => Ok((site, name)),
        Err(error) => Err(start::cannot_serve(root, &error)),
    }
}

/// The sockets that a service manager hands over, else those of `--listen`.
fn listeners(args: &Args) -> Result<Vec<Listener>, String> {
    let inherited = server::inherited_listeners(args.socket_options())?;
    if !inherited.is_empty() {
        return Ok(inherited);
    }
    let bind = |address| {
        let bound = Listener::bind(address, args.socket_options());
        bound.map_err(|error| start::cannot_listen(address, &error))
    };
    args.listen().iter().map(bind).collect()
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
    log::info!("no sandbox: {why}");
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

fn url(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Tcp(address) => format!("http://{address}/"),
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
