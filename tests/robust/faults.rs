//! Faults: each time the server serves before, during (or says the right thing) and after, and holds no more
//! descriptors and hardly more memory than before.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::{PATIENCE, Root, Server, Wire, get, ms, wait_for};

/// Bytes by which resident memory may have grown when all is over.
const RESIDENT: u64 = 1 << 20;

/// What a server holds when nothing happens.
struct Baseline {
    descriptors: usize,
    resident: u64,
}

impl Baseline {
    /// After some work, so that what it needs in any case is there.
    fn of(server: &Server, mut work: impl FnMut()) -> Baseline {
        work();
        wait_for("quiet", || (server.connect().get("/").status == 200).then_some(()));
        Baseline { descriptors: server.descriptors(), resident: server.resident() }
    }

    /// Asserts that it holds no more now. A descriptor or two are of connections that are just closing.
    fn assert_restored(&self, server: &Server) {
        wait_for("the descriptors of the beginning", || (server.descriptors() <= self.descriptors).then_some(()));
        let growth = server.resident().saturating_sub(self.resident);
        assert!(growth <= RESIDENT, "it grew by {growth} bytes");
    }
}

fn serves(server: &Server) {
    assert_eq!(server.connect().get("/").status, 200);
}

/// Connections that end by RST: before a request, inside of one, behind one, and inside of a response.
#[test]
fn a_storm_of_resets() {
    let root = Root::new().file("big.bin", vec![7; 1_000_000]);
    let server = Server::start(&root, &["--linger", "500ms"]);
    let words = [String::new(), "GET / HT".to_owned(), get("/", &[]), get("/big.bin", &[]), get("/", &[]).repeat(50)];
    let storm = |count: usize| {
        for number in 0..count {
            let mut wire = server.connect();
            wire.send(&words[number % words.len()]);
            if number % 3 == 0 {
                wire.read_to_end(ms(1));
            }
            wire.reset();
        }
    };
    let baseline = Baseline::of(&server, || storm(200));
    storm(3000);
    serves(&server);
    baseline.assert_restored(&server);
}

#[test]
fn a_storm_of_half_requests() {
    let root = Root::new();
    let server = Server::start(&root, &["--linger", "500ms"]);
    let halves = [
        "G".to_owned(),
        "GET / HTTP/1.1\r\nHost: localh".to_owned(),
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf".to_owned(),
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal".to_owned(),
        get("/", &[]) + "GET /",
    ];
    let storm = |count: usize| {
        let open: Vec<Wire> = (0..count)
            .map(|number| {
                let mut wire = server.connect();
                wire.send(&halves[number % halves.len()]);
                wire
            })
            .collect();
        serves(&server);
        drop(open);
    };
    let baseline = Baseline::of(&server, || storm(500));
    for _ in 0..6 {
        storm(500);
    }
    serves(&server);
    baseline.assert_restored(&server);
}

/// All that arrived in the meantime counts as arrived in time, whatever the clock says now.
#[test]
fn a_process_that_is_stopped_for_five_seconds() {
    let root = Root::new();
    let flags = ["--keep-alive-timeout", "2s", "--keep-alive-grace", "1s", "--head-timeout", "3s"];
    let server = Server::start(&root, &flags);
    let baseline = Baseline::of(&server, || {
        (0..60).for_each(|_| serves(&server));
    });
    let mut idle: Vec<Wire> = (0..60).map(|_| server.connect()).collect();
    for wire in &mut idle {
        wire.get("/");
    }
    let mut halves: Vec<Wire> = (0..20).map(|_| server.connect()).collect();
    for wire in &mut halves {
        wire.send("GET / HTTP/1.1\r\n");
    }
    server.signal(Signal::STOP);
    let mut new: Vec<Wire> = (0..60).map(|_| server.connect()).collect();
    for wire in idle.iter_mut().chain(&mut new) {
        wire.send(get("/", &[]));
    }
    for wire in &mut halves {
        wire.send("Host: localhost\r\n\r\n");
    }
    std::thread::sleep(ms(5000));
    server.signal(Signal::CONT);
    for wire in idle.iter_mut().chain(&mut new).chain(&mut halves) {
        assert_eq!(wire.read_response().status, 200);
    }
    serves(&server);
    drop((idle, new, halves));
    baseline.assert_restored(&server);
}

#[test]
fn logs_on_a_full_device() {
    let root = Root::new();
    let server = Server::start(&root, &["--access-log", "/dev/full", "--connection-log", "/dev/full"]);
    let baseline = Baseline::of(&server, || (0..500).for_each(|_| serves(&server)));
    (0..1000).for_each(|_| serves(&server));
    baseline.assert_restored(&server);
}

#[test]
fn standard_streams_that_are_closed() {
    let root = Root::new();
    let socket = root.at("holdline.socket");
    let listen = format!("unix:{}", socket.display());
    let mut child = Command::new("sh")
        .args(["-c", r#"exec "$@" <&- >&- 2>&-"#, "sh", env!("CARGO_BIN_EXE_holdline"), "--listen", &listen])
        .args(["--access-log", "-"])
        .arg(root.path())
        .env("RUST_LOG", "debug")
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    for _ in 0..20 {
        let mut stream = wait_for("a connection", || UnixStream::connect(&socket).ok());
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout is set");
        stream.write_all(get("/", &["Connection: close"]).as_bytes()).expect("the request is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the answer is read");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("home page\n"), "{answer}");
    }
    child.kill().expect("it still runs");
    child.wait().expect("it is our child");
}

/// While it is away nothing is there, or what was opened before; when it is back, all is.
#[test]
fn a_root_that_vanishes_and_returns() {
    let outer = Root::new().file("site/index.html", "home page\n").file("site/page.txt", "a page\n");
    let site = outer.at("site");
    let server = Server::serve(&site, &[]);
    let mut wire = server.connect();
    assert_eq!(wire.get("/page.txt").status, 200);
    fs::remove_dir_all(&site).expect("the root is removed");
    for path in ["/page.txt", "/", "/other"] {
        assert_eq!(wire.get(path).status, 404, "{path}");
        assert_eq!(server.connect().get(path).status, 404, "{path}");
    }
    assert_eq!(wire.get("/-/healthy").status, 200);
    fs::create_dir(&site).expect("the root is back");
    fs::write(site.join("page.txt"), "another page\n").expect("a page is written");
    assert_eq!(wire.get("/page.txt").body, b"another page\n");
    assert_eq!(server.connect().get("/page.txt").body, b"another page\n");
}
