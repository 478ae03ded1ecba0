//! Real clients against the real binary. A program that is not installed is left out, unless
//! `HOLDLINE_REQUIRE_TOOLS=1`.

#[path = "../support/mod.rs"]
mod support;

mod curl;
mod load;
mod others;

fn main() -> std::process::ExitCode {
    support::run_tests()
}
