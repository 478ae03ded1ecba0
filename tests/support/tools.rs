//! The programs of others.

use std::io::Write as _;
use std::process::Command;

/// What a program said, and whether it was content.
#[derive(Debug)]
pub struct Finished {
    /// Whether its exit status was 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Whether a program is installed. Without it a test has nothing to do, and says so; where
/// `HOLDLINE_REQUIRE_TOOLS=1` (in CI) it fails instead.
pub fn require_tool(name: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    found || ignored(&format!("{name} is not installed"))
}

/// Says that a test has nothing to do, unless it must. Gives `false`.
pub fn ignored(why: &str) -> bool {
    assert!(std::env::var_os("HOLDLINE_REQUIRE_TOOLS").is_none_or(|value| value != "1"), "{why}");
    // Written past the test runner, which shows what a test prints only if that fails.
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "test {test} ... ignored: {why}");
    false
}

/// A program, ended by force after a minute, which none of ours takes. It ignores proxies.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "60", name]).env("no_proxy", "*").env_remove("http_proxy").env_remove("all_proxy");
    command
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Finished {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Finished {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Finished {
    /// Asserts that the program was content.
    pub fn assert_success(&self) -> &Finished {
        assert!(self.success, "failed:\n{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// Whether Python can import a module; as [`require_tool`].
pub fn require_python_module(name: &str) -> bool {
    if !require_tool("python3") {
        return false;
    }
    let found = run(tool("python3").args(["-c", &format!("import {name}")])).success;
    found || ignored(&format!("Python's {name} is not installed"))
}
