//! Response heads: status, fields and where the content ends (RFC 9112 §4, §6).

use std::rc::Rc;
use std::time::Duration;

use super::{KeepOrClose, Limits, Persistence, Tick, Version};

/// A status code (RFC 9110 §15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Status(u16);

/// Writes the constants and their reason phrases from the same rows.
macro_rules! statuses {
    ($($name:ident = $code:literal $phrase:literal),* $(,)?) => {
        impl Status {
            $(#[doc = $phrase] pub const $name: Status = Status($code);)*

            /// The reason phrase.
            pub const fn phrase(self) -> &'static str {
                match self { $(Status::$name => $phrase,)* _ => "" }
            }

            /// The beginning of a head: the status line, and fields up to the value of `Date`.
            const fn beginning(self) -> &'static [u8] {
                match self {
                    $(Status::$name => concat!("HTTP/1.1 ", $code, " ", $phrase, "\r\nServer: holdline\r\nDate: ")
                        .as_bytes(),)*
                    _ => Status::INTERNAL_SERVER_ERROR.beginning(),
                }
            }
        }
    };
}

statuses! {
    OK = 200 "OK",
    NO_CONTENT = 204 "No Content",
    PARTIAL_CONTENT = 206 "Partial Content",
    MOVED_PERMANENTLY = 301 "Moved Permanently",
    NOT_MODIFIED = 304 "Not Modified",
    BAD_REQUEST = 400 "Bad Request",
    FORBIDDEN = 403 "Forbidden",
    NOT_FOUND = 404 "Not Found",
    METHOD_NOT_ALLOWED = 405 "Method Not Allowed",
    NOT_ACCEPTABLE = 406 "Not Acceptable",
    REQUEST_TIMEOUT = 408 "Request Timeout",
    PRECONDITION_FAILED = 412 "Precondition Failed",
    CONTENT_TOO_LARGE = 413 "Content Too Large",
    URI_TOO_LONG = 414 "URI Too Long",
    RANGE_NOT_SATISFIABLE = 416 "Range Not Satisfiable",
    EXPECTATION_FAILED = 417 "Expectation Failed",
    FIELDS_TOO_LARGE = 431 "Request Header Fields Too Large",
    INTERNAL_SERVER_ERROR = 500 "Internal Server Error",
    NOT_IMPLEMENTED = 501 "Not Implemented",
    SERVICE_UNAVAILABLE = 503 "Service Unavailable",
    VERSION_NOT_SUPPORTED = 505 "HTTP Version Not Supported",
}

impl Status {
    /// The status code as a number.
    pub const fn code(self) -> u16 {
        self.0
    }
}

/// Bytes of the field lines that most responses have.
const USUAL_FIELDS: usize = 256;

/// Encoded field lines of a response. A byte that would break out of a line (CR, LF, NUL and the other control bytes)
/// is replaced by a space, so no value, wherever it came from, can split a response.
///
/// A clone shares the lines until one of the two gets another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldBlock(Rc<Vec<u8>>);

impl FieldBlock {
    /// No fields.
    pub fn new() -> Self {
        FieldBlock::default()
    }

    /// Appends one field line.
    pub fn push(&mut self, name: &'static str, value: impl AsRef<[u8]>) -> &mut Self {
        let lines = Rc::make_mut(&mut self.0);
        lines.reserve(USUAL_FIELDS.saturating_sub(lines.len()));
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(b": ");
        let start = lines.len();
        lines.extend_from_slice(value.as_ref());
        for byte in lines[start..].iter_mut().filter(|byte| **byte < b' ' && **byte != b'\t' || **byte == 0x7f) {
            *byte = b' ';
        }
        lines.extend_from_slice(b"\r\n");
        self
    }

    /// Appends the lines of another block.
    pub fn append(&mut self, others: &FieldBlock) -> &mut Self {
        Rc::make_mut(&mut self.0).extend_from_slice(&others.0);
        self
    }

    /// The lines, each with its end.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// How a response tells where its content ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// By `Content-Length`. A response to HEAD has the field, and no content.
    Known(u64),
    /// By the last chunk; the number is the length with its framing. Not for HTTP/1.0, which has no chunked coding.
    Chunked(u64),
    /// 204 and 304 have no content and no `Content-Length` (RFC 9110 §8.6).
    NoContent,
    /// By the last chunk; to HTTP/1.0, which has no chunked coding, by the end of the connection.
    Stream,
}

/// The head of a response as the site makes it. The protocol adds the fields that depend on the connection.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// The status.
    pub status: Status,
    /// Where the content ends.
    pub length: Length,
    /// All fields except those that the protocol adds: `Date`, `Server`, `Connection`, `Keep-Alive`, `Content-Length`,
    /// `Transfer-Encoding` and `Server-Timing`.
    pub fields: &'a [u8],
    /// The number of the connection for `Server-Timing`, which explains the decision; `None` sends no such field.
    pub server_timing: Option<u64>,
}

/// What the head of a response depends on beside the site: its connection and its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnConnection {
    pub(super) version: Version,
    pub(super) persistence: Persistence,
    /// 1-based index of the request on its connection.
    pub(super) number: u32,
    /// How long the connection was idle before that request.
    pub(super) idle: Option<Duration>,
}

impl ResponseHead<'_> {
    /// Appends the whole head to `out`, with the fields that say what follows it.
    pub(super) fn encode(&self, place: &OnConnection, tick: &Tick<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.status.beginning());
        out.extend_from_slice(tick.date.as_bytes());
        encode_persistence(place, tick.limits, out);
        match self.length {
            Length::Known(length) => {
                out.extend_from_slice(b"Content-Length: ");
                push_number(out, length);
                out.extend_from_slice(b"\r\n");
            }
            // RFC 9112 §6.1: not to a client that has not sent HTTP/1.1.
            Length::Chunked(_) => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            Length::Stream if place.version == Version::Http11 => {
                out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            }
            Length::Stream | Length::NoContent => {}
        }
        if let Some(conn) = self.server_timing {
            encode_timing(conn, place, tick.limits, out);
        }
        out.extend_from_slice(self.fields);
        out.extend_from_slice(b"\r\n");
    }
}

/// RFC 9112 §9.3, §9.6: both sides must come to the same answer, so each response says it.
fn encode_persistence(place: &OnConnection, limits: &Limits, out: &mut Vec<u8>) {
    if place.persistence.says_close() {
        out.extend_from_slice(b"\r\nConnection: close\r\n");
        return;
    }
    let (seconds, has_limit) = (limits.keep_alive_timeout.as_secs(), limits.max_requests != 0);
    // Clients would take "timeout=0" for a close.
    out.extend_from_slice(match (seconds, has_limit) {
        (0, false) => b"\r\nConnection: keep-alive\r\n",
        (0, true) => b"\r\nConnection: keep-alive\r\nKeep-Alive: max=",
        _ => b"\r\nConnection: keep-alive\r\nKeep-Alive: timeout=",
    });
    if seconds > 0 {
        push_number(out, seconds);
        out.extend_from_slice(if has_limit { b", max=" } else { b"\r\n" });
    }
    if has_limit {
        push_number(out, u64::from(limits.max_requests.saturating_sub(place.number)));
        out.extend_from_slice(b"\r\n");
    }
}

/// `Server-Timing`, which browsers show in the Timing tab of their DevTools.
fn encode_timing(conn: u64, place: &OnConnection, limits: &Limits, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Server-Timing: conn;desc=\"#");
    push_number(out, conn);
    out.extend_from_slice(b"\", req;desc=\"");
    push_number(out, u64::from(place.number));
    if limits.max_requests != 0 {
        out.extend_from_slice(b" of ");
        push_number(out, u64::from(limits.max_requests));
    }
    out.extend_from_slice(b"\"");
    if let Some(idle) = place.idle {
        out.extend_from_slice(b", idle;dur=");
        push_number(out, u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
    }
    let (verdict, why): (&[u8], _) = match place.persistence.keep_or_close() {
        KeepOrClose::Keep(why) => (b", keep;desc=\"", why.sentence()),
        KeepOrClose::Close(why) => (b", close;desc=\"", why.sentence()),
    };
    out.extend_from_slice(verdict);
    out.extend_from_slice(why.as_bytes());
    out.extend_from_slice(b"\"\r\n");
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
