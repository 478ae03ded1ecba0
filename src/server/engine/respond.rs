//! Answers requests: from what the site says to bytes that are queued behind the head.

use std::time::Duration;

use crate::http::{Moment, Plan, Refused, Request, RequestHead, Tick};
use crate::observe::{ConnectionId, Event, Observers};
use crate::site::{Access, Content, Part, Response};

use super::drive::LoopContext;
use super::live::Live;
use super::remembered::RememberedRequests;
use super::send_state::Piece;
use crate::server::socket::Socket;

/// Content of at most this many bytes is copied behind its head. More is written from where it is.
const MAX_COPIED: usize = 4 * 1024;

/// The connection that a request came over: what its client may see, and what the ledger remembers of it.
pub(super) struct Asker<'a> {
    pub(super) id: ConnectionId,
    pub(super) access: Access,
    pub(super) remembered: &'a mut RememberedRequests,
}

impl Asker<'_> {
    /// Tells the observers of a request.
    #[inline]
    pub(super) fn tell(
        &mut self,
        head: &RequestHead<'_>,
        number: u32,
        idle: Option<Duration>,
        context: &mut LoopContext<'_>,
    ) -> Asked {
        let at = context.moment();
        context.observers.observe(at, self.id, &Event::Request { number, head, idle });
        self.remembered.remember(head);
        Asked { server_timing: self.access.has_console().then_some(self.id.0), at }
    }

    /// Tells the observers of what is refused.
    pub(super) fn tell_refused(&mut self, refused: &Refused<'_>, context: &mut LoopContext<'_>) -> Asked {
        match refused {
            Refused::Content(Request { head, number, idle, .. }) => return self.tell(head, *number, *idle, context),
            Refused::Head(bytes) if !bytes.is_empty() => {
                context.observers.observe(context.moment(), self.id, &Event::Refused);
                self.remembered.remember_bytes(bytes);
            }
            Refused::Head(_) => {}
        }
        Asked { server_timing: None, at: context.moment() }
    }
}

/// Answers a request as the lab has planned it.
pub(super) fn respond_as_planned<S: Socket>(
    live: &mut Live<S>,
    response: Response,
    plan: Plan,
    asked: &Asked,
    context: &mut LoopContext<'_>,
) {
    live.http.follow(plan, context.tick.now);
    respond(live, response, asked, &context.tick, context.out);
    // A plan may delay it, and the write buffer belongs to the loop.
    live.send_state().waiting.push_front(Piece::whole(&context.out[..]));
    context.out.clear();
}

/// What the response to a request needs beside the site's answer.
pub struct Asked {
    /// The number of the connection for `Server-Timing`, if the client may see it.
    pub server_timing: Option<u64>,
    /// When the request was complete.
    pub at: Moment,
}

/// Answers a request: decides about the connection, encodes the head, and queues the content behind it.
pub fn respond<S: Socket>(live: &mut Live<S>, response: Response, asked: &Asked, tick: &Tick<'_>, out: &mut Vec<u8>) {
    let Asked { server_timing, at } = *asked;
    let responded = live.http.respond(&response.head(server_timing), tick, out);
    let endless = live.http.is_streaming();
    let length = (!endless).then_some(responded.content);
    live.begin_answer(response.status, length, responded.persistence, at);
    match response.content {
        Content::Feed { last } if endless => live.enter_feed(last),
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
