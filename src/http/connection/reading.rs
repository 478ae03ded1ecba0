//! Reading: from bytes to a request, and past its content.
//!
//! Input that is not used yet is held: the beginning of a head, or requests behind a response that is not sent.

use super::super::head::{self, Expectation, Framing};
use super::super::held_head::HeldHead;
use super::super::{
    BadRequest, CloseReason, ContentReader, HeaderCache, Limits, MAX_BATCH, Moment, Refused, Request, RequestHead,
    State, Step, Tick,
};
use super::{Connection, Exchange};

/// Input of a request that is not complete. Most connections have none most of the time.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// A partial head, or requests behind an unsent response.
    held: Vec<u8>,
    /// Bytes of empty lines before the next request line (RFC 9112 §2.2).
    skipped: usize,
    /// No head ends in this many of the held bytes, so that a head that trickles in is not searched again from its
    /// start.
    searched: usize,
    pub(super) upload: Option<Upload>,
}

/// A request whose content is arriving.
#[derive(Debug)]
pub(super) struct Upload {
    head: HeldHead,
    content: ContentReader,
    pub(super) began: Moment,
    /// How much of the content has come, with chunk sizes and trailers.
    pub(super) length: u64,
}

impl Connection {
    /// Notes that `count` bytes were received.
    pub fn received(&mut self, count: usize) {
        self.received += count as u64;
    }

    /// Keeps input that is not used yet until more comes. Gives its memory back when there is none.
    pub fn hold(&mut self, rest: &[u8]) {
        match &mut self.partial {
            None if rest.is_empty() => {}
            Some(partial) if rest.is_empty() && partial.upload.is_none() && partial.skipped == 0 => self.partial = None,
            _ => {
                let held = &mut self.partial().held;
                held.clear();
                held.extend_from_slice(rest);
            }
        }
    }

    /// The input that is [held](Self::hold). New input follows it.
    pub fn held(&self) -> &[u8] {
        self.partial.as_deref().map_or(&[], |partial| &partial.held)
    }

    pub(super) fn read_head<'s, 'b: 's>(
        &'s mut self,
        input: &mut &'b [u8],
        header_cache: &mut HeaderCache,
        tick: &Tick<'_>,
    ) -> Step<'s> {
        if let Some(bad) = self.refusal.take() {
            return self.refuse_head(input, bad);
        }
        if self.state != State::ReadingHead {
            let skipped = head::skip_empty_lines(input);
            *input = &input[skipped..];
            if skipped > 0 {
                let partial = self.partial();
                partial.skipped += skipped;
                if partial.skipped > tick.limits.max_head {
                    return self.refuse_head(input, BadRequest::RequestLine);
                }
            }
        }
        if matches!(input, [] | [b'\r']) && self.state != State::ReadingHead {
            return self.wait_for_bytes(CloseReason::ClientClosed, tick.now);
        }
        if self.lab.is_some() && self.lab_closes_at_bytes(tick.now) {
            return self.next(input, header_cache, tick);
        }
        match self.find_head(input, header_cache, tick.limits) {
            Ok(Some(_)) if self.lab.is_some() && self.lab_closes_at_request(tick.now) => {
                self.next(input, header_cache, tick)
            }
            Ok(Some((head, length))) => self.begin(input, head, length, tick),
            Ok(None) => {
                if self.state != State::ReadingHead {
                    // The timer is measured from the first byte of the head; progress does not extend it.
                    self.enter(State::ReadingHead, tick.now);
                }
                self.wait_for_bytes(CloseReason::ClientAborted, tick.now)
            }
            Err(bad) => self.refuse_head(input, bad),
        }
    }

    /// Finds a whole head. One that trickles in is parsed again only when another line is complete, or has a control
    /// byte.
    fn find_head<'b>(
        &mut self,
        input: &'b [u8],
        header_cache: &mut HeaderCache,
        limits: &Limits,
    ) -> Result<Option<(RequestHead<'b>, usize)>, BadRequest> {
        if let Some(partial) = self.partial.as_deref_mut().filter(|partial| partial.searched > 0)
            && input.len() < limits.max_head
        {
            let news = input.get(partial.searched - 1..).unwrap_or(input);
            if !news.iter().any(u8::is_ascii_control) {
                partial.searched = input.len();
                return Ok(None);
            }
        }
        let found = header_cache.parse(input, &mut self.section, limits)?;
        match &mut self.partial {
            Some(partial) if found.is_some() => (partial.searched, partial.skipped) = (0, 0),
            None if found.is_some() => {}
            _ => self.partial().searched = input.len(),
        }
        Ok(found)
    }

    /// Begins a request whose head is complete: its content comes next, or its response.
    fn begin<'s, 'b: 's>(
        &'s mut self,
        input: &mut &'b [u8],
        head: RequestHead<'b>,
        length: usize,
        tick: &Tick<'_>,
    ) -> Step<'s> {
        *input = &input[length..];
        self.requests = self.requests.saturating_add(1);
        self.exchange = Exchange {
            method: head.method,
            version: head.version,
            options: head.options,
            fault: self.rejected,
            after: None,
        };
        if self.is_rejected() {
            // Its content is not waited for: the connection closes anyway, and what follows is read and discarded then.
            return Step::Respond(self.request(head, tick.now));
        }
        match ContentReader::new(head.framing, tick.limits) {
            Ok(None) => Step::Respond(self.request(head, tick.now)),
            // RFC 9110 §10.1.1: the final status is known, so it is sent instead of 100 (Continue), or is 417. Whether
            // the client then sends its content can't be known, so the response says `Connection: close`.
            Ok(Some(_)) if head.expectation != Expectation::None => {
                self.exchange.fault = Some(CloseReason::ContentUnread);
                Step::Respond(self.request(head, tick.now))
            }
            Ok(Some(content)) => {
                let head = HeldHead::new(&head);
                self.partial().upload = Some(Upload { head, content, began: tick.now, length: 0 });
                // The timer is measured from the last progress.
                self.enter(State::ReadingContent, tick.now);
                self.read_content(input, tick)
            }
            Err(bad) => {
                self.exchange.fault = Some(bad.close_reason());
                Step::Refuse(bad, Refused::Content(self.request(head, tick.now)))
            }
        }
    }

    fn request<'b>(&mut self, head: RequestHead<'b>, now: Moment) -> Request<'b> {
        self.enter(State::Sending, now);
        Request { head, number: self.requests, idle: self.last_idle(), rejected: self.is_rejected() }
    }

    pub(super) fn read_content<'s, 'b: 's>(&'s mut self, input: &mut &'b [u8], tick: &Tick<'_>) -> Step<'s> {
        if let Some(bad) = self.refusal.take() {
            return self.end_upload(Some(bad), tick);
        }
        let upload = self.partial.as_deref_mut().and_then(|partial| partial.upload.as_mut());
        let Some(upload) = upload else { return Step::Read };
        match upload.content.read(input) {
            Err(bad) => self.end_upload(Some(bad), tick),
            Ok(taken) => {
                *input = &input[taken..];
                upload.length += taken as u64;
                if taken > 0 {
                    self.since = tick.now;
                }
                match upload.content.is_done() {
                    true => self.end_upload(None, tick),
                    false => self.wait_for_bytes(CloseReason::ClientAborted, tick.now),
                }
            }
        }
    }

    /// Answers the request whose content was read: it is complete, or `bad`.
    fn end_upload<'s>(&'s mut self, bad: Option<BadRequest>, tick: &Tick<'_>) -> Step<'s> {
        self.enter(State::Sending, tick.now);
        self.exchange.fault = bad.map(BadRequest::close_reason);
        let (number, idle) = (self.requests, self.last_idle());
        let Some(upload) = self.partial.as_deref().and_then(|partial| partial.upload.as_ref()) else {
            return Step::Read;
        };
        let request = Request { head: upload.head.head(), number, idle, rejected: false };
        match bad {
            None => Step::Respond(request),
            Some(bad) => Step::Refuse(bad, Refused::Content(request)),
        }
    }

    /// Answers a pipelined request while the response before it is not sent yet, so that both go out in one write: if
    /// the request is complete and has no content, and not too many bytes are unsent.
    pub(super) fn read_ahead<'s, 'b: 's>(
        &'s mut self,
        input: &mut &'b [u8],
        header_cache: &mut HeaderCache,
        tick: &Tick<'_>,
    ) -> Step<'s> {
        if self.after_response() != State::Idle {
            // RFC 9112 §9.6: "MUST NOT process any further requests received on that connection".
            *input = &[];
            return Step::Write;
        }
        if self.unsent > MAX_BATCH || self.lab.is_some() {
            return Step::Write;
        }
        let pipelined = &input[head::skip_empty_lines(input)..];
        if pipelined.is_empty() {
            return Step::Write;
        }
        match header_cache.parse(pipelined, &mut self.section, tick.limits) {
            Ok(Some((head, length))) if head.framing == Framing::None => {
                *input = pipelined;
                self.begin(input, head, length, tick)
            }
            _ => Step::Write,
        }
    }

    /// Refuses bytes that are not a request. They count as one, because they are answered.
    pub(super) fn refuse_head<'s>(&mut self, input: &'s [u8], bad: BadRequest) -> Step<'s> {
        // The unsolicited 408 of the lab answers no bytes, and counts as no request.
        if !input.is_empty() {
            self.requests = self.requests.saturating_add(1);
        }
        self.exchange = Exchange::of_no_request(head::method(input), Some(bad.close_reason()));
        Step::Refuse(bad, Refused::Head(input))
    }

    fn partial(&mut self) -> &mut Partial {
        self.partial.get_or_insert_default()
    }
}
