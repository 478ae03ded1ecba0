//! The server's engine in a simulated world without a real clock: clients, network and files do whatever they can, all
//! decided by one seed, and everything that the server does is compared with a model of HTTP and of its promises.
//!
//! | variables | runs |
//! |---|---|
//! | none | [`STEPS`] steps, from seed 0 |
//! | `HOLDLINE_SEED=N` | the one seed N: a replay |
//! | `HOLDLINE_SIM_SECONDS=S` | S seconds, from seed 0 |
//! | both | S seconds, from seed N |
//!
//! The simulator is four times as fast with `cargo test --config profile.dev.package.holdline.opt-level=1`.

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

use std::collections::BTreeMap;
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
    (1_194_404_775, "the rest of malformed bytes behind our FIN was taken for a request that lost the race"),
];

#[test]
fn seeds_that_found_a_bug_pass() {
    for (seed, bug) in FOUND {
        run(*seed).unwrap_or_else(|failure| panic!("{failure}\n\nseed {seed} found this bug before: {bug}"));
    }
}

#[test]
fn every_client_gets_what_http_and_the_limits_promise() {
    let (seed, seconds) = (number("HOLDLINE_SEED"), number("HOLDLINE_SIM_SECONDS"));
    let first = seed.unwrap_or(0);
    let last = if seed.is_some() && seconds.is_none() { first } else { u64::MAX };
    let begin = Instant::now();
    let steps = AtomicU64::new(0);
    let is_over = || match seconds {
        Some(seconds) => begin.elapsed() >= Duration::from_secs(seconds),
        None => steps.load(Ordering::Relaxed) >= STEPS,
    };
    let seeds = Mutex::new(first..=last);
    let failures = Mutex::new(BTreeMap::new());
    let run_seeds = || {
        while !is_over() && failures.lock().unwrap().is_empty() {
            let Some(seed) = seeds.lock().unwrap().next() else { return };
            match run(seed) {
                Ok(count) => drop(steps.fetch_add(count, Ordering::Relaxed)),
                Err(failure) => drop(failures.lock().unwrap().insert(seed, failure)),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(run_seeds);
        }
    });
    let count = seeds.into_inner().unwrap().next().unwrap_or(first + 1) - first;
    let (steps, elapsed) = (steps.into_inner(), begin.elapsed().as_secs_f64());
    println!("{count} seeds from {first}: {steps} steps in {elapsed:.1} s");
    // The seeds run in their order, and each to its end: whatever the number of threads, the first failure is the same.
    if let Some((seed, failure)) = failures.into_inner().unwrap().pop_first() {
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
