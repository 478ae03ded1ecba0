//! The ledger: what the server's events say of each connection, compared with what the connection was.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use holdline::http::{CloseReason, Closer, FirstFin, How, Moment};
use holdline::observe::{ConnectionId, Event, Observer};

use super::client::Client;
use super::connection::{ClientFin, Connection};
use super::shared::Shared;

/// All connections, as the server's events tell of them.
#[derive(Default)]
pub struct Ledger {
    /// The clients in the order in which they were accepted.
    pub accepted: Vec<usize>,
    /// The clients whose connections are open.
    pub open: BTreeSet<usize>,
    entries: Vec<(usize, LedgerEntry)>,
    opened: usize,
    closed: usize,
}

/// What the ledger says of a connection that has ended.
struct LedgerEntry {
    reason: CloseReason,
    reset: bool,
    announced: bool,
    requests: usize,
    received: u64,
    sent: u64,
    first_fin: FirstFin,
    reset_by: Option<Closer>,
    race: Option<Duration>,
}

/// Writes the ledger, as an observer of the server.
pub struct EventRecorder(pub Rc<RefCell<Ledger>>);

impl Observer for EventRecorder {
    fn observe(&mut self, _now: Moment, conn: ConnectionId, event: &Event<'_>) {
        let ledger = &mut *self.0.borrow_mut();
        let id = ledger.accepted[conn.0 as usize - 1];
        match event {
            Event::Opened { .. } => {
                ledger.opened += 1;
                ledger.open.insert(id);
            }
            Event::Closed(life) => {
                ledger.closed += 1;
                ledger.open.remove(&id);
                let entry = LedgerEntry {
                    reason: life.ending.reason,
                    reset: life.ending.how == How::Reset,
                    announced: life.announced,
                    requests: life.requests as usize,
                    received: life.received,
                    sent: life.sent,
                    first_fin: life.first_fin,
                    reset_by: life.reset_by,
                    race: life.race,
                };
                ledger.entries.push((id, entry));
            }
            _ => {}
        }
    }

    fn needs_clock(&self) -> bool {
        false
    }

    fn needs_round_trip(&self) -> bool {
        false
    }
}

impl Ledger {
    /// Compares the new entries with their connections, and the sums with each other.
    pub fn check(&mut self, clients: &[Client], shared: &Shared) {
        if self.opened != self.open.len() + self.closed || self.opened != self.accepted.len() {
            shared.report(None, format!("{} accepted, {} open, {} closed", self.opened, self.open.len(), self.closed));
        }
        for (id, entry) in self.entries.drain(..) {
            let connection = clients[id].connection.borrow();
            if let Err(what) = entry.fits(&connection, shared) {
                shared.report(Some(id), format!("the ledger says {}, and {what}", entry.reason));
            }
        }
    }
}

impl LedgerEntry {
    fn fits(&self, connection: &Connection, shared: &Shared) -> Result<(), &'static str> {
        let rows = [
            (connection.closed.is_some(), "the socket is open"),
            (self.received == connection.read, "the number of received bytes is wrong"),
            (self.sent == connection.written, "the number of sent bytes is wrong"),
            (self.announced == connection.responses.announced, "is wrong about Connection: close"),
            (self.requests >= connection.responses.complete, "counts too few requests"),
            (self.requests <= connection.begun_requests(), "counts too many requests"),
            (self.reason_holds(connection, shared), "that is not the reason"),
            (!self.reset || connection.closed == Some(true), "an RST, which was not sent"),
            (self.reset || !connection.reset_by_unread, "a FIN, and it was an RST"),
            (self.first_fin_holds(connection), "the first FIN was the other side's"),
            (self.reset == self.reset_by.is_some(), "an RST, and does not know whose"),
            (self.reset_by != Some(Closer::Client) || connection.reset, "the client's RST, and that had not come"),
            (self.race_holds(connection), "is wrong about a race"),
        ];
        rows.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(what))
    }

    /// Whether the reason can be the true one.
    fn reason_holds(&self, connection: &Connection, shared: &Shared) -> bool {
        use CloseReason::*;
        let limits = &shared.settings.limits;
        let (said, status) = (connection.responses.announced, connection.responses.status);
        let answered = connection.responses.complete;
        let last = connection.requests.get(answered.saturating_sub(1));
        let grounds = &connection.grounds;
        // The grounds are those of our FIN. A client's RST may have been faster.
        let had_grounds = |holds: bool| holds || connection.reset || shared.aborting.get();
        let client_fin = connection.client_fin == ClientFin::Arrived;
        let between = connection.responses.is_between() && !connection.has_begun(connection.read);
        match self.reason {
            ClientAsked | Http10 => said && last.is_some_and(|request| request.closes),
            KeepAliveOff => said && limits.keep_alive_timeout.is_zero(),
            RequestLimit => said && answered == limits.max_requests as usize,
            AgeLimit => said && !limits.max_age.is_zero() && connection.age() >= limits.max_age,
            IdleTimeout => !said && answered > 0 && had_grounds(grounds.timed_out),
            NoRequest => !said && answered == 0 && !connection.over_limit && had_grounds(grounds.timed_out),
            HeadTimeout | ContentTimeout => said && status == 408,
            ContentTooLarge => said && status == 413,
            ContentUnread => said && last.is_some_and(|request| request.unread),
            BadRequest => said && matches!(status, 400 | 414 | 431 | 501 | 505),
            TooMany if said => connection.over_limit && status == 503,
            TooMany => connection.over_limit && had_grounds(grounds.dropped || grounds.timed_out),
            SendTimeout => grounds.stuck,
            Evicted => !said && had_grounds(grounds.evicted),
            Draining if said => shared.draining_since.get().is_some(),
            Draining => had_grounds(grounds.stopped),
            FileChanged => connection.responses.file.is_some() && had_grounds(grounds.torn),
            ClientClosed => client_fin && !said && between,
            ClientAborted => client_fin && !between || connection.reset,
            ClientReset => connection.reset,
            LiveFeed | SlowReader | Lab | InternalError | ProbeFailed | IoError => false,
        }
    }

    /// Whether the first FIN can be the one that the ledger says.
    fn first_fin_holds(&self, connection: &Connection) -> bool {
        match self.first_fin {
            FirstFin::Server => connection.server_fin.is_some(),
            FirstFin::Client => connection.client_fin == ClientFin::Arrived,
            FirstFin::None => connection.server_fin.is_none(),
        }
    }

    /// RFC 9112 §9.5: a request behind a FIN that nothing had announced is a race, and how late it was is told.
    fn race_holds(&self, connection: &Connection) -> bool {
        let said = connection.responses.announced;
        let late = connection.server_fin.zip(connection.raced_at).map(|(fin, at)| Duration::from_micros(at - fin));
        let late = late.filter(|_| self.reason.can_race() && !said);
        // Malformed bytes are not a request. The model does not know from which byte on they are that.
        self.race == late || self.race.is_none() && connection.next_is_malformed()
    }
}
