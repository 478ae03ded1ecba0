//! Responding: the decision about the connection, the head that says it, and what follows the last byte.

use super::super::response::OnConnection;
use super::super::{
    CloseReason, Facts, KeepOrClose, Length, Method, Moment, Persistence, Plan, Responded, ResponseHead, State, Step,
    Tick, persistence,
};
use super::{Connection, Exchange};

impl Connection {
    /// Decides whether the connection persists, appends the response's head to `out`, and begins to send.
    pub fn respond(&mut self, head: &ResponseHead<'_>, tick: &Tick<'_>, out: &mut Vec<u8>) -> Responded {
        let plan = self.lab_plan();
        let endless = head.length == Length::Stream && self.exchange.method != Method::Head;
        let persistence = self.decide(endless, plan, tick);

        let before = out.len();
        let Exchange { version, method, .. } = self.exchange;
        let place = OnConnection { version, persistence, number: self.requests, idle: self.last_idle() };
        head.encode(&place, tick, out);
        // RFC 9110 §9.3.2: "The HEAD method is identical to GET except that the server MUST NOT send content".
        let (state, content) = match head.length {
            Length::Known(length) | Length::Chunked(length) if method != Method::Head => (State::Sending, length),
            Length::Stream if method != Method::Head => (State::Streaming, 0),
            _ => (State::Sending, 0),
        };
        let head_length = (out.len() - before) as u64;
        self.unsent += head_length + content;
        if persistence.says_close() {
            self.closing().unsent_behind_close = Some(content);
        }
        if let Some(partial) = &mut self.partial {
            partial.upload = None;
        }
        self.last_idle = None;
        self.enter(state, tick.now);
        if plan.is_some() {
            self.lab_responds(head_length, content, persistence, tick.now);
        }
        Responded { persistence, content }
    }

    /// Asks the one place that decides, and keeps the answer with the exchange.
    fn decide(&mut self, endless: bool, plan: Option<Plan>, tick: &Tick<'_>) -> Persistence {
        let facts = Facts {
            fault: self.exchange.fault,
            version: self.exchange.version,
            options: self.exchange.options,
            endless,
            requests: self.requests,
            age: tick.now.since(self.opened),
            draining: tick.draining,
            plan,
        };
        let persistence = persistence::decide(&facts, tick.limits);
        self.exchange.after = Some(persistence);
        persistence
    }

    /// Notes that `count` more bytes were sent.
    pub fn wrote(&mut self, count: u64, now: Moment) {
        debug_assert!(matches!(self.state, State::Sending | State::Streaming) && count <= self.unsent);
        self.sent += count;
        self.unsent = self.unsent.saturating_sub(count);
        let behind_close = self.closing.as_deref().and_then(|closing| closing.unsent_behind_close);
        self.announced |= behind_close.is_some_and(|behind| self.unsent <= behind);
        self.since = now;
        if self.lab.is_some() {
            self.lab_sent(now);
        }
        if self.unsent == 0 && self.state == State::Sending {
            self.enter(self.after_response(), now);
        }
    }

    /// Where the last byte of the response leads, by what was decided with it.
    pub(super) fn after_response(&self) -> State {
        match self.exchange.after.map(Persistence::keep_or_close) {
            Some(KeepOrClose::Keep(_)) => State::Idle,
            Some(KeepOrClose::Close(why)) => State::Lingering(why),
            None => State::Lingering(CloseReason::InternalError),
        }
    }

    /// Gives up the rest of the response, which can't be sent: the connection ends in the middle of it.
    pub fn cut_response(&mut self, why: CloseReason, now: Moment) {
        debug_assert_eq!(self.state, State::Sending);
        self.enter(State::Lingering(why), now);
    }

    /// Bytes of encoded heads and announced content that are not sent yet, or never will be.
    pub fn unsent(&self) -> u64 {
        self.unsent
    }

    /// Whether bytes of responses are to be sent.
    pub fn has_unsent(&self) -> bool {
        self.unsent > 0 && matches!(self.state, State::Sending | State::Streaming)
    }

    /// Whether our FIN follows the next `count` bytes that are sent.
    pub fn ends_after(&self, count: u64) -> bool {
        self.state == State::Sending
            && self.unsent == count
            && self.lab.is_none()
            && matches!(self.after_response(), State::Lingering(_))
    }

    /// Notes that `count` more bytes of a live feed are to be sent.
    pub fn fed(&mut self, count: u64) {
        debug_assert_eq!(self.state, State::Streaming);
        self.unsent += count;
    }

    /// Ends a live feed. When its last bytes are sent, the connection closes.
    pub fn end_feed(&mut self, why: CloseReason, tick: &Tick<'_>) {
        debug_assert_eq!(self.state, State::Streaming);
        self.exchange.fault = Some(why);
        self.decide(true, None, tick);
        self.enter(if self.unsent == 0 { self.after_response() } else { State::Sending }, tick.now);
    }

    /// Sends a live feed. It ends only with the connection, so requests behind its own are discarded.
    pub(super) fn stream<'s>(&mut self, input: &mut &[u8], now: Moment) -> Step<'s> {
        *input = &[];
        if self.unsent > 0 && !self.peer_fin {
            Step::Write
        } else {
            self.wait_for_bytes(CloseReason::ClientAborted, now)
        }
    }
}
