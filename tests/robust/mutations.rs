//! Requests that were changed at random, over real connections: each reply is valid HTTP or a close, and the server's
//! memory stays as it is.
//!
//! `HOLDLINE_MUTATIONS=200000 cargo test --test robust mutated` makes this many connections. What a failure names as its
//! seed, `HOLDLINE_SEED` brings back.

use std::env;
use std::net::SocketAddr;

use crate::support::{Broken, PATIENCE, Root, Server, Wire};

/// Connections, unless `HOLDLINE_MUTATIONS` says otherwise.
const CONNECTIONS: u64 = 6000;

/// Clients at a time.
const CLIENTS: u64 = 4;

/// Bytes by which resident memory may grow once all kinds of requests have come by.
const GROWTH: u64 = 1 << 20;

/// What is changed.
const REQUESTS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /missing?q=%20#x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "GET http://localhost/a%2e%2e/./../index.html HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /page.txt HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-9,20-29,-5\r\nIf-Range: \"x\"\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: W/\"a\", \"b\", *\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::1]:8080\r\nAccept-Encoding: gzip;q=0.5, br, *;q=0\r\nTE: trailers\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello world",
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "PUT /x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "GET /-/status HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n",
];

/// What is put in.
const PIECES: &[&str] = &[
    "\r\n",
    "\r",
    "\n",
    "\0",
    " ",
    "\t",
    ":",
    "\r\n\r\n",
    "\r\n ",
    "\u{e9}",
    "HTTP/1.1",
    "HTTP/2.0",
    "Content-Length: 5\r\n",
    "Content-Length: 18446744073709551616\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Host: other\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "Range: bytes=0-0\r\n",
    "../",
    "%2f",
    "%00",
    "ffffffffffffffff\r\n",
    "0\r\n\r\n",
];

#[test]
fn mutated_requests_get_valid_http_or_a_close() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let count = number("HOLDLINE_MUTATIONS").unwrap_or(CONNECTIONS);
    let first = number("HOLDLINE_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 32);
    let root = Root::new().file("page.txt", "a page of some length, for ranges\n");
    let server = Server::start(&root, &["--console", "off", "--linger", "500ms"]);
    // Warm: what all kinds of requests need is there before the first look.
    converse_all(server.address(), first, count / 4);
    let before = server.resident();
    converse_all(server.address(), first + count / 4, count - count / 4);
    let growth = server.resident().saturating_sub(before);
    assert!(growth <= GROWTH, "it grew by {growth} bytes in {count} connections from seed {first}");
    assert_eq!(server.connect().get("/").status, 200);
}

/// One connection for each of `count` seeds, shared by several clients.
fn converse_all(server: SocketAddr, first: u64, count: u64) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                (first..first + count)
                    .skip(client as usize)
                    .step_by(CLIENTS as usize)
                    .for_each(|seed| converse(server, seed))
            });
        }
    });
}

/// One connection: some requests, some of them changed, cut into pieces as it comes, and an end.
fn converse(server: SocketAddr, seed: u64) {
    let mut random = Random(seed);
    let mut bytes: Vec<u8> = (0..=random.below(3)).flat_map(|_| random.one_of(REQUESTS).bytes()).collect();
    for _ in 0..random.below(6) {
        mutate(&mut bytes, &mut random);
    }
    let mut wire = Wire::connect(server);
    let split = random.below(bytes.len() + 1);
    wire.send_parts([&bytes[..split], &bytes[split..]].into_iter().filter(|part| !part.is_empty()));
    match random.below(10) {
        0 => return wire.reset(),
        1 => return,
        _ => wire.finish_sending_anyway(),
    }
    loop {
        match wire.try_read(false, PATIENCE) {
            Ok(_) => {}
            Err(Broken::Eof) if wire.unread() == 0 => return,
            Err(Broken::Reset) => return,
            Err(broken) => panic!("seed {seed}: {broken:?} after {}", bytes.escape_ascii()),
        }
    }
}

/// Changes something.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(20)).min(bytes.len());
    match random.below(6) {
        0 => drop(bytes.drain(at..end)),
        1 => bytes.truncate(at),
        2 => bytes[at..end].iter_mut().for_each(|byte| *byte = random.next() as u8),
        3 => {
            let copy = bytes[at..end].repeat(1 + random.below(1000));
            bytes.splice(at..at, copy);
        }
        _ => drop(bytes.splice(at..at, random.one_of(PIECES).bytes())),
    }
}

/// Numbers that look random and depend on the seed only (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}
