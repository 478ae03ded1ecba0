//! The tests' own runner: what is missing is ignored with the reason, or is a failure that says how to get it; and no
//! test is forgotten.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Finished, GZIP, HTTPX, Need, PROGRAMS, REQUESTS, Root, python_with, run, test};

/// Makes [`sample`] fail.
const FAIL: &str = "HOLDLINE_SAMPLE_FAILS";

fn main() -> std::process::ExitCode {
    support::run_tests()
}

test!(sample, GZIP);
/// A test for the tests below, which run it.
fn sample() {
    println!("a line of the sample");
    assert!(std::env::var_os(FAIL).is_none(), "it was told to fail");
}

test!(sample_with_a_network, Need::OwnNetwork);
fn sample_with_a_network() {}

test!(sample_with_python, HTTPX);
fn sample_with_python() {
    println!("found {}", python_with("httpx").display());
}

/// This test crate, about to run with these arguments where nothing is required.
fn runner(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this is a program"));
    command.args(arguments).env_remove("HOLDLINE_REQUIRE_TOOLS");
    command
}

/// Where no program is.
fn without_programs(mut command: Command) -> Command {
    command.env("PATH", "/nowhere");
    command
}

fn assert_prints(finished: &Finished, success: bool, expected: &[&str]) {
    assert_eq!(finished.success, success, "{finished:?}");
    for text in expected {
        assert!(finished.stdout.contains(text), "{text:?} is missing in {finished:?}");
    }
}

test!(a_test_whose_needs_are_not_met_is_ignored_with_the_reason);
fn a_test_whose_needs_are_not_met_is_ignored_with_the_reason() {
    for (name, reason) in [
        ("sample", "needs gzip"),
        ("sample_with_a_network", "needs a network namespace"),
        ("sample_with_python", "needs Python's httpx"),
    ] {
        let finished = run(&mut without_programs(runner(&["--exact", name])));
        let line = format!("test {name} ... ignored ({reason})\n");
        assert_prints(&finished, true, &[&line, "test result: ok. 0 passed; 0 failed; 1 ignored"]);
    }
}

test!(where_it_is_required_what_is_missing_is_a_failure_that_says_how_to_get_it);
fn where_it_is_required_what_is_missing_is_a_failure_that_says_how_to_get_it() {
    let failure = ["gzip is missing: apt-get install gzip", "0 passed; 1 failed; 0 ignored"];
    let mut required = without_programs(runner(&["--exact", "sample"]));
    assert_prints(&run(required.env("HOLDLINE_REQUIRE_TOOLS", "1")), false, &failure);
    for flag in ["--ignored", "--include-ignored"] {
        assert_prints(&run(&mut without_programs(runner(&["--exact", "sample", flag]))), false, &failure);
    }
}

test!(what_a_test_prints_is_shown_if_it_fails_or_on_demand, GZIP);
fn what_a_test_prints_is_shown_if_it_fails_or_on_demand() {
    let line = "a line of the sample";
    let passed = run(&mut runner(&["--exact", "sample"]));
    assert_prints(&passed, true, &["test sample ... ok", "1 passed; 0 failed; 0 ignored"]);
    assert!(!passed.stdout.contains(line), "{passed:?}");
    assert_prints(&run(&mut runner(&["--exact", "sample", "--nocapture"])), true, &[line]);
    let failed = run(runner(&["--exact", "sample"]).env(FAIL, "1"));
    assert_prints(&failed, false, &["test sample ... FAILED", line, "it was told to fail", "0 passed; 1 failed"]);
}

test!(a_list_tells_what_would_be_ignored, GZIP);
/// As cargo-nextest asks: for all tests, and for those that it is to leave out.
fn a_list_tells_what_would_be_ignored() {
    let list = |command: Command, ignored: &[&str]| {
        let mut command = command;
        run(command.args(["sample", "--list", "--format", "terse"]).args(ignored)).assert_success().stdout.clone()
    };
    let all = "sample: test\nsample_with_a_network: test\nsample_with_python: test\n";
    assert_eq!(list(runner(&[]), &[]), all);
    assert_eq!(list(without_programs(runner(&[])), &["--ignored"]), all);
    assert!(!list(runner(&[]), &["--ignored"]).contains("sample: test"), "it would not be ignored");
}

test!(any_python3_of_the_path_may_have_the_module);
fn any_python3_of_the_path_may_have_the_module() {
    let folder = Root::new().file("first/python3", "#!/bin/sh\nexit 1\n").file("second/python3", "#!/bin/sh\nexit 0\n");
    for python in ["first/python3", "second/python3"] {
        fs::set_permissions(folder.at(python), fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [folder.at("first"), folder.at("second")].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).expect("folders without colons");
    let finished = run(runner(&["--exact", "sample_with_python", "--nocapture"]).env("PATH", path));
    assert_prints(&finished, true, &[&format!("found {}", folder.at("second/python3").display())]);
}

test!(ci_installs_what_the_tests_need);
fn ci_installs_what_the_tests_need() {
    let script = fs::read_to_string(repository().join(".ci/run")).expect("there is a .ci/run");
    let words: BTreeSet<&str> = script.split_whitespace().collect();
    for need in PROGRAMS.iter().chain(&[HTTPX, REQUESTS, Need::OwnNetwork]) {
        let (_, packages) = need.remedy().split_once(" install ").expect("it can be installed");
        for package in packages.split(',').next().into_iter().flat_map(str::split_whitespace) {
            assert!(words.contains(package), ".ci/run does not install {package} for {need}");
        }
    }
}

test!(every_test_is_known_to_the_runner_of_its_crate);
/// Rust's runner knows what has `#[test]`, ours what has `test!`; either is deaf to the other's.
fn every_test_is_known_to_the_runner_of_its_crate() {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).expect("there is a Cargo.toml");
    let mut ours = BTreeSet::new();
    for section in manifest.split("[[test]]\n").skip(1) {
        let name = section.split('"').nth(1).expect("a name");
        assert!(section.lines().nth(1) == Some("harness = false"), "[[test]] {name}");
        ours.insert(name);
    }
    for entry in fs::read_dir(repository().join("tests")).expect("a folder").map(|entry| entry.expect("an entry")) {
        let sources = sources(&entry.path());
        let with = |what: &str| sources.lines().any(|line| line.trim_start().starts_with(what));
        let name = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
        if ours.remove(&*name) {
            assert!(!with("#[test]") && sources.contains("support::run_tests()"), "{name} has `harness = false`");
        } else {
            assert!(!with("test!("), "{name} has no `harness = false`, but tests registered by `test!`");
        }
    }
    assert!(ours.is_empty(), "no test crates: {ours:?}");
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust sources at a path, one behind the other.
fn sources(path: &PathBuf) -> String {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.map(|path| sources(&path)).collect()
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        fs::read_to_string(path).expect("a source")
    } else {
        String::new()
    }
}
