//! The programs of others.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
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

/// A program, ended by force after a minute, which none of ours takes. It ignores proxies.
pub fn tool(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "60"]).arg(name);
    command.env("no_proxy", "*").env_remove("http_proxy").env_remove("all_proxy");
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

/// The programs of this name in the folders of the `PATH`, in their order.
pub fn find_programs(name: &str) -> impl Iterator<Item = PathBuf> {
    let folders: Vec<PathBuf> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
    let is_executable = |path: &PathBuf| {
        path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    folders.into_iter().map(move |folder| folder.join(name)).filter(is_executable)
}

impl Finished {
    /// Asserts that the program was content.
    pub fn assert_success(&self) -> &Finished {
        assert!(self.success, "failed:\n{}\n{}", self.stdout, self.stderr);
        self
    }
}
