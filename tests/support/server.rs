//! The real binary, on a free port of the loopback interface.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};

use super::collected::Collected;
use super::{LedgerLine, Root, Wire, wait_for};

/// A running holdline, stopped when the test ends.
pub struct Server {
    child: Child,
    urls: Vec<String>,
    /// Its standard error, line by line.
    log: Arc<Collected<String>>,
}

impl Server {
    /// Serves a temporary folder, with these flags.
    pub fn start(root: &Root, flags: &[&str]) -> Server {
        Server::serve(root.path(), flags)
    }

    /// Serves a folder, with these flags.
    pub fn serve(root: &Path, flags: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
        Server::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()), Some(root), flags)
    }

    /// Serves a folder by a command that runs the binary, or is about to.
    pub fn start_by(mut command: Command, root: impl AsRef<Path>, flags: &[&str]) -> Server {
        Server::spawn(&mut command, Some(root.as_ref()), flags)
    }

    /// The same, without naming a folder to serve.
    pub fn start_without_root(mut command: Command, flags: &[&str]) -> Server {
        Server::spawn(&mut command, None, flags)
    }

    fn spawn(command: &mut Command, root: Option<&Path>, flags: &[&str]) -> Server {
        let mut child = command
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .args(root)
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = child.stderr.take().expect("standard error is piped");
        let log = Collected::from(BufReader::new(stderr).lines().map_while(Result::ok));
        let first = log.wait_for("the line that names the address", |line| Some(line.clone()));
        let server = Server { child, urls: urls_in(&first), log };
        assert!(!server.urls.is_empty(), "the first line names no address: {first}");
        server
    }

    /// The URLs that its first line names, in the order of `--listen`; the first one is that of the tests.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Where it listens for the tests.
    pub fn address(&self) -> SocketAddr {
        address_in(&self.urls[0])
    }

    /// The URL of a path that begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Opens a connection to it.
    pub fn connect(&self) -> Wire {
        Wire::connect(self.address())
    }

    /// Waits for the ledger line of the connection from `peer`.
    pub fn ledger(&self, peer: SocketAddr) -> LedgerLine {
        let peer = peer.to_string();
        let of_peer = |line: &String| LedgerLine::parse(line).filter(|line| line.get("peer") == peer);
        self.log.wait_for(&format!("the ledger line of {peer}"), of_peer)
    }

    /// Whether the connection from `peer` has its ledger line.
    pub fn has_ended(&self, peer: SocketAddr) -> bool {
        let peer = peer.to_string();
        self.log.all().iter().filter_map(|line| LedgerLine::parse(line)).any(|line| line.get("peer") == peer)
    }

    /// Closes our side of a connection, if it is still open, and waits for its ledger line.
    pub fn ledger_of(&self, wire: Wire) -> LedgerLine {
        let peer = wire.address();
        drop(wire);
        self.ledger(peer)
    }

    /// Waits until this many connections have ended; gives their ledger lines.
    pub fn ledgers(&self, count: usize) -> Vec<LedgerLine> {
        wait_for(&format!("{count} ledger lines"), || {
            let lines: Vec<_> = self.log.all().iter().filter_map(|line| LedgerLine::parse(line)).collect();
            (lines.len() >= count).then_some(lines)
        })
    }

    /// The lines of standard error so far.
    pub fn log(&self) -> Vec<String> {
        self.log.all()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a process id");
        kill_process(pid, signal).expect("the server still runs");
    }

    /// Waits until it has exited.
    pub fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        wait_for("the server's exit", || child.try_wait().expect("the server is our child"))
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the server is our child").is_none()
    }
}

impl Drop for Server {
    /// A server that a test leaves running is stopped. If the test failed, its log is shown.
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let lines = self.log.all();
        if std::thread::panicking() {
            let shown = lines.len().saturating_sub(20);
            eprintln!("the server's log ends:\n{}", lines[shown..].join("\n"));
        }
        let panicked = lines.iter().find(|line| line.contains("panicked"));
        if let (Some(line), false) = (panicked, std::thread::panicking()) {
            panic!("the server panicked: {line}");
        }
    }
}

/// The URLs in `holdline: serving ROOT on http://127.0.0.1:PORT/ and http://[::1]:PORT/`.
pub fn urls_in(line: &str) -> Vec<String> {
    let served = line.strip_prefix("holdline: serving ").and_then(|rest| rest.split_once(" on "));
    served.map(|(_, urls)| urls.split(" and ").map(str::to_owned).collect()).unwrap_or_default()
}

/// The address in `http://127.0.0.1:PORT/`.
pub fn address_in(url: &str) -> SocketAddr {
    let authority = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
    authority.and_then(|authority| authority.parse().ok()).unwrap_or_else(|| panic!("no http URL: {url}"))
}
