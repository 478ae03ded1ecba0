//! Tests that say what they need: one whose needs are not met is `ignored`, with the reason, in the runner's summary.
//!
//! The runner built into Rust decides at compile time what is ignored, so crates that drive programs have
//! `harness = false` in `Cargo.toml`, `test!(name, NEEDS…)` above each test where others have `#[test]`, and
//! [`run_tests`] as their `main`. The rest is as usual: filters, `--list`, `--nocapture`, `--ignored`, cargo-nextest.
//!
//! No test is forgotten: a function without its `test!` is dead code, which rustc reports, and `tests/harness.rs` finds
//! `#[test]` and `test!` in a crate with the other kind of runner.

use std::env;
use std::io::{Read, Seek};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::needs::{Need, in_own_network};

/// The first argument of a process that is to run one test, which the second names.
const ONE: &str = "--one-in-this-process";

/// A test, as `test!` registers it.
pub struct Test {
    name: &'static str,
    body: fn(),
    needs: &'static [Need],
}

inventory::collect!(Test);

/// Registers the function of this name as a test that needs this.
macro_rules! test {
    ($name:ident $(, $need:expr)* $(,)?) => {
        inventory::submit! {
            $crate::support::Test::new(concat!(module_path!(), "::", stringify!($name)), $name, &[$($need),*])
        }
    };
}
pub(crate) use test;

/// Runs the tests of this crate as its arguments say.
pub fn run_tests() -> ExitCode {
    let mut tests: Vec<&'static Test> = inventory::iter::<Test>().collect();
    tests.sort_by_key(|test| test.name());
    let words: Vec<String> = env::args().collect();
    if let [_, one, name] = &words[..]
        && one == ONE
    {
        let test = tests.into_iter().find(|test| test.name() == name).expect("a test of this name");
        (test.body)();
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let required = env::var_os("HOLDLINE_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    let insists = required || arguments.ignored || arguments.include_ignored;
    // Who lists, or wants only what is ignored, must know before the tests run. Later there is a reason to give.
    let known_before = (arguments.list || arguments.ignored) && !required;
    let captures = !arguments.nocapture;
    let trial = |test: &'static Test| {
        let ignored = known_before && test.unmet().is_some();
        Trial::ignorable_test(test.name(), move || test.run(insists, captures)).with_ignored_flag(ignored)
    };
    let trials = tests.into_iter().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

impl Test {
    /// For `test!`.
    pub const fn new(name: &'static str, body: fn(), needs: &'static [Need]) -> Test {
        Test { name, body, needs }
    }

    /// Its path within its crate.
    fn name(&self) -> &'static str {
        self.name.split_once("::").map_or(self.name, |(_crate, name)| name)
    }

    fn unmet(&self) -> Option<&Need> {
        self.needs.iter().find(|need| !need.is_met())
    }

    /// Runs it in a process of its own: only so can what it prints be held back until it fails.
    fn run(&self, insists: bool, captures: bool) -> Result<Completion, Failed> {
        match self.unmet() {
            Some(need) if insists => return Err(format!("{need} is missing: {}", need.remedy()).into()),
            Some(need) => return Ok(Completion::ignored_with(format!("needs {need}"))),
            None => {}
        }
        let own = env::current_exe()?;
        let networked = self.needs.iter().any(|need| matches!(need, Need::OwnNetwork));
        let mut process = if networked { in_own_network(&own) } else { Command::new(&own) };
        process.args([ONE, self.name()]);
        let mut output = tempfile::tempfile()?;
        if captures {
            process.stdout(output.try_clone()?).stderr(output.try_clone()?);
        }
        let status = process.status()?;
        if status.success() {
            return Ok(Completion::Completed);
        }
        // The file's offset is shared with the process.
        output.rewind()?;
        let mut printed = Vec::new();
        output.read_to_end(&mut printed)?;
        Err(format!("{}{status}", String::from_utf8_lossy(&printed)).into())
    }
}
