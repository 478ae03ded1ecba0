//! Memory has bounds, whatever peers do: our own as the kernel counts it (RSS), and the kernel's for our sockets.
//! `docs/limits.md` names these bounds.

use std::fs;
use std::io::Write;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::support::{PATIENCE, Root, Server, Wire, get, ms, pattern, wait_for};

const KIB: u64 = 1024;

/// Bytes of ours for a connection that waits for a request.
const IDLE: u64 = KIB;

/// The same for one in the middle of a head, beside twice what it has sent of it.
const SLOW_HEAD: u64 = KIB;

/// The same for one that does not read a large file.
const STALLED: u64 = 4 * KIB;

/// Bytes of the kernel's for one that does not read.
const STALLED_IN_THE_KERNEL: u64 = 512 * KIB;

/// Bytes that a pipeline may cost, however long it is.
const PIPELINE: u64 = 64 * KIB;

/// What the process itself may take beside that of connections: tables double when they grow, and a line of the log for
/// each connection may wait for its reader.
const SLACK: u64 = 768 * KIB;

/// Asserts that resident memory has grown by at most this many bytes a connection.
fn assert_growth(server: &Server, before: u64, connections: u64, bound: u64) {
    let growth = server.resident().saturating_sub(before);
    let each = growth.saturating_sub(SLACK) / connections;
    assert!(each <= bound, "{growth} bytes for {connections} connections: {each} each, not {bound}");
}

/// Descriptors that all tests of this process may need together.
const DESCRIPTORS: u64 = 19_000;

/// As many as are asked for, or as the operating system allows. To be asked before the server is started, which
/// inherits what is allowed.
fn affordable(count: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a process may have as many as it may");
    let limit = limit.current.unwrap_or(u64::MAX).saturating_sub(1000).min(DESCRIPTORS);
    (count * limit as usize / DESCRIPTORS as usize).max(1)
}

/// A server that has served already, so that what it needs in any case is there.
fn warm(root: &Root, flags: &[&str]) -> Server {
    let server = Server::start(root, flags);
    let mut wires: Vec<Wire> = (0..50).map(|_| server.connect()).collect();
    for wire in &mut wires {
        wire.get("/");
    }
    server
}

/// Closes without leaving a TIME_WAIT each.
fn reset_all(wires: Vec<Wire>) {
    wires.into_iter().for_each(Wire::reset);
}

#[test]
fn fifteen_thousand_idle_connections() {
    let count = affordable(15_000);
    let root = Root::new();
    let server = warm(&root, &[]);
    let before = server.resident();
    let mut wires = Vec::with_capacity(count);
    for _ in 0..count {
        let mut wire = server.connect();
        assert!(!wire.get("/").closes());
        wires.push(wire);
    }
    assert_growth(&server, before, count as u64, IDLE);

    let used = server.cpu_time();
    wires[0].expect_silence(ms(1000));
    let used = server.cpu_time() - used;
    assert!(used <= ms(50), "{used:?} of processor time in a second in which nothing happens");
    assert_eq!(wires[count / 2].get("/").status, 200);
    reset_all(wires);
}

#[test]
fn two_thousand_slow_heads() {
    let count = affordable(2000);
    let root = Root::new();
    let server = warm(&root, &["--head-timeout", "60s"]);
    let before = server.resident();
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(4000));
    let mut wires: Vec<Wire> = (0..count).map(|_| server.connect()).collect();
    for wire in &mut wires {
        wire.send(&head);
    }
    // Each has been read when the last one has been answered.
    wires[count - 1].send("\r\n\r\n");
    assert_eq!(wires[count - 1].read_response().status, 200);
    assert_growth(&server, before, count as u64, SLOW_HEAD + 2 * head.len() as u64);
    // Who behaves hardly notices.
    assert_eq!(server.connect().get("/").status, 200);
    reset_all(wires);
}

#[test]
fn five_hundred_clients_that_do_not_read_eight_mebibytes() {
    let count = affordable(500);
    let root = Root::new().file("big.bin", pattern(8 << 20));
    let server = warm(&root, &["--send-timeout", "8s"]);
    let before = server.resident();
    let mut wires: Vec<Wire> = (0..count).map(|_| server.connect()).collect();
    for wire in &mut wires {
        wire.send(get("/big.bin", &[]));
    }
    for wire in &mut wires {
        wire.read_some(1);
    }
    assert_growth(&server, before, count as u64, STALLED);
    let queues = send_queues(server.address().port());
    assert!(queues.len() >= count, "{} connections", queues.len());
    let longest = queues.iter().max().copied().unwrap_or_default();
    assert!(longest <= STALLED_IN_THE_KERNEL, "{longest} bytes wait in the kernel for a client that does not read");
    // Timed out by an RST, so that the kernel has them back at once.
    server.ledger(wires[count - 1].address());
    for line in server.ledgers(50 + count).iter().filter(|line| line.get("last") == "GET /big.bin") {
        line.assert_end("server", "reset", "send-timeout", "no");
    }
    for wire in &mut wires {
        wire.expect_reset(PATIENCE);
    }
    assert_growth(&server, before, 1, 0);
}

/// Bytes that wait in the kernel, for each connection of this server's.
fn send_queues(port: u16) -> Vec<u64> {
    let sockets = fs::read_to_string("/proc/net/tcp").expect("the kernel tells");
    let local = format!(":{port:04X}");
    let established = |fields: &Vec<&str>| fields[1].ends_with(&local) && fields[3] == "01";
    let queued = |fields: Vec<&str>| u64::from_str_radix(fields[4].split(':').next()?, 16).ok();
    sockets.lines().map(|line| line.split_whitespace().collect()).filter(established).filter_map(queued).collect()
}

/// The server stops reading while nobody takes its answers, so a pipeline waits where it belongs: with its sender.
#[test]
fn a_pipeline_of_a_hundred_thousand_unread_requests() {
    let root = Root::new();
    // So that each response is as long as the others: without a countdown, and without the connection's number.
    let server = warm(&root, &["--max-requests", "0", "--console", "off"]);
    let mut wire = server.connect();
    wire.send(get("/", &[]));
    wire.read_some(1);
    let length = wire.unread();
    // What one pipeline needs is there when the next begins.
    pipeline_unread_at_first(&server, 10_000, length);
    let before = server.resident();
    pipeline_unread_at_first(&server, 100_000, length);
    let growth = server.resident().saturating_sub(before);
    assert!(growth <= PIPELINE, "it grew by {growth} bytes");
}

/// Sends all the requests, reads when the server does nothing any more, and finds all the responses.
fn pipeline_unread_at_first(server: &Server, count: usize, length: usize) {
    let mut wire = server.connect();
    let mut sender = wire.sender();
    let sending = std::thread::spawn(move || sender.write_all(get("/", &[]).repeat(count).as_bytes()));
    wire.read_some(1);
    wait_for("the server's rest", || {
        let used = server.cpu_time();
        std::thread::sleep(ms(300));
        (server.cpu_time() == used).then_some(())
    });
    wire.read_some(count * length - wire.unread());
    assert_eq!(wire.unread(), count * length, "bytes of {count} responses");
    sending.join().expect("the sender does not panic").expect("all requests are taken");
    wire.reset();
}
