//! The logs: lines wait in memory and are written once per loop iteration, and no device makes the loop wait.

mod device;
mod file;
mod line_buffer;
mod stream;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::observe::{AccessLog, ConnectionLog, Format, Observers};

pub use file::{LogFile, StandardError};

use stream::inherited_stream;

/// How long to wait before lines for which the device had no room are written again.
const RETRY: Duration = Duration::from_millis(250);

/// Which logs are written.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// The file of the access log; `-` is standard output, as `/dev/stdout` is.
    pub access_log: Option<PathBuf>,
    /// The file of the connection log; `-` is standard output, as `/dev/stdout` is.
    pub connection_log: Option<PathBuf>,
    /// The format of both.
    pub format: Format,
}

impl LogOptions {
    /// The files that are opened again by their paths. An inherited stream stays open.
    pub fn reopened(&self) -> Vec<PathBuf> {
        let paths = [&self.access_log, &self.connection_log].into_iter().flatten();
        paths.filter(|path| inherited_stream(path).is_none()).cloned().collect()
    }
}

/// All logs of a server. By default there are none.
#[derive(Debug, Default)]
pub struct Logs {
    access: Option<LogFile>,
    connection: Option<LogFile>,
    format: Format,
    /// Each file once; standard error first, if it is among them.
    files: Vec<LogFile>,
    /// A person reads standard error.
    on_a_terminal: bool,
}

impl Logs {
    /// Opens the logs of the options; standard error is one too.
    ///
    /// # Errors
    /// The name of the one that can't be opened, and why.
    pub fn open(options: &LogOptions, standard_error: LogFile) -> Result<Logs, (PathBuf, io::Error)> {
        let on_a_terminal = standard_error.is_terminal();
        let files = vec![standard_error];
        let mut logs = Logs { access: None, connection: None, format: options.format, files, on_a_terminal };
        logs.access = logs.open_one(options.access_log.as_deref())?;
        logs.connection = logs.open_one(options.connection_log.as_deref())?;
        Ok(logs)
    }

    /// Opens one log. Two logs on the same device share one file, so that their lines do not mix.
    fn open_one(&mut self, path: Option<&Path>) -> Result<Option<LogFile>, (PathBuf, io::Error)> {
        let Some(path) = path else { return Ok(None) };
        let file = LogFile::open(path).map_err(|error| (path.to_owned(), error))?;
        if let Some(same) = self.files.iter().find(|other| other.is_same(&file)) {
            return Ok(Some(same.clone()));
        }
        self.files.push(file.clone());
        Ok(Some(file))
    }

    /// Adds the observers that write the logs.
    pub fn add_observers(&self, observers: &mut Observers) {
        if let Some(file) = &self.access {
            observers.add(Box::new(AccessLog::new(self.format, file.sink())));
        }
        if let Some(file) = &self.connection {
            observers.add(Box::new(ConnectionLog::new(self.format, file.sink())));
        }
    }

    /// Says something that a person at the terminal wants to know at any log level. Elsewhere it is a log line.
    pub fn announce(&self, level: log::Level, line: &str) {
        match self.files.first() {
            Some(standard_error) if self.on_a_terminal => standard_error.say(line),
            _ => log::log!(level, "{line}"),
        }
    }

    /// Ends the line in which a terminal shows a Ctrl-C as `^C`.
    pub fn end_typed_line(&self) {
        if self.on_a_terminal {
            self.files[0].push(b"\n");
        }
    }

    /// How a person at standard error asks for the end, after having done so once.
    pub fn again(&self) -> &'static str {
        if self.on_a_terminal { "Ctrl-C again" } else { "a second signal" }
    }

    /// Writes the lines that wait, as far as the devices take them.
    pub fn flush(&self) {
        for file in &self.files {
            file.flush();
        }
    }

    /// Opens each log again by its path, after the lines that wait were written to the old file.
    pub fn reopen(&self) {
        for file in &self.files {
            file.reopen();
        }
    }

    /// How long the poll may sleep before waiting lines are to be written again.
    pub fn wait(&self) -> Option<Duration> {
        self.files.iter().any(LogFile::has_waiting).then_some(RETRY)
    }

    /// The number of lines that were lost because a device did not take them.
    pub fn dropped_lines(&self) -> u64 {
        self.files.iter().map(LogFile::dropped_lines).sum()
    }
}
