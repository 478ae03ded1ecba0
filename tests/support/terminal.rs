//! The real binary on a real pseudo-terminal (pty(7)), as a person runs it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{Collected, Wire, address_in, urls_in, wait_for};

/// A running holdline whose standard streams are a terminal, stopped when the test ends.
pub struct Terminal {
    child: Child,
    /// Our end: what we write is typed, what we read is shown.
    master: File,
    first_line: String,
    shown: Option<Arc<Collected<String>>>,
}

impl Terminal {
    /// Serves a folder on a free port, with these flags and this in the environment, and reads what is shown.
    pub fn start(folder: &Path, flags: &[&str], environment: &[(&str, &str)]) -> Terminal {
        let folder = folder.to_str().expect("a path in UTF-8");
        Terminal::run(&[flags, &[folder]].concat(), environment)
    }

    /// The same, where the words are all that follows `holdline` on the command line, but for the port.
    pub fn run(words: &[&str], environment: &[(&str, &str)]) -> Terminal {
        let mut terminal = Terminal::run_unread(words, environment);
        let reader = BufReader::new(terminal.master.try_clone().expect("a descriptor"));
        // At the end of the process there is an error (EIO).
        let lines = reader.lines().map_while(Result::ok).map(|line| line.trim_end_matches('\r').to_owned());
        terminal.shown = Some(Collected::from(lines));
        terminal
    }

    /// The same, but nobody reads on behind the first line.
    pub fn start_unread(folder: &Path, flags: &[&str], environment: &[(&str, &str)]) -> Terminal {
        let folder = folder.to_str().expect("a path in UTF-8");
        Terminal::run_unread(&[flags, &[folder]].concat(), environment)
    }

    fn run_unread(words: &[&str], environment: &[(&str, &str)]) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("an ASCII one");
        let flag = OFlags::NOCTTY.bits().cast_signed();
        let slave = File::options().read(true).write(true).custom_flags(flag).open(name).expect("its other end");
        let end = || Stdio::from(slave.try_clone().expect("a descriptor"));
        // A session of its own, whose terminal this is: so Ctrl-C is a signal.
        let mut command = Command::new("setsid");
        command.args(["--ctty", env!("CARGO_BIN_EXE_holdline"), "--listen", "127.0.0.1:0"]).args(words);
        for variable in ["RUST_LOG", "RUST_LOG_STYLE", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        command.env("TERM", "xterm").env("TZ", "UTC0").envs(environment.iter().copied());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("setsid runs");
        let mut terminal = Terminal { child, master: master.into(), first_line: String::new(), shown: None };
        terminal.first_line = terminal.read_line();
        terminal
    }

    /// Byte by byte, so that none behind the line is taken.
    fn read_line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let mut byte = [0];
            self.master.read_exact(&mut byte).expect("a line is shown");
            line.extend(byte);
        }
        String::from_utf8(line).expect("it is text").trim_end().to_owned()
    }

    /// The first line, which names the URLs.
    pub fn first_line(&self) -> &str {
        &self.first_line
    }

    /// Where it listens for the tests.
    pub fn address(&self) -> SocketAddr {
        address_in(&urls_in(&self.first_line)[0])
    }

    /// Opens a connection to it.
    pub fn connect(&self) -> Wire {
        Wire::connect(self.address())
    }

    /// What was shown so far below the first line.
    pub fn lines(&self) -> Vec<String> {
        self.shown().all()
    }

    /// Waits for a line in which `find` finds something.
    pub fn wait_for<R>(&self, what: &str, find: impl Fn(&str) -> Option<R>) -> R {
        self.shown().wait_for(what, |line| find(line))
    }

    /// Waits for the first line that contains this.
    pub fn line_with(&self, part: &str) -> String {
        self.wait_for(part, |line| line.contains(part).then(|| line.to_owned()))
    }

    /// Types Ctrl-C.
    pub fn press_ctrl_c(&mut self) {
        self.master.write_all(b"\x03").expect("the terminal takes a key");
    }

    /// Waits until the server has exited; gives its exit status and all that was shown below the first line.
    pub fn wait(&mut self) -> (ExitStatus, Vec<String>) {
        let child = &mut self.child;
        let status = wait_for("the server's exit", || child.try_wait().expect("the server is our child"));
        (status, self.shown().wait_for_end())
    }

    fn shown(&self) -> &Collected<String> {
        self.shown.as_deref().expect("the terminal is read")
    }
}

impl Drop for Terminal {
    /// If the test failed, what was shown last is shown again.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let (true, Some(shown)) = (std::thread::panicking(), &self.shown) {
            let lines = shown.all();
            eprintln!("the terminal ends:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}
