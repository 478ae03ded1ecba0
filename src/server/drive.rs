//! Drives one connection as far as possible: reads, lets HTTP decide, writes, until the socket has no more to read and
//! no room to write, or the connection has used up its budget for this loop iteration.

use std::io::{self, ErrorKind};

use crate::http::{CloseReason, Ending, Failure, HeaderCache, Moment, Refused, Request, State, Step, Tick};
use crate::observe::{Event, Observers};
use crate::site::{Answer, Content, FileSlice, Part, Report, Response, Site};

use super::live::{Live, Piece};
use super::socket::{FileError, Socket};

/// Reads that one connection may do per loop iteration.
const MAX_READS: usize = 4;

/// Content of at most this many bytes is copied behind its head. More is written from where it is.
const MAX_COPIED: usize = 4 * 1024;

/// Bytes that one connection may send per loop iteration, however many responses they belong to; a batch that has begun
/// is sent whole. More at a time is slower: what is sent falls out of the processor's cache before the peer has read it.
pub const SEND_BUDGET: usize = 256 * 1024;

/// What one loop iteration lends to each connection that is driven in it.
pub struct LoopContext<'a> {
    /// The time, and the limits.
    pub tick: Tick<'a>,
    /// The one read buffer.
    pub buffer: &'a mut [u8],
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
    fn moment(&self) -> Moment {
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
    /// The engine is to write this report and [`respond`] with it. The request was complete at this moment.
    Report(Report, Moment),
    /// The connection has ended.
    Closed(Ending),
}

/// Drives a connection as far as possible.
pub fn drive<S: Socket>(live: &mut Live<S>, context: &mut LoopContext<'_>) -> Driven {
    for _ in 0..MAX_READS {
        // Nothing is read while output is unsent: a client that does not read its responses can't make the server hold
        // more.
        let filled = match live.http.state() {
            State::Closed(_) => 0,
            State::Sending | State::Pausing => hold_over(live, context.buffer),
            _ => fill(live, context),
        };
        match converse(live, filled, context) {
            Some(driven) => return driven,
            None if !live.readable => return Driven::Blocked,
            None if *context.budget == 0 => return Driven::BudgetSpent,
            None => {}
        }
    }
    Driven::BudgetSpent
}

/// Copies the held input to the front of the buffer. Returns its length.
fn hold_over<S: Socket>(live: &Live<S>, buffer: &mut [u8]) -> usize {
    let held = live.http.held();
    buffer[..held.len()].copy_from_slice(held);
    held.len()
}

/// Copies the held input to the front of the buffer, and reads once behind it. Returns how much of the buffer is
/// filled.
fn fill<S: Socket>(live: &mut Live<S>, context: &mut LoopContext<'_>) -> usize {
    let held = hold_over(live, context.buffer);
    let room = &mut context.buffer[held..];
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
                fail(live, &error, context.tick.now);
            }
            held
        }
    }
}

/// Takes steps until more bytes are needed (`None`) or driving has to stop.
fn converse<S: Socket>(live: &mut Live<S>, filled: usize, context: &mut LoopContext<'_>) -> Option<Driven> {
    let tick = context.tick;
    let mut input = &context.buffer[..filled];
    let raced = live.http.race();
    let driven = loop {
        if input.is_empty() && live.http.is_at_rest() {
            break None;
        }
        // Unsent output goes first: no response may overtake it.
        let waits = live.http.state() == State::Sending && (input.is_empty() || live.is_waiting());
        let step = if waits { Step::Write } else { live.http.next(&mut input, context.header_cache, &tick) };
        match step {
            Step::Read => break None,
            Step::Respond(Request { head, number, idle, rejected }) => {
                let now = context.moment();
                context.observers.observe(now, live.id, &Event::Request { number, head: &head, idle });
                live.memory.remember(&head);
                let server_timing = context.site.may_view_console(&head, live.peer).then_some(live.id.0);
                let answer = match rejected {
                    true => context.site.unavailable(&head, &tick),
                    false => context.site.respond(&head, server_timing.is_some(), &tick),
                };
                match answer {
                    Answer::Response(response) => respond(live, response, server_timing, now, &tick, context.out),
                    Answer::Planned(response, plan) => {
                        live.http.follow(plan, tick.now);
                        respond(live, response, server_timing, now, &tick, context.out);
                        // A plan may delay it, and the write buffer belongs to the loop.
                        live.send_state().waiting.push_front(Piece::whole(&context.out[..]));
                        context.out.clear();
                    }
                    Answer::Report(report) => break Some(Driven::Report(report, now)),
                }
            }
            Step::Refuse(bad, refused) => {
                let now = context.moment();
                let mut server_timing = None;
                match &refused {
                    Refused::Content(request) => {
                        let Request { number, head, idle, .. } = request;
                        let event = Event::Request { number: *number, head, idle: *idle };
                        context.observers.observe(now, live.id, &event);
                        live.memory.remember(head);
                        server_timing = context.site.may_view_console(head, live.peer).then_some(live.id.0);
                    }
                    Refused::Head(bytes) if !bytes.is_empty() => {
                        context.observers.observe(now, live.id, &Event::Refused);
                        live.memory.remember_bytes(bytes);
                    }
                    Refused::Head(_) => {}
                }
                respond(live, context.site.refuse(bad), server_timing, now, &tick, context.out);
            }
            Step::Write => {
                let driven = flush(live, context.out, context.budget, tick.now);
                // A response that broke off is over, though the connection is still closing.
                let over = !matches!(live.http.state(), State::Sending | State::Streaming | State::Pausing);
                if over && live.is_waiting() {
                    live.send_state().waiting.clear();
                }
                tell_answered(live, over, context.moment(), context.observers);
                if driven.is_some() {
                    break driven;
                }
                if *context.budget == 0 && live.http.state() == State::Idle && !input.is_empty() {
                    break Some(Driven::BudgetSpent);
                }
            }
            Step::Wait => break Some(Driven::Blocked),
            Step::SendFin => {
                // A quick client closes as soon as it has our last byte: then the first FIN is the client's. To find
                // out costs a system call, which is made only if an observer is active.
                if live.read_closed || context.observers.is_active() && live.socket.peer_has_finished() {
                    live.http.peer_fin_seen();
                }
                match live.socket.send_fin() {
                    Ok(()) => live.http.fin_sent(tick.now),
                    Err(error) => fail(live, &error, tick.now),
                }
                if let State::Lingering(reason) = live.http.state() {
                    let announced = live.http.announced();
                    context.observers.observe(context.moment(), live.id, &Event::Closing { reason, announced });
                }
            }
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

/// Answers a request: decides about the connection, encodes the head, and queues the content behind it.
pub fn respond<S: Socket>(
    live: &mut Live<S>,
    response: Response,
    server_timing: Option<u64>,
    asked: Moment,
    tick: &Tick<'_>,
    out: &mut Vec<u8>,
) {
    let responded = live.http.respond(&response.head(server_timing), tick, out);
    let length = (live.http.state() != State::Streaming).then_some(responded.content);
    live.begin_answer(response.status, length, responded.persistence, asked);
    match response.content {
        Content::Feed { last } if live.http.state() == State::Streaming => live.enter_feed(last),
        content if responded.content > 0 => queue(live, content, out),
        _ => {}
    }
}

/// Copies small content behind its head in the write buffer; queues other content as pieces.
fn queue<S: Socket>(live: &mut Live<S>, content: Content, out: &mut Vec<u8>) {
    match content {
        Content::None | Content::Feed { .. } => {}
        Content::Bytes(bytes) if bytes.len() <= MAX_COPIED => out.extend_from_slice(&bytes),
        Content::Bytes(bytes) => live.send_state().waiting.push_back(Piece::whole(bytes)),
        Content::File(slice) => live.send_state().waiting.push_back(Piece::File(slice)),
        Content::Parts(parts) | Content::Chunked(parts) => {
            live.send_state().waiting.extend(parts.into_iter().map(|part| match part {
                Part::Bytes(bytes) => Piece::whole(bytes),
                Part::Repeated(block, length) => Piece::Repeated(block, 0..length),
                Part::File(slice) => Piece::File(slice),
            }));
        }
    }
}

/// Reports the responses that are sent; with `all`, those too of which nothing more will be sent.
pub fn tell_answered<S: Socket>(live: &mut Live<S>, all: bool, now: Moment, observers: &mut Observers) {
    while let Some(answered) = live.take_answered(all, now) {
        observers.observe(now, live.id, &Event::Response(answered));
    }
}

/// Sends the write buffer and the pieces behind it. Returns `None` if HTTP has the next step: all is sent, or the
/// connection can't go on.
fn flush<S: Socket>(live: &mut Live<S>, out: &mut Vec<u8>, budget: &mut usize, now: Moment) -> Option<Driven> {
    let sent = send_out(live, out, budget, now).and_then(|()| send_waiting(live, budget, now));
    out.clear();
    match sent {
        Ok(driven) => driven,
        Err(error) if is_temporary(&error) => {
            live.writable = false;
            Some(Driven::Blocked)
        }
        Err(error) => {
            fail(live, &error, now);
            None
        }
    }
}

/// Sends the write buffer, and in the same call the first piece behind it. The part of the buffer that the socket has
/// no room for becomes a piece: the buffer belongs to the loop.
fn send_out<S: Socket>(live: &mut Live<S>, out: &[u8], budget: &mut usize, now: Moment) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let (behind, pieces) = match live.send_state.as_deref().map(|state| &state.waiting) {
        Some(waiting) => match waiting.front() {
            Some(Piece::Bytes(bytes, rest)) if rest.len() <= *budget => (&bytes[rest.clone()], waiting.len() - 1),
            _ => (&[][..], waiting.len()),
        },
        None => (&[][..], 0),
    };
    // With MSG_MORE our FIN travels with the last bytes, in one segment.
    let more = pieces > 0 || live.http.ends_after((out.len() + behind.len()) as u64);
    let result = live.socket.write(out, behind, more);
    let sent = *result.as_ref().unwrap_or(&0);
    if sent < out.len() {
        live.send_state().waiting.push_front(Piece::whole(&out[sent..]));
    } else if sent > out.len() {
        live.send_state().take_bytes(sent - out.len());
    }
    *budget = budget.saturating_sub(sent);
    live.http.wrote(sent as u64, now);
    if sent < out.len() { Err(result.err().unwrap_or(ErrorKind::WouldBlock.into())) } else { Ok(()) }
}

/// Sends the pieces that wait, one by one.
fn send_waiting<S: Socket>(live: &mut Live<S>, budget: &mut usize, now: Moment) -> io::Result<Option<Driven>> {
    loop {
        let allowed = usize::try_from(live.http.allowance(now)).unwrap_or(usize::MAX);
        if allowed == 0 {
            return Ok(None);
        }
        let Live { socket, http, .. } = live;
        let Some(send_state) = live.send_state.as_deref_mut() else { return Ok(None) };
        let waiting = &mut send_state.waiting;
        // Under a plan, the next piece may follow much later.
        let more = waiting.len() > 1 && allowed == usize::MAX;
        let Some(piece) = waiting.front_mut() else { return Ok(None) };
        if *budget == 0 {
            return Ok(Some(Driven::BudgetSpent));
        }
        let allowed = allowed.min(*budget);
        match piece {
            Piece::Bytes(bytes, rest) => {
                let count = rest.len().min(allowed);
                let more = more || http.ends_after(count as u64);
                let sent = socket.write(&bytes[rest.start..rest.start + count], &[], more)?;
                *budget -= sent;
                send_state.take_bytes(sent);
                http.wrote(sent as u64, now);
            }
            Piece::Repeated(block, rest) => {
                let bytes = &block[(rest.start % block.len() as u64) as usize..];
                let count = usize::try_from(rest.end - rest.start).unwrap_or(usize::MAX);
                let count = count.min(bytes.len()).min(allowed);
                let sent = socket.write(&bytes[..count], &[], more)?;
                *budget -= sent;
                rest.start += sent as u64;
                if rest.start == rest.end {
                    waiting.pop_front();
                }
                http.wrote(sent as u64, now);
            }
            Piece::File(FileSlice { file, offset, length }) => {
                let count = allowed.min(usize::try_from(*length).unwrap_or(usize::MAX));
                let sent = match socket.send_file(file, *offset, count) {
                    Ok(sent) => sent,
                    Err(error) if FileError::is(&error) => {
                        log::error!("can't read a file that is being sent: {error}");
                        cut(live, CloseReason::InternalError, now);
                        return Ok(None);
                    }
                    Err(error) => return Err(error),
                };
                if sent == 0 {
                    cut(live, CloseReason::FileChanged, now);
                    return Ok(None);
                }
                *budget -= sent;
                *offset += sent as u64;
                *length -= sent as u64;
                if *length == 0 {
                    waiting.pop_front();
                }
                http.wrote(sent as u64, now);
            }
        }
    }
}

/// Cuts the response: its announced length can't be kept any more, and the client has to see that.
fn cut<S: Socket>(live: &mut Live<S>, why: CloseReason, now: Moment) {
    live.send_state().waiting.clear();
    live.http.cut_response(why, now);
}

fn is_temporary(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

/// Ends the connection because its socket failed. If the peer's FIN was reported before, that came first.
fn fail<S: Socket>(live: &mut Live<S>, error: &io::Error, now: Moment) {
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
