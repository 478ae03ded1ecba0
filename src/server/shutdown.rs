//! Shutdown as a pure machine: when the listeners close, when idle connections close, and when the rest is cut.
//!
//! It has no clock and no socket. The server, the simulator and the conversations in the tests drive the same machine:
//! once per loop iteration they call [`Draining::step`] and carry out each [`Action`], until it gives none.

use std::time::Duration;

use crate::http::{Limits, Moment};

/// How to shut down, in nginx's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shutdown {
    /// SIGTERM: no client that obeys the protocol loses a request. Idle connections are closed at the end of their
    /// promised keep-alive timeout.
    Graceful,
    /// SIGINT: what is in flight finishes, idle connections are closed at once.
    Fast,
}

/// What the driver is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Drain the accept queues, and close the listeners.
    CloseListeners,
    /// Close the idle connections, and from now on each connection that becomes idle.
    CloseIdle,
    /// End the live feeds. They end last, so that their viewers see the other connections end.
    EndFeeds,
    /// Cut every connection that is still open.
    AbortAll,
    /// The shutdown is over: leave the loop.
    Finish,
}

/// What is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Whether a listener is open.
    pub listening: bool,
    /// Connections that are open.
    pub connections: usize,
    /// The connections among them that are, or have been, the live feed of a viewer.
    pub viewers: usize,
    /// The viewers whose live feed has not been ended.
    pub feeds: usize,
}

/// A shutdown in progress.
#[derive(Clone, Copy, Debug)]
pub struct Draining {
    mode: Shutdown,
    /// Connections are accepted until this moment.
    accept_until: Moment,
    /// Connections that are still open at this moment are cut.
    deadline: Moment,
    listeners_closed: bool,
    idle_closed: bool,
    aborted: bool,
}

impl Draining {
    /// Begins a shutdown. A graceful one accepts connections for `drain_delay` more; either takes at most
    /// `drain_timeout` after that.
    pub fn begin(mode: Shutdown, now: Moment, limits: &Limits) -> Self {
        let accept_until = match mode {
            Shutdown::Graceful => now + limits.drain_delay,
            Shutdown::Fast => now,
        };
        let deadline = accept_until + limits.drain_timeout;
        Draining { mode, accept_until, deadline, listeners_closed: false, idle_closed: false, aborted: false }
    }

    /// A second signal: what is still open is cut now.
    pub fn cut_now(&mut self, now: Moment) {
        self.accept_until = self.accept_until.min(now);
        self.deadline = self.deadline.min(now);
    }

    /// What is to be done now; `None` if nothing is before [`wait`](Self::wait) has passed or a connection has ended.
    pub fn step(&mut self, now: Moment, remaining: Remaining) -> Option<Action> {
        let Remaining { listening, connections, viewers, feeds } = remaining;
        let is_overdue = now >= self.deadline;
        if now >= self.accept_until && !self.listeners_closed {
            self.listeners_closed = true;
            return Some(Action::CloseListeners);
        }
        if self.listeners_closed && self.mode == Shutdown::Fast && !self.idle_closed {
            self.idle_closed = true;
            return Some(Action::CloseIdle);
        }
        if feeds > 0 && (viewers == connections || is_overdue) {
            return Some(Action::EndFeeds);
        }
        if is_overdue && !self.aborted {
            self.aborted = true;
            return Some(Action::AbortAll);
        }
        let nothing_left = self.listeners_closed && !listening && connections == 0;
        (nothing_left || self.aborted).then_some(Action::Finish)
    }

    /// How long the loop may sleep before there is something to do.
    pub fn wait(&self, now: Moment) -> Duration {
        if self.listeners_closed { self.deadline.since(now) } else { self.accept_until.since(now) }
    }

    /// The moment at which what is still open is cut.
    pub fn deadline(&self) -> Moment {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::Action::*;
    use super::*;

    const LIMITS: Limits =
        Limits { drain_delay: Duration::from_secs(3), drain_timeout: Duration::from_secs(10), ..Limits::DEFAULT };

    fn at(seconds: u64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
    }

    /// `connections` of which `viewers` view the live feed, with listeners that close when they are told to.
    fn remaining(connections: usize, viewers: usize) -> Remaining {
        Remaining { listening: true, connections, viewers, feeds: viewers }
    }

    /// All that happens at one moment, with a driver that carries out each action.
    fn actions(draining: &mut Draining, second: u64, mut left: Remaining) -> Vec<Action> {
        let mut taken = Vec::new();
        while let Some(action) = draining.step(at(second), left) {
            taken.push(action);
            match action {
                CloseListeners => left.listening = false,
                EndFeeds => left.feeds = 0,
                Finish => break,
                CloseIdle | AbortAll => {}
            }
        }
        taken
    }

    /// One row per course of a shutdown that begins at 0 s: at each second, what is open, and what is done.
    #[test]
    fn each_course_of_a_shutdown_takes_its_actions_in_order() {
        type Course = &'static [(u64, usize, usize, &'static [Action])];
        let rows: &[(&str, Shutdown, Course)] = &[
            (
                "a graceful shutdown accepts until the drain delay is over, even with nothing open",
                Shutdown::Graceful,
                &[(0, 0, 0, &[]), (2, 0, 0, &[]), (3, 0, 0, &[CloseListeners, Finish])],
            ),
            (
                "it waits for the connections that are open, and closes none that is idle",
                Shutdown::Graceful,
                &[(3, 2, 0, &[CloseListeners]), (12, 1, 0, &[]), (12, 0, 0, &[Finish])],
            ),
            (
                "at the deadline, counted from the end of the drain delay, the rest is cut",
                Shutdown::Graceful,
                &[(3, 1, 0, &[CloseListeners]), (12, 1, 0, &[]), (13, 1, 0, &[AbortAll, Finish])],
            ),
            (
                "a fast shutdown closes listeners and idle connections at once",
                Shutdown::Fast,
                &[(0, 2, 0, &[CloseListeners, CloseIdle]), (9, 1, 0, &[]), (10, 1, 0, &[AbortAll, Finish])],
            ),
            (
                "and is over at once if nothing is open",
                Shutdown::Fast,
                &[(0, 0, 0, &[CloseListeners, CloseIdle, Finish])],
            ),
            (
                "live feeds end when only their viewers are left",
                Shutdown::Fast,
                &[(0, 3, 2, &[CloseListeners, CloseIdle]), (1, 2, 2, &[EndFeeds]), (2, 0, 0, &[Finish])],
            ),
            (
                "or at the deadline, before the rest is cut",
                Shutdown::Fast,
                &[(0, 3, 2, &[CloseListeners, CloseIdle]), (10, 3, 2, &[EndFeeds, AbortAll, Finish])],
            ),
            (
                "a loop that slept through everything does everything in order",
                Shutdown::Graceful,
                &[(60, 3, 2, &[CloseListeners, EndFeeds, AbortAll, Finish])],
            ),
        ];
        for (what, mode, course) in rows {
            let mut draining = Draining::begin(*mode, at(0), &LIMITS);
            for (second, connections, viewers, expected) in *course {
                let left = Remaining { listening: !draining.listeners_closed, ..remaining(*connections, *viewers) };
                assert_eq!(actions(&mut draining, *second, left), *expected, "{what}: at {second} s");
            }
        }
    }

    #[test]
    fn a_second_signal_cuts_at_once_also_during_the_drain_delay() {
        let mut draining = Draining::begin(Shutdown::Graceful, at(0), &LIMITS);
        assert_eq!(actions(&mut draining, 1, remaining(1, 0)), []);
        draining.cut_now(at(1));
        assert_eq!(draining.wait(at(1)), Duration::ZERO);
        assert_eq!(actions(&mut draining, 1, remaining(1, 0)), [CloseListeners, AbortAll, Finish]);
    }

    #[test]
    fn listeners_whose_accept_queues_are_not_drained_yet_keep_the_loop() {
        let mut draining = Draining::begin(Shutdown::Graceful, at(0), &LIMITS);
        let left = Remaining { listening: true, ..remaining(0, 0) };
        assert_eq!(draining.step(at(3), left), Some(CloseListeners));
        assert_eq!(draining.step(at(3), left), None);
        assert_eq!(draining.step(at(4), Remaining { listening: false, ..left }), Some(Finish));
    }

    #[test]
    fn the_loop_sleeps_until_the_next_moment_at_which_something_is_due() {
        let mut draining = Draining::begin(Shutdown::Graceful, at(0), &LIMITS);
        assert_eq!(draining.wait(at(1)), Duration::from_secs(2));
        actions(&mut draining, 3, remaining(1, 0));
        assert_eq!(draining.wait(at(4)), Duration::from_secs(9));
        assert_eq!(draining.wait(at(20)), Duration::ZERO);
    }
}
