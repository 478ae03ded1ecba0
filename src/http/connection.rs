//! The life of a connection: bytes, ticks and the peer's FIN go in, [`Step`]s come out.
//!
//! The driver reads into one buffer, calls [`Connection::next`] until that asks for more bytes, and carries out each
//! step. Input that is left over it gives back by [`Connection::hold`].

mod planned;

use std::num::NonZeroU64;
use std::time::Duration;

use super::head::{self, Expectation, Framing};
use super::header_cache::{HeaderCache, SectionIndex};
use super::plan::Planned;
use super::response::OnConnection;
use super::{
    BODY_TIME_FACTOR, BadRequest, CloseReason, ConnectionOptions, ContentReader, Ending, Facts, Failure, FirstFin, How,
    KeepOrClose, Length, Limits, MAX_BATCH, MIN_BODY_RATE, Method, Moment, Persistence, Plan, Refused, Request,
    RequestHead, Responded, ResponseHead, State, Step, Tick, Version, persistence,
};

/// A connection, as HTTP sees it.
#[derive(Debug)]
pub struct Connection {
    state: State,
    /// The moment from which the state's timer is measured.
    since: Moment,
    opened: Moment,
    exchange: Exchange,
    requests: u32,
    /// Where the header section of the last request is cached.
    section: SectionIndex,
    /// Input that is not used yet, if there is any.
    partial: Option<Box<Partial>>,
    /// Bytes of encoded heads and announced content that are not sent yet.
    unsent: u64,
    /// Set if the connection is over the limit: its first request is answered with 503, and it closes for this reason.
    rejected: Option<CloseReason>,
    /// What the lab has planned for this connection.
    plan: Option<Box<Planned>>,
    refusal: Option<BadRequest>,
    peer_fin: bool,
    first_fin: FirstFin,
    /// A whole head with `Connection: close` was sent.
    announced: bool,
    /// Set once a close is announced or begun.
    closing: Option<Box<Closing>>,
    /// The microseconds of the last idle time, from its end until a response follows.
    last_idle: Option<NonZeroU64>,
    received: u64,
    sent: u64,
}

/// Input of a request that is not complete. Most connections have none most of the time.
#[derive(Debug, Default)]
struct Partial {
    /// A partial head, or requests behind an unsent response.
    held: Vec<u8>,
    /// Bytes of empty lines before the next request line (RFC 9112 §2.2).
    skipped: usize,
    /// No head ends in this many of the held bytes, so that a head that trickles in is not searched again from its
    /// start.
    searched: usize,
    upload: Option<Upload>,
}

/// A close in progress.
#[derive(Debug, Default)]
struct Closing {
    /// Once a head that says `Connection: close` is encoded: the bytes of content behind it. When no more than these are
    /// unsent, the close is announced.
    unsent_behind_close: Option<u64>,
    /// When our FIN was sent.
    our_fin: Option<Moment>,
    /// The first bytes behind our FIN were examined. Those that follow them begin no other request: they may be the rest
    /// of what is not even one.
    examined: bool,
    /// A lost keep-alive race: how long after our FIN the request arrived.
    race: Option<Duration>,
}

/// One request and its response. Replaced as a whole, never reset field by field.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    method: Method,
    version: Version,
    options: ConnectionOptions,
    /// What makes the rest of the input stream unusable, if anything does.
    fault: Option<CloseReason>,
    /// The decision that was made with the response; `None` before there is one.
    after: Option<Persistence>,
}

impl Exchange {
    /// Stands for a request before any has come, and for input that is not a request.
    const fn of_no_request(method: Method, fault: Option<CloseReason>) -> Self {
        Exchange {
            method,
            version: Version::Http11,
            options: ConnectionOptions { close: false, keep_alive: false },
            fault,
            after: None,
        }
    }
}

/// A request whose content is arriving.
#[derive(Debug)]
struct Upload {
    head: Vec<u8>,
    content: ContentReader,
    began: Moment,
    taken: u64,
}

impl Connection {
    /// A connection that was accepted at `now`.
    pub fn new(now: Moment) -> Self {
        Connection {
            state: State::Opened,
            since: now,
            opened: now,
            exchange: Exchange::of_no_request(Method::Unknown, None),
            requests: 0,
            section: SectionIndex::default(),
            partial: None,
            unsent: 0,
            rejected: None,
            plan: None,
            refusal: None,
            peer_fin: false,
            first_fin: FirstFin::None,
            announced: false,
            closing: None,
            last_idle: None,
            received: 0,
            sent: 0,
        }
    }

    /// Returns the next step, and removes from `input` the bytes that it used.
    pub fn next<'s, 'b: 's>(
        &'s mut self,
        input: &mut &'b [u8],
        header_cache: &mut HeaderCache,
        tick: &Tick<'_>,
    ) -> Step<'s> {
        match self.state {
            State::Closed(ending) => Step::Close(ending),
            State::Lingering(_) if self.our_fin().is_none() => Step::SendFin,
            State::Lingering(why) => self.read_on(input, why, tick),
            State::Opened | State::Idle | State::ReadingHead => self.read_head(input, header_cache, tick),
            State::ReadingContent => self.read_content(input, tick),
            State::Sending => self.read_ahead(input, header_cache, tick),
            State::Streaming => self.stream(input, tick.now),
            State::Pausing => Step::Wait,
            State::Stalled => self.discard_input(input, tick.now),
        }
    }

    /// Decides whether the connection persists, appends the response's head to `out`, and begins to send.
    pub fn respond(&mut self, head: &ResponseHead<'_>, tick: &Tick<'_>, out: &mut Vec<u8>) -> Responded {
        let plan = self.plan_of_response();
        let endless = head.length == Length::Stream && self.exchange.method != Method::Head;
        let persistence = self.decide(endless, plan, tick);

        let before = out.len();
        let Exchange { version, method, .. } = self.exchange;
        let place = OnConnection { version, persistence, number: self.requests, idle: self.last_idle() };
        head.encode(&place, tick, out);
        // RFC 9110 §9.3.2: "The HEAD method is identical to GET except that the server MUST NOT send content".
        let (state, content) = match head.length {
            Length::Known(length) | Length::Chunked(length) if method != Method::Head => (State::Sending, length),
            Length::Stream if method != Method::Head => (State::Streaming, 0),
            _ => (State::Sending, 0),
        };
        let head_length = (out.len() - before) as u64;
        self.unsent += head_length + content;
        if persistence.says_close() {
            self.closing().unsent_behind_close = Some(content);
        }
        if let Some(partial) = &mut self.partial {
            partial.upload = None;
        }
        self.last_idle = None;
        self.enter(state, tick.now);
        if plan.is_some() {
            self.begin_plan(head_length, content, persistence, tick.now);
        }
        Responded { persistence, content }
    }

    /// Asks the one place that decides, and keeps the answer with the exchange.
    fn decide(&mut self, endless: bool, plan: Option<Plan>, tick: &Tick<'_>) -> Persistence {
        let facts = Facts {
            fault: self.exchange.fault,
            version: self.exchange.version,
            options: self.exchange.options,
            endless,
            requests: self.requests,
            age: tick.now.since(self.opened),
            draining: tick.draining,
            plan,
        };
        let persistence = persistence::decide(&facts, tick.limits);
        self.exchange.after = Some(persistence);
        persistence
    }

    /// Notes that `count` more bytes were sent.
    pub fn wrote(&mut self, count: u64, now: Moment) {
        debug_assert!(matches!(self.state, State::Sending | State::Streaming) && count <= self.unsent);
        self.sent += count;
        self.unsent = self.unsent.saturating_sub(count);
        let behind_close = self.closing.as_deref().and_then(|closing| closing.unsent_behind_close);
        self.announced |= behind_close.is_some_and(|behind| self.unsent <= behind);
        self.since = now;
        if self.plan.is_some() {
            self.apply_plan(now);
        }
        if self.unsent == 0 && self.state == State::Sending {
            self.enter(self.after_response(), now);
        }
    }

    /// Gives up the rest of the response, which can't be sent: the connection ends in the middle of it.
    pub fn cut_response(&mut self, why: CloseReason, now: Moment) {
        debug_assert_eq!(self.state, State::Sending);
        self.enter(State::Lingering(why), now);
    }

    /// Notes that `count` more bytes of a live feed are to be sent.
    pub fn fed(&mut self, count: u64) {
        debug_assert_eq!(self.state, State::Streaming);
        self.unsent += count;
    }

    /// Ends a live feed. When its last bytes are sent, the connection closes.
    pub fn end_feed(&mut self, why: CloseReason, tick: &Tick<'_>) {
        debug_assert_eq!(self.state, State::Streaming);
        self.exchange.fault = Some(why);
        self.decide(true, None, tick);
        self.enter(if self.unsent == 0 { self.after_response() } else { State::Sending }, tick.now);
    }

    /// Where the last byte of the response leads, by what was decided with it.
    fn after_response(&self) -> State {
        match self.exchange.after.map(Persistence::keep_or_close) {
            Some(KeepOrClose::Keep(_)) => State::Idle,
            Some(KeepOrClose::Close(why)) => State::Lingering(why),
            None => State::Lingering(CloseReason::InternalError),
        }
    }

    /// Notes that `count` bytes were received.
    pub fn received(&mut self, count: usize) {
        self.received += count as u64;
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

    /// When the timer of the state, or of the plan, is due.
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
                self.apply_plan(tick.now);
            }
            State::Idle if why == CloseReason::Lab => self.execute_close(tick.now),
            State::Opened | State::Idle | State::Stalled => self.enter(State::Lingering(why), tick.now),
            State::Streaming | State::Closed(_) => {}
        }
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

    /// Rejects the connection: it is over the limit. Its first request will be answered with 503, and the connection
    /// closed for this reason.
    pub fn reject(&mut self, why: CloseReason) {
        self.rejected = Some(why);
    }

    /// Whether it was [rejected](Self::reject).
    pub fn is_rejected(&self) -> bool {
        self.rejected.is_some()
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

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// The number of requests so far, including the one that is being answered.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// When it was accepted.
    pub fn opened(&self) -> Moment {
        self.opened
    }

    /// How long the connection was idle before the request that is being answered, or before it ended. `None` if it was
    /// not idle, and once a response has followed.
    pub fn last_idle(&self) -> Option<Duration> {
        self.last_idle.map(|micros| Duration::from_micros(micros.get()))
    }

    /// Bytes received, and bytes sent.
    pub fn bytes(&self) -> (u64, u64) {
        (self.received, self.sent)
    }

    /// Bytes of encoded heads and announced content that are not sent yet, or never will be.
    pub fn unsent(&self) -> u64 {
        self.unsent
    }

    /// Whether a whole head with `Connection: close` was sent.
    pub fn announced(&self) -> bool {
        self.announced
    }

    /// Whose FIN came first.
    pub fn first_fin(&self) -> FirstFin {
        self.first_fin
    }

    /// The lost keep-alive race, if there was one: how long after our FIN the request arrived.
    pub fn race(&self) -> Option<Duration> {
        self.closing.as_deref().and_then(|closing| closing.race)
    }

    /// Whether bytes of responses are to be sent.
    pub fn has_unsent(&self) -> bool {
        self.unsent > 0 && matches!(self.state, State::Sending | State::Streaming)
    }

    /// Whether our FIN follows the next `count` bytes that are sent.
    pub fn ends_after(&self, count: u64) -> bool {
        self.state == State::Sending
            && self.unsent == count
            && self.plan.is_none()
            && matches!(self.after_response(), State::Lingering(_))
    }

    /// Whether there is nothing to do before more bytes come.
    pub fn is_at_rest(&self) -> bool {
        self.state == State::Idle && !self.peer_fin && self.refusal.is_none()
    }

    /// The version of the request that is being answered.
    pub fn version(&self) -> Version {
        self.exchange.version
    }

    fn read_head<'s, 'b: 's>(
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
        if self.plan.is_some() && self.ends_with_bytes() {
            self.execute_close(tick.now);
            return self.next(input, header_cache, tick);
        }
        match self.find_head(input, header_cache, tick.limits) {
            Ok(Some(_)) if self.plan.is_some() && self.ends_with_request() => {
                self.execute_close(tick.now);
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
        let (head_bytes, rest) = input.split_at(length);
        *input = rest;
        self.requests = self.requests.saturating_add(1);
        self.exchange = Exchange {
            method: head.method,
            version: head.version,
            options: head.options,
            fault: self.rejected,
            after: None,
        };
        match ContentReader::new(head.framing, tick.limits) {
            Ok(None) => Step::Respond(self.request(head, tick.now)),
            // RFC 9110 §10.1.1: the final status is known, so it is sent instead of 100 (Continue), or is 417. Whether
            // the client then sends its content can't be known, so the response says `Connection: close`.
            Ok(Some(_)) if head.expectation != Expectation::None => {
                self.exchange.fault = Some(CloseReason::ContentUnread);
                Step::Respond(self.request(head, tick.now))
            }
            Ok(Some(content)) => {
                let upload = Upload { head: head_bytes.to_vec(), content, began: tick.now, taken: 0 };
                self.partial().upload = Some(upload);
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

    fn read_content<'s, 'b: 's>(&'s mut self, input: &mut &'b [u8], tick: &Tick<'_>) -> Step<'s> {
        if let Some(bad) = self.refusal.take() {
            return self.end_upload(Some(bad), tick);
        }
        let upload = self.partial.as_deref_mut().and_then(|partial| partial.upload.as_mut());
        let Some(upload) = upload else { return Step::Read };
        match upload.content.read(input) {
            Err(bad) => self.end_upload(Some(bad), tick),
            Ok(taken) => {
                *input = &input[taken..];
                if taken > 0 {
                    self.since = tick.now;
                }
                upload.taken += taken as u64;
                let allowed =
                    tick.limits.body_timeout * BODY_TIME_FACTOR + Duration::from_secs(upload.taken / MIN_BODY_RATE);
                if upload.content.is_done() {
                    self.end_upload(None, tick)
                } else if tick.now.since(upload.began) > allowed {
                    // One byte per body timeout would be no pause, and still hold the connection for hours.
                    self.end_upload(Some(BadRequest::ContentTimeout), tick)
                } else {
                    self.wait_for_bytes(CloseReason::ClientAborted, tick.now)
                }
            }
        }
    }

    /// Answers the request whose content was read: it is complete, or `bad`. The head that came before it is parsed
    /// again.
    fn end_upload<'s>(&'s mut self, bad: Option<BadRequest>, tick: &Tick<'_>) -> Step<'s> {
        self.enter(State::Sending, tick.now);
        self.exchange.fault = bad.map_or(self.exchange.fault, |bad| Some(bad.close_reason()));
        let (number, idle, rejected) = (self.requests, self.last_idle(), self.rejected.is_some());
        let upload = self.partial.as_deref().and_then(|partial| partial.upload.as_ref());
        let bytes = upload.map_or(&[][..], |upload| &upload.head);
        match (head::parse(bytes, tick.limits), bad) {
            (Ok(Some((head, _))), None) => Step::Respond(Request { head, number, idle, rejected }),
            (Ok(Some((head, _))), Some(bad)) => {
                Step::Refuse(bad, Refused::Content(Request { head, number, idle, rejected }))
            }
            // Can't happen: the same bytes were parsed as a head before.
            (Ok(None), _) => Step::Refuse(BadRequest::RequestLine, Refused::Head(bytes)),
            (Err(bad), _) => Step::Refuse(bad, Refused::Head(bytes)),
        }
    }

    fn request<'b>(&mut self, head: RequestHead<'b>, now: Moment) -> Request<'b> {
        self.enter(State::Sending, now);
        let rejected = self.rejected.is_some();
        Request { head, number: self.requests, idle: self.last_idle(), rejected }
    }

    /// Answers a pipelined request while the response before it is not sent yet, so that both go out in one write: if
    /// the request is complete and has no content, and not too many bytes are unsent.
    fn read_ahead<'s, 'b: 's>(
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
        if self.unsent > MAX_BATCH || self.plan.is_some() {
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

    /// Sends a live feed. It ends only with the connection, so requests behind its own are discarded.
    fn stream<'s>(&mut self, input: &mut &[u8], now: Moment) -> Step<'s> {
        *input = &[];
        if self.unsent > 0 && !self.peer_fin {
            Step::Write
        } else {
            self.wait_for_bytes(CloseReason::ClientAborted, now)
        }
    }

    /// RFC 9112 §9.6: input after a close was decided is not processed, but it is read, so that no RST destroys the
    /// response that is still on the way.
    fn read_on<'s>(&'s mut self, input: &mut &[u8], why: CloseReason, tick: &Tick<'_>) -> Step<'s> {
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
    fn wait_for_bytes<'s>(&mut self, reason: CloseReason, now: Moment) -> Step<'s> {
        if !self.peer_fin {
            return Step::Read;
        }
        let ending = Ending { reason, how: How::Fin };
        self.enter(State::Closed(ending), now);
        Step::Close(ending)
    }

    /// Refuses bytes that are not a request. They count as one, because they are answered.
    fn refuse_head<'s>(&mut self, input: &'s [u8], bad: BadRequest) -> Step<'s> {
        // The unsolicited 408 of the lab answers no bytes, and counts as no request.
        if !input.is_empty() {
            self.requests = self.requests.saturating_add(1);
        }
        self.exchange = Exchange::of_no_request(head::method(input), Some(bad.close_reason()));
        Step::Refuse(bad, Refused::Head(input))
    }

    fn our_fin(&self) -> Option<Moment> {
        self.closing.as_deref().and_then(|closing| closing.our_fin)
    }

    fn partial(&mut self) -> &mut Partial {
        self.partial.get_or_insert_default()
    }

    fn closing(&mut self) -> &mut Closing {
        self.closing.get_or_insert_default()
    }

    /// The only writer of the state.
    fn enter(&mut self, state: State, now: Moment) {
        if self.state == State::Idle {
            self.last_idle = NonZeroU64::new(now.as_micros().saturating_sub(self.since.as_micros()));
        }
        self.state = state;
        self.since = now;
    }
}
