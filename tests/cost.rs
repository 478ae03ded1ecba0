//! What a kept-alive request costs, in figures that no noise moves: allocations and system calls. Each has a limit
//! here, so that a change that makes requests dearer fails. Instructions, the third, are counted by
//! `cargo bench --bench servers -- instructions --check`, which has the release binary.

#[path = "../benches/support/exchange.rs"]
mod exchange;
#[path = "../benches/support/request.rs"]
mod request;
mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use exchange::Stage;
use support::{STRACE, Server, test, wait_for};

fn main() -> std::process::ExitCode {
    support::run_tests()
}

/// Allocations for a request.
const ALLOCATIONS: f64 = 0.0;

/// System calls for a request that comes alone: `epoll_wait`, `recv`, `send`, and `stat` to see that the file is still
/// the same. And a share of those that open the file again, once a second.
const SYSTEM_CALLS: f64 = 4.5;

/// Requests of the two runs whose difference is looked at.
const FEW: u64 = 100;
const MANY: u64 = 900;

test!(a_request_allocates_nothing);
fn a_request_allocates_nothing() {
    for console in [false, true] {
        let mut stage = Stage::new(console);
        // Whatever is grown once is grown now.
        stage.exchanges(FEW);
        let counted = allocation_counter::measure(|| stage.exchanges(MANY - FEW));
        let each = counted.count_total as f64 / (MANY - FEW) as f64;
        say(&format!("{each:.3} allocations, console {}", if console { "open" } else { "off" }));
        assert!(each <= ALLOCATIONS, "{each} allocations for a request");
    }
}

test!(a_request_takes_four_system_calls, STRACE);
fn a_request_takes_four_system_calls() {
    let counts = [FEW, MANY].map(system_calls);
    let each = (counts[1] - counts[0]) as f64 / (MANY - FEW) as f64;
    say(&format!("{each:.3} system calls"));
    assert!(each <= SYSTEM_CALLS, "{each} system calls for a request");
}

/// Past the test runner, which shows what a test prints only if that fails.
fn say(figure: &str) {
    let _ = writeln!(std::io::stderr(), "for a request: {figure}");
}

/// System calls of a whole run with so many requests on one connection, for a file that nobody has changed lately.
fn system_calls(requests: u64) -> u64 {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("www");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let counted = folder.path().join("strace");
    // -D: the tracer is the grandchild, and the server our child.
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-c", "-U", "calls,name", "-o"]).arg(&counted).arg(env!("CARGO_BIN_EXE_holdline"));
    let mut server = Server::start_by(strace, root, &[]);
    let mut wire = server.connect();
    for _ in 0..requests {
        assert_eq!(wire.get("/style.css").status, 200);
    }
    drop(wire);
    server.signal(rustix::process::Signal::TERM);
    server.wait();
    wait_for("what strace has counted", || total(&counted))
}

/// The last line of strace's table: `1234 total`.
fn total(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.trim_end().ends_with(" total"))?;
    line.split_whitespace().next()?.parse().ok()
}
