//! `--behind`: what it sets, that flags win, and that the start and `/-/status` say so.

use crate::support::{Root, Server, get, test, wait_for};

/// Flags, the promise, the grace and the drain delay that follow in milliseconds, and a part of the line at the start.
const CASES: &[(&[&str], [u64; 3], &str)] = &[
    (&["--behind", "alb"], [70_000, 5000, 60_000], "behind AWS Application Load Balancer, which keeps"),
    (&["--behind", "gcp"], [610_000, 5000, 10_000], "for 10m: --keep-alive-timeout 610s --keep-alive-grace 5s"),
    (&["--behind", "heroku"], [100_000, 5000, 0], "connections for 90s: --keep-alive-timeout 100s"),
    (&["--behind", "undici"], [70_000, 5000, 0], "behind undici (fetch of Node), which keeps"),
    (&["--behind", "90s"], [100_000, 5000, 0], "behind a pool, which keeps idle connections for 90s"),
    (
        &["--behind", "gcp", "--keep-alive-timeout", "700s", "--drain-delay", "1s"],
        [700_000, 5000, 1000],
        "--keep-alive-timeout 700s --keep-alive-grace 5s --drain-delay 1s",
    ),
    // The default counts as given if it is.
    (&["--behind", "gcp", "--keep-alive-timeout", "70s", "--drain-delay", "0"], [70_000, 5000, 0], "--drain-delay 0"),
    (&["--behind", "alb", "--keep-alive-grace", "9s"], [70_000, 9000, 60_000], "--keep-alive-grace 9s"),
];

test!(a_pool_sets_what_outlives_it_and_flags_win);
fn a_pool_sets_what_outlives_it_and_flags_win() {
    for (flags, [promise, grace, delay], line) in CASES {
        let root = Root::new();
        let server = Server::start(&root, flags);
        let mut client = server.connect();
        client.send(get("/-/status", &[]));
        let status: serde_json::Value = serde_json::from_slice(&client.read_response().body).expect("it is JSON");
        let policy = &status["policy"];
        let members = ["keep_alive_timeout_ms", "keep_alive_grace_ms", "drain_delay_ms"].map(|name| &policy[name]);
        assert_eq!(members, [promise, grace, delay], "{flags:?}");
        wait_for(line, || server.log().iter().any(|said| said.contains(line)).then_some(()));
    }
}

test!(without_a_pool_the_start_says_nothing_of_one);
fn without_a_pool_the_start_says_nothing_of_one() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    server.ledger_of(server.connect());
    assert!(!server.log().iter().any(|line| line.contains("behind")), "{:?}", server.log());
}

test!(a_promise_that_is_too_short_for_the_pool_is_warned_of);
fn a_promise_that_is_too_short_for_the_pool_is_warned_of() {
    let root = Root::new();
    for (promise, warns) in [("30s", true), ("55s", true), ("56s", false), ("0", false)] {
        let server = Server::start(&root, &["--behind", "alb", "--keep-alive-timeout", promise]);
        // The ledger comes behind what the start says.
        server.ledger_of(server.connect());
        let is_warning = |line: &String| {
            line.contains(&format!("--keep-alive-timeout {promise} is too short behind AWS Application Load Balancer"))
                && line.ends_with("which keeps 60s: 502s are possible")
        };
        assert_eq!(server.log().iter().any(is_warning), warns, "{promise}: {:?}", server.log());
    }
}
