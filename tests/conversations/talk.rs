//! The language of the conversations: clients, a server, and a clock that only the test moves.
//!
//! What drives them is the server's own engine over sockets that are two byte queues. Each conversation is
//! replayed in several ways: whole, byte by byte, with every split of a client's words into two, and with a
//! socket that takes a byte at a time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use holdline::http::{CloseReason, Closer, Date, How, Limits, Moment, Tick};
use holdline::observe::{ConnectionId, Event, Observer, Observers, Peer};
use holdline::server::{Action, ConnectionKey, Draining, Engine, Readiness, Shutdown, Socket, TcpInfo, Watch};
use holdline::site::{ConsoleAccess, Site, SiteOptions};

/// How the bytes travel.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// As they are sent.
    Whole,
    /// One at a time, in both directions.
    ByteByByte,
    /// What the client says at once arrives in two reads, split here.
    SplitAt(usize),
}

impl Way {
    /// How much a socket takes at first, if its client reads.
    fn room(self) -> usize {
        if matches!(self, Way::ByteByByte) { 1 } else { usize::MAX }
    }
}

/// Replays a conversation in every way, under these limits.
pub fn replay(limits: Limits, talk: impl Fn(&mut Talk)) {
    replay_with(limits, usize::MAX, talk);
}

/// Replays one of very many conversations whole and byte by byte, under these limits.
pub fn replay_unsplit(limits: Limits, talk: impl Fn(&mut Talk)) {
    for way in [Way::Whole, Way::ByteByByte] {
        talk(&mut Talk::new(limits.clone(), usize::MAX, way));
    }
}

/// The same, with a limit of connections.
pub fn replay_with(limits: Limits, max_connections: usize, talk: impl Fn(&mut Talk)) {
    let mut longest = 0;
    let mut run = |way| {
        let mut stage = Talk::new(limits.clone(), max_connections, way);
        talk(&mut stage);
        longest = longest.max(stage.longest);
    };
    run(Way::Whole);
    run(Way::ByteByByte);
    let longest = longest.min(400);
    for at in 1..longest {
        let mut stage = Talk::new(limits.clone(), max_connections, Way::SplitAt(at));
        talk(&mut stage);
    }
}

/// The end of a connection, as an observer saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub reason: CloseReason,
    pub how: How,
    pub reset_by: Option<Closer>,
    pub announced: bool,
    pub requests: u32,
    pub idle: Duration,
    pub race: Option<Duration>,
}

/// Both ends of a connection, and what is between them.
#[derive(Default)]
struct Pipe {
    to_server: VecDeque<u8>,
    client_fin: bool,
    client_reset: bool,
    from_server: Vec<u8>,
    server_fin: bool,
    server_reset: bool,
    /// How much the server may still write.
    room: usize,
    /// Reading it shows a defect in the server.
    cursed: bool,
}

/// The server's end.
struct PipeSocket(Rc<RefCell<Pipe>>);

impl Socket for PipeSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.0.borrow_mut();
        if pipe.cursed {
            // A panic that does not print where it came from.
            std::panic::resume_unwind(Box::new("a defect"));
        }
        if pipe.client_reset && pipe.to_server.is_empty() {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if pipe.to_server.is_empty() && !pipe.client_fin {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(pipe.to_server.len());
        for (place, byte) in buffer.iter_mut().zip(pipe.to_server.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn write(&mut self, first: &[u8], behind: &[u8], _more: bool) -> io::Result<usize> {
        let bytes = [first, behind].concat();
        let mut pipe = self.0.borrow_mut();
        assert!(!pipe.server_fin, "a write after our FIN");
        if pipe.client_reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if pipe.room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = bytes.len().min(pipe.room);
        pipe.room -= count;
        pipe.from_server.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        let mut bytes = vec![0; count.min(100_000)];
        let read = file.read_at(&mut bytes, offset)?;
        if read == 0 { Ok(0) } else { self.write(&bytes[..read], &[], false) }
    }

    fn send_fin(&mut self) -> io::Result<()> {
        self.0.borrow_mut().server_fin = true;
        Ok(())
    }

    fn reset_on_close(&mut self) {
        self.0.borrow_mut().server_reset = true;
    }

    fn tcp_info(&self) -> Option<TcpInfo> {
        None
    }

    fn limit_send_buffer(&mut self, _bytes: usize) {}
}

/// What every connection's end looked like, in the order of the connections.
type Ends = Rc<RefCell<Vec<(ConnectionId, Seen)>>>;

struct Witness(Ends, Rc<Cell<usize>>);

impl Observer for Witness {
    fn observe(&mut self, _now: Moment, conn: ConnectionId, event: &Event<'_>) {
        if let Event::Response(answered) = event {
            self.1.set(self.1.get() + usize::from(answered.complete));
        }
        if let Event::Closed(life) = event {
            let seen = Seen {
                reason: life.ending.reason,
                how: life.ending.how,
                reset_by: life.reset_by,
                announced: life.announced,
                requests: life.requests,
                idle: life.idle,
                race: life.race,
            };
            self.0.borrow_mut().push((conn, seen));
        }
    }

    fn needs_clock(&self) -> bool {
        false
    }

    fn needs_round_trip(&self) -> bool {
        false
    }
}

/// A server, its clients and the clock. Most conversations have one client; `client_number` switches.
pub struct Talk {
    engine: Engine<PipeSocket>,
    limits: Limits,
    date: Date,
    now: Moment,
    draining: Option<Draining>,
    listening: bool,
    way: Way,
    longest: usize,
    clients: Vec<Client>,
    present: usize,
    ends: Ends,
    answered: Rc<Cell<usize>>,
    root: tempfile::TempDir,
}

struct Client {
    pipe: Rc<RefCell<Pipe>>,
    handle: Option<ConnectionKey>,
    /// How much of what the server said is answered for.
    read: usize,
    reads: bool,
}

/// What the root holds.
pub const PAGE: &str = "<!DOCTYPE html><title>hold the line</title>";
/// The length of `/large`, which does not fit into one write.
pub const LARGE: usize = 200_000;

impl Talk {
    fn new(limits: Limits, max_connections: usize, way: Way) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("index.html"), PAGE).unwrap();
        std::fs::write(root.path().join("large"), vec![b'x'; LARGE]).unwrap();
        let site =
            Site::open(root.path(), SiteOptions { lab: Some(ConsoleAccess::Any), ..SiteOptions::default() }).unwrap();
        let ends = Ends::default();
        let mut observers = Observers::default();
        let answered = Rc::default();
        observers.add(Box::new(Witness(Rc::clone(&ends), Rc::clone(&answered))));
        let watch = Watch { read: Box::new(Moment::default), started_unix: Duration::ZERO };
        let mut talk = Talk {
            engine: Engine::new(site, observers, &limits, max_connections, watch),
            limits,
            date: Date::from_unix(1_800_000_000),
            now: Moment::from_micros(1_000_000),
            draining: None,
            listening: true,
            way,
            longest: 0,
            clients: Vec::new(),
            present: 0,
            ends,
            answered,
            root,
        };
        talk.connect();
        talk
    }

    /// Another client connects, and is the one that is spoken of from now on.
    pub fn connect(&mut self) -> &mut Self {
        self.connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// The same, from this address.
    pub fn connect_from(&mut self, address: IpAddr) -> &mut Self {
        let pipe = Pipe { room: self.way.room(), ..Pipe::default() };
        self.adopt(address, pipe)
    }

    fn adopt(&mut self, address: IpAddr, pipe: Pipe) -> &mut Self {
        let pipe = Rc::new(RefCell::new(pipe));
        self.present = self.clients.len();
        let socket = PipeSocket(Rc::clone(&pipe));
        let peer = Peer::Ip(SocketAddr::new(address, 1024 + self.clients.len() as u16));
        let handle = self.with_tick(|engine, tick| engine.adopt(socket, peer, tick));
        self.clients.push(Client { pipe, handle, read: 0, reads: true });
        self
    }

    /// Another client connects, and its bytes are in the receive queue before it is accepted.
    pub fn connect_with(&mut self, address: IpAddr, words: impl AsRef<[u8]>) -> &mut Self {
        let pipe =
            Pipe { room: self.way.room(), to_server: words.as_ref().iter().copied().collect(), ..Pipe::default() };
        self.adopt(address, pipe);
        self.deliver(&[]);
        self
    }

    /// Speaks of the client that connected as the `number`th, from 0.
    pub fn client_number(&mut self, number: usize) -> &mut Self {
        self.present = number;
        self
    }

    /// The client sends these bytes.
    pub fn client(&mut self, words: impl AsRef<[u8]>) -> &mut Self {
        let words = words.as_ref();
        self.longest = self.longest.max(words.len());
        match self.way {
            Way::Whole => self.deliver(words),
            Way::ByteByByte => words.iter().for_each(|byte| self.deliver(&[*byte])),
            Way::SplitAt(at) => {
                let (first, rest) = words.split_at(at.min(words.len()));
                self.deliver(first);
                if !rest.is_empty() {
                    self.deliver(rest);
                }
            }
        }
        self
    }

    /// The client sends its FIN: it may still read.
    pub fn client_finishes(&mut self) -> &mut Self {
        self.pipe().client_fin = true;
        self.tell(Readiness { readable: true, read_closed: true, ..Readiness::default() })
    }

    /// The client's FIN reaches the server's socket, but it does not know yet.
    pub fn client_leaves_unnoticed(&mut self) -> &mut Self {
        self.pipe().client_fin = true;
        self
    }

    /// The client sends an RST.
    pub fn client_resets(&mut self) -> &mut Self {
        self.pipe().client_reset = true;
        self.tell(Readiness { readable: true, writable: true, read_closed: false, error: true })
    }

    /// Whoever reads what the client says next panics.
    pub fn curse(&mut self) -> &mut Self {
        self.pipe().cursed = true;
        self
    }

    /// The client takes no more than this many bytes from now on.
    pub fn client_takes(&mut self, bytes: usize) -> &mut Self {
        self.clients[self.present].reads = bytes == usize::MAX;
        self.pipe().room = if bytes == usize::MAX { self.way.room() } else { bytes };
        self.tell(Readiness { writable: bytes > 0, ..Readiness::default() })
    }

    /// The client sends these bytes, too many to replay them in every way.
    pub fn client_at_once(&mut self, words: impl AsRef<[u8]>) -> &mut Self {
        self.deliver(words.as_ref());
        self
    }

    /// The bytes reach the server's socket, but it does not know yet.
    pub fn client_in_the_queue(&mut self, words: impl AsRef<[u8]>) -> &mut Self {
        self.pipe().to_server.extend(words.as_ref());
        self
    }

    /// Whether this was in anything that the server has sent.
    pub fn has_said(&self, text: &str) -> bool {
        find(&self.clients[self.present].pipe.borrow().from_server, text.as_bytes()).is_some()
    }

    /// The bytes arrive, and the loop iterates once. Returns how many bytes the server sends in this iteration.
    pub fn sent_in_one_iteration(&mut self, words: impl AsRef<[u8]>) -> usize {
        let before = self.pipe().from_server.len();
        self.pipe().to_server.extend(words.as_ref());
        self.iterate_once(Readiness { readable: true, ..Readiness::default() });
        self.pipe().from_server.len() - before
    }

    /// The server sends a response with this status next; `fields` occur in its head, and `content` follows.
    pub fn server(&mut self, status: u16, fields: &[&str], content: impl FnOnce(&[u8]) -> bool) -> &mut Self {
        let said = self.unread();
        let end = find(&said, b"\r\n\r\n").unwrap_or_else(|| panic!("no response: {:?}", text(&said))) + 4;
        let head = String::from_utf8(said[..end].to_vec()).unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "expected {status}: {head}");
        for field in fields {
            assert!(head.contains(&format!("\r\n{field}\r\n")), "no {field:?} in {head}");
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.map_or(0, |digits| digits.parse().unwrap());
        let body = said.get(end..end + length).unwrap_or_else(|| panic!("{} of {length} bytes", said.len() - end));
        assert!(content(body), "the content of {head}");
        self.clients[self.present].read += end + length;
        self
    }

    /// The server answers HEAD: the length is told, and no content sent.
    pub fn server_head_only(&mut self, status: u16, length: usize) -> &mut Self {
        let said = self.unread();
        let end = find(&said, b"\r\n\r\n").expect("a response") + 4;
        let head = text(&said[..end]);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "expected {status}: {head}");
        assert!(head.contains(&format!("\r\nContent-Length: {length}\r\n")), "{head}");
        self.clients[self.present].read += end;
        self
    }

    /// The server sends the page, and says that the connection lives on.
    pub fn server_keeps(&mut self) -> &mut Self {
        self.server(200, &["Connection: keep-alive"], |content| content == PAGE.as_bytes())
    }

    /// The server sends the page, says that the connection closes, and sends its FIN.
    pub fn server_closes(&mut self) -> &mut Self {
        self.server(200, &["Connection: close"], |content| content == PAGE.as_bytes()).fin()
    }

    /// The server refuses with this status, says that the connection closes, and sends its FIN.
    pub fn server_refuses(&mut self, status: u16) -> &mut Self {
        self.server(status, &["Connection: close"], |content| !content.is_empty()).fin()
    }

    /// The server says something that is not a whole response, and no more.
    pub fn server_breaks_off(&mut self, said: impl FnOnce(&str) -> bool) -> &mut Self {
        let unread = self.unread();
        assert!(said(std::str::from_utf8(&unread).unwrap()), "{}", text(&unread));
        self.clients[self.present].read += unread.len();
        self
    }

    /// How many bytes the server has said that were not spoken of.
    pub fn said(&self) -> usize {
        self.unread().len()
    }

    /// The server has said no more than was spoken of, and did not hang up.
    pub fn silence(&mut self) -> &mut Self {
        assert_eq!(text(&self.unread()), "");
        assert!(!self.pipe().server_fin && !self.pipe().server_reset, "it hung up");
        self
    }

    /// The server has said no more than was spoken of, and has sent its FIN.
    pub fn fin(&mut self) -> &mut Self {
        assert_eq!(text(&self.unread()), "");
        assert!(self.pipe().server_fin, "no FIN");
        self
    }

    /// The server has sent nothing beyond what was asserted, and closed without a response.
    pub fn silent_end(&mut self) -> &mut Self {
        assert_eq!(text(&self.unread()), "");
        self
    }

    /// The server has sent its FIN before all of the content that it had promised.
    pub fn fin_inside_a_response(&mut self) -> &mut Self {
        let said = self.unread();
        let end = find(&said, b"\r\n\r\n").expect("a response") + 4;
        assert!(text(&said).contains(&format!("Content-Length: {LARGE}\r\n")));
        assert!(said.len() - end < LARGE && self.pipe().server_fin);
        self
    }

    /// How much the client has sent that the server did not take.
    pub fn in_the_queue(&self) -> usize {
        self.pipe().to_server.len()
    }

    /// Lets time pass, in loop iterations as the server asks for them.
    pub fn after(&mut self, wait: Duration) -> &mut Self {
        let end = self.now + wait;
        loop {
            let drained = self.draining.map(|draining| draining.wait(self.now)).filter(|wait| !wait.is_zero());
            let sleep = [self.engine.wait(self.now), drained].into_iter().flatten().min();
            let wake = sleep.map_or(end, |sleep| self.now + sleep.max(Duration::from_micros(1)));
            self.now = wake.min(end);
            self.iterate();
            if self.now == end {
                return self;
            }
        }
    }

    /// Time passes, and the loop sleeps all the while, as a stopped process does.
    pub fn after_a_stall(&mut self, wait: Duration) -> &mut Self {
        self.now = self.now + wait;
        self.iterate();
        self
    }

    /// Begins a fast shutdown (SIGINT).
    pub fn stop(&mut self) -> &mut Self {
        self.begin_shutdown(Shutdown::Fast)
    }

    /// Begins a graceful shutdown (SIGTERM).
    pub fn drain(&mut self) -> &mut Self {
        self.begin_shutdown(Shutdown::Graceful)
    }

    fn begin_shutdown(&mut self, mode: Shutdown) -> &mut Self {
        self.draining = Some(Draining::begin(mode, self.now, &self.limits));
        self.with_tick(Engine::reschedule_all);
        self.continue_shutdown();
        self
    }

    /// A second signal. Returns how many connections were cut.
    pub fn second_signal(&mut self) -> usize {
        self.draining.as_mut().expect("a shutdown is in progress").cut_now(self.now);
        self.continue_shutdown()
    }

    /// Takes the steps of a shutdown that are due. Returns how many connections were cut.
    fn continue_shutdown(&mut self) -> usize {
        let Some(mut draining) = self.draining else { return 0 };
        let mut cut = 0;
        while let Some(action) = draining.step(self.now, self.engine.remaining(self.listening)) {
            // The shutdown knows what it has asked for, whatever the engine does now.
            self.draining = Some(draining);
            match action {
                Action::CloseListeners => self.listening = false,
                Action::CloseIdle => self.with_tick(Engine::close_idle),
                Action::EndFeeds => self.with_tick(Engine::end_feeds),
                Action::AbortAll => cut = self.with_tick(Engine::abort_all),
                Action::Finish => break,
            }
        }
        cut
    }

    /// A file in the root becomes shorter.
    pub fn shrink(&mut self, name: &str, length: u64) -> &mut Self {
        let path: &Path = self.root.path();
        File::options().write(true).open(path.join(name)).unwrap().set_len(length).unwrap();
        self
    }

    /// The connection has ended, for this reason. Returns what there was to see.
    #[track_caller]
    pub fn closed(&mut self, reason: CloseReason) -> Seen {
        let id = ConnectionId(self.present as u64 + 1);
        let ends = self.ends.borrow();
        let end = ends.iter().find(|(conn, _)| *conn == id).map(|(_, seen)| *seen);
        let seen = end.unwrap_or_else(|| panic!("it is still open ({:?})", self.way));
        assert_eq!(seen.reason, reason, "{:?}", self.way);
        let pipe = self.clients[self.present].pipe.borrow();
        assert_eq!(seen.how == How::Reset, pipe.server_reset);
        let side = if pipe.client_reset { Closer::Client } else { Closer::Server };
        assert_eq!(seen.reset_by, pipe.server_reset.then_some(side), "{:?}", self.way);
        seen
    }

    /// The client has sent its FIN in answer to ours, so the connection has ended, for this reason.
    #[track_caller]
    pub fn then_closed(&mut self, reason: CloseReason) -> Seen {
        self.client_finishes().closed(reason)
    }

    /// How many responses, of all connections, were handed to the kernel whole.
    pub fn answered_whole(&self) -> usize {
        self.answered.get()
    }

    fn pipe(&self) -> std::cell::RefMut<'_, Pipe> {
        self.clients[self.present].pipe.borrow_mut()
    }

    fn unread(&self) -> Vec<u8> {
        self.pipe().from_server[self.clients[self.present].read..].to_vec()
    }

    fn deliver(&mut self, words: &[u8]) {
        self.pipe().to_server.extend(words);
        self.tell(Readiness { readable: true, ..Readiness::default() });
    }

    fn tell(&mut self, readiness: Readiness) -> &mut Self {
        self.iterate_once(readiness);
        self.iterate();
        self
    }

    /// Runs one loop iteration, and more as long as the engine or a client has more to do.
    fn iterate(&mut self) {
        for _ in 0..100_000 {
            self.iterate_once(Readiness::default());
            self.continue_shutdown();
            if !self.trickle() && self.engine.wait(self.now) != Some(Duration::ZERO) {
                return;
            }
        }
        panic!("the loop does not come to rest");
    }

    /// Runs one loop iteration, in which the poll reports this of the present client's socket.
    fn iterate_once(&mut self, readiness: Readiness) {
        let handle = self.clients[self.present].handle;
        self.with_tick(|engine, tick| {
            engine.begin_iteration(0, tick);
            if let Some(handle) = handle.filter(|_| readiness != Readiness::default()) {
                engine.ready(handle, readiness);
            }
            engine.drive_ready(tick);
            engine.expire(tick);
        });
    }

    /// A socket that takes a byte at a time makes room for one more. Says whether there was one.
    fn trickle(&mut self) -> bool {
        let mut trickled = false;
        for number in 0..self.clients.len() {
            let client = &self.clients[number];
            let full = client.reads && client.pipe.borrow().room == 0;
            if let (true, Some(handle)) = (full, client.handle) {
                let unread = client.pipe.borrow().from_server.len() - client.read;
                // A large content would take minutes; what is behind its head comes faster.
                client.pipe.borrow_mut().room = if unread < 2000 { 1 } else { 5000 };
                let writable = Readiness { writable: true, ..Readiness::default() };
                self.with_tick(|engine, tick| {
                    engine.ready(handle, writable);
                    engine.drive_ready(tick)
                });
                trickled = true;
            }
        }
        trickled
    }

    fn with_tick<T>(&mut self, act: impl FnOnce(&mut Engine<PipeSocket>, &Tick<'_>) -> T) -> T {
        let tick = Tick { now: self.now, date: &self.date, limits: &self.limits, draining: self.draining.is_some() };
        act(&mut self.engine, &tick)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(500)]).into_owned()
}
