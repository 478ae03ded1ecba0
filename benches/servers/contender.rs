//! Who is compared, how each is told to do the same, and how it is started and stopped.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::bare::Bare;
use super::process::Cores;

/// A server that starts answers within this; one that stops has stopped.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who is compared, in the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    Bare,
    Nginx,
    Lighttpd,
    H2o,
    Holdline,
}

impl Contender {
    /// All of them.
    pub const ALL: [Contender; 5] =
        [Contender::Bare, Contender::Nginx, Contender::Lighttpd, Contender::H2o, Contender::Holdline];

    /// The servers.
    pub const SERVERS: [Contender; 4] = [Contender::Nginx, Contender::Lighttpd, Contender::H2o, Contender::Holdline];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Contender::Bare => "bare loop",
            Contender::Nginx => "nginx",
            Contender::Lighttpd => "lighttpd",
            Contender::H2o => "h2o",
            Contender::Holdline => "holdline",
        }
    }

    /// Its program: ours are built already, the others are looked for where root's programs lie, too.
    pub fn program(self) -> Option<PathBuf> {
        match self {
            Contender::Bare => std::env::current_exe().ok(),
            Contender::Holdline => Some(PathBuf::from(env!("CARGO_BIN_EXE_holdline"))),
            other => find_program(other.name()),
        }
    }

    /// The version that it says it has.
    pub fn version(self) -> String {
        let flag = match self {
            Contender::Bare => return String::new(),
            Contender::Nginx | Contender::Lighttpd => "-v",
            Contender::H2o | Contender::Holdline => "--version",
        };
        let Some(program) = self.program() else { return "missing".into() };
        let Ok(output) = Command::new(program).arg(flag).output() else { return "missing".into() };
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let number = said.split(['/', ' ', '\n']).find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        number.unwrap_or("of an unknown version").to_owned()
    }
}

/// Where a program lies, if it is installed.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// How a contender is set up for a row. What isn't said is as fast as its manual allows, and the same for all.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    pub contender: Contender,
    /// The folder that it serves.
    pub root: &'a Path,
    /// Descriptors that it may have.
    pub descriptors: u64,
    /// A folder for its configuration and its logs.
    pub scratch: &'a Path,
    /// An access log, to a file.
    pub logged: bool,
    /// holdline only: the console is open, and `Server-Timing` sent.
    pub console: bool,
    /// The bare loop only: what it is told instead of parsing.
    pub request: usize,
    pub content: usize,
    pub short: bool,
}

/// A server that runs.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
}

impl Setup<'_> {
    /// Starts it on the server's core, behind the words of `before` if there are any.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(&self, before: &[String], cores: Cores) -> Result<Running, String> {
        let name = self.contender.name();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().map_err(|error| error.to_string())?));
        let mut words = before.to_vec();
        words.extend(self.command_line(address, !before.is_empty())?);
        let log = self.scratch.join("output.log");
        let output = || File::options().create(true).append(true).open(&log);
        let (Ok(out), Ok(err)) = (output(), output()) else { return Err(format!("no {}", log.display())) };
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(out).stderr(err);
        command.env_remove("RUST_LOG");
        let child = cores.on_the_servers(|| command.spawn()).map_err(|error| format!("{name}: {error}"))?;
        let mut running = Running { child, address };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            let gone = running.child.try_wait().map_err(|error| error.to_string())?;
            if gone.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("{name} does not start: {said}"));
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        Ok(running)
    }

    /// Its program and its words; writes its configuration. `alone` asks for a single process where it can.
    fn command_line(&self, address: SocketAddr, alone: bool) -> Result<Vec<String>, String> {
        let program = self.contender.program().ok_or_else(|| format!("{} is missing", self.contender.name()))?;
        let program = program.display().to_string();
        let (root, scratch) = (self.root.display(), self.scratch.display());
        let configuration = format!("{scratch}/{}.conf", self.contender.name());
        let with_file = |text: String, words: &[&str]| {
            fs::write(&configuration, text).map_err(|error| format!("{configuration}: {error}"))?;
            let words = words.iter().map(|word| word.to_string());
            Ok([program.clone()].into_iter().chain(words).chain([configuration.clone()]).collect())
        };
        match self.contender {
            Contender::Bare => {
                let bare = Bare { address, request: self.request, content: self.content, short: self.short };
                Ok([program, "bare".into()].into_iter().chain(bare.words()).collect())
            }
            Contender::Holdline => {
                let mut words = vec![program, "--listen".into(), address.to_string()];
                if !self.console {
                    words.extend(["--console".into(), "off".into()]);
                }
                if self.logged {
                    words.extend(["--access-log".into(), format!("{scratch}/access.log")]);
                }
                words.push(root.to_string());
                Ok(words)
            }
            Contender::Nginx => {
                let log = if self.logged { format!("{scratch}/access.log combined") } else { "off".into() };
                let master = if alone { "off" } else { "on" };
                let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
                let text = format!(
                    "daemon off; master_process {master}; worker_processes 1; {user}
                    pid {scratch}/nginx.pid; error_log stderr error;
                    events {{ worker_connections 16384; multi_accept on; }}
                    http {{
                        types {{ text/html html; }}
                        default_type application/octet-stream;
                        access_log {log}; log_not_found off;
                        sendfile on; tcp_nopush on; tcp_nodelay on;
                        keepalive_timeout 75s; keepalive_requests 1000;
                        open_file_cache max=10000 inactive=60s; open_file_cache_valid 30s;
                        client_body_temp_path {scratch}; proxy_temp_path {scratch}; fastcgi_temp_path {scratch};
                        uwsgi_temp_path {scratch}; scgi_temp_path {scratch};
                        server {{ listen {address} backlog=4096; root {root}; }}
                    }}\n"
                );
                with_file(text, &["-e", "stderr", "-c"])
            }
            Contender::Lighttpd => {
                let text = format!(
                    "server.document-root = \"{root}\"
                    server.bind = \"{}\"
                    server.port = {}
                    server.errorlog = \"{scratch}/lighttpd.log\"
                    server.max-fds = {}
                    server.max-connections = {}
                    server.listen-backlog = 4096
                    server.max-keep-alive-idle = 75
                    server.max-keep-alive-requests = 1000
                    mimetype.assign = ( \".html\" => \"text/html\", \"\" => \"application/octet-stream\" )\n",
                    address.ip(),
                    address.port(),
                    self.descriptors,
                    self.descriptors / 2
                );
                with_file(text, &["-D", "-f"])
            }
            Contender::H2o => {
                let user = if rustix::process::geteuid().is_root() { "user: root\n" } else { "" };
                let text = format!(
                    "{user}num-threads: 1\nmax-connections: 16384\nhttp1-request-timeout: 75\n\
                     error-log: {scratch}/h2o.log\n\
                     listen:\n  host: {}\n  port: {}\n\
                     hosts:\n  default:\n    paths:\n      /:\n        file.dir: {root}\n",
                    address.ip(),
                    address.port()
                );
                with_file(text, &["-c"])
            }
        }
    }
}

impl Running {
    /// The process that was started.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    /// Asks it to stop, and waits until it has. One that doesn't is ended by force.
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            // Again and again: nginx without a master misses a signal that comes just before its poll.
            if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
                let _ = kill_process(pid, Signal::TERM);
            }
            let again = Instant::now() + Duration::from_millis(500);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < again {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A port that is free now. Not every contender can take port 0 and say which one it got.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
