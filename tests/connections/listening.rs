//! Where the server listens.

use std::io::{Read, Write};
use std::net::ToSocketAddrs;
use std::os::unix::net::UnixStream;
use std::process::Command;

use rustix::process::Signal;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::support::{PATIENCE, Root, Server, Wire, address_in, get, run};

#[test]
fn several_addresses_of_both_families() {
    let root = Root::new();
    let server = Server::start(&root, &["--listen", "[::1]:0", "--listen", "localhost:0"]);
    let of_localhost = ("localhost", 0).to_socket_addrs().expect("it has addresses").count();
    assert_eq!(server.urls().len(), 2 + of_localhost, "{:?}", server.urls());
    for url in server.urls() {
        let mut wire = Wire::connect(address_in(url));
        assert_eq!(wire.get("/").status, 200, "{url}");
        assert_eq!(server.ledger_of(wire).get("requests"), "1");
    }
}

/// As it is for systemd, the wildcard of IPv6 is both families.
#[test]
fn the_wildcard_of_ipv6_takes_ipv4_too() {
    let root = Root::new();
    let server = Server::start(&root, &["--listen", "[::]:0"]);
    let port = address_in(&server.urls()[1]).port();
    for address in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let mut wire = Wire::connect(address.parse().expect("an address"));
        assert_eq!(wire.get("/").status, 200, "{address}");
    }
}

#[test]
fn a_unix_socket() {
    let root = Root::new();
    let path = root.at("holdline.socket");
    let server = Server::start(&root, &["--listen", &format!("unix:{}", path.display())]);
    let mut stream = UnixStream::connect(&path).expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout is set");
    stream.write_all(get("/", &["Connection: close"]).as_bytes()).expect("the request is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is read");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("home page\n"), "{answer}");
    drop(stream);
    server.ledgers(1)[0].assert_end("server", "fin", "client-asked", "yes");
}

/// A socket that a dead server left behind does not hinder, and what is not a socket is not removed.
#[test]
fn a_unix_socket_that_was_left_behind() {
    let root = Root::new();
    let path = root.at("holdline.socket");
    let flags = ["--listen", &format!("unix:{}", path.display())];
    for _ in 0..2 {
        // Dropped without a chance to clean up: it is killed.
        let server = Server::start(&root, &flags);
        UnixStream::connect(&path).expect("the server accepts");
        drop(server);
    }
}

#[test]
fn the_path_of_another_server_is_not_removed() {
    let root = Root::new();
    let path = root.at("holdline.socket");
    let flags = ["--listen", &format!("unix:{}", path.display())];
    let mut first = Server::start(&root, &flags);
    std::fs::remove_file(&path).expect("somebody removes it");
    let _second = Server::start(&root, &flags);
    first.signal(Signal::INT);
    assert!(first.wait().success());
    UnixStream::connect(&path).expect("the second server accepts");
}

/// Whoever listens there is alive, even if its accept queue is full.
#[test]
fn a_start_does_not_wait_for_a_full_accept_queue() {
    let root = Root::new();
    let path = root.at("stuck.socket");
    let stuck = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    stuck.bind(&SockAddr::unix(&path).expect("a path")).expect("it is bound");
    stuck.listen(0).expect("it listens");
    let _waiting = UnixStream::connect(&path).expect("there is room for one");
    let words = ["--listen", &format!("unix:{}", path.display())];
    let finished = run(Command::new(env!("CARGO_BIN_EXE_holdline")).args(words).arg(root.path()));
    assert!(!finished.success);
    assert!(finished.stderr.contains("another process listens there"), "{}", finished.stderr);
}

#[test]
fn several_processes_share_an_address() {
    let root = Root::new();
    let first = Server::start(&root, &["--reuse-port"]);
    let address = first.address().to_string();
    let second = Server::start(&root, &["--reuse-port", "--listen", &address]);
    assert_eq!(address_in(&second.urls()[1]), first.address());
}
