//! Load generators, shortly: not how fast, but whether a single request fails.

use crate::support::{AB, Finished, H2LOAD, Root, Server, WRK, run, test, tool};

fn assert_without(finished: &Finished, complaints: &[&str]) {
    for complaint in complaints {
        assert!(!finished.assert_success().stdout.contains(complaint), "{}", finished.stdout);
    }
}

test!(ab_with_keep_alive, AB);
fn ab_with_keep_alive() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    // More requests than one connection may have: each of the ten must be closed and opened anew.
    let finished = run(tool("ab").args(["-q", "-k", "-n", "15000", "-c", "10", &server.url("/")]));
    assert_without(&finished, &["Non-2xx", "Write errors", "Exceptions"]);
    let number = |label: &str| {
        let line = finished.stdout.lines().find_map(|line| line.strip_prefix(label));
        line.and_then(|rest| rest.trim().parse::<u32>().ok()).unwrap_or_else(|| panic!("{label}\n{}", finished.stdout))
    };
    assert_eq!((number("Complete requests:"), number("Failed requests:")), (15_000, 0));
    assert!(number("Keep-Alive requests:") >= 14_980, "{}", finished.stdout);
}

test!(wrk_against_the_request_limit, WRK);
fn wrk_against_the_request_limit() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-requests", "100"]);
    let finished = run(tool("wrk").args(["-t1", "-c20", "-d1s", &server.url("/")]));
    assert_without(&finished, &["Socket errors", "Non-2xx"]);
}

test!(h2load_without_a_request_limit, H2LOAD);
fn h2load_without_a_request_limit() {
    let root = Root::new();
    let server = Server::start(&root, &["--max-requests", "0"]);
    let finished = run(tool("h2load").args(["--h1", "-n", "20000", "-c", "10", &server.url("/")]));
    let done = "20000 total, 20000 started, 20000 done, 20000 succeeded, 0 failed, 0 errored, 0 timeout";
    assert!(finished.assert_success().stdout.contains(done), "{}", finished.stdout);
}
