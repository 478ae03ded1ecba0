//! The rules of a connection, as a client and an onlooker see them: what the server may do at each moment,
//! and what it must have done when it goes to sleep. Nothing here asks the server for its opinion.

use holdline::server::Readiness;

use super::head::Head;
use super::line::{Fin, Line};
use super::owed::Owed;
use super::scene::Scene;

/// A timer may be so late: the width of a bucket in the wheel of deadlines, and a little.
const COARSENESS: u64 = 70_000;

/// A body that never pauses may all the same take so many times the body timeout.
const BODY_PATIENCE: u64 = 5;

/// So long a new connection may be silent before it may have to make room.
const NEWCOMER_GRACE: u64 = 1_000_000;

/// Whose place another may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomFrom {
    Idle,
    Silent,
}

impl Line {
    /// The server is about to read.
    pub fn about_to_read(&mut self, scene: &Scene) {
        self.note_turn(scene);
        if self.full && self.our_fin.is_none() {
            scene.complain(Some(self.id), "it reads on while its output waits".into());
        }
    }

    /// The server has read so much.
    pub fn was_read(&mut self, count: usize, scene: &Scene) {
        let now = scene.now.get();
        self.read += count as u64;
        self.read_at = now;
        self.look_for_a_beginning(now);
        scene.note(self.id, "server read", count as u64);
    }

    /// The server writes this.
    pub fn wrote(&mut self, bytes: &[u8], scene: &Scene) {
        let now = scene.now.get();
        if self.our_fin.is_some() {
            scene.complain(Some(self.id), "it writes after its FIN".into());
        }
        let mut answers = std::mem::take(&mut self.answers);
        let done = answers.done;
        let judge = |head: &Head, number: usize| self.judge(head, number, scene);
        if let Err(what) = answers.hear(bytes, &self.asked, self.read, &mut scene.tree.borrow_mut(), judge) {
            scene.complain(Some(self.id), what);
        }
        if answers.done > done {
            self.began_at = None;
            self.attempt = (!answers.is_between()).then_some((now, self.delivered_before));
        }
        self.answers = answers;
        self.outbox += bytes.len();
        self.written += bytes.len() as u64;
        self.wrote_at = now;
        if self.began_at.is_none() && self.answers.is_between() {
            self.look_for_a_beginning(now);
        }
        if self.left {
            // Nobody is there any more.
            self.send_reset(scene);
        }
        scene.note(self.id, "server wrote", bytes.len() as u64);
    }

    /// Whether the next request has begun to arrive at the server.
    fn look_for_a_beginning(&mut self, now: u64) {
        if self.began_at.is_none() && self.has_begun(self.read) {
            self.began_at = Some(now);
        }
    }

    /// Whether the request that is to be answered next begins within the first so many bytes.
    fn has_begun(&self, bytes: u64) -> bool {
        self.asked.get(self.answers.done).is_some_and(|asked| asked.begins < bytes)
    }

    /// Whether it is all within them.
    fn is_whole(&self, bytes: u64) -> bool {
        self.asked.get(self.answers.done).is_some_and(|asked| asked.ends <= bytes)
    }

    /// Whether it may be closed to make room for another, for all that is known from its first so many bytes: it was
    /// answered, and asks for nothing else; or it has asked for nothing for a while.
    pub fn may_make_room(&self, bytes: u64, scene: &Scene) -> Option<RoomFrom> {
        let waits = self.answers.is_between() && self.our_fin.is_none() && !self.full && !self.answers.announced;
        let came_lately = self.accepted.is_none_or(|accepted| scene.now.get() < accepted + NEWCOMER_GRACE);
        match self.answers.done {
            _ if !waits || self.has_begun(bytes) => None,
            0 if came_lately => None,
            0 => Some(RoomFrom::Silent),
            _ => Some(RoomFrom::Idle),
        }
    }

    /// Whether this head may answer this request now, and speaks the truth about the connection.
    fn judge(&self, head: &Head, number: usize, scene: &Scene) -> Result<(), String> {
        let (now, limits, asked) = (scene.now.get(), &scene.climate.limits, &self.asked[number]);
        let status = head.status;
        let mut must_close = asked.closes || asked.unread;
        match (&asked.owed, asked.arrived, status) {
            (_, Some(_), 503) if number == 0 && self.unwelcome => must_close = true,
            (_, _, 503) => return Err("503, and there is room".into()),
            (_, _, 408) => {
                let (now, delivered) = self.attempt.unwrap_or((now, self.delivered_before));
                if asked.ends <= delivered {
                    return Err("408 to a request that had come in time".into());
                }
                let began = self.began_at.ok_or("408 to nothing")?;
                let late = match asked.head_ends > self.read {
                    true => now >= began + micros(limits.head_timeout),
                    false => {
                        now >= self.read_at + micros(limits.body_timeout)
                            || now >= began + BODY_PATIENCE * micros(limits.body_timeout)
                    }
                };
                if !late {
                    return Err("408 too early".into());
                }
                must_close = true;
            }
            (Owed::Refusal(_), _, _) => must_close = true,
            (_, None, _) => return Err("an answer before its request".into()),
            (_, Some(_), _) => {}
        }
        let (arrived, _) = asked.arrived.unwrap_or((now, 0));
        let max = limits.max_requests as usize;
        must_close |= limits.keep_alive_timeout.is_zero() || max != 0 && number + 1 >= max;
        let too_old = |moment| {
            let accepted = self.accepted.unwrap_or(moment);
            !limits.max_age.is_zero() && moment >= accepted + micros(limits.max_age)
        };
        let draining_since = scene.draining_since.get();
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

    /// The server ends its side: by a FIN, or at once.
    pub fn ends(&mut self, at_once: bool, scene: &Scene) {
        self.note_turn(scene);
        if self.reset || scene.aborting.get() {
            return;
        }
        if let Err(what) = self.may_end(at_once, scene) {
            scene.complain(Some(self.id), what);
        }
    }

    fn may_end(&self, at_once: bool, scene: &Scene) -> Result<(), String> {
        let (now, limits) = (scene.now.get(), &scene.climate.limits);
        let inside = !self.answers.is_between();
        let stuck = self.full && now >= self.wrote_at + micros(limits.send_timeout);
        if at_once {
            return if stuck { Ok(()) } else { Err("an RST that nobody deserved".into()) };
        }
        if inside {
            return if self.is_torn(scene) { Ok(()) } else { Err("a FIN inside a response".into()) };
        }
        if self.answers.announced || self.shut_out {
            return Ok(());
        }
        if self.is_whole(self.delivered_before) {
            return Err("a FIN instead of an answer to a request that had come".into());
        }
        if self.fin == Fin::Arrived || self.is_torn(scene) {
            return Ok(());
        }
        if self.has_begun(self.delivered_before) {
            return Err("a FIN inside a request".into());
        }
        // A client that trusts its promise needs no grace when the server stops: it was told by its last answer, or
        // is told by its next.
        let draining = scene.draining_since.get().is_some();
        let (since, patience) = match self.answers.done {
            0 => (self.accepted.unwrap_or(now), limits.head_timeout),
            _ if draining => (self.wrote_at, limits.keep_alive_timeout),
            _ => (self.wrote_at, limits.keep_alive_timeout + limits.keep_alive_grace),
        };
        let evicted = scene.is_evicting() && self.may_make_room(self.delivered_before, scene).is_some();
        if now >= since + micros(patience) || evicted || scene.closing_idle.get() {
            return Ok(());
        }
        Err("a FIN before its time".into())
    }

    /// The file that is being sent was cut under the server's hands.
    fn is_torn(&self, scene: &Scene) -> bool {
        let tree = scene.tree.borrow();
        let file = self.answers.file.as_ref();
        file.is_some_and(|(file, versions)| versions.iter().any(|number| tree.files[*file].versions[*number].truncated))
    }

    /// The server closes its socket.
    pub fn closes(&mut self, reset: bool, scene: &Scene) {
        let Some(fin) = self.our_fin else { return self.ends(reset, scene) };
        let over = scene.now.get() >= fin + micros(scene.climate.limits.linger);
        let client_ended = self.reset || self.fin == Fin::Arrived && !reset;
        if !over && !client_ended && !scene.is_hurrying() && !scene.aborting.get() {
            scene.complain(Some(self.id), "it closes without waiting for the client's FIN".into());
        }
    }

    /// The server goes to sleep, and has no plan to go on with this connection by itself: has it done all that
    /// it could?
    pub fn rests(&self, scene: &Scene) {
        if self.gone.is_some() || self.accepted.is_none() {
            return;
        }
        if let Some(what) = self.neglected(scene) {
            scene.complain(Some(self.id), what.into());
        }
        if let Some(what) = self.overdue(scene) {
            scene.complain(Some(self.id), what.into());
        }
    }

    fn neglected(&self, scene: &Scene) -> Option<&'static str> {
        // It waits for room, or will be told something.
        if self.full || self.news != Readiness::default() {
            return None;
        }
        let inside = !self.answers.is_between();
        let waits = || self.our_fin.is_none();
        let rows = [
            (!self.inbox.is_empty(), "it sleeps on bytes that have come"),
            (self.reset, "it sleeps on an RST"),
            (inside && waits(), "it sleeps inside a response, and there is room"),
            (self.answers.announced && waits(), "it said that it closes, and does not"),
            (self.is_whole(self.read) && waits(), "it sleeps on a request"),
            (self.fin == Fin::Arrived, "it sleeps on a FIN"),
            (scene.aborting.get(), "it sleeps when it should drop everything"),
        ];
        rows.iter().find(|(neglected, _)| *neglected).map(|(_, what)| *what)
    }

    fn overdue(&self, scene: &Scene) -> Option<&'static str> {
        let (now, limits) = (scene.now.get(), &scene.climate.limits);
        let over = |since: u64, patience| now > since + micros(patience) + COARSENESS;
        let (inside, waits) = (!self.answers.is_between(), self.our_fin.is_none());
        let between = waits && !inside && self.began_at.is_none();
        let answered = self.answers.done > 0;
        let idle = limits.keep_alive_timeout + limits.keep_alive_grace;
        let body = limits.body_timeout * (BODY_PATIENCE as u32 + 1);
        let reads = |head: bool, patience| {
            let reading = waits && !inside && !self.is_whole(self.read) && self.reads_head() == head;
            reading && self.began_at.is_some_and(|began| over(began, patience))
        };
        let rows = [
            (between && !answered && over(self.accepted?, limits.head_timeout), "it waits for ever for a request"),
            (between && answered && over(self.wrote_at, idle), "it is idle for ever"),
            (reads(true, limits.head_timeout), "it reads a head for ever"),
            (reads(false, limits.head_timeout + body), "it reads a body for ever"),
            (waits && inside && over(self.wrote_at, limits.send_timeout), "it waits for ever for a reader"),
            (self.our_fin.is_some_and(|fin| over(fin, limits.linger)), "it lingers for ever"),
        ];
        rows.iter().find(|(overdue, _)| *overdue).map(|(_, what)| *what)
    }

    /// Not all of the next request's head has come to the server.
    fn reads_head(&self) -> bool {
        self.asked.get(self.answers.done).is_some_and(|asked| asked.head_ends > self.read)
    }
}

fn micros(duration: std::time::Duration) -> u64 {
    duration.as_micros() as u64
}
