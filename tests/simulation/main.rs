//! The server's engine in a simulated world without a real clock: clients, network and files do whatever they can, all
//! decided by one seed, and everything that the server does is compared with a model of HTTP and of its promises.
//!
//! `HOLDLINE_SEED=N cargo test --test simulation` replays one run; `HOLDLINE_SIM_SECONDS=600` goes on for so long.

mod client;
mod compose;
mod connection;
mod expected;
mod files;
mod head;
mod ledger;
mod random;
mod responses;
mod rules;
mod server;
mod settings;
mod shared;
mod slots;
mod socket;
mod world;

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use world::World;

/// Steps of an ordinary run of the tests.
const STEPS: u64 = 3_000_000;

/// Seeds that have found bugs of the server, and what these were.
const FOUND: &[(u64, &str)] = &[
    (1, "an RST behind unread bytes was noticed only by the next timer"),
    (4, "an idle connection was evicted for a new one that got 503 nevertheless"),
];

#[test]
fn seeds_that_found_a_bug_pass() {
    for (seed, bug) in FOUND {
        run(*seed).unwrap_or_else(|failure| panic!("{failure}\n\nseed {seed} found this bug before: {bug}"));
    }
}

#[test]
fn every_client_gets_what_http_and_the_limits_promise() {
    if let Some(seed) = number("HOLDLINE_SEED") {
        let steps = run(seed).unwrap_or_else(|failure| panic!("{failure}"));
        println!("seed {seed}: {steps} steps");
        return;
    }
    let first = number("HOLDLINE_FIRST_SEED").unwrap_or(0);
    let end = number("HOLDLINE_SIM_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (seeds, steps) = (AtomicU64::new(first), AtomicU64::new(0));
    let failed = Mutex::new(None);
    let begin = Instant::now();
    let is_over = || match end {
        Some(end) => Instant::now() >= end,
        None => steps.load(Ordering::Relaxed) >= STEPS,
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !is_over() && failed.lock().unwrap().is_none() {
                    let seed = seeds.fetch_add(1, Ordering::Relaxed);
                    match run(seed) {
                        Ok(count) => drop(steps.fetch_add(count, Ordering::Relaxed)),
                        Err(failure) => *failed.lock().unwrap() = Some((seed, failure)),
                    }
                }
            });
        }
    });
    let (seeds, steps) = (seeds.into_inner() - first, steps.into_inner());
    println!("{steps} steps of {seeds} seeds in {:.1} s", begin.elapsed().as_secs_f64());
    if let Some((seed, failure)) = failed.into_inner().unwrap() {
        panic!("{failure}\n\nseed {seed}; again: HOLDLINE_SEED={seed} cargo test --test simulation");
    }
}

/// A panic of the server is a failure like any other.
fn run(seed: u64) -> Result<u64, String> {
    panic::catch_unwind(AssertUnwindSafe(|| World::new(seed).run())).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}
