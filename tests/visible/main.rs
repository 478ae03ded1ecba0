//! What the server shows of itself, seen from outside: the ledger, `/-/status`, `/-/metrics`, the live feed, and
//! who may see them.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod endings;
mod feed;
mod metrics;
mod overload;
mod own_address;
mod report;

fn main() -> std::process::ExitCode {
    support::run_tests()
}
