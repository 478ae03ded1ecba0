//! RFC 9112 §9.3.2: all pipelined requests are answered, in order, however their bytes are cut.

use std::io::Write;

use crate::support::{Root, Server, Wire, get, ms, pattern};

/// A folder whose files say who they are, and requests for them by turns; every seventh is missing.
fn root() -> Root {
    (0..10).fold(Root::new(), |root, n| root.file(&format!("{n}.txt"), format!("file {n}\n")))
}

fn requests(count: usize) -> String {
    (0..count).map(|n| if n % 7 == 6 { get("/missing", &[]) } else { get(&format!("/{}.txt", n % 10), &[]) }).collect()
}

fn read_all(wire: &mut Wire, count: usize) {
    for n in 0..count {
        let response = wire.read_response();
        if n % 7 == 6 {
            assert_eq!(response.status, 404, "response {n}");
        } else {
            assert_eq!(response.status, 200, "response {n}");
            assert_eq!(response.body, format!("file {}\n", n % 10).into_bytes(), "response {n}");
        }
        let left = 1000 - (n + 1);
        assert_eq!(response.field("keep-alive"), Some(&*format!("timeout=70, max={left}")), "response {n}");
    }
}

#[test]
fn a_hundred_requests_in_one_write() {
    let root = root();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    wire.send(requests(100));
    read_all(&mut wire, 100);
}

/// Sends `count` requests in two writes, once for each of the splits, each time on a new connection.
fn split_at(server: &Server, count: usize, splits: impl Iterator<Item = usize>) {
    let bytes = requests(count).into_bytes();
    for at in splits.take_while(|at| *at < bytes.len()) {
        let mut wire = server.connect();
        let (first, second) = bytes.split_at(at);
        wire.send_parts([first, second]);
        read_all(&mut wire, count);
    }
}

#[test]
fn a_hundred_requests_in_two_writes() {
    let root = root();
    let server = Server::start(&root, &[]);
    split_at(&server, 100, (1..).step_by(101));
}

#[test]
fn seven_requests_in_every_split_of_two_writes() {
    let root = root();
    let server = Server::start(&root, &[]);
    split_at(&server, 7, 1..);
}

#[test]
fn requests_byte_by_byte() {
    let root = root();
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    for byte in requests(7).bytes() {
        wire.send([byte]);
    }
    read_all(&mut wire, 7);
}

/// Large files by turns with small ones: what is sent by another way than the buffer keeps its place.
#[test]
fn large_and_small_responses_keep_their_order() {
    let root = root().file("large.bin", pattern(3_000_000));
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    let pair = get("/large.bin", &[]) + &get("/1.txt", &[]);
    wire.send(pair.repeat(5));
    let large = pattern(3_000_000);
    for _ in 0..5 {
        assert!(wire.read_response().body == large, "the large file is not whole");
        assert_eq!(wire.read_response().body, b"file 1\n");
    }
}

/// The server stops reading while nobody takes its answers, and forgets none (CVE-2013-4450).
#[test]
fn thousands_of_requests_before_the_first_answer_is_read() {
    let root = root().file("page.bin", pattern(20_000));
    let server = Server::start(&root, &["--max-requests", "0"]);
    let mut wire = server.connect();
    let mut sender = wire.sender();
    let sending = std::thread::spawn(move || sender.write_all(get("/page.bin", &[]).repeat(5000).as_bytes()));
    std::thread::sleep(ms(300));
    let page = pattern(20_000);
    for n in 0..5000 {
        let response = wire.read_response();
        assert!(response.status == 200 && response.body == page, "response {n} is not the page");
    }
    sending.join().expect("the sender does not panic").expect("all requests are taken");
}
