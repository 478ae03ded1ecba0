//! Servers inside of another program: they keep to themselves, and each is shut down by itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use holdline::http::{Limits, Moment};
use holdline::observe::{ConnectionId, Event, Observer};
use holdline::server::{BindError, Config, ListenAddress, Outcome, Running, Served, Server, Shutdown};

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn request(address: SocketAddr, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream
}

fn first_bytes(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

fn status(server: &Running, target: &str) -> String {
    let response = first_bytes(&mut request(server.local_addrs()[0], target));
    response.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// The signals that this process handles and ignores, as the kernel has them.
fn signals() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let lines = status.lines().filter(|line| line.starts_with("SigCgt") || line.starts_with("SigIgn"));
    lines.map(str::to_owned).collect()
}

#[test]
fn two_servers_are_shut_down_one_by_one_and_no_signal_is_touched() {
    let before = signals();
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("index.html"), "<p>hi").unwrap();
    let serve = Served::Folder(root.path().to_owned());
    let one = Server::spawn(Config { serve, ..Config::default() }).unwrap();
    let other = Server::spawn(Config::default()).unwrap();
    assert_eq!(status(&one, "/"), "200");
    assert_eq!(status(&other, "/"), "404");
    assert_eq!(status(&other, "/-/healthy"), "200");

    assert_eq!(one.shutdown(Shutdown::Graceful).unwrap(), Outcome { cut: 0 });
    assert_eq!(status(&other, "/-/healthy"), "200", "the other one goes on");
    let address = other.local_addrs()[0];
    drop(other);
    // Nobody listens there any more, so that the port can be bound.
    TcpListener::bind(address).unwrap();
    assert_eq!(signals(), before);
}

#[test]
fn a_handle_shuts_down_from_any_thread_and_outlives_its_server() {
    let server = Server::bind(Config::default()).unwrap();
    let handle = server.handle();
    let address = server.local_addrs()[0];
    let other = handle.clone();
    let asks = thread::spawn(move || {
        let mut idle = request(address, "/-/healthy");
        assert!(first_bytes(&mut idle).starts_with("HTTP/1.1 200"));
        other.shutdown(Shutdown::Fast);
        // The idle connection is closed at once.
        assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0);
    });
    assert_eq!(server.run().unwrap(), Outcome { cut: 0 });
    asks.join().unwrap();
    handle.abort();
}

#[test]
fn an_abort_cuts_what_a_graceful_shutdown_waits_for() {
    let limits = Limits { drain_timeout: Duration::from_secs(3600), ..Limits::default() };
    let server = Server::spawn(Config { limits, ..Config::default() }).unwrap();
    let mut slow = request(server.local_addrs()[0], "/-/lab/bytes/1000000?rate=1000");
    assert!(first_bytes(&mut slow).starts_with("HTTP/1.1 200"));
    let handle = server.handle();
    handle.shutdown(Shutdown::Graceful);
    thread::sleep(Duration::from_millis(50));
    assert!(!server.is_finished(), "a response is in flight");
    handle.abort();
    assert_eq!(server.shutdown(Shutdown::Graceful).unwrap(), Outcome { cut: 1 });
}

#[test]
fn dropping_a_server_ends_it_at_once() {
    let server = Server::spawn(Config::default()).unwrap();
    let mut slow = request(server.local_addrs()[0], "/-/lab/bytes/1000000?rate=1000");
    assert!(first_bytes(&mut slow).starts_with("HTTP/1.1 200"));
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < PATIENCE);
    slow.read_to_end(&mut Vec::new()).expect_err("the response was cut by an RST");
}

#[test]
fn what_can_not_be_served_or_bound_is_an_error_with_its_name() {
    let missing = Config { serve: Served::Folder("/nowhere/at/all".into()), ..Config::default() };
    let error = Server::spawn(missing).unwrap_err();
    assert!(matches!(error, BindError::Folder(..)), "{error:?}");
    assert!(error.to_string().starts_with("cannot serve /nowhere/at/all: "), "{error}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = vec![ListenAddress::Tcp(taken.local_addr().unwrap())];
    let error = Server::spawn(Config { listen, ..Config::default() }).unwrap_err();
    assert!(matches!(error, BindError::Listen(..)), "{error:?}");
}

/// What an observer is told of a response, if it says nothing of what it needs.
struct Times(Sender<(Duration, Option<Duration>)>);

impl Observer for Times {
    fn observe(&mut self, _now: Moment, _connection: ConnectionId, event: &Event<'_>) {
        match event {
            Event::Response(answered) => self.0.send((answered.took, None)).unwrap(),
            Event::Closed(life) => self.0.send((Duration::ZERO, life.round_trip)).unwrap(),
            _ => {}
        }
    }
}

#[test]
fn an_observer_gets_all_that_its_events_have() {
    let (tell, told) = channel();
    let server = Server::spawn(Config { observers: vec![Box::new(Times(tell))], ..Config::default() }).unwrap();
    assert_eq!(status(&server, "/-/lab/bytes/100000"), "200");
    let (took, _) = told.recv_timeout(PATIENCE).unwrap();
    assert!(!took.is_zero());
    let (_, round_trip) = told.recv_timeout(PATIENCE).unwrap();
    assert!(round_trip.is_some());
}

/// Ten lines in a crate of its own, without the features of the program.
#[test]
fn a_crate_outside_of_the_workspace_starts_two_servers() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = format!(
        "[package]\nname = \"outside\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         holdline = {{ path = {repository:?}, default-features = false }}\n",
    );
    let main = r#"
        use holdline::server::{Config, Server, Shutdown};
        fn main() {
            let one = Server::spawn(Config::default()).unwrap();
            let other = Server::spawn(Config::default()).unwrap();
            for server in [&one, &other] {
                std::net::TcpStream::connect(server.local_addrs()[0]).unwrap();
            }
            assert_eq!(one.shutdown(Shutdown::Graceful).unwrap().cut, 0);
            drop(other);
            println!("both have ended");
        }
    "#;
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.path().join("src/main.rs"), main).unwrap();
    fs::copy(repository.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    // Built in a folder of its own beneath ours, so that the next run finds what this one has built.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside");
    let cargo = |words: &[&str]| {
        let run =
            Command::new(env!("CARGO")).args(words).current_dir(&folder).env("CARGO_TARGET_DIR", &target).output();
        let output = run.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    assert_eq!(cargo(&["run", "--quiet", "--offline"]), "both have ended\n");
    let crates = cargo(&["tree", "--quiet", "--offline", "--prefix", "none", "--edges", "normal"]);
    for program in ["clap", "env_logger", "jiff", "listenfd", "signal-hook"] {
        assert!(!crates.lines().any(|line| line.starts_with(program)), "{crates}");
    }
    assert!(crates.contains("\nmio "), "{crates}");
}
