//! Closing: whose FIN comes when, what the timers end, and what still arrives behind our FIN.

use std::time::Duration;

use super::super::timers::{self, Timed};
use super::super::{BadRequest, CloseReason, Closer, Ending, Failure, FirstFin, How, Moment, State, Step, Tick, head};
use super::Connection;

/// A close in progress.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// Once a head that says `Connection: close` is encoded: the bytes of content behind it. When no more than these are
    /// unsent, the close is announced.
    pub(super) unsent_behind_close: Option<u64>,
    /// When our FIN was sent.
    our_fin: Option<Moment>,
    /// It is known whether the bytes behind our FIN begin a request. Later bytes do not: they may be the rest of the
    /// first, which need not be a request.
    examined: bool,
    /// A lost keep-alive race: how long after our FIN the request arrived.
    race: Option<Duration>,
}

impl Connection {
    /// Rejects the connection: it is over the limit. Its first request will be answered with 503, and the connection
    /// closed for this reason.
    pub fn reject(&mut self, why: CloseReason) {
        self.rejected = Some(why);
    }

    /// Whether it was [rejected](Self::reject).
    pub fn is_rejected(&self) -> bool {
        self.rejected.is_some()
    }

    /// Closes a connection over the limit of which no whole request has come, without a response: too many others await
    /// theirs. Returns whether it did.
    pub fn drop_rejected(&mut self, why: CloseReason, now: Moment) -> bool {
        let incomplete = self.is_rejected() && matches!(self.state, State::Opened | State::ReadingHead);
        if incomplete {
            // The rest of a head that has begun is not a request behind our FIN.
            self.closing().examined = self.state == State::ReadingHead;
            self.enter(State::Lingering(why), now);
        }
        incomplete
    }

    /// Closes the connection if nothing is pending, because the server needs its slot or shuts down. Returns whether it
    /// did.
    pub fn close_if_idle(&mut self, why: CloseReason, now: Moment) -> bool {
        let idle = matches!(self.state, State::Opened | State::Idle | State::Stalled);
        if idle {
            self.enter(State::Lingering(why), now);
        }
        idle
    }

    /// How long the connection may stay in its state, counted from the moment that the table of timers names, and why it
    /// ends then.
    pub fn timeout(&self, tick: &Tick<'_>) -> Option<(Duration, CloseReason)> {
        let upload = self.partial.as_deref().and_then(|partial| partial.upload.as_ref());
        let timed = Timed {
            state: self.state,
            since: self.since,
            rejected: self.rejected,
            content: upload.map(|upload| (upload.began, upload.length)),
            lab: self.lab_wait(),
        };
        timers::timeout(&timed, tick)
    }

    /// When the timer of the state is due.
    pub fn deadline(&self, tick: &Tick<'_>) -> Option<Moment> {
        self.timeout(tick).map(|(wait, _)| self.since + wait)
    }

    /// Acts on the timer of the state, which is due. `unread` says that bytes may be in the receive queue: then the
    /// kernel sends an RST when we close.
    pub fn expire(&mut self, unread: bool, tick: &Tick<'_>) {
        let Some((_, why)) = self.timeout(tick) else { return };
        match self.state {
            // The client is told before the close. One that has sent nothing is not: browsers open connections ahead of
            // need, and would take an unsolicited 408 for the response to their next request.
            State::ReadingHead if self.is_rejected() => self.refusal = Some(BadRequest::OverLimit),
            State::ReadingHead => self.refusal = Some(BadRequest::HeadTimeout),
            State::ReadingContent => self.refusal = Some(BadRequest::ContentTimeout),
            // With a FIN, unsent bytes would stay in the kernel's buffer for a peer that does not read them.
            State::Sending => self.enter(State::Closed(Ending { reason: why, how: How::Reset }), tick.now),
            State::Lingering(_) => {
                let how = if unread { How::Reset } else { How::Fin };
                self.enter(State::Closed(Ending { reason: why, how }), tick.now);
            }
            State::Pausing => {
                self.enter(State::Sending, tick.now);
                self.lab_sent(tick.now);
            }
            State::Idle if why == CloseReason::Lab => self.lab_closes(tick.now),
            State::Opened | State::Idle | State::Stalled => self.enter(State::Lingering(why), tick.now),
            State::Streaming | State::Closed(_) => {}
        }
    }

    /// Notes that the peer's FIN was read: the peer sends no more, but may still read (half-close).
    pub fn peer_finished(&mut self) {
        self.peer_fin = true;
        self.peer_fin_seen();
    }

    /// Notes that the peer's FIN is in the receive queue, behind bytes that are not read yet.
    pub fn peer_fin_seen(&mut self) {
        if self.first_fin == FirstFin::None {
            self.first_fin = FirstFin::Client;
        }
    }

    /// Notes that our FIN was sent.
    pub fn fin_sent(&mut self, now: Moment) {
        self.closing().our_fin = Some(now);
        if self.first_fin == FirstFin::None {
            self.first_fin = FirstFin::Server;
        }
    }

    /// Ends the connection because the socket failed. If it was closing already, that reason stays.
    pub fn failed(&mut self, failure: Failure, now: Moment) {
        if !matches!(self.state, State::Closed(_)) {
            self.failure = Some(failure);
        }
        let ending = match (self.state, failure) {
            (State::Closed(ending), _) => ending,
            // The peer may not have read what we sent, so this is no longer an end in order.
            (State::Lingering(reason), _) => Ending { reason, how: How::Reset },
            // The peer had sent its FIN inside a request or response; the RST says that it does not read on either.
            (_, Failure::Reset) if self.peer_fin => Ending { reason: CloseReason::ClientAborted, how: How::Reset },
            (_, Failure::Reset) => Ending { reason: CloseReason::ClientReset, how: How::Reset },
            (_, Failure::TimedOut) => Ending { reason: CloseReason::ProbeFailed, how: How::Reset },
            (_, Failure::Other) => Ending { reason: CloseReason::IoError, how: How::Reset },
        };
        self.enter(State::Closed(ending), now);
    }

    /// Ends the connection at once, whatever is pending, and returns how it ended. If it was closing already, that
    /// reason stays.
    pub fn abort(&mut self, why: CloseReason, now: Moment) -> Ending {
        let ending = match self.state {
            State::Lingering(reason) => Ending { reason, how: How::Fin },
            State::Closed(ending) => ending,
            _ => Ending { reason: why, how: How::Reset },
        };
        self.enter(State::Closed(ending), now);
        ending
    }

    /// Whether a whole head with `Connection: close` was sent.
    pub fn announced(&self) -> bool {
        self.announced
    }

    /// Whose FIN came first.
    pub fn first_fin(&self) -> FirstFin {
        self.first_fin
    }

    /// Whose RST ended the connection. `None` if it has ended otherwise: in order, or because the network failed.
    pub fn reset_by(&self) -> Option<Closer> {
        match (self.state, self.failure) {
            (State::Closed(Ending { how: How::Reset, .. }), Some(Failure::Reset)) => Some(Closer::Client),
            (State::Closed(Ending { how: How::Reset, .. }), None) => Some(Closer::Server),
            _ => None,
        }
    }

    /// The lost keep-alive race, if there was one: how long after our FIN the request arrived.
    pub fn race(&self) -> Option<Duration> {
        self.closing.as_deref().and_then(|closing| closing.race)
    }

    /// RFC 9112 §9.6: input after a close was decided is not processed, but it is read, so that no RST destroys the
    /// response that is still on the way.
    pub(super) fn read_on<'s>(&'s mut self, input: &mut &[u8], why: CloseReason, tick: &Tick<'_>) -> Step<'s> {
        let more = &input[head::skip_empty_lines(input)..];
        let can_race = why.can_race() && !self.announced;
        // A lone CR may be half an empty line.
        if can_race && !matches!(more, [] | [b'\r']) {
            let late = self.our_fin().map(|fin| tick.now.since(fin));
            let closing = self.closing();
            if !closing.examined && head::parse(more, tick.limits).is_ok() {
                closing.race = late;
            }
            closing.examined = true;
        }
        *input = &[];
        if self.peer_fin {
            let ending = Ending { reason: why, how: How::Fin };
            self.enter(State::Closed(ending), tick.now);
            return Step::Close(ending);
        }
        Step::Read
    }

    /// Asks for more bytes. If the peer has sent its FIN, none will come: the peer has closed.
    pub(super) fn wait_for_bytes<'s>(&mut self, reason: CloseReason, now: Moment) -> Step<'s> {
        if !self.peer_fin {
            return Step::Read;
        }
        let ending = Ending { reason, how: How::Fin };
        self.enter(State::Closed(ending), now);
        Step::Close(ending)
    }

    pub(super) fn our_fin(&self) -> Option<Moment> {
        self.closing.as_deref().and_then(|closing| closing.our_fin)
    }

    pub(super) fn closing(&mut self) -> &mut Closing {
        self.closing.get_or_insert_default()
    }
}
