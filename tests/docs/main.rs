//! The README and the pages in `docs/`: each command prints what its page says, each table says what the code says,
//! each link leads somewhere, and each page can be read in one sitting.

#[path = "../support/mod.rs"]
mod support;

mod api;
mod commands;
mod lengths;
mod limits;
mod links;
mod measured;
mod page;
mod readme;
mod tables;
mod words;

fn main() -> std::process::ExitCode {
    support::run_tests()
}
