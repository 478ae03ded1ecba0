//! A line of the access log: the request, the response, and what became of the connection.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use super::text::{ClfDate, Escaped, Rfc3339, as_text, micros};
use super::{Answered, ConnectionId, Peer};
use crate::http::{CloseReason, Date, Field, RequestHead};

/// Bytes of a target, a Referer or a User-Agent that are logged. The rest of a longer one shows as `...`.
const MAX_VALUE: usize = 1024;

/// One line of the access log.
pub(super) struct AccessLine<'a> {
    /// When the request was complete.
    pub(super) date: Date,
    pub(super) conn: ConnectionId,
    pub(super) peer: Peer,
    /// `None` if the input was not a request.
    pub(super) asked: Option<&'a LoggedRequest>,
    pub(super) answered: &'a Answered,
}

/// The part of a request that is logged.
#[derive(Debug)]
pub(super) struct LoggedRequest {
    pub(super) date: Date,
    method: Vec<u8>,
    version: &'static str,
    target: Vec<u8>,
    referer: Vec<u8>,
    user_agent: Vec<u8>,
}

impl LoggedRequest {
    pub(super) fn nothing() -> Self {
        LoggedRequest {
            date: Date::from_unix(0),
            method: Vec::new(),
            version: "",
            target: Vec::new(),
            referer: Vec::new(),
            user_agent: Vec::new(),
        }
    }

    pub(super) fn remember(&mut self, head: &RequestHead<'_>, date: Date) {
        self.date = date;
        keep(&mut self.method, head.method_as_sent.as_bytes());
        self.version = head.version.as_str();
        keep(&mut self.target, head.target_as_sent.as_bytes());
        keep(&mut self.referer, head.value(Field::Referer).unwrap_or_default());
        keep(&mut self.user_agent, head.value(Field::UserAgent).unwrap_or_default());
    }
}

/// Replaces what is kept by this value, or by the beginning of a long one.
fn keep(kept: &mut Vec<u8>, value: &[u8]) {
    kept.clear();
    match value.get(..MAX_VALUE) {
        Some(beginning) if beginning.len() < value.len() => {
            kept.extend_from_slice(beginning);
            kept.extend_from_slice(b"...");
        }
        _ => kept.extend_from_slice(value),
    }
}

impl AccessLine<'_> {
    fn close_reason(&self) -> Option<CloseReason> {
        self.answered.persistence.close_reason()
    }
}

/// The Combined Log Format, then our own members. There is never an ident or a user name.
impl fmt::Display for AccessLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Peer::Ip(address) => write!(f, "{}", address.ip())?,
            Peer::Unix => f.write_str("unix")?,
        }
        write!(f, " - - [{}] \"", ClfDate(self.date))?;
        match self.asked {
            Some(LoggedRequest { method, target, version, .. }) => {
                write!(f, "{} {} {version}", Escaped(method), Escaped(target))?;
            }
            None => f.write_str("-")?,
        }
        let Answered { number, status, content, complete, .. } = self.answered;
        let referer = or_dash(self.asked.map(|asked| &asked.referer[..]));
        let user_agent = or_dash(self.asked.map(|asked| &asked.user_agent[..]));
        write!(f, "\" {} {content} \"{referer}\" \"{user_agent}\" conn={} req={number}", status.code(), self.conn)?;
        match self.close_reason() {
            None => f.write_str(" keep")?,
            Some(reason) => write!(f, " close={reason}")?,
        }
        if *complete { Ok(()) } else { f.write_str(" cut=yes") }
    }
}

/// The value, or `-` if it was not sent.
fn or_dash(value: Option<&[u8]>) -> Escaped<'_> {
    Escaped(value.filter(|value| !value.is_empty()).unwrap_or(b"-"))
}

/// The members of the line as JSON.
#[derive(Serialize)]
struct AccessJson<'a> {
    #[serde(serialize_with = "as_text")]
    time: Rfc3339,
    conn: u64,
    req: u32,
    #[serde(serialize_with = "as_text")]
    peer: Peer,
    method: Option<Cow<'a, str>>,
    target: Option<Cow<'a, str>>,
    version: Option<&'static str>,
    status: u16,
    content_bytes: u64,
    referer: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    keep: bool,
    close: Option<&'static str>,
    cut: bool,
    duration_us: u64,
}

impl Serialize for AccessLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let answered = self.answered;
        let close = self.close_reason();
        let members = AccessJson {
            time: Rfc3339(self.date),
            conn: self.conn.0,
            req: answered.number,
            peer: self.peer,
            method: self.asked.map(|asked| String::from_utf8_lossy(&asked.method)),
            target: self.asked.and_then(|asked| or_null(&asked.target)),
            version: self.asked.map(|asked| asked.version),
            status: answered.status.code(),
            content_bytes: answered.content,
            referer: self.asked.and_then(|asked| or_null(&asked.referer)),
            user_agent: self.asked.and_then(|asked| or_null(&asked.user_agent)),
            keep: close.is_none(),
            close: close.map(CloseReason::label),
            cut: !answered.complete,
            duration_us: micros(answered.took),
        };
        members.serialize(serializer)
    }
}

/// JSON is Unicode: invalid UTF-8 becomes U+FFFD.
fn or_null(value: &[u8]) -> Option<Cow<'_, str>> {
    (!value.is_empty()).then(|| String::from_utf8_lossy(value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::http::{Facts, Limits, Status, head, persistence};

    /// A response after which the connection is kept, or closed for this reason.
    fn answered(close: Option<CloseReason>) -> Answered {
        let facts = Facts { fault: close, ..Facts::default() };
        Answered {
            number: 3,
            status: Status::OK,
            content: 1234,
            persistence: persistence::decide(&facts, &Limits::DEFAULT),
            took: Duration::from_micros(250),
            complete: true,
        }
    }

    /// The lines of one exchange, in both formats.
    fn lines(request: Option<&[u8]>, answered: &Answered) -> (String, Value) {
        let date = Date::from_unix(784_111_777);
        let asked = request.map(|request| {
            let (head, _) = head::parse(request, &Limits::DEFAULT).expect("a request").expect("a whole one");
            let mut asked = LoggedRequest::nothing();
            asked.remember(&head, date);
            asked
        });
        let peer = Peer::Ip("127.0.0.1:50312".parse().unwrap());
        let line = AccessLine { date, conn: ConnectionId(12), peer, asked: asked.as_ref(), answered };
        let json = serde_json::to_string(&line).unwrap();
        assert!(!json.contains('\n'), "one object is one line: {json}");
        (line.to_string(), serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn text_is_the_combined_log_format_and_the_place_on_the_connection() {
        let request = b"GET /x?y HTTP/1.1\r\nHost: a\r\nReferer: http://a/\r\nUser-Agent: curl/8\r\n\r\n";
        let begin = "127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /x?y HTTP/1.1\"";
        let (text, _) = lines(Some(request), &answered(None));
        assert_eq!(text, format!("{begin} 200 1234 \"http://a/\" \"curl/8\" conn=12 req=3 keep"));

        let last = answered(Some(CloseReason::RequestLimit));
        let (text, _) = lines(Some(request), &Answered { content: 7, complete: false, ..last });
        assert_eq!(text, format!("{begin} 200 7 \"http://a/\" \"curl/8\" conn=12 req=3 close=request-limit cut=yes"));
    }

    #[test]
    fn json_has_the_same_facts_and_the_duration() {
        let request = b"HEAD /x HTTP/1.0\r\nHost: a\r\nUser-Agent: curl/8\r\n\r\n";
        let (_, json) = lines(Some(request), &Answered { content: 0, ..answered(Some(CloseReason::Http10)) });
        assert_eq!(
            json,
            serde_json::json!({
                "time": "1994-11-06T08:49:37Z", "conn": 12, "req": 3, "peer": "127.0.0.1:50312",
                "method": "HEAD", "target": "/x", "version": "HTTP/1.0", "status": 200, "content_bytes": 0,
                "referer": null, "user_agent": "curl/8", "keep": false, "close": "http10", "cut": false,
                "duration_us": 250,
            })
        );
    }

    #[test]
    fn bytes_that_are_not_a_request_are_a_dash() {
        let refused = Answered { status: Status::BAD_REQUEST, ..answered(Some(CloseReason::BadRequest)) };
        let (text, json) = lines(None, &refused);
        assert!(text.ends_with("] \"-\" 400 1234 \"-\" \"-\" conn=12 req=3 close=bad-request"), "{text}");
        assert_eq!((&json["method"], &json["target"], &json["version"]), (&Value::Null, &Value::Null, &Value::Null));
    }

    #[test]
    fn nothing_that_a_client_sends_breaks_out_of_its_quotes_or_its_line() {
        let request =
            b"GET /\"\\ HTTP/1.1\r\nHost: a\r\nReferer:  \r\nUser-Agent: \" \\\t\xff\xc2\x9b 200 keep\r\n\r\n";
        let (text, json) = lines(Some(request), &answered(None));
        assert!(
            text.contains(r#""GET /\"\\ HTTP/1.1" 200 1234 "-" "\" \\\x09\xff\xc2\x9b 200 keep" conn=12"#),
            "{text}"
        );
        assert_eq!(json["target"], "/\"\\");
        assert_eq!(json["user_agent"], "\" \\\t\u{fffd}\u{9b} 200 keep");
        assert_eq!(json["referer"], Value::Null, "an empty field tells nothing");
    }

    #[test]
    fn long_values_are_cut() {
        let long = "a".repeat(5000);
        let request = format!("GET /{long} HTTP/1.1\r\nHost: a\r\nReferer: {long}\r\nUser-Agent: {long}\r\n\r\n");
        let (text, json) = lines(Some(request.as_bytes()), &answered(None));
        assert!(text.len() < 3 * (MAX_VALUE + 3) + 200 && text.contains("a... HTTP/1.1\""), "{text}");
        assert_eq!(json["user_agent"].as_str().map(str::len), Some(MAX_VALUE + 3));
    }
}
