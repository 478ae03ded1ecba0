//! systemd's protocol: sockets that are handed over, and word of our state.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::{PATIENCE, Root, Server, Wire, get, wait_for};

/// The binary, with descriptor 3 that is our standard input here, and 4 that is our standard output.
fn with_descriptors(count: u32, third: impl Into<OwnedFd>, fourth: impl Into<OwnedFd>) -> Command {
    let script = format!(r#"LISTEN_FDS={count} LISTEN_PID=$$ exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#);
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_holdline")]);
    command.stdin(Stdio::from(third.into())).stdout(Stdio::from(fourth.into()));
    command
}

fn null() -> OwnedFd {
    std::fs::File::open("/dev/null").expect("there is a /dev/null").into()
}

#[test]
fn sockets_that_are_handed_over_are_used_and_left_to_their_owner() {
    let root = Root::new();
    let path = root.at("handed-over.socket");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let unix = UnixListener::bind(&path).expect("a socket");
    let url = format!("http://{}/", tcp.local_addr().expect("a bound socket has an address"));
    let keep = tcp.try_clone().expect("the socket is cloned");
    let mut server = Server::start_by(with_descriptors(2, tcp, unix), &root, &[]);
    assert_eq!(server.urls(), [url, format!("unix:{}", path.display())]);

    assert_eq!(server.connect().get("/").status, 200);
    let mut stream = UnixStream::connect(&path).expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout is set");
    stream.write_all(get("/", &["Connection: close"]).as_bytes()).expect("the request is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is read");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(stream);

    let address = server.address();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert!(path.exists(), "the path of a socket that is somebody else's was removed");
    // Who comes between two servers waits for the second one.
    let mut early = Wire::connect(address);
    early.send(get("/", &[]));
    let server = Server::start_by(with_descriptors(1, keep, null()), &root, &[]);
    assert_eq!(early.read_response().status, 200);
    drop(server);
}

#[test]
fn a_descriptor_that_is_not_a_listening_socket_is_one_line_and_status_1() {
    let root = Root::new();
    let (connected, _other) = UnixStream::pair().expect("a pair of sockets");
    let datagram = UnixDatagram::unbound().expect("a socket");
    for descriptor in [null(), connected.into(), datagram.into()] {
        let mut command = with_descriptors(1, descriptor, null());
        let output = command.arg(root.path()).stderr(Stdio::piped()).output().expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("holdline: cannot listen on descriptor 3 of LISTEN_FDS: "), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// The sockets are for the process that is named, and not for those that inherit the variables.
#[test]
fn sockets_for_another_process_are_none_of_ours() {
    let root = Root::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
    command.env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    let server = Server::start_by(command, &root, &[]);
    assert_eq!(server.connect().get("/").status, 200);
}

#[test]
fn the_service_manager_is_told_when_we_are_ready_and_when_we_stop() {
    let root = Root::new();
    let path = root.at("notify");
    let abstract_name = format!("holdline-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&abstract_name).expect("an abstract address");
    let managers = [
        (path.display().to_string(), UnixDatagram::bind(&path).expect("a socket")),
        (format!("@{abstract_name}"), UnixDatagram::bind_addr(&address).expect("a socket")),
    ];
    for (name, manager) in managers {
        manager.set_read_timeout(Some(PATIENCE)).expect("a read timeout is set");
        let told = || {
            let mut buffer = [0; 100];
            let length = manager.recv(&mut buffer).expect("a word");
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
        command.env("NOTIFY_SOCKET", &name);
        let mut server = Server::start_by(command, &root, &[]);
        assert_eq!(told(), "READY=1", "{name}");
        server.signal(Signal::TERM);
        assert_eq!(told(), "STOPPING=1", "{name}");
        assert_eq!(server.wait().code(), Some(0));
    }
}

/// A manager that has gone is a line in the log, and nothing more.
#[test]
fn a_service_manager_that_does_not_listen_stops_nothing() {
    let root = Root::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
    command.env("NOTIFY_SOCKET", root.at("nobody"));
    let server = Server::start_by(command, &root, &[]);
    assert_eq!(server.connect().get("/").status, 200);
    let warns = |line: &String| line.contains("cannot tell the service manager READY=1");
    wait_for("a warning", || server.log().iter().any(warns).then_some(()));
}
