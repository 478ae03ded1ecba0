//! What the pure parts cost, without a kernel: `cargo bench --bench core`. Beside the times stand the allocations.

#[path = "../support/exchange.rs"]
mod exchange;
#[path = "../support/request.rs"]
mod request;

use std::time::Duration;

use divan::{AllocProfiler, Bencher, black_box};

use holdline::http::{
    Connection, ConnectionOptions, Date, Facts, HeaderCache, Length, Limits, Moment, ResponseHead, Status, Step, Tick,
    Version, head, persistence,
};

use exchange::Stage;
use request::get;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Is it a request?
#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let bytes = get("/1k.html", "keep-alive", "");
    bencher.bench(|| head::parse(black_box(&bytes), &Limits::DEFAULT).is_ok());
}

/// Keep or close, and why?
#[divan::bench]
fn decide(bencher: Bencher<'_, '_>) {
    let facts = Facts {
        fault: None,
        version: Version::Http11,
        options: ConnectionOptions { close: false, keep_alive: true },
        endless: false,
        requests: 500,
        age: Duration::from_secs(60),
        draining: false,
        plan: None,
    };
    bencher.bench(|| persistence::decide(black_box(&facts), black_box(&Limits::DEFAULT)));
}

/// A request through the protocol alone: read, answered, sent.
#[divan::bench(args = [false, true])]
fn encode(bencher: Bencher<'_, '_>, server_timing: bool) {
    let bytes = get("/1k.html", "keep-alive", "");
    let date = Date::from_unix(1_800_000_000);
    let limits = Limits { max_requests: u32::MAX, ..Limits::DEFAULT };
    let tick = Tick { now: Moment::from_micros(1_000_000), date: &date, limits: &limits, draining: false };
    let response = ResponseHead {
        status: Status::OK,
        length: Length::Known(1024),
        fields: b"Content-Type: text/html; charset=utf-8\r\nETag: \"0123456789abcdef\"\r\nAccept-Ranges: bytes\r\n",
        server_timing: server_timing.then_some(12),
    };
    let mut connection = Connection::new(tick.now);
    let mut header_cache = HeaderCache::default();
    let mut out = Vec::with_capacity(4096);
    bencher.bench_local(|| {
        let mut input = black_box(&bytes[..]);
        connection.received(input.len());
        let asked = matches!(connection.next(&mut input, &mut header_cache, &tick), Step::Respond(_));
        assert!(asked, "it is a request");
        out.clear();
        let responded = connection.respond(&response, &tick, &mut out);
        connection.wrote(out.len() as u64 + responded.content, tick.now);
        black_box(&out).len()
    });
}

/// A whole loop iteration with one request for 1 KiB.
#[divan::bench(args = [false, true])]
fn exchange_with_console(bencher: Bencher<'_, '_>, console: bool) {
    let mut stage = Stage::new(console);
    // What grows once has grown.
    stage.exchanges(100);
    bencher.bench_local(|| stage.exchanges(1));
}
