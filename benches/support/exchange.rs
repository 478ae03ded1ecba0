//! Kept-alive exchanges over the server's own engine, with a socket that costs nothing: what is left is what a
//! request costs us.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::Duration;

use holdline::http::{Date, Limits, Moment, Tick};
use holdline::observe::{Observers, Peer};
use holdline::server::{ConnectionKey, Engine, Readiness, Socket, TcpInfo, Watch};
use holdline::site::{ConsoleAccess, Site, SiteOptions};
use tempfile::TempDir;

use super::request::get;

/// Bytes of the file that is asked for.
const CONTENT: usize = 1024;

/// One connection of an engine that has no other.
pub struct Stage {
    engine: Engine<Wire>,
    handle: ConnectionKey,
    shared: Rc<Shared>,
    limits: Limits,
    date: Date,
    now: Moment,
    _root: TempDir,
}

/// What the two ends of the socket have in common.
struct Shared {
    request: Vec<u8>,
    /// It has arrived, and was not read yet.
    arrived: Cell<bool>,
    /// Bytes that the server has sent.
    sent: Cell<usize>,
}

impl Stage {
    /// A connection to a site of one file, with the console open or off.
    pub fn new(console: bool) -> Stage {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(root.path().join("1k.html"), [b'x'; CONTENT]).expect("the file is written");
        let access = if console { ConsoleAccess::Local } else { ConsoleAccess::Off };
        let options = SiteOptions { console: access, ..SiteOptions::default() };
        let site = Site::open(root.path(), options).expect("the folder opens");
        let request = get("/1k.html", "keep-alive", "");
        let shared = Rc::new(Shared { request, arrived: Cell::new(false), sent: Cell::new(0) });
        // As many requests as it takes, but counted.
        let limits = Limits { max_requests: u32::MAX, ..Limits::DEFAULT };
        let date = Date::from_unix(1_800_000_000);
        let now = Moment::from_micros(1_000_000);
        let watch = Watch { read: Box::new(Moment::default), started_unix: Duration::ZERO };
        let mut engine = Engine::new(site, Observers::new(console), &limits, 1000, watch);
        let tick = Tick { now, date: &date, limits: &limits, draining: false };
        let handle = engine.adopt(Wire(Rc::clone(&shared)), Peer::Unix, &tick).expect("it is open");
        Stage { engine, handle, shared, limits, date, now, _root: root }
    }

    /// So many exchanges, one behind the other.
    pub fn exchanges(&mut self, count: u64) {
        (0..count).for_each(|_| self.exchange());
    }

    /// A loop iteration in which one request comes and is answered.
    fn exchange(&mut self) {
        let before = self.shared.sent.get();
        self.now = self.now + Duration::from_micros(10);
        let tick = Tick { now: self.now, date: &self.date, limits: &self.limits, draining: false };
        self.shared.arrived.set(true);
        self.engine.begin_iteration(0, &tick);
        self.engine.ready(self.handle, Readiness { readable: true, ..Readiness::default() });
        self.engine.drive_ready(&tick);
        self.engine.expire(&tick);
        assert!(self.shared.sent.get() > before + CONTENT, "no answer");
    }
}

/// The server's end.
struct Wire(Rc<Shared>);

impl Socket for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.0.arrived.replace(false) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let request = &self.0.request;
        buffer[..request.len()].copy_from_slice(request);
        Ok(request.len())
    }

    fn write(&mut self, first: &[u8], behind: &[u8], _more: bool) -> io::Result<usize> {
        let count = first.len() + behind.len();
        self.0.sent.set(self.0.sent.get() + count);
        Ok(count)
    }

    fn send_file(&mut self, _file: &File, _offset: u64, count: usize) -> io::Result<usize> {
        self.0.sent.set(self.0.sent.get() + count);
        Ok(count)
    }

    fn send_fin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reset_on_close(&mut self) {}

    fn tcp_info(&self) -> Option<TcpInfo> {
        None
    }

    fn limit_send_buffer(&mut self, _bytes: usize) {}
}
