//! Keep or close, and why? The one place that decides.
//!
//! [`decide`] alone can make a [`Persistence`]: its fields are private to this file.

use std::time::Duration;

use super::{CloseReason, Limits, Plan, Version};

/// The connection options of a request that matter for persistence (RFC 9110 §7.6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionOptions {
    /// `close` was among them.
    pub close: bool,
    /// `keep-alive` was among them.
    pub keep_alive: bool,
}

/// All that the decision depends on. The default is an ordinary HTTP/1.1 request on a new connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// What ends the connection whatever was asked for, if anything does: the request was malformed, not complete in
    /// time, or its content stays unread; the connection is over a limit; its live feed has ended.
    pub fault: Option<CloseReason>,
    /// The version of the request.
    pub version: Version,
    /// The options of its `Connection` fields.
    pub options: ConnectionOptions,
    /// The response ends only with its connection.
    pub endless: bool,
    /// 1-based index of the request on its connection.
    pub requests: u32,
    /// Time since the connection was accepted.
    pub age: Duration,
    /// The server is shutting down.
    pub draining: bool,
    /// What the lab has planned for the response.
    pub plan: Option<Plan>,
}

/// What follows the last byte of a response, and what the response says of it.
///
/// Only [`decide`] makes one:
///
/// ```compile_fail,E0451
/// use holdline::http::{CloseReason, Persistence, KeepOrClose};
/// let elsewhere = Persistence { keep_or_close: KeepOrClose::Close(CloseReason::Draining), says_close: true };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistence {
    keep_or_close: KeepOrClose,
    says_close: bool,
}

/// Keep or close, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepOrClose {
    /// The connection stays open.
    Keep(KeepReason),
    /// The connection closes after this response.
    Close(CloseReason),
}

impl Persistence {
    /// What follows the last byte of the response.
    pub const fn keep_or_close(self) -> KeepOrClose {
        self.keep_or_close
    }

    /// Whether the response says `Connection: close`: if and only if the connection closes after it. Only the lab may
    /// say one thing and do the other.
    pub const fn says_close(self) -> bool {
        self.says_close
    }

    /// Why the connection closes after the response, if it does.
    pub const fn close_reason(self) -> Option<CloseReason> {
        match self.keep_or_close {
            KeepOrClose::Keep(_) => None,
            KeepOrClose::Close(why) => Some(why),
        }
    }
}

/// Why a connection stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepReason {
    /// RFC 9112 §9.3: HTTP/1.1 persists unless one side says close.
    Http11,
    /// RFC 9112 §9.3: HTTP/1.0 persists if it is asked for and granted.
    Http10Asked,
    /// The lab says close, and stays open.
    Lab,
}

impl KeepReason {
    /// Every reason.
    pub const ALL: &[KeepReason] = &[KeepReason::Http11, KeepReason::Http10Asked, KeepReason::Lab];

    /// The sentence for people, without a full stop.
    pub const fn sentence(self) -> &'static str {
        match self {
            KeepReason::Http11 => "HTTP/1.1 persists by default",
            KeepReason::Http10Asked => "the HTTP/1.0 request asked for keep-alive",
            KeepReason::Lab => "the lab announces a close, but keeps the connection open",
        }
    }

    /// The same sentence in Chinese.
    pub const fn sentence_zh(self) -> &'static str {
        match self {
            KeepReason::Http11 => "HTTP/1.1 默认保持连接",
            KeepReason::Http10Asked => "HTTP/1.0 请求要求了 keep-alive",
            KeepReason::Lab => "实验室宣布关闭，却保持连接",
        }
    }
}

/// Decides whether the connection persists after the response that is about to be sent, and what the response says of
/// it. It is asked again when a live feed ends: the head of that response was sent long before.
pub fn decide(facts: &Facts, limits: &Limits) -> Persistence {
    let keep_or_close = weigh(facts, limits);
    let says_close = match (keep_or_close, facts.plan) {
        (KeepOrClose::Close(CloseReason::Lab) | KeepOrClose::Keep(_), Some(plan)) => plan.says_close(),
        (KeepOrClose::Close(_), _) => true,
        (KeepOrClose::Keep(_), None) => false,
    };
    Persistence { keep_or_close, says_close }
}

/// The arms stand in the order of RFC 9112 §9.3, after the one that makes the question pointless (the stream can't be
/// used again) and before our own limits.
fn weigh(facts: &Facts, limits: &Limits) -> KeepOrClose {
    use KeepOrClose::{Close, Keep};

    // RFC 9112 §6.3, §9.3: a server must read the entire request or close.
    if let Some(fault) = facts.fault {
        return Close(fault);
    }
    // What the lab plans for this response comes before the rules; what it plans for later leaves them as they are.
    match facts.plan {
        Some(plan) if plan.is_lie() => return Keep(KeepReason::Lab),
        Some(plan) if plan.ends_response() => return Close(CloseReason::Lab),
        _ => {}
    }
    // RFC 9112 §9.3 (1): "If the close connection option is present, the connection will not persist".
    if facts.options.close {
        return Close(CloseReason::ClientAsked);
    }
    let keep = match facts.version {
        // RFC 9112 §9.3 (2): "If the received protocol is HTTP/1.1 (or later), … will persist".
        Version::Http11 => KeepReason::Http11,
        // RFC 9112 §9.3 (3): "HTTP/1.0, the keep-alive connection option is present, …".
        Version::Http10 if facts.options.keep_alive => KeepReason::Http10Asked,
        // RFC 9112 §9.3 (4): "The connection will close after the current response."
        Version::Http10 => return Close(CloseReason::Http10),
    };
    // RFC 9112 §9.3: "In order to remain persistent, all messages on a connection need to have a self-defined message
    // length". A live feed has none.
    if facts.endless {
        return Close(CloseReason::LiveFeed);
    }
    // Our own limits. Each is announced with the response, so that no client is surprised.
    if limits.keep_alive_timeout.is_zero() {
        return Close(CloseReason::KeepAliveOff);
    }
    if limits.max_requests != 0 && facts.requests >= limits.max_requests {
        return Close(CloseReason::RequestLimit);
    }
    if !limits.max_age.is_zero() && facts.age >= limits.max_age {
        return Close(CloseReason::AgeLimit);
    }
    if facts.draining {
        return Close(CloseReason::Draining);
    }
    Keep(keep)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Announce, Manner, PlannedClose, When};

    fn planned(when: When, announce: Announce) -> Plan {
        Plan::Close(PlannedClose { when, how: Manner::Fin, announce })
    }

    /// One row per case: what differs from an ordinary HTTP/1.1 request under the default limits.
    #[test]
    fn each_arm_decides_as_rfc_9112_9_3_and_our_limits_say() {
        use CloseReason::*;
        use KeepOrClose::{Close, Keep};
        use Version::Http10;

        type ChangeOfFacts = fn(&mut Facts, &mut Limits);
        let rows: &[(ChangeOfFacts, KeepOrClose, &str)] = &[
            (|_, _| {}, Keep(KeepReason::Http11), "HTTP/1.1 persists"),
            (|f, _| f.options.keep_alive = true, Keep(KeepReason::Http11), "and needs not to be asked"),
            (|f, _| f.options.close = true, Close(ClientAsked), "unless someone says close"),
            (|f, _| f.version = Http10, Close(CloseReason::Http10), "HTTP/1.0 closes"),
            (
                |f, _| (f.version, f.options.keep_alive) = (Http10, true),
                Keep(KeepReason::Http10Asked),
                "unless it asks for keep-alive",
            ),
            (|f, _| f.endless = true, Close(LiveFeed), "a response without an end"),
            (
                |f, _| (f.version, f.options.keep_alive, f.options.close) = (Http10, true, true),
                Close(ClientAsked),
                "close wins over keep-alive, in HTTP/1.0",
            ),
            (
                |f, _| (f.options.keep_alive, f.options.close) = (true, true),
                Close(ClientAsked),
                "close wins over keep-alive, in HTTP/1.1",
            ),
            (|f, _| f.fault = Some(BadRequest), Close(BadRequest), "a request that was not understood"),
            (
                |f, _| (f.fault, f.options.close) = (Some(ContentTooLarge), true),
                Close(ContentTooLarge),
                "what spoils the stream is the reason, whatever was asked for",
            ),
            (|_, l| l.keep_alive_timeout = Duration::ZERO, Close(KeepAliveOff), "keep-alive switched off"),
            (|f, _| f.requests = 999, Keep(KeepReason::Http11), "the last request but one"),
            (|f, _| f.requests = 1000, Close(RequestLimit), "the last request"),
            (|f, _| f.requests = 1001, Close(RequestLimit), "never beyond it"),
            (|f, l| (f.requests, l.max_requests) = (u32::MAX, 0), Keep(KeepReason::Http11), "no request limit"),
            (|f, _| f.age = Duration::from_secs(3599), Keep(KeepReason::Http11), "not old enough"),
            (|f, _| f.age = Duration::from_secs(3600), Close(AgeLimit), "old enough"),
            (|f, l| (f.age, l.max_age) = (Duration::MAX, Duration::ZERO), Keep(KeepReason::Http11), "no age limit"),
            (|f, _| f.draining = true, Close(Draining), "the server stops"),
            (
                |f, _| (f.draining, f.options.close) = (true, true),
                Close(ClientAsked),
                "the client's wish is told before ours",
            ),
            (
                |f, _| (f.plan, f.options.close) = (Some(planned(When::Response, Announce::No)), true),
                Close(Lab),
                "the lab closes for a reason of its own",
            ),
            (|f, _| f.plan = Some(planned(When::Head, Announce::No)), Close(Lab), "also inside the response"),
            (
                |f, _| (f.plan, f.version) = (Some(planned(When::Response, Announce::Lie)), Http10),
                Keep(KeepReason::Lab),
                "it lies to anybody",
            ),
            (
                |f, _| f.plan = Some(planned(When::Reuse, Announce::Yes)),
                Keep(KeepReason::Http11),
                "what it plans for later leaves the connection open for now",
            ),
            (
                |f, _| (f.plan, f.draining) = (Some(planned(When::Reuse, Announce::No)), true),
                Close(Draining),
                "if nothing else ends it",
            ),
            (
                |f, _| (f.plan, f.fault) = (Some(planned(When::Response, Announce::No)), Some(ContentUnread)),
                Close(ContentUnread),
                "it can't plan with a stream that is spoilt",
            ),
        ];
        for (change, expected, why) in rows {
            let mut limits = Limits::DEFAULT;
            let mut facts = Facts { requests: 1, ..Facts::default() };
            change(&mut facts, &mut limits);
            let persistence = decide(&facts, &limits);
            assert_eq!(persistence.keep_or_close(), *expected, "{why}");
            if facts.plan.is_none() {
                assert_eq!(persistence.says_close(), persistence.close_reason().is_some(), "{why}");
            }
            if let Keep(reason) = expected {
                assert!(KeepReason::ALL.contains(reason), "{reason:?} is missing from KeepReason::ALL");
            }
        }
    }

    /// One row per plan of the lab: what the response says, and whether we close after it.
    #[test]
    fn the_lab_alone_may_say_one_thing_and_do_the_other() {
        let rows = [
            (When::Response, Announce::Yes, false, (true, true)),
            (When::Response, Announce::No, false, (false, true)),
            (When::Response, Announce::No, true, (false, true)),
            (When::Response, Announce::Lie, false, (true, false)),
            (When::Response, Announce::Lie, true, (true, false)),
            (When::Reuse, Announce::Yes, false, (true, false)),
            (When::Reuse, Announce::No, false, (false, false)),
            // It ends for another reason than the lab's, and says so.
            (When::Reuse, Announce::No, true, (true, true)),
        ];
        for (when, announce, asks_close, expected) in rows {
            let options = ConnectionOptions { close: asks_close, keep_alive: false };
            let facts = Facts { plan: Some(planned(when, announce)), options, ..Facts::default() };
            let persistence = decide(&facts, &Limits::DEFAULT);
            let got = (persistence.says_close(), persistence.close_reason().is_some());
            assert_eq!(got, expected, "{when:?}, {announce:?}, asked to close: {asks_close}");
        }
    }
}
