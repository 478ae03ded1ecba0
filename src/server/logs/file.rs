//! A log: its buffer, its device, and what to do when the device is full or broken.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::device::Device;
use super::line_buffer::LineBuffer;
use super::stream::inherited_stream;
use crate::observe::Sink;

/// Bytes that may wait for the end of the loop iteration. When more do, they are written at once.
const MUCH: usize = 64 * 1024;

/// A log with several writers. A line waits in memory until the loop iteration ends, or longer if its device has no
/// room. When too much waits or the device fails, lines are dropped and counted, and this is logged once.
#[derive(Clone, Debug)]
pub struct LogFile(Arc<Mutex<Writer>>);

#[derive(Debug)]
struct Writer {
    /// The path, to open it again; `None` for an inherited stream.
    path: Option<PathBuf>,
    device: Device,
    buffer: LineBuffer,
    /// The device had no room at the last write.
    full: bool,
    /// The loss of lines was logged.
    said: bool,
}

/// A message about a log that is to be logged.
type Trouble = Option<String>;

impl LogFile {
    /// Opens a log by its name, or takes the inherited stream that is called so.
    ///
    /// # Errors
    /// The kernel's error.
    pub fn open(path: &Path) -> io::Result<Self> {
        match inherited_stream(path) {
            Some(number) => Ok(LogFile::new(None, Device::numbered(number)?)),
            None => Ok(LogFile::new(Some(path.to_owned()), Device::open(path)?)),
        }
    }

    /// Standard error as a log.
    ///
    /// # Errors
    /// If it is closed, or no descriptor is left.
    pub fn standard_error() -> io::Result<Self> {
        Ok(LogFile::new(None, Device::inherited(io::stderr().as_fd())?))
    }

    fn new(path: Option<PathBuf>, device: Device) -> Self {
        let buffer = LineBuffer::default();
        LogFile(Arc::new(Mutex::new(Writer { path, device, buffer, full: false, said: false })))
    }

    /// Appends a line, which has its line end.
    pub fn push(&self, line: &[u8]) {
        let trouble = self.writer().push(line);
        say(trouble);
    }

    /// Writes a line of the program itself, whatever the log level. Whatever a path is called, it stays one line.
    pub fn say(&self, line: &str) {
        let line = line.replace(|c: char| c.is_control(), "?");
        self.push(format!("holdline: {line}\n").as_bytes());
        self.flush();
    }

    /// Whether a person reads it.
    pub fn is_terminal(&self) -> bool {
        self.writer().device.is_terminal()
    }

    /// What appends lines to it.
    pub fn sink(&self) -> Sink {
        let file = self.clone();
        Box::new(move |line| file.push(line))
    }

    /// Writes the lines that wait, as far as the device takes them.
    pub fn flush(&self) {
        let trouble = self.writer().flush();
        say(trouble);
    }

    /// Writes the lines that wait to the old file, and opens the file that has the name now.
    pub fn reopen(&self) {
        let trouble = self.writer().reopen();
        say(trouble);
    }

    /// Whether lines wait.
    pub fn has_waiting(&self) -> bool {
        self.writer().buffer.len() > 0
    }

    /// The number of lost lines.
    pub fn dropped_lines(&self) -> u64 {
        self.writer().buffer.dropped()
    }

    /// Whether both always write to the same device: by the same path, or as the same inherited stream.
    pub fn is_same(&self, other: &LogFile) -> bool {
        if Arc::ptr_eq(&self.0, &other.0) {
            return true;
        }
        let (own, other) = (self.writer(), other.writer());
        own.path == other.path && (own.path.is_some() || own.device.is_same(&other.device))
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn push(&mut self, line: &[u8]) -> Trouble {
        let trouble = if self.buffer.len() >= MUCH && !self.full { self.flush() } else { None };
        if self.buffer.push(line) {
            return trouble;
        }
        trouble.or_else(|| self.say_once("its reader is too slow"))
    }

    fn flush(&mut self) -> Trouble {
        self.full = false;
        while self.buffer.len() > 0 {
            match self.device.write(self.buffer.next()) {
                // A device that takes nothing and reports no error would be written to for ever.
                Ok(0) => {
                    self.buffer.drop_lines();
                    return self.say_once("it takes nothing");
                }
                Ok(count) => self.buffer.taken(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.full = true;
                    break;
                }
                Err(error) => {
                    self.buffer.drop_lines();
                    return self.say_once(&error.to_string());
                }
            }
        }
        None
    }

    fn reopen(&mut self) -> Trouble {
        let trouble = self.flush();
        self.said = false;
        let Some(path) = &self.path else { return trouble };
        match Device::open(path) {
            Ok(device) => {
                if !device.is_same(&self.device) {
                    self.buffer.drop_torn();
                }
                self.device = device;
                trouble
            }
            Err(error) => Some(format!("cannot reopen the log {}: {error}; the old file is kept", path.display())),
        }
    }

    /// The message that lines are lost, once until the log is opened again.
    fn say_once(&mut self, why: &str) -> Trouble {
        let name = self.path.as_deref().unwrap_or(Path::new("-")).display();
        let first = !std::mem::replace(&mut self.said, true);
        first.then(|| format!("lines of the log {name} are lost: {why}"))
    }
}

/// Logs a message. Not to be called while a writer is locked: the message goes to a log as well.
fn say(trouble: Trouble) {
    if let Some(trouble) = trouble {
        log::warn!("{trouble}");
    }
}

/// Standard error for the logger. Each record is written at once; an error can't be reported anywhere.
#[derive(Debug)]
pub struct StandardError(pub LogFile);

impl Write for StandardError {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.0.writer().push(record);
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut writer = self.0.writer();
        if !writer.full {
            writer.flush();
        }
        Ok(())
    }
}
