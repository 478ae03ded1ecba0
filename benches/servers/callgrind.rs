//! Instructions outside of the kernel for one request, counted by valgrind's callgrind: the difference between two runs
//! that differ only in the number of requests. A server also works because time passes, and that adds to a run by chance:
//! so each run is repeated, and the one with the fewest instructions counts.

use std::fs;

use super::contender::{Setup, find_program};
use super::load::one_by_one;
use super::process::Cores;

/// Requests of the two runs, on one connection. All the contenders close after 1 000.
const FEW: usize = 100;
const MANY: usize = 900;

/// How often each run is repeated.
const REPEATS: usize = 2;

/// Whether there is a valgrind.
pub fn is_installed() -> bool {
    find_program("valgrind").is_some()
}

/// Instructions for one request, of those that `request` makes by their number.
///
/// # Errors
/// If the server does not run under valgrind, or answers wrongly.
pub fn instructions(setup: &Setup<'_>, cores: Cores, request: &dyn Fn(usize) -> Vec<u8>) -> Result<f64, String> {
    let least = |requests| -> Result<u64, String> {
        let counts: Vec<u64> =
            (0..REPEATS).map(|_| count(setup, cores, request, requests)).collect::<Result<_, _>>()?;
        counts.into_iter().min().ok_or_else(|| "there was no run".into())
    };
    let (few, many) = (least(FEW)?, least(MANY)?);
    Ok((many as f64 - few as f64) / (MANY - FEW) as f64)
}

/// Instructions of a whole run with so many requests.
fn count(setup: &Setup<'_>, cores: Cores, request: &dyn Fn(usize) -> Vec<u8>, requests: usize) -> Result<u64, String> {
    let file = setup.scratch.join("callgrind.out");
    let _ = fs::remove_file(&file);
    let out = format!("--callgrind-out-file={}", file.display());
    let before = ["valgrind", "--tool=callgrind", &out].map(str::to_owned);
    let running = setup.start(&before, cores)?;
    one_by_one(running.address, request, 200, requests)?;
    drop(running);
    let text = fs::read_to_string(&file).map_err(|error| format!("callgrind wrote nothing: {error}"))?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.and_then(|digits| digits.trim().parse().ok()).ok_or_else(|| "callgrind has counted nothing".into())
}
