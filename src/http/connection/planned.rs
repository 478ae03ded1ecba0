//! How a connection follows a plan of the lab, where the plan goes beyond the states.

use std::time::Duration;

use super::{Connection, Planned};
use crate::http::{
    BadRequest, CloseReason, Ending, How, Manner, Moment, Persistence, Plan, PlannedClose, State, Step, Tick, When,
    head,
};

impl Connection {
    /// Adopts the plan that comes with the next response given to [`respond`](Connection::respond). It replaces a plan
    /// that was not carried out yet.
    pub fn follow(&mut self, plan: Plan, now: Moment) {
        self.plan = Some(Box::new(Planned::new(plan, self.requests, self.sent + self.unsent, now)));
    }

    /// How many of the unsent bytes may be sent now.
    pub fn allowance(&self, now: Moment) -> u64 {
        match (self.state, self.plan.as_deref()) {
            (State::Sending, Some(planned)) => planned.limit(now).saturating_sub(self.sent),
            (State::Sending | State::Streaming, _) => u64::MAX,
            _ => 0,
        }
    }

    /// How long the connection may stay in its state, and why it ends then: the state's timeout, or that of the plan.
    pub fn timeout(&self, tick: &Tick<'_>) -> Option<(Duration, CloseReason)> {
        let own = self.state.timeout(tick);
        let Some(planned) = self.plan.as_deref() else { return own };
        match (self.state, planned.plan) {
            (State::Pausing, _) => Some((planned.pause, CloseReason::Lab)),
            // The close was announced, so when it ends at last, the lab is the reason.
            (State::Idle, plan) if plan.is_lie() => own.map(|(wait, _)| (wait, CloseReason::Lab)),
            (State::Idle, Plan::Close(PlannedClose { when: When::Idle(wait), .. })) => Some((wait, CloseReason::Lab)),
            _ => own,
        }
    }

    /// The plan for the response that is due now, if there is one.
    pub(super) fn plan_of_response(&self) -> Option<Plan> {
        self.plan.as_deref().filter(|planned| planned.number == self.requests).map(|planned| planned.plan)
    }

    /// Begins the plan: its response is encoded, with a head and content of these lengths.
    pub(super) fn begin_plan(&mut self, head: u64, content: u64, persistence: Persistence, now: Moment) {
        if let Some(planned) = &mut self.plan {
            planned.measure(head, content);
        }
        // The connection closes for another reason before the planned moment.
        let is_close = matches!(self.plan.as_deref(), Some(Planned { plan: Plan::Close(_), .. }));
        if is_close && persistence.close_reason().is_some_and(|why| why != CloseReason::Lab) {
            self.plan = None;
        }
        self.apply_plan(now);
    }

    /// Applies the plan to the response that is being sent: closes, pauses, or lets it go on.
    pub(super) fn apply_plan(&mut self, now: Moment) {
        let Some(planned) = self.plan.as_deref_mut().filter(|_| self.state == State::Sending) else { return };
        if planned.cut().is_some_and(|cut| cut <= self.sent) {
            self.execute_close(now);
        } else if self.unsent > 0 && planned.limit(now) <= self.sent {
            planned.begin_pause(self.sent, now);
            self.enter(State::Pausing, now);
        } else if self.unsent == 0 && !matches!(planned.plan, Plan::Close(_)) {
            self.plan = None;
        }
    }

    /// Whether the first bytes of a request, which have come, trigger the planned close.
    pub(super) fn ends_with_bytes(&self) -> bool {
        let when = self.planned_close().map(|close| close.when);
        self.state == State::Idle && when == Some(When::Reuse)
    }

    /// Whether the request whose head is complete now triggers the planned close.
    pub(super) fn ends_with_request(&self) -> bool {
        let Some(PlannedClose { when: When::Request(later), .. }) = self.planned_close() else { return false };
        self.plan.as_deref().is_some_and(|planned| self.requests - planned.number == later - 1)
    }

    /// Executes the planned close now. What is not sent yet never will be.
    pub(super) fn execute_close(&mut self, now: Moment) {
        let how = self.planned_close().map_or(Manner::Fin, |close| close.how);
        self.plan = None;
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
        match self.plan.as_deref()?.plan {
            Plan::Close(close) if !Plan::Close(close).is_lie() => Some(close),
            _ => None,
        }
    }
}
