//! Response heads: status, fields and where the content ends (RFC 9112 §4, §6).

use std::fmt::Write as _;

use super::{Limits, Persistence, Tick};

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

            /// The status line with its line end.
            const fn line(self) -> &'static [u8] {
                match self {
                    $(Status::$name => concat!("HTTP/1.1 ", $code, " ", $phrase, "\r\n").as_bytes(),)*
                    _ => b"HTTP/1.1 500 Internal Server Error\r\n",
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
    /// The three digits as a number.
    pub const fn code(self) -> u16 {
        self.0
    }
}

/// Field lines of a response, encoded. What would break out of a line (CR, LF, NUL and the other
/// control bytes) is replaced by a space, so no value, wherever it came from, can split a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldBlock(Vec<u8>);

impl FieldBlock {
    /// No fields.
    pub const fn new() -> Self {
        FieldBlock(Vec::new())
    }

    /// Appends one field line.
    pub fn push(&mut self, name: &'static str, value: impl AsRef<[u8]>) -> &mut Self {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        let safe = |byte: &u8| if *byte < b' ' && *byte != b'\t' || *byte == 0x7f { b' ' } else { *byte };
        self.0.extend(value.as_ref().iter().map(safe));
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// The lines, each with its end.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// How the end of a response's content is told (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// By `Content-Length`. To HEAD the length is told and no content sent.
    Known(u64),
    /// 204 and 304 have no content, and no field speaks of any (RFC 9110 §8.6).
    NoContent,
}

/// What the site says of a response; the protocol adds what depends on the connection.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// The outcome.
    pub status: Status,
    /// How much content there is.
    pub length: Length,
    /// All fields but `Date`, `Connection`, `Keep-Alive` and `Content-Length`.
    pub fields: &'a [u8],
}

impl ResponseHead<'_> {
    /// Appends the whole head to `out`, with the fields that say what follows it.
    pub(super) fn encode(&self, persistence: Persistence, requests: u32, tick: &Tick<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.status.line());
        out.extend_from_slice(b"Server: holdline\r\nDate: ");
        out.extend_from_slice(tick.date.as_bytes());
        encode_persistence(persistence, requests, tick.limits, out);
        if let Length::Known(length) = self.length {
            out.extend_from_slice(b"Content-Length: ");
            push_number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(self.fields);
        out.extend_from_slice(b"\r\n");
    }
}

/// RFC 9112 §9.3, §9.6: both sides must come to the same answer, so it is always said.
fn encode_persistence(persistence: Persistence, requests: u32, limits: &Limits, out: &mut Vec<u8>) {
    match persistence {
        Persistence::Close(_) => out.extend_from_slice(b"\r\nConnection: close\r\n"),
        Persistence::KeepAlive(_) => {
            out.extend_from_slice(b"\r\nConnection: keep-alive\r\nKeep-Alive: timeout=");
            push_number(out, limits.keep_alive_timeout.as_secs());
            if limits.max_requests != 0 {
                out.extend_from_slice(b", max=");
                push_number(out, u64::from(limits.max_requests.saturating_sub(requests)));
            }
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    struct Sink<'a>(&'a mut Vec<u8>);
    impl std::fmt::Write for Sink<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    write!(Sink(out), "{number}").expect("a Vec takes all");
}
