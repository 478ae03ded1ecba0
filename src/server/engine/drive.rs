//! Drives one connection as far as possible: reads, lets HTTP decide, carries out its steps, until the socket has no
//! more to read and no room to write, or the connection has used up its budget for this loop iteration.

use std::io::{self, ErrorKind};

use crate::http::{CloseReason, Ending, Failure, HeaderCache, Moment, Refused, Request, Step, Tick};
use crate::observe::{Event, Observers};
use crate::site::{Access, Answer, Report, Site};

use super::live::Live;
use super::respond::{Asker, respond, respond_as_planned, tell_answered};
use super::send::flush;
use crate::server::socket::Socket;

/// Reads that one connection may do per loop iteration.
const MAX_READS: usize = 4;

/// Bytes that one connection may send per loop iteration, however many responses they belong to; a batch that has begun
/// is sent whole. More at a time is slower: what is sent falls out of the processor's cache before the peer has read it.
pub const SEND_BUDGET: usize = 256 * 1024;

/// What one loop iteration lends to each connection that is driven in it.
pub struct LoopContext<'a> {
    /// The time, and the limits.
    pub tick: Tick<'a>,
    /// The one write buffer; empty between connections.
    pub out: &'a mut Vec<u8>,
    /// Recently seen header sections.
    pub header_cache: &'a mut HeaderCache,
    /// What is left of the [`SEND_BUDGET`] of the connection that is driven.
    pub budget: &'a mut usize,
    /// The site that is served.
    pub site: &'a mut Site,
    /// The observers of events.
    pub observers: &'a mut Observers,
    /// Reads the clock, to measure how long a response took. Decisions depend on the tick only.
    pub watch: &'a dyn Fn() -> Moment,
}

impl LoopContext<'_> {
    pub(super) fn moment(&self) -> Moment {
        self.observers.moment(self.tick.now, self.watch)
    }
}

/// Why [`drive`] stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driven {
    /// The socket has nothing to read, or no room to write. An event will report when that changes.
    Blocked,
    /// There is more to do, but the connection has used up its budget for this loop iteration.
    BudgetSpent,
    /// The engine is to write this report and [`respond`](super::respond::respond) with it. The request was complete at
    /// this moment.
    Report(Report, Moment),
    /// The connection has ended.
    Closed(Ending),
}

/// Drives a connection as far as possible, from `input` if its socket was [read](read) already. `buffer` is for what is
/// read further.
pub fn drive<S: Socket>(
    live: &mut Live<S>,
    mut input: Option<&[u8]>,
    buffer: &mut [u8],
    context: &mut LoopContext<'_>,
) -> Driven {
    for _ in 0..MAX_READS {
        let input = match input.take() {
            Some(input) => input,
            None => {
                let filled = read(live, buffer, context.tick.now);
                // The peer may have changed files before it sent these bytes.
                context.site.look_again();
                &buffer[..filled]
            }
        };
        match converse(live, input, context) {
            Some(driven) => return driven,
            None if !live.readable => return Driven::Blocked,
            None if *context.budget == 0 => return Driven::BudgetSpent,
            None => {}
        }
    }
    Driven::BudgetSpent
}

/// Copies the held input to the front of the buffer, and reads once behind it if the connection wants more. Returns how
/// much of the buffer is filled.
#[inline]
pub(super) fn read<S: Socket>(live: &mut Live<S>, buffer: &mut [u8], now: Moment) -> usize {
    // Nothing is read while output is unsent: a client that does not read its responses can't make the server hold more.
    if live.http.wants_input() { fill(live, buffer, now) } else { hold_over(live, buffer) }
}

/// Copies the held input to the front of the buffer. Returns its length.
#[inline]
fn hold_over<S: Socket>(live: &Live<S>, buffer: &mut [u8]) -> usize {
    let held = live.http.held();
    buffer[..held.len()].copy_from_slice(held);
    held.len()
}

/// Copies the held input to the front of the buffer, and reads once behind it. Returns how much of the buffer is
/// filled.
#[inline]
fn fill<S: Socket>(live: &mut Live<S>, buffer: &mut [u8], now: Moment) -> usize {
    let held = hold_over(live, buffer);
    let room = &mut buffer[held..];
    if !live.readable || room.is_empty() {
        return held;
    }
    match live.socket.read(room) {
        Ok(0) => {
            live.readable = false;
            live.http.peer_finished();
            held
        }
        Ok(count) => {
            // A short read has emptied the receive queue (epoll(7)), unless a FIN or an error is behind it.
            live.readable = count == room.len() || live.read_closed || live.error;
            live.http.received(count);
            held + count
        }
        Err(error) => {
            live.readable = false;
            if !is_temporary(&error) {
                fail(live, &error, now);
            }
            held
        }
    }
}

/// Takes steps until more bytes are needed (`None`) or driving has to stop.
fn converse<S: Socket>(live: &mut Live<S>, mut input: &[u8], context: &mut LoopContext<'_>) -> Option<Driven> {
    let tick = context.tick;
    let raced = live.http.race();
    let driven = loop {
        // Pieces that wait go first: no response may overtake them, so no request is looked at before they are sent.
        let mut nothing = &[][..];
        let visible = if !input.is_empty() && live.is_waiting() { &mut nothing } else { &mut input };
        match live.http.next(visible, context.header_cache, &tick) {
            Step::Read => break None,
            Step::Respond(Request { head, number, idle, rejected }) => {
                let access = context.site.access(&head, &live.arrival);
                let mut asker = Asker { id: live.id, access, remembered: &mut live.remembered };
                let asked = asker.tell(&head, number, idle, context);
                let answer = match rejected {
                    true => context.site.unavailable(&head, &tick),
                    false => context.site.respond(&head, access, &tick),
                };
                match answer {
                    Answer::Response(response) => respond(live, response, &asked, &tick, context.out),
                    Answer::Planned(response, plan) => respond_as_planned(live, response, plan, &asked, context),
                    Answer::Report(report) => break Some(Driven::Report(report, asked.at)),
                }
            }
            Step::Refuse(bad, refused) => {
                let access = match &refused {
                    Refused::Content(request) => context.site.access(&request.head, &live.arrival),
                    Refused::Head(_) => Access::default(),
                };
                let mut asker = Asker { id: live.id, access, remembered: &mut live.remembered };
                let asked = asker.tell_refused(&refused, context);
                respond(live, context.site.refuse(bad), &asked, &tick, context.out);
            }
            Step::Write => {
                let driven = write(live, context);
                if driven.is_some() {
                    break driven;
                }
                if *context.budget == 0 && live.http.is_idle() && !input.is_empty() {
                    break Some(Driven::BudgetSpent);
                }
            }
            Step::Wait => break Some(Driven::Blocked),
            Step::SendFin => send_fin(live, context),
            Step::Close(ending) => break Some(Driven::Closed(ending)),
        }
    };
    live.http.hold(input);
    if let (None, Some(late)) = (raced, live.http.race()) {
        context.observers.observe(context.moment(), live.id, &Event::Race { late });
    }
    if let Some(Driven::Closed(_)) = driven {
        context.out.clear();
        tell_answered(live, true, context.moment(), context.observers);
    }
    driven
}

/// Sends what is to be sent, and reports the responses that are out. Returns why driving has to stop, if it has to.
fn write<S: Socket>(live: &mut Live<S>, context: &mut LoopContext<'_>) -> Option<Driven> {
    let driven = flush(live, context.out, context.budget, context.tick.now);
    // A response that broke off is over, though the connection is still closing.
    let over = !live.http.is_responding();
    if over && live.is_waiting() {
        live.send_state().waiting.clear();
    }
    tell_answered(live, over, context.moment(), context.observers);
    driven
}

fn send_fin<S: Socket>(live: &mut Live<S>, context: &mut LoopContext<'_>) {
    // A quick client closes as soon as it has our last byte: then the first FIN is the client's. To find out costs a
    // system call, which is made only if an observer is active.
    if live.read_closed || context.observers.is_active() && live.socket.peer_has_finished() {
        live.http.peer_fin_seen();
    }
    match live.socket.send_fin() {
        Ok(()) => live.http.fin_sent(context.tick.now),
        Err(error) => fail(live, &error, context.tick.now),
    }
    if let Some(reason) = live.http.lingers_for() {
        let announced = live.http.announced();
        context.observers.observe(context.moment(), live.id, &Event::Closing { reason, announced });
    }
}

pub(super) fn is_temporary(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

/// Cuts the response: its announced length can't be kept any more, and the client has to see that.
pub(super) fn cut<S: Socket>(live: &mut Live<S>, why: CloseReason, now: Moment) {
    live.send_state().waiting.clear();
    live.http.cut_response(why, now);
}

/// Ends the connection because its socket failed. If the peer's FIN was reported before, that came first.
pub(super) fn fail<S: Socket>(live: &mut Live<S>, error: &io::Error, now: Moment) {
    if live.read_closed {
        live.http.peer_finished();
    }
    let failure = match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted | ErrorKind::NotConnected => {
            Failure::Reset
        }
        ErrorKind::TimedOut => Failure::TimedOut,
        _ => Failure::Other,
    };
    live.http.failed(failure, now);
}
