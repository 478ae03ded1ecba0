//! The rules of a connection as the client and an onlooker on the network see them: what the server may do at each
//! moment, and what it must have done before it sleeps. Nothing here asks the server.

use std::time::Duration;

use holdline::http::Limits;
use holdline::server::Readiness;

use super::connection::{ClientFin, Connection};
use super::expected::Expected;
use super::head::Head;
use super::shared::Shared;
use super::slots::{Evictable, Standing};

/// How late a timer may be: a bucket of the timer wheel, and a little.
const COARSENESS: u64 = 70_000;

/// Total time for a body, in body timeouts.
const BODY_TIME_FACTOR: u64 = 5;

/// How long a new connection may be silent before it may be evicted.
const NEWCOMER_GRACE: u64 = 1_000_000;

/// How long a connection over the limit has for its request head.
const OVER_LIMIT_HEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes that a connection may send in one period of its budget: the budget, and the batch that exceeds it.
const MAX_SENT: usize = (256 + 32 + 8) * 1024;

/// Reads in one period. A timer that is due looks at the socket twice.
const MAX_READS: usize = 2 * 4;

/// What a FIN that nothing had announced may be for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grounds {
    /// A timer: the connection was idle or silent for too long.
    pub timed_out: bool,
    /// Another connection needs its slot.
    pub evicted: bool,
    /// It is over the limit, and too many others are.
    pub dropped: bool,
    /// A fast shutdown.
    pub stopped: bool,
    /// The file became shorter while it was being sent.
    pub torn: bool,
    /// The client has sent its FIN.
    pub client_fin: bool,
    /// The client stopped reading: this is an RST, not a FIN.
    pub stuck: bool,
}

impl Grounds {
    fn any(&self) -> bool {
        self.timed_out || self.evicted || self.dropped || self.stopped || self.torn || self.client_fin
    }
}

impl Connection {
    /// The server is about to read.
    pub fn about_to_read(&mut self, shared: &Shared) {
        self.note_iteration(shared);
        self.decide(shared);
        self.use_budget(0, 1, shared);
        if self.full && self.server_fin.is_none() {
            shared.report(Some(self.id), "it reads while its output waits".into());
        }
        // When everything is closed, nothing waits any more.
        if self.budget_used.1 > MAX_READS && !shared.aborting.get() {
            shared.report(Some(self.id), format!("{} reads, and others wait", self.budget_used.1));
        }
    }

    /// The server has read `count` bytes.
    pub fn was_read(&mut self, count: usize, shared: &Shared) {
        let now = shared.now.get();
        self.read += count as u64;
        self.read_at = now;
        self.note_beginning(now);
        if self.server_fin.is_some() && self.has_begun(self.read) && !self.begun_before_fin {
            self.raced_at.get_or_insert(now);
        }
        shared.record(self.id, "server read", count as u64);
    }

    /// The server has written these bytes.
    pub fn wrote(&mut self, bytes: &[u8], shared: &Shared) {
        let now = shared.now.get();
        if self.server_fin.is_some() {
            shared.report(Some(self.id), "it writes after its FIN".into());
        }
        let mut responses = std::mem::take(&mut self.responses);
        let complete = responses.complete;
        let check = |head: &Head, number: usize| self.check_head(head, number, shared);
        if let Err(what) = responses.hear(bytes, &self.requests, self.read, &mut shared.tree.borrow_mut(), check) {
            shared.report(Some(self.id), what);
        }
        if responses.complete > complete {
            self.began_at = None;
            self.attempt = (!responses.is_between()).then_some((now, self.delivered_before));
        }
        self.responses = responses;
        self.unsent += bytes.len();
        self.written += bytes.len() as u64;
        self.wrote_at = now;
        self.use_budget(bytes.len(), 0, shared);
        if self.budget_used.0 > MAX_SENT {
            shared.report(Some(self.id), format!("it sends {} bytes, and others wait", self.budget_used.0));
        }
        if self.responses.is_between() {
            self.note_beginning(now);
        }
        if self.client_closed {
            self.send_reset(shared);
        }
        shared.record(self.id, "server wrote", bytes.len() as u64);
    }

    /// Remembers when the server had read the first byte of the next request.
    fn note_beginning(&mut self, now: u64) {
        if self.began_at.is_none() && self.has_begun(self.read) {
            self.began_at = Some(now);
        }
    }

    /// Whether the next request begins within the first `bytes` of the connection.
    pub fn has_begun(&self, bytes: u64) -> bool {
        self.requests.get(self.responses.complete).is_some_and(|request| request.begins < bytes)
    }

    /// Whether the next request ends within the first `bytes` of the connection.
    fn is_whole(&self, bytes: u64) -> bool {
        self.requests.get(self.responses.complete).is_some_and(|request| request.ends <= bytes)
    }

    /// How many requests the server has begun to read.
    pub fn begun_requests(&self) -> usize {
        self.requests.iter().filter(|request| request.begins < self.read).count()
    }

    /// Whether the next request is malformed or too large.
    pub fn next_is_malformed(&self) -> bool {
        let next = self.requests.get(self.responses.complete);
        next.is_some_and(|request| matches!(request.expected, Expected::Rejection(_)))
    }

    /// How old the connection was when the server last wrote.
    pub fn age(&self) -> Duration {
        Duration::from_micros(self.accepted.map_or(0, |accepted| self.wrote_at.saturating_sub(accepted)))
    }

    /// Whether it may be evicted, judged by the first `bytes` of the connection: it has a slot, and waits for another
    /// request, or has not sent a first one and is not a newcomer.
    pub fn evictable(&self, bytes: u64, shared: &Shared) -> Option<Evictable> {
        let waits = self.responses.is_between() && !self.full && !self.responses.announced;
        if self.standing != Standing::Served || !waits || self.has_begun(bytes) {
            return None;
        }
        if self.responses.complete > 0 {
            return Some(Evictable::Idle { since: self.wrote_at });
        }
        let accepted = self.accepted.filter(|accepted| shared.now.get() >= accepted + NEWCOMER_GRACE)?;
        Some(Evictable::Silent { since: accepted })
    }

    /// Whether it awaits its 503, and has not sent the head of its request.
    pub fn is_incomplete_over_limit(&self) -> bool {
        let waits = self.responses.is_between() && !self.responses.announced;
        self.standing == Standing::OverLimit && waits && !self.has_head(self.delivered)
    }

    /// Whether the head of the next request ends within the first `bytes` of the connection.
    fn has_head(&self, bytes: u64) -> bool {
        self.requests.get(self.responses.complete).is_some_and(|request| request.head_ends <= bytes)
    }

    /// How long the head of a request may take.
    fn head_timeout(&self, limits: &Limits) -> Duration {
        let most = if self.over_limit { OVER_LIMIT_HEAD_TIMEOUT } else { Duration::MAX };
        limits.head_timeout.min(most)
    }

    /// Whether a response with this head may answer the request now, and says the truth about the connection.
    fn check_head(&self, head: &Head, number: usize, shared: &Shared) -> Result<(), String> {
        let (now, limits, request) = (shared.now.get(), &shared.settings.limits, &self.requests[number]);
        let mut must_close = request.closes || request.unread;
        if request.begins >= self.read {
            return Err("a response before the first byte of its request".into());
        }
        match (&request.expected, request.arrived, head.status) {
            (_, _, 503) if !self.over_limit => return Err("503, and there is a slot".into()),
            (_, _, 503) => {
                if request.head_ends > self.read {
                    self.check_timeout(number, shared)?;
                }
                must_close = true;
            }
            (_, _, 408) if self.over_limit => return Err("408, and there is no slot".into()),
            (_, _, 408) => {
                self.check_timeout(number, shared)?;
                must_close = true;
            }
            (Expected::Rejection(_), _, _) => must_close = true,
            _ if self.over_limit => return Err("a response, and there is no slot".into()),
            (_, None, _) => return Err("a response before its request".into()),
            (_, Some(_), _) => {}
        }
        let (arrived, _) = request.arrived.unwrap_or((now, 0));
        let max = limits.max_requests as usize;
        must_close |= limits.keep_alive_timeout.is_zero() || max != 0 && number + 1 >= max;
        let too_old = |moment| {
            let accepted = self.accepted.unwrap_or(moment);
            !limits.max_age.is_zero() && moment >= accepted + micros(limits.max_age)
        };
        let draining_since = shared.draining_since.get();
        let was_draining = draining_since.is_some_and(|since| since < arrived);
        if head.close && !must_close && !too_old(now) && draining_since.is_none() {
            return Err(format!("Connection: close without a reason, with {head}"));
        }
        if !head.close && (must_close || too_old(arrived) || was_draining) {
            return Err(format!("no Connection: close with {head}"));
        }
        let mut promise = format!("timeout={}", limits.keep_alive_timeout.as_secs());
        if max != 0 {
            promise += &format!(", max={}", max.saturating_sub(number + 1));
        }
        match &head.keep_alive {
            Some(said) if *said != promise => Err(format!("it promises {said:?} instead of {promise:?}")),
            _ => Ok(()),
        }
    }

    /// Whether this request may be answered by 408 now.
    fn check_timeout(&self, number: usize, shared: &Shared) -> Result<(), String> {
        let (limits, request) = (&shared.settings.limits, &self.requests[number]);
        let (now, delivered) = self.attempt.unwrap_or((shared.now.get(), self.delivered_before));
        if request.ends <= delivered {
            return Err("408 to a request that had arrived in time".into());
        }
        let began = self.began_at.ok_or("408 before the first byte of a request")?;
        let body_timeout = micros(limits.body_timeout);
        let is_late = match request.head_ends > self.read {
            true => now >= began + micros(self.head_timeout(limits)),
            false => now >= self.read_at + body_timeout || now >= began + BODY_TIME_FACTOR * body_timeout,
        };
        if is_late { Ok(()) } else { Err("408 too early".into()) }
    }

    /// The server ends its side: by a FIN, or by closing the socket without one.
    pub fn ends(&mut self, by_reset: bool, shared: &Shared) {
        self.note_iteration(shared);
        self.decide(shared);
        if self.reset || shared.aborting.get() {
            return;
        }
        match self.may_end(by_reset, shared) {
            Ok(grounds) => self.grounds = grounds,
            Err(what) => shared.report(Some(self.id), what.into()),
        }
    }

    fn may_end(&self, by_reset: bool, shared: &Shared) -> Result<Grounds, &'static str> {
        let (now, limits) = (shared.now.get(), &shared.settings.limits);
        let inside = !self.responses.is_between();
        let mut grounds = Grounds {
            stuck: by_reset && self.full && now >= self.wrote_at + micros(limits.send_timeout),
            torn: self.is_torn(shared),
            client_fin: self.client_fin == ClientFin::Arrived,
            dropped: !by_reset && self.over_limit && shared.slots.borrow_mut().may_drop(self.id),
            stopped: shared.closing_idle.get(),
            ..Grounds::default()
        };
        if by_reset {
            return if grounds.stuck { Ok(grounds) } else { Err("an RST without a reason") };
        }
        if inside {
            return if grounds.torn { Ok(grounds) } else { Err("a FIN inside a response") };
        }
        if self.responses.announced {
            return Ok(grounds);
        }
        if grounds.dropped {
            let is_told = !self.has_head(self.delivered_before) || self.next_is_malformed();
            return if is_told { Ok(grounds) } else { Err("a newcomer whose request was there is not told") };
        }
        if self.is_whole(self.delivered_before) {
            return Err("a FIN instead of the response to a request that had arrived");
        }
        if !grounds.client_fin && !grounds.torn && self.has_begun(self.delivered_before) {
            return Err("a FIN inside a request");
        }
        // While the server makes room it closes nothing for another reason.
        grounds.timed_out = now >= self.idle_deadline(shared) && !shared.slots.borrow().makes_room();
        if let Some(evictable) = self.evictable(self.delivered_before, shared)
            && !grounds.any()
        {
            shared.slots.borrow_mut().evict(evictable)?;
            grounds.evicted = true;
        }
        if grounds.any() { Ok(grounds) } else { Err("a FIN before its time") }
    }

    /// When the server may close the connection because no request comes.
    fn idle_deadline(&self, shared: &Shared) -> u64 {
        let limits = &shared.settings.limits;
        let draining = shared.draining_since.get().is_some();
        match self.responses.complete {
            0 => self.accepted.unwrap_or(0) + micros(self.head_timeout(limits)),
            // While the server drains no grace is left: the client was promised the idle time only.
            _ if draining => self.wrote_at + micros(limits.keep_alive_timeout),
            _ => self.wrote_at + micros(limits.keep_alive_timeout + limits.keep_alive_grace),
        }
    }

    /// The file that is being sent became shorter.
    fn is_torn(&self, shared: &Shared) -> bool {
        let tree = shared.tree.borrow();
        let file = self.responses.file.as_ref();
        file.is_some_and(|(file, versions)| versions.iter().any(|number| tree.files[*file].versions[*number].truncated))
    }

    /// The server closes its socket.
    pub fn closes(&mut self, by_reset: bool, shared: &Shared) {
        let Some(fin) = self.server_fin else { return self.ends(by_reset, shared) };
        let over = shared.now.get() >= fin + micros(shared.settings.limits.linger);
        let client_ended = self.reset || self.client_fin == ClientFin::Arrived && !by_reset;
        if !over && !client_ended && !shared.aborting.get() && !shared.slots.borrow_mut().may_hurry(self.id) {
            shared.report(Some(self.id), "it closes without waiting for the client's FIN".into());
        }
    }

    /// The server goes to sleep, and has nothing left to do for this connection. Has it done all that it could?
    pub fn check_at_rest(&self, shared: &Shared) {
        if self.closed.is_some() || self.accepted.is_none() {
            return;
        }
        if let Some(what) = self.neglected(shared) {
            shared.report(Some(self.id), what.into());
        }
        if let Some(what) = self.overdue(shared) {
            shared.report(Some(self.id), what.into());
        }
    }

    fn neglected(&self, shared: &Shared) -> Option<&'static str> {
        // An event is still to be reported.
        if self.readiness != Readiness::default() {
            return None;
        }
        if self.reset {
            return Some("it sleeps on an RST");
        }
        // It waits for a writable socket.
        if self.full {
            return None;
        }
        let inside = !self.responses.is_between();
        let open = || self.server_fin.is_none();
        let rows = [
            (!self.received.is_empty(), "it sleeps on unread bytes"),
            (inside && open(), "it sleeps inside a response, and the socket is writable"),
            (self.responses.announced && open(), "it sleeps on a close that it has announced"),
            (self.is_whole(self.read) && open(), "it sleeps on a request"),
            (self.client_fin == ClientFin::Arrived, "it sleeps on a FIN"),
            (shared.aborting.get(), "it sleeps when it should close everything"),
        ];
        rows.iter().find(|(neglected, _)| *neglected).map(|(_, what)| *what)
    }

    fn overdue(&self, shared: &Shared) -> Option<&'static str> {
        let (now, limits) = (shared.now.get(), &shared.settings.limits);
        let over = |since: u64, patience| now > since + micros(patience) + COARSENESS;
        let (inside, open) = (!self.responses.is_between(), self.server_fin.is_none());
        let between = open && !inside && self.began_at.is_none();
        let answered = self.responses.complete > 0;
        let idle = limits.keep_alive_timeout + limits.keep_alive_grace;
        let body = limits.body_timeout * (BODY_TIME_FACTOR as u32 + 1);
        let reads = |head: bool, patience| {
            let reading = open && !inside && !self.is_whole(self.read) && self.reads_head() == head;
            reading && self.began_at.is_some_and(|began| over(began, patience))
        };
        let rows = [
            (
                between && !answered && over(self.accepted?, self.head_timeout(limits)),
                "it waits too long for a first request",
            ),
            (between && answered && over(self.wrote_at, idle), "it is idle for too long"),
            (reads(true, self.head_timeout(limits)), "it waits too long for a head"),
            (reads(false, limits.head_timeout + body), "it waits too long for a body"),
            (open && inside && over(self.wrote_at, limits.send_timeout), "it waits too long for a reader"),
            (self.server_fin.is_some_and(|fin| over(fin, limits.linger)), "it lingers for too long"),
        ];
        rows.iter().find(|(overdue, _)| *overdue).map(|(_, what)| *what)
    }

    /// The head of the next request is not complete.
    fn reads_head(&self) -> bool {
        self.requests.get(self.responses.complete).is_some_and(|request| request.head_ends > self.read)
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros() as u64
}
