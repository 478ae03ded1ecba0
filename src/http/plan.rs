//! What the lab plans for a response and its connection: how to break it, as a value.
//!
//! A plan comes with a response. The states, timers and steps of every other connection carry it out; there is no way
//! around them.

use std::num::NonZeroU64;
use std::time::Duration;

use super::Moment;

/// What is to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The response begins after this delay.
    Delay(Duration),
    /// The content of the response is sent at this many bytes per second.
    Pace(NonZeroU64),
    /// The connection ends in a way that a client should survive.
    Close(PlannedClose),
}

/// The end of a connection, as the request asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedClose {
    /// At which point.
    pub when: When,
    /// In which manner.
    pub how: Manner,
    /// What the response says about it.
    pub announce: Announce,
}

/// The point at which a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After the last byte of the response.
    Response,
    /// When the first byte of the next request arrives. That request gets no answer.
    Reuse,
    /// When N later requests have arrived. The last of them gets no answer.
    Request(u32),
    /// When the connection has been idle for this long.
    Idle(Duration),
    /// In the middle of the response's head.
    Head,
    /// After N bytes of the response's content.
    Content(u64),
}

/// The manner in which a connection ends, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// By our FIN.
    Fin,
    /// By an RST. Data that the kernel has not sent by then is lost.
    Reset,
    /// Not at all: nothing more is sent, and the connection stays open.
    Stall,
    /// By an unsolicited 408 (Request Timeout), and our FIN.
    RequestTimeout,
}

/// What the response says about the planned end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announce {
    /// `Connection: close`.
    Yes,
    /// `Connection: keep-alive`.
    No,
    /// `Connection: close`, but the connection stays open and requests are served.
    Lie,
}

impl Plan {
    /// Whether the connection ends with the response that brings the plan, or inside it.
    pub fn ends_response(self) -> bool {
        let within = |close: PlannedClose| matches!(close.when, When::Response | When::Head | When::Content(_));
        matches!(self, Plan::Close(close) if within(close)) && !self.is_lie()
    }

    /// Whether a close is announced that does not come.
    pub fn is_lie(self) -> bool {
        matches!(self, Plan::Close(PlannedClose { announce: Announce::Lie, .. }))
    }

    /// Whether the response that brings the plan says `Connection: close`.
    pub fn says_close(self) -> bool {
        matches!(self, Plan::Close(PlannedClose { announce: Announce::Yes | Announce::Lie, .. }))
    }
}

/// A plan that is being carried out. Positions count every byte ever sent on the connection.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// 1-based index, on its connection, of the request that brought it.
    pub(super) number: u32,
    /// Where the head of the response begins.
    head: u64,
    /// Where the content begins.
    content: u64,
    /// Where the response ends.
    end: u64,
    began: Moment,
    /// How long the present pause is.
    pub(super) pause: Duration,
}

impl Planned {
    /// A plan whose response begins here and now, and is not encoded yet.
    pub(super) fn new(plan: Plan, number: u32, head: u64, now: Moment) -> Self {
        Planned { plan, number, head, content: head, end: head, began: now, pause: Duration::ZERO }
    }

    /// The response is encoded: these are the lengths of its head and its content.
    pub(super) fn measure(&mut self, head: u64, content: u64) {
        self.content = self.head + head;
        self.end = self.content + content;
    }

    /// Where the response breaks off, if it does.
    pub(super) fn cut(&self) -> Option<u64> {
        match self.plan {
            Plan::Close(PlannedClose { announce: Announce::Lie, .. }) => None,
            Plan::Close(PlannedClose { when: When::Response, .. }) => Some(self.end),
            Plan::Close(PlannedClose { when: When::Head, .. }) => Some(self.head.midpoint(self.content)),
            Plan::Close(PlannedClose { when: When::Content(length), .. }) => {
                Some(self.end.min(self.content.saturating_add(length)))
            }
            _ => None,
        }
    }

    /// How far may be sent now.
    pub(super) fn limit(&self, now: Moment) -> u64 {
        match self.plan {
            Plan::Delay(wait) if now < self.began + wait => self.head,
            Plan::Pace(rate) => {
                let due = u128::from(rate.get()) * now.since(self.began).as_micros() / MICROS;
                self.content.saturating_add(u64::try_from(due).unwrap_or(u64::MAX))
            }
            _ => self.cut().unwrap_or(u64::MAX),
        }
    }

    /// Works out how long to wait before sending what follows the first `sent` bytes.
    pub(super) fn begin_pause(&mut self, sent: u64, now: Moment) {
        let ready = match self.plan {
            Plan::Delay(wait) => self.began + wait,
            Plan::Pace(rate) => {
                let rate = u128::from(rate.get());
                let share = (rate / SHARES).max(1);
                let due = u128::from(sent.saturating_sub(self.content)) + share;
                let due = due.min(u128::from(self.end - self.content));
                let micros = (due * MICROS).div_ceil(rate);
                self.began + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
            }
            Plan::Close(_) => now,
        };
        self.pause = ready.since(now);
    }
}

/// Per second.
const MICROS: u128 = 1_000_000;

/// Paced content goes out in this many shares per second, of at least one byte each.
const SHARES: u128 = 10;
