//! Reads the command line, starts the logger, runs the server.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use holdline::cli::{Args, NotRun};
use holdline::server::{ListenAddress, Listener, Server};
use holdline::site::Site;

/// The command line was wrong.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let args = match Args::from_command_line() {
        Ok(args) => args,
        Err(NotRun::Wrong(line)) => return fail(USAGE, &line),
        Err(NotRun::Told(text)) => {
            // A reader that has gone away (`| head -1`) has read enough.
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
    };
    start_logger();
    match serve(&args) {
        Ok(exit) => exit,
        Err(line) => fail(1, &line),
    }
}

fn serve(args: &Args) -> Result<ExitCode, String> {
    let root = args.root.display();
    let site = Site::open(&args.root, args.site_options()).map_err(|error| format!("cannot serve {root}: {error}"))?;
    let listeners = args
        .listen
        .iter()
        .map(|address| {
            let bound = Listener::bind(address, args.socket_options());
            bound.map_err(|error| format!("cannot listen on {address}: {error}"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let urls: Vec<String> = listeners.iter().map(|listener| url(listener.address())).collect();
    let server = Server::new(listeners, site, args.observers(), args.limits(), args.max_connections())
        .map_err(|error| format!("cannot start: {error}"))?;
    say(&format!("serving {root} on {}", urls.join(" and ")));

    let outcome = server.run().map_err(|error| format!("cannot go on: {error}"))?;
    Ok(if outcome.cut == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn url(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Tcp(address) => format!("http://{address}/"),
        ListenAddress::Unix(_) => address.to_string(),
    }
}

/// `RUST_LOG` rules; without it a person at a terminal sees each connection's end, a log file only trouble.
fn start_logger() {
    let level = if io::stderr().is_terminal() { "info" } else { "warn" };
    let env = env_logger::Env::default().default_filter_or(level);
    env_logger::Builder::from_env(env).format_target(false).init();
}

fn fail(status: u8, line: &str) -> ExitCode {
    say(line);
    ExitCode::from(status)
}

/// Whatever the log level, and even if nobody listens: a closed standard error stops nothing. A line is
/// one line, whatever a path is called.
fn say(line: &str) {
    let line = line.replace(|c: char| c.is_control(), "?");
    let _ = writeln!(io::stderr(), "holdline: {line}");
}
