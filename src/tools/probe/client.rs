//! The client that is probed: a command that is run once for each thing the server does.

use std::io::{self, ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// What a command may name, and what stands there when it is run.
pub const PLACEHOLDERS: [&str; 4] = ["{url}", "{method}", "{pause}", "{wait}"];

/// Bytes of the command's standard error that are kept.
const MAX_STDERR: u64 = 4096;

/// How long to wait for the end of standard error after the command has exited.
const STDERR_GRACE: Duration = Duration::from_millis(500);

/// What is asked of the client.
#[derive(Clone, Debug)]
pub struct Task {
    /// Both requests are for this.
    pub url: String,
    /// Both have this method.
    pub method: &'static str,
    /// What lies between them.
    pub pause: Duration,
    /// A URL that is answered after that time.
    pub wait: String,
}

/// A running command, with all that it starts.
#[derive(Debug)]
pub struct Client {
    child: Child,
    stderr: Receiver<String>,
}

/// How a command has ended.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    /// Its exit status, if no signal has ended it.
    pub status: Option<i32>,
}

impl Client {
    /// Runs the command, without a shell, with the task in its placeholders.
    ///
    /// # Errors
    /// If it can't be run.
    pub fn start(command: &[String], task: &Task) -> Result<Client, String> {
        let mut words = command.iter().map(|word| fill_in(word, task));
        let program = words.next().ok_or("there is no command")?;
        let mut child = Command::new(&program)
            .args(words)
            // The lab is here, whatever proxy leads elsewhere.
            .env("no_proxy", "127.0.0.1")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    format!("cannot run {program}: there is no such program; check its name and PATH")
                }
                ErrorKind::PermissionDenied => format!("cannot run {program}: it is not executable"),
                _ => format!("cannot run {program}: {error}"),
            })?;
        let (sender, stderr) = mpsc::channel();
        if let Some(mut pipe) = child.stderr.take() {
            thread::spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.by_ref().take(MAX_STDERR).read_to_end(&mut text);
                let _ = sender.send(String::from_utf8_lossy(&text).into_owned());
                // A full pipe must not stop the command.
                let _ = io::copy(&mut pipe, &mut io::sink());
            });
        }
        Ok(Client { child, stderr })
    }

    /// How it has ended, once it has. It stays a zombie, so that nobody else gets its number before its group is
    /// ended.
    pub fn exited(&self) -> Option<Exit> {
        let pid = Pid::from_raw(self.child.id().cast_signed())?;
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(pid), look).ok().flatten()?;
        Some(Exit { status: status.exit_status() })
    }

    /// The last line that is not empty on its standard error.
    pub fn last_stderr_line(&self) -> String {
        let text = self.stderr.recv_timeout(STDERR_GRACE).unwrap_or_default();
        text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Client {
    /// Nothing that it has started goes on.
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            // It may have ended already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Whether a word of the command has this placeholder.
pub fn names(command: &[String], placeholder: &str) -> bool {
    command.iter().any(|word| word.contains(placeholder))
}

fn fill_in(word: &str, task: &Task) -> String {
    let values = [&task.url, task.method, &task.pause.as_secs().to_string(), &task.wait];
    PLACEHOLDERS.iter().zip(values).fold(word.to_owned(), |word, (placeholder, value)| word.replace(placeholder, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_stands_where_the_placeholders_were() {
        let task = Task {
            url: "http://127.0.0.1:1/".into(),
            method: "POST",
            pause: Duration::from_secs(3),
            wait: "http://127.0.0.1:2/".into(),
        };
        assert_eq!(
            fill_in("a{method}b {url} {pause} {wait} {other}", &task),
            "aPOSTb http://127.0.0.1:1/ 3 http://127.0.0.1:2/ {other}"
        );
        let command = ["curl".to_owned(), "x{url}".to_owned()];
        assert!(names(&command, "{url}") && !names(&command, "{method}"));
    }
}
