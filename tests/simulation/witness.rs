//! Who listens to what the server says of itself, and compares.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use holdline::http::{CloseReason, How, Moment};
use holdline::observe::{ConnectionId, Event, Observer};

use super::client::Client;
use super::line::{Fin, Line};
use super::scene::Scene;

/// What the server's events come to.
#[derive(Default)]
pub struct Account {
    /// The clients, in the order in which they were accepted.
    pub accepted: Vec<usize>,
    /// Those whose connections are open.
    pub open: BTreeSet<usize>,
    ended: Vec<(usize, Ended)>,
    opened: usize,
    closed: usize,
}

/// What the ledger says of a connection that has ended.
struct Ended {
    reason: CloseReason,
    reset: bool,
    announced: bool,
    requests: usize,
    received: u64,
    sent: u64,
}

/// An observer like any other.
pub struct Witness(pub Rc<RefCell<Account>>);

impl Observer for Witness {
    fn observe(&mut self, _now: Moment, conn: ConnectionId, event: &Event<'_>) {
        let account = &mut *self.0.borrow_mut();
        let id = account.accepted[conn.0 as usize - 1];
        match event {
            Event::Opened { .. } => {
                account.opened += 1;
                account.open.insert(id);
            }
            Event::Closed(life) => {
                account.closed += 1;
                account.open.remove(&id);
                let ended = Ended {
                    reason: life.ending.reason,
                    reset: life.ending.how == How::Reset,
                    announced: life.announced,
                    requests: life.requests as usize,
                    received: life.received,
                    sent: life.sent,
                };
                account.ended.push((id, ended));
            }
            _ => {}
        }
    }
}

impl Account {
    /// How many connections are served, or wait for a refusal, and how many linger.
    pub fn standing(&self, clients: &[Client]) -> (usize, usize) {
        let lingers = |id: &&usize| clients[**id].line.borrow().our_fin.is_some();
        let lingering = self.open.iter().filter(lingers).count();
        (self.open.len() - lingering, lingering)
    }

    /// The ledger tells the truth, and nobody is lost in it.
    pub fn check(&mut self, clients: &[Client], scene: &Scene) {
        if self.opened != self.open.len() + self.closed || self.opened != self.accepted.len() {
            scene.complain(None, format!("{} accepted, {} open, {} closed", self.opened, self.open.len(), self.closed));
        }
        for (id, ended) in self.ended.drain(..) {
            let line = clients[id].line.borrow();
            if let Err(what) = ended.fits(&line, scene) {
                scene.complain(Some(id), format!("the ledger says {}, and {what}", ended.reason));
            }
        }
    }
}

impl Ended {
    fn fits(&self, line: &Line, scene: &Scene) -> Result<(), &'static str> {
        let rows = [
            (line.gone.is_some(), "the socket is open"),
            (self.received == line.read, "counts other bytes that came"),
            (self.sent == line.written, "counts other bytes that went"),
            (self.announced == line.answers.announced, "is wrong about Connection: close"),
            (self.requests >= line.answers.done, "counts too few requests"),
            (self.requests <= line.asked.len(), "counts too many requests"),
            (self.reason_holds(line, scene), "that is not so"),
            (!self.reset || line.reset || line.gone == Some(true), "there was no RST"),
        ];
        rows.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(what))
    }

    /// Whether the reason may be the true one.
    fn reason_holds(&self, line: &Line, scene: &Scene) -> bool {
        use CloseReason::*;
        let limits = &scene.climate.limits;
        let (said, status) = (line.answers.announced, line.answers.status);
        let answered = line.answers.done;
        let last = line.asked.get(answered.saturating_sub(1));
        match self.reason {
            ClientAsked | Http10 => said && last.is_some_and(|asked| asked.closes),
            KeepAliveOff => said && limits.keep_alive_timeout.is_zero(),
            RequestLimit => said && answered == limits.max_requests as usize,
            AgeLimit => said && !limits.max_age.is_zero(),
            IdleTimeout => !said && answered > 0,
            NoRequest => !said && answered == 0,
            HeadTimeout | ContentTimeout => said && status == 408,
            ContentTooLarge => said && status == 413,
            ContentUnread => said && last.is_some_and(|asked| asked.unread),
            BadRequest => said && matches!(status, 400 | 414 | 431 | 501 | 505),
            TooMany => said && line.unwelcome || line.shut_out,
            SendTimeout => line.gone == Some(true),
            Evicted => !said,
            Draining => scene.draining_since.get().is_some(),
            FileChanged => line.answers.file.is_some(),
            ClientClosed => line.fin == Fin::Arrived && !said,
            ClientAborted => line.fin == Fin::Arrived || line.reset,
            ClientReset => line.reset,
            LiveFeed | SlowReader | Lab | InternalError | ProbeFailed | IoError => false,
        }
    }
}
