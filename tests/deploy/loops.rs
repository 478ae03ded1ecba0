//! Clients that ask again and again over connections that they keep, and never ask twice.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::{Wire, ms};

/// How long each client thinks between a response and its next request, in milliseconds.
const PAUSES: [u64; 4] = [0, 1, 3, 10];

/// Does something while clients ask for `/`, and gives how many responses they got. Each is 200 with this content, and
/// no connection ends but after a response that has announced it, or the test fails.
pub fn while_asking(server: SocketAddr, content: &[u8], act: impl FnOnce()) -> usize {
    let done = &AtomicBool::new(false);
    thread::scope(|scope| {
        let clients = PAUSES.map(|pause| scope.spawn(move || ask(server, content, pause, done)));
        let end = SetAtEnd(done);
        act();
        drop(end);
        clients.into_iter().map(|client| client.join().expect("no request fails")).sum()
    })
}

fn ask(server: SocketAddr, content: &[u8], pause: u64, done: &AtomicBool) -> usize {
    let mut wire = Wire::connect(server);
    for asked in 1.. {
        let response = wire.get("/");
        assert!(response.status == 200 && response.body == content, "request {asked}: {response:?}");
        if done.load(Ordering::Relaxed) {
            return asked;
        }
        if response.closes() {
            wire = Wire::connect(server);
        }
        thread::sleep(ms(pause));
    }
    unreachable!("it asks until it is done");
}

/// The clients end also when what goes on meanwhile panics.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
