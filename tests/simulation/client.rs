//! The clients: small machines of many manners, of which some keep to the protocol and others don't.

use std::cell::RefCell;
use std::rc::Rc;

use super::compose::{Style, compose};
use super::line::{Fin, Line};
use super::random::Random;
use super::scene::Scene;

/// How a client behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// One request after the other, and a pause between some.
    Plain,
    /// Many requests at once, without waiting for an answer.
    Pipeliner,
    /// Asks for the largest file that is sent from memory, fifty times at once.
    Greedy,
    /// Sends a few bytes at a time, but without long pauses.
    Trickler,
    /// Sends a byte now and then, slower than any limit.
    Dripper,
    /// Stops to read.
    NonReader,
    /// Reads a few bytes now and then.
    SlowReader,
    /// Sends its FIN behind its last request, and reads on.
    HalfCloser,
    /// Sends an RST at some moment.
    Resetter,
    /// Closes at some moment, whatever is on its way.
    Leaver,
    /// Sends its next request just when the server is about to close.
    Racer,
    /// Announces more content than it sends, or less.
    Liar,
    /// Sends what is no request.
    Babbler,
    /// Speaks HTTP/1.0.
    Old,
    /// Opens a connection and says nothing.
    Silent,
}

const MANNERS: &[Manner] = &[
    Manner::Plain,
    Manner::Plain,
    Manner::Plain,
    Manner::Pipeliner,
    Manner::Pipeliner,
    Manner::Greedy,
    Manner::Trickler,
    Manner::Dripper,
    Manner::NonReader,
    Manner::SlowReader,
    Manner::HalfCloser,
    Manner::Resetter,
    Manner::Leaver,
    Manner::Racer,
    Manner::Racer,
    Manner::Liar,
    Manner::Babbler,
    Manner::Old,
    Manner::Old,
    Manner::Silent,
];

/// A client of one connection.
pub struct Client {
    pub manner: Manner,
    pub line: Rc<RefCell<Line>>,
    pub local: bool,
    /// Requests it will still send.
    left: usize,
    /// Requests it sends ahead of the answers.
    depth: usize,
    /// Bytes that the network carries at once for it.
    piece: usize,
    /// It asks for nothing more before so long after its last request, or, if it races, after the last answer.
    patience: u64,
    asked_at: u64,
    random: Random,
    knocked: bool,
    /// It has nothing more to do.
    pub over: bool,
}

impl Client {
    pub fn new(id: usize, random: &mut Random) -> Self {
        let manner = random.pick(MANNERS);
        let (left, depth) = match manner {
            Manner::Silent => (0, 1),
            Manner::Greedy => (50, 50),
            Manner::Pipeliner => (random.size(1..=12), random.size(2..=12)),
            _ => (random.size(1..=12), 1),
        };
        Client {
            manner,
            line: Rc::new(RefCell::new(Line::new(id))),
            local: random.once_in(4),
            left,
            depth,
            piece: match manner {
                Manner::Trickler => random.size(1..=30),
                Manner::Dripper => 1,
                _ => random.pick(&[1_000_000, 1_000_000, 1460, 100]),
            },
            patience: 0,
            asked_at: 0,
            random: Random::new(random.next()),
            knocked: false,
            over: false,
        }
    }

    /// It has not connected yet.
    pub fn is_new(&self) -> bool {
        !self.knocked
    }

    /// Does one thing. Returns how long it is until the next.
    pub fn act(&mut self, scene: &Scene) -> u64 {
        self.knocked = true;
        let line = Rc::clone(&self.line);
        let line = &mut *line.borrow_mut();
        let hears_no_more = line.outbox == 0 || self.manner == Manner::NonReader;
        if line.reset || line.gone == Some(true) || line.gone.is_some() && hears_no_more {
            self.over = true;
            return 0;
        }
        if line.accepted.is_none() {
            // It waits in the accept queue, and may send already.
            if line.asked.is_empty() {
                self.ask(line, scene);
            }
            line.deliver(self.piece, scene);
            return self.pause(1000);
        }
        if !line.transit.is_empty() || line.fin == Fin::Sent {
            let room = scene.climate.inbox > line.inbox.len();
            if room && !self.random.once_in(4) || self.manner == Manner::Dripper {
                let count = self.random.size(1..=self.piece);
                line.deliver(count, scene);
                return match self.manner {
                    Manner::Dripper if !scene.calm.get() => self.random.within(1..=600_000),
                    _ => self.pause(500),
                };
            }
        }
        self.misbehave(line, scene);
        if line.outbox > 0 && self.reads(scene) {
            let all = self.random.once_in(2);
            let count = if all { line.outbox } else { self.random.size(1..=line.outbox) };
            line.take(if self.manner == Manner::SlowReader { count.min(50) } else { count }, scene);
            return self.pause(500);
        }
        let since = if self.manner == Manner::Racer { line.wrote_at } else { self.asked_at };
        let wait = (since + self.patience).saturating_sub(scene.now.get());
        if wait > 0 && line.answers.is_between() {
            return wait.min(1_000_000);
        }
        self.talk(line, scene);
        if self.manner == Manner::Racer {
            line.deliver(self.piece, scene);
        }
        self.pause(1000)
    }

    /// Asks for more, or hangs up.
    fn talk(&mut self, line: &mut Line, scene: &Scene) {
        if line.fin != Fin::NotSent || line.left {
            return;
        }
        let answered = line.answers.ends.iter().filter(|end| **end <= line.taken).count();
        let heard_close = line.answers.announced && line.taken == line.written;
        let heard_fin = (line.our_fin.is_some() || line.gone.is_some()) && line.outbox == 0;
        let waiting = line.asked.len() - answered;
        if heard_close || heard_fin || waiting == 0 && self.left == 0 && self.manner != Manner::Silent {
            line.fin = Fin::Sent;
            scene.trace(Some(line.id), "client's FIN", 0);
        } else if self.left > 0 && waiting < self.depth {
            let times = if self.manner == Manner::Greedy { self.left } else { 1 };
            (0..times).for_each(|_| self.ask(line, scene));
        }
    }

    fn ask(&mut self, line: &mut Line, scene: &Scene) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let last = self.left == 0 && self.random.once_in(3);
        let bad = self.manner == Manner::Babbler || self.manner == Manner::Liar && self.left == 0;
        let greedy = self.manner == Manner::Greedy;
        let style = Style { old: self.manner == Manner::Old, local: self.local, last, bad, greedy };
        let max_body = scene.climate.limits.max_body;
        let (mut bytes, asked) = compose(&mut self.random, &scene.tree.borrow(), style, max_body, line.sent);
        if self.manner == Manner::Liar && self.left == 0 {
            // Something is missing at the end, and never comes.
            bytes.truncate(self.random.size(1..=bytes.len()));
        }
        scene.trace(Some(line.id), "client asks for something that ends at", asked.ends);
        line.send(&bytes, asked);
        if self.manner == Manner::HalfCloser && self.left == 0 {
            line.fin = Fin::Sent;
        }
        self.asked_at = scene.now.get();
        self.patience = self.think(line, scene);
    }

    /// How long it waits before the request after this one.
    fn think(&mut self, line: &Line, scene: &Scene) -> u64 {
        let limits = &scene.climate.limits;
        let promise = limits.keep_alive_timeout.as_micros() as u64;
        let grace = limits.keep_alive_grace.as_micros() as u64;
        match self.manner {
            Manner::Racer => {
                let around = self.random.pick(&[0, 1, 2, 100, 1_000, 70_000, 500_000]);
                let target = if self.random.once_in(2) { promise } else { promise + grace };
                if self.random.once_in(2) { target + around } else { target.saturating_sub(around) }
            }
            _ if line.asked.len().is_multiple_of(3) => self.random.within(0..=promise / 2),
            _ => 0,
        }
    }

    fn reads(&mut self, scene: &Scene) -> bool {
        match self.manner {
            Manner::NonReader => !scene.calm.get() && self.random.once_in(2000),
            Manner::SlowReader => scene.calm.get() || self.random.once_in(4),
            _ => true,
        }
    }

    fn misbehave(&mut self, line: &mut Line, scene: &Scene) {
        match self.manner {
            Manner::Resetter if self.random.once_in(20) => line.send_reset(scene),
            Manner::Leaver if self.random.once_in(20) && !line.left => {
                line.left = true;
                if line.outbox > 0 {
                    // A close with unread bytes is an RST.
                    line.send_reset(scene);
                } else if line.fin == Fin::NotSent {
                    line.fin = Fin::Sent;
                }
            }
            _ => {}
        }
    }

    fn pause(&mut self, usual: u64) -> u64 {
        match self.random.within(0..=20) {
            0..=9 => self.random.within(1..=20),
            20 => self.random.within(1..=usual * 20),
            _ => self.random.within(1..=usual),
        }
    }
}
