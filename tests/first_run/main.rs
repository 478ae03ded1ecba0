//! What a newcomer meets: the start on a terminal, what happens line by line, the demonstration site without a clone,
//! and the way out.

#[path = "../support/mod.rs"]
mod support;

mod embedded;
mod lines;
mod start;
mod stop;

fn main() -> std::process::ExitCode {
    support::run_tests()
}
