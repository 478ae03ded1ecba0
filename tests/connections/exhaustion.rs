//! When descriptors run out: no busy loop, no wrong answer, and all is well as soon as there are some again.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Root, Server, Wire, get, ms};

/// A server that may have this many descriptors, and believes that all of them are for connections.
fn with_descriptors(limit: u32, root: &Root) -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", &format!(r#"ulimit -n {limit}; exec "$@""#), "sh", env!("CARGO_BIN_EXE_holdline")]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Server::start_by(command, root, &["--max-connections", &limit.to_string()])
}

/// Connections that are in the middle of a request, and can't give way to others.
fn busy(server: &Server, count: usize) -> Vec<Wire> {
    let begin = |_| {
        let mut wire = server.connect();
        wire.send("GET / HTTP/1.1\r\n");
        wire
    };
    (0..count).map(begin).collect()
}

#[test]
fn a_file_that_finds_no_descriptor_is_503_and_an_idle_connection_gives_way_to_the_next() {
    let root = Root::new().file("big.bin", vec![7; 20_000_000]);
    let server = with_descriptors(64, &root);
    let mut idle: Vec<Wire> = (0..30).map(|_| server.connect()).collect();
    for wire in &mut idle {
        wire.get("/");
    }
    let oldest = idle.remove(0);
    // Nobody reads on, so each download holds a descriptor for its file.
    let mut downloads = Vec::new();
    let refusal = loop {
        let mut wire = idle.pop().expect("descriptors run out before connections do");
        wire.send(get("/big.bin", &[]));
        let response = wire.read_response_to_head();
        downloads.push(wire);
        if response.status != 200 {
            break response;
        }
    };
    assert_eq!((refusal.status, refusal.field("retry-after")), (503, Some("1")));
    assert_eq!(idle[0].get("/").status, 200, "nobody has given way");
    server.ledger(oldest.address()).assert_end("server", "fin", "evicted", "no");
}

/// All descriptors are taken and nobody can give way: who comes waits, and costs nothing.
#[test]
fn while_there_is_no_descriptor_for_a_connection_the_server_rests() {
    let root = Root::new();
    let server = with_descriptors(40, &root);
    let mut inside = busy(&server, 50);
    let mut outside = inside.split_off(40);
    std::thread::sleep(ms(200));
    let before = server.cpu_time();
    outside[0].expect_silence(ms(1000));
    let used = server.cpu_time() - before;
    assert!(used < ms(100), "{used:?} of processor time in a second");

    drop(inside);
    let freed = Instant::now();
    for wire in &mut outside {
        wire.send("Host: localhost\r\n\r\n");
        assert_eq!(wire.read_response().status, 200);
    }
    assert!(freed.elapsed() < Duration::from_secs(5), "it took {:?} to recover", freed.elapsed());
}

/// A connection that only waits gives way to one that has something to ask.
#[test]
fn idle_connections_give_way_when_descriptors_are_scarce() {
    let root = Root::new();
    let server = with_descriptors(64, &root);
    let mut idle = Vec::new();
    for number in 0..100 {
        let mut wire = server.connect();
        assert_eq!(wire.get("/").status, 200, "connection {number}");
        idle.push(wire);
    }
    for wire in &mut idle[..50] {
        wire.expect_eof(PATIENCE);
        server.ledger(wire.address()).assert_end("server", "fin", "evicted", "no");
    }
    assert_eq!(idle[99].get("/").status, 200);
}
