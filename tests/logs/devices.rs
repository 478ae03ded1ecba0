//! Devices that are full, broken or not read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use rustix::process::{Pid, Resource, Rlimit, Signal};

use crate::support::{LedgerLine, PATIENCE, Root, Server, Wire, address_in, get, urls_in, wait_for};
use crate::{start_logging, without_beginning};

/// How many lines of the server's log say that lines are lost.
fn complaints(server: &Server) -> usize {
    server.log().iter().filter(|line| line.contains("are lost")).count()
}

#[test]
fn a_full_disk_is_said_once_and_stops_nothing() {
    let root = Root::new();
    let server = start_logging(&root, "--access-log", Path::new("/dev/full"), &["--connection-log", "/dev/full"]);
    for _ in 0..20 {
        let mut wire = server.connect();
        for _ in 0..20 {
            assert_eq!(wire.get("/").status, 200);
        }
    }
    wait_for("the complaint", || (complaints(&server) > 0).then_some(()));
    assert_eq!(complaints(&server), 1);
    server.signal(Signal::HUP);
    wait_for("the complaint after a reopen", || {
        server.connect().get("/");
        (complaints(&server) == 2).then_some(())
    });
}

/// Unless it is heard, SIGXFSZ ends a process that writes beyond the size limit of files.
#[test]
fn a_log_at_the_size_limit_of_files_stops_nothing() {
    let outer = Root::new();
    let root = Root::new();
    let mut server = start_logging(&root, "--access-log", &outer.at("access.log"), &["--max-requests", "0"]);
    let pid = Pid::from_raw(server.pid().cast_signed());
    let limit = Rlimit { current: Some(20_000), maximum: Some(20_000) };
    rustix::process::prlimit(pid, Resource::Fsize, limit).expect("a limit for our own child");
    let mut wire = server.connect();
    for _ in 0..500 {
        assert_eq!(wire.get("/").status, 200);
    }
    wait_for("the complaint", || (complaints(&server) > 0).then_some(()));
    assert!(server.is_running());
}

/// A FIFO that nobody reads takes what it can hold. What is too much is lost line by line, and a reader that
/// comes at last finds whole lines.
#[test]
fn a_fifo_that_nobody_reads_stops_nothing() {
    let outer = Root::new();
    let root = Root::new();
    let fifo = outer.at("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a FIFO");
    let server = start_logging(&root, "--access-log", &fifo, &["--max-requests", "0"]);
    let agent = format!("User-Agent: {}", "a".repeat(1000));
    let mut wire = server.connect();
    for _ in 0..1500 {
        wire.send(get("/", &[&agent]));
        assert_eq!(wire.read_response().status, 200);
    }
    wait_for("the complaint", || (complaints(&server) == 1).then_some(()));

    let lines = read_lines(File::open(&fifo).expect("the FIFO opens"));
    let next = || lines.recv_timeout(PATIENCE).expect("another line");
    let first = next();
    assert!(first.ends_with(" conn=1 req=1 keep"), "{first}");
    for number in 2..900 {
        let line = next();
        assert!(line.starts_with("127.0.0.1 - - [") && line.ends_with(&format!(" req={number} keep")), "{line}");
    }
    wire.get("/again");
    while !next().contains("\"GET /again HTTP/1.1\"") {}
    assert_eq!(complaints(&server), 1);
}

/// The lines of a pipe, read by a thread of its own.
fn read_lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// The binary with standard streams of our choice.
struct Bare(Child);

impl Bare {
    fn start(root: &Root, flags: &[&str], level: &str, stdout: Stdio) -> Bare {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
        command.env("RUST_LOG", level);
        Bare::start_by(command, root, flags, stdout)
    }

    fn start_by(mut command: Command, root: &Root, flags: &[&str], stdout: Stdio) -> Bare {
        let child = command
            .args(["--listen", "127.0.0.1:0", "--max-requests", "0"])
            .args(flags)
            .arg(root.path())
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn();
        Bare(child.expect("the binary starts"))
    }

    /// Reads the first line of standard error, and does not read on.
    fn address(&mut self) -> SocketAddr {
        let mut first = String::new();
        let stderr = self.0.stderr.as_mut().expect("standard error is piped");
        BufReader::new(stderr).read_line(&mut first).expect("the first line is read");
        address_in(&urls_in(first.trim_end())[0])
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.0.id().cast_signed());
        rustix::process::kill_process(pid.expect("a process id"), signal).expect("it is our child");
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.0.kill().expect("it still runs, or is a zombie");
        self.0.wait().expect("it is our child");
    }
}

fn ask_often(address: SocketAddr, requests: usize) {
    let mut wire = Wire::connect(address);
    for _ in 0..requests {
        assert_eq!(wire.get("/").status, 200);
    }
}

#[test]
fn a_standard_error_that_nobody_reads_stops_nothing() {
    let root = Root::new();
    let mut server = Bare::start(&root, &[], "debug", Stdio::null());
    ask_often(server.address(), 2000);
}

/// A sandbox lets nobody open a pipe by its name, and nothing lets a socket be opened so.
#[test]
fn a_log_may_be_called_by_the_name_of_a_stream() {
    let root = Root::new();
    let folder = Root::new();
    let link = folder.at("access.log");
    std::os::unix::fs::symlink("/dev/stdout", &link).expect("a symlink, as in images of containers");
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/fd/3", &link.to_string_lossy()] {
        let (unix, socket) = UnixStream::pair().expect("a pair of sockets");
        let (pipe, writer) = std::io::pipe().expect("a pipe");
        for (stdout, reader) in [(OwnedFd::from(socket), OwnedFd::from(unix)), (writer.into(), pipe.into())] {
            let flags = ["--access-log", name, "--connection-log", name];
            let mut server = Bare::start_by(with_a_third_stream(), &root, &flags, stdout.into());
            let lines = read_lines(File::from(reader));
            // Without a sandbox the first line would be a warning.
            let address = server.address();
            for signal in [None, Some(Signal::HUP)] {
                if let Some(signal) = signal {
                    server.signal(signal);
                }
                ask_often(address, 1);
                let next = || lines.recv_timeout(PATIENCE).expect("another line");
                assert!(next().contains("\"GET / HTTP/1.1\" 200 "), "{name}");
                assert!(next().contains("reason=client-closed"), "{name}");
            }
        }
    }
}

/// The binary, with its standard output as descriptor 3 too.
fn with_a_third_stream() -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" 3>&1", "sh", env!("CARGO_BIN_EXE_holdline")]);
    shell
}

#[test]
fn a_standard_output_that_nobody_reads_stops_nothing() {
    let root = Root::new();
    let flags = ["--access-log", "-", "--connection-log", "-"];
    let (_unread, socket) = UnixStream::pair().expect("a pair of sockets");
    for stdout in [Stdio::piped(), OwnedFd::from(socket).into()] {
        let mut server = Bare::start(&root, &flags, "warn", stdout);
        ask_often(server.address(), 3000);
    }
}

#[test]
fn a_standard_output_that_is_closed_stops_nothing() {
    let root = Root::new();
    let mut server = Bare::start(&root, &["--access-log", "-"], "warn", Stdio::piped());
    drop(server.0.stdout.take());
    ask_often(server.address(), 100);
}

#[test]
fn both_logs_may_go_to_standard_output() {
    let root = Root::new();
    let flags = ["--access-log", "-", "--connection-log", "-"];
    let mut server = Bare::start(&root, &flags, "warn", Stdio::piped());
    ask_often(server.address(), 3);
    let lines = read_lines(server.0.stdout.take().expect("standard output is piped"));
    let next = || lines.recv_timeout(PATIENCE).expect("another line");
    for _ in 0..3 {
        let line = next();
        assert!(without_beginning(&line).starts_with("\"GET / HTTP/1.1\" 200 "), "{line}");
    }
    let line = LedgerLine::parse(&next()).expect("a line of the ledger");
    line.assert_end("client", "fin", "client-closed", "no");
}
