//! A real Chromium against the real binary: it revalidates and seeks, watches the live page, and takes the pictures of
//! the docs.
//!
//! With `HOLDLINE_SCREENSHOTS=DIR`, which is `docs/images` for these, they are written to that folder; else they are
//! taken and thrown away.

#[path = "../support/mod.rs"]
mod support;

mod devtools;
mod experiments;
mod files;
mod live_page;

fn main() -> std::process::ExitCode {
    support::run_tests()
}
