//! The lab at the edge: where a connection follows a plan that breaks it. The other files of the connection see at most
//! whether there is a plan. They ask here with a request's first bytes and its head, with a response, when bytes were
//! sent, and for the timer.

use super::super::plan::Planned;
use super::super::timers::LabWait;
use super::super::{
    BadRequest, CloseReason, Ending, How, Manner, Moment, Persistence, Plan, PlannedClose, State, Step, When, head,
};
use super::Connection;

impl Connection {
    /// Adopts the plan that comes with the next response given to [`respond`](Connection::respond). It replaces a plan
    /// that was not carried out yet.
    pub fn follow(&mut self, plan: Plan, now: Moment) {
        self.lab = Some(Box::new(Planned::new(plan, self.requests, self.sent + self.unsent, now)));
    }

    /// How many of the unsent bytes may be sent now.
    pub fn allowance(&self, now: Moment) -> u64 {
        match (self.state, self.lab.as_deref()) {
            (State::Sending, Some(planned)) => planned.limit(now).saturating_sub(self.sent),
            (State::Sending | State::Streaming, _) => u64::MAX,
            _ => 0,
        }
    }

    /// What the plan, if there is one, has to do with the timer of the present state.
    pub(super) fn lab_wait(&self) -> Option<LabWait> {
        let planned = self.lab.as_deref()?;
        match (self.state, planned.plan) {
            (State::Pausing, _) => Some(LabWait::Pause(planned.pause)),
            (_, plan) if plan.is_lie() => Some(LabWait::Lie),
            (_, Plan::Close(PlannedClose { when: When::Idle(wait), .. })) => Some(LabWait::Close(wait)),
            _ => None,
        }
    }

    /// The plan for the response that is due now, if there is one.
    pub(super) fn lab_plan(&self) -> Option<Plan> {
        self.lab.as_deref().filter(|planned| planned.number == self.requests).map(|planned| planned.plan)
    }

    /// Begins the plan that came with the response that is due, which is encoded: a head and content of these lengths.
    pub(super) fn lab_responds(&mut self, head: u64, content: u64, persistence: Persistence, now: Moment) {
        if let Some(planned) = &mut self.lab {
            planned.measure(head, content);
        }
        // The connection closes for another reason before the planned moment.
        let is_close = matches!(self.lab.as_deref(), Some(Planned { plan: Plan::Close(_), .. }));
        if is_close && persistence.close_reason().is_some_and(|why| why != CloseReason::Lab) {
            self.lab = None;
        }
        self.lab_sent(now);
    }

    /// Applies the plan to the response that is being sent: closes, pauses, or lets it go on.
    pub(super) fn lab_sent(&mut self, now: Moment) {
        let Some(planned) = self.lab.as_deref_mut().filter(|_| self.state == State::Sending) else { return };
        if planned.cut().is_some_and(|cut| cut <= self.sent) {
            self.lab_closes(now);
        } else if self.unsent > 0 && planned.limit(now) <= self.sent {
            planned.begin_pause(self.sent, now);
            self.enter(State::Pausing, now);
        } else if self.unsent == 0 && !matches!(planned.plan, Plan::Close(_)) {
            self.lab = None;
        }
    }

    /// Executes the planned close if the first bytes of a request, which have come, trigger it. Returns whether they did.
    pub(super) fn lab_closes_at_bytes(&mut self, now: Moment) -> bool {
        let when = self.planned_close().map(|close| close.when);
        let closes = self.state == State::Idle && when == Some(When::Reuse);
        if closes {
            self.lab_closes(now);
        }
        closes
    }

    /// Executes the planned close if the request whose head is complete triggers it. Returns whether it did.
    pub(super) fn lab_closes_at_request(&mut self, now: Moment) -> bool {
        let Some(PlannedClose { when: When::Request(later), .. }) = self.planned_close() else { return false };
        let closes = self.lab.as_deref().is_some_and(|planned| self.requests - planned.number == later - 1);
        if closes {
            self.lab_closes(now);
        }
        closes
    }

    /// Executes the planned close now. What is not sent yet never will be.
    pub(super) fn lab_closes(&mut self, now: Moment) {
        let how = self.planned_close().map_or(Manner::Fin, |close| close.how);
        self.lab = None;
        if self.unsent > 0 {
            self.unsent = 0;
            self.closing().unsent_behind_close = None;
            self.exchange.after = None;
        }
        match how {
            // The request that triggered the close stays in the receive queue. It is read there behind our FIN, and
            // counts as lost in a race.
            Manner::Fin => self.enter(State::Lingering(CloseReason::Lab), now),
            Manner::Reset => self.enter(State::Closed(Ending { reason: CloseReason::Lab, how: How::Reset }), now),
            Manner::Stall => self.enter(State::Stalled, now),
            Manner::RequestTimeout => {
                self.refusal = Some(BadRequest::LabTimeout);
                self.enter(State::Idle, now);
            }
        }
    }

    /// Discards all input until the peer closes.
    pub(super) fn discard_input<'s>(&'s mut self, input: &mut &[u8], now: Moment) -> Step<'s> {
        if head::skip_empty_lines(input) < input.len() {
            // A request has begun that gets no response.
            self.exchange.after = None;
        }
        *input = &[];
        let is_answered = self.exchange.after.is_some();
        self.wait_for_bytes(if is_answered { CloseReason::ClientClosed } else { CloseReason::ClientAborted }, now)
    }

    /// The planned close; `None` if it is only announced.
    fn planned_close(&self) -> Option<PlannedClose> {
        match self.lab.as_deref()?.plan {
            Plan::Close(close) if !Plan::Close(close).is_lie() => Some(close),
            _ => None,
        }
    }
}
