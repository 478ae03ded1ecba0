//! Drives a connection for the engine, and puts it where it belongs afterwards: on the ready list, into the queue of its
//! state, into the timer wheel, or out of the slab.

use std::panic::{self, AssertUnwindSafe};

use crate::http::{CloseReason, Ending, How, Moment, State, Tick};
use crate::observe::Event;
use crate::site::ListenerRole;

use super::Engine;
use super::drive::{Driven, LoopContext, SEND_BUDGET, drive};
use super::live::Live;
use super::queues::EngineQueue;
use super::ready::FirstRead;
use super::respond::{Asked, respond, tell_answered};
use crate::server::socket::Socket;

impl<S: Socket> Engine<S> {
    /// Drives a connection, and then puts it where it belongs: on the ready list, into the queue of its state, into the
    /// timer wheel, or out of the slab.
    pub(super) fn drive(&mut self, key: usize, tick: &Tick<'_>) {
        self.drive_from(key, None, tick);
    }

    /// As [`drive`](Self::drive), from the input that lies in this part of the buffer if its socket was read already.
    #[inline]
    pub(super) fn drive_from(&mut self, key: usize, input: Option<FirstRead>, tick: &Tick<'_>) {
        let live = &mut self.connections[key];
        let requests_before = live.http.requests();
        live.take_send_state(&mut self.spare_send_state);
        // A panic on one connection must not end the others.
        let driven = panic::catch_unwind(AssertUnwindSafe(|| self.drive_and_report(key, requests_before, input, tick)))
            .unwrap_or_else(|_| self.abort_after_panic(key, tick));
        let queue = self.requeue(key, requests_before, tick);
        self.connections[key].return_send_state(&mut self.spare_send_state);
        match driven {
            Driven::Closed(ending) => self.close(key, ending, tick),
            // Its last response began before the shutdown, and could not announce the close.
            Driven::Blocked if queue == EngineQueue::Idle && self.closes_idle => {
                self.connections[key].http.close_if_idle(CloseReason::Draining, tick.now);
                self.drive(key, tick);
            }
            Driven::Blocked | Driven::Report(..) => self.schedule_timer(key, tick),
            Driven::BudgetSpent => {
                let live = &mut self.connections[key];
                if !live.on_ready_list {
                    live.on_ready_list = true;
                    self.ready.next.push(key);
                }
                self.schedule_timer(key, tick);
            }
        }
    }

    /// Drives a connection, and writes the reports that it asks for.
    fn drive_and_report(
        &mut self,
        key: usize,
        requests_before: u32,
        input: Option<FirstRead>,
        tick: &Tick<'_>,
    ) -> Driven {
        let mut budget = SEND_BUDGET;
        let mut driven = self.drive_once(key, input, &mut budget, tick);
        while let Driven::Report(report, at) = driven {
            self.requeue(key, requests_before, tick);
            let response = self.report(report, tick);
            let live = &mut self.connections[key];
            // A report goes to a viewer of the console, or to a reader of the metrics alone.
            let sees_console = live.arrival.role != ListenerRole::Metrics;
            let server_timing = sees_console.then_some(live.id.0);
            let asked = Asked { server_timing, at };
            respond(live, response, &asked, tick, &mut self.out);
            driven = self.drive_once(key, None, &mut budget, tick);
        }
        driven
    }

    fn drive_once(&mut self, key: usize, mut input: Option<FirstRead>, budget: &mut usize, tick: &Tick<'_>) -> Driven {
        loop {
            let mut context = LoopContext {
                tick: *tick,
                out: &mut self.out,
                header_cache: &mut self.header_cache,
                budget,
                site: &mut self.site,
                observers: &mut self.observers,
                watch: &self.watch.read,
            };
            let input = input.take().map(|read| self.ready.input(read));
            let driven = drive(&mut self.connections[key], input, &mut self.buffer, &mut context);
            // A viewer that has taken all that was queued may get more.
            if driven != Driven::Blocked || !self.serve_viewer(key, tick) {
                return driven;
            }
        }
    }

    /// Aborts a connection after a panic in driving it. What else was touched is consistent: the write buffer is emptied,
    /// and the queues and the timer wheel hold what they held before.
    fn abort_after_panic(&mut self, key: usize, tick: &Tick<'_>) -> Driven {
        self.out.clear();
        let live = &mut self.connections[key];
        let ending = abort(live, tick.now);
        tell_answered(live, true, tick.now, &mut self.observers);
        Driven::Closed(ending)
    }

    /// Moves a connection to the end of the queue of its state, if that is another queue, or if the connection had
    /// requests since it came there. Returns the queue.
    fn requeue(&mut self, key: usize, requests_before: u32, tick: &Tick<'_>) -> EngineQueue {
        let queue = EngineQueue::of(&self.connections[key].http);
        if queue == self.connections[key].queue && self.connections[key].http.requests() == requests_before {
            return queue;
        }
        let before = std::mem::replace(&mut self.connections[key].queue, queue);
        self.queues.requeue(key, before, queue);
        match queue {
            // No counter depends on it.
            EngineQueue::Idle if self.observers.is_active() => self.observe_idle(key, tick),
            EngineQueue::Lingering => self.uncount(key),
            _ => {}
        }
        queue
    }

    /// Tells the observers that the connection waits for its next request.
    fn observe_idle(&mut self, key: usize, tick: &Tick<'_>) {
        let now = self.moment(tick);
        let live = &self.connections[key];
        let promised = tick.limits.keep_alive_timeout;
        let timeout = live.http.timeout(tick).filter(|_| live.http.state() == State::Idle);
        if let Some((closes, _)) = timeout {
            self.observers.observe(now, live.id, &Event::Idle { promised, closes });
        }
    }

    /// Stops counting a connection towards the limit of its address.
    pub(super) fn uncount(&mut self, key: usize) {
        let live = &mut self.connections[key];
        if std::mem::take(&mut live.counted) {
            self.addresses.leave(live.arrival.peer);
        }
    }

    /// Schedules the timer of the connection's state.
    pub(super) fn schedule_timer(&mut self, key: usize, tick: &Tick<'_>) {
        if let Some(deadline) = self.connections[key].http.deadline(tick) {
            self.deadlines.schedule(key, deadline);
        }
    }

    /// Removes a connection that has ended: from the timer wheel, the viewers and the slab. Reports its life, and
    /// closes its socket.
    fn close(&mut self, key: usize, ending: Ending, tick: &Tick<'_>) {
        self.deadlines.remove(key);
        self.forget_viewer(key, tick.now);
        self.uncount(key);
        let mut live = self.connections.remove(key);
        if live.on_ready_list {
            // Its slab key may be given to a new connection in this very iteration.
            self.ready.next.retain(|other| *other != key);
        }
        let now = self.moment(tick);
        let life = live.life(ending, now, self.observers.needs_round_trip());
        self.observers.observe(now, life.id, &Event::Closed(&life));
        if ending.how == How::Reset {
            live.socket.reset_on_close();
        }
    }

    fn moment(&self, tick: &Tick<'_>) -> Moment {
        self.observers.moment(tick.now, &self.watch.read)
    }
}

/// Ends a connection in whose code there was a panic.
pub(super) fn abort<S>(live: &mut Live<S>, now: Moment) -> Ending {
    log::error!("connection {} from {} ends after a panic", live.id, live.arrival.peer);
    live.http.abort(CloseReason::InternalError, now)
}
