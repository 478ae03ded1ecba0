//! Is it a request? Bytes in, a typed [`RequestHead`] or a [`BadRequest`] out.
//!
//! httparse finds the lines; what they mean is decided here, lenient where RFC 9112 allows it
//! and strict where leniency lets two readers of the same bytes disagree.

use std::mem::MaybeUninit;
use std::rc::Rc;

use super::fields::{Field, FieldIndex, Fields, list_members, parse_digits};
use super::host::is_host;
use super::request_target::{Target, parse_target};
use super::{BadRequest, ConnectionOptions, Limits, MAX_FIELDS};

/// The part of a request before its content: request line and fields (RFC 9112 §2.1).
#[derive(Clone, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: Method,
    /// The method's token as it was sent, for the observers.
    pub method_as_sent: &'a str,
    /// The request target.
    pub target: Target<'a>,
    /// The request target as it was sent, for the observers.
    pub target_as_sent: &'a str,
    /// The version of the request, at most HTTP/1.1.
    pub version: Version,
    /// The options of the `Connection` fields.
    pub options: ConnectionOptions,
    /// Where the request's content ends.
    pub framing: Framing,
    /// The expectation of the `Expect` field.
    pub expectation: Expectation,
    pub(super) fields: Fields<'a>,
}

/// Request methods (RFC 9110 §9). Case-sensitive: `get` is [`Method::Unknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the methods")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
    Unknown,
}

impl Method {
    fn from_token(token: &str) -> Self {
        match token {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            "CONNECT" => Method::Connect,
            "OPTIONS" => Method::Options,
            "TRACE" => Method::Trace,
            "PATCH" => Method::Patch,
            _ => Method::Unknown,
        }
    }

    /// The method's token; `?` for an unknown one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Connect => "CONNECT",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Patch => "PATCH",
            Method::Unknown => "?",
        }
    }
}

/// The supported versions. A higher minor version counts as HTTP/1.1 (RFC 9110 §2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}

impl Version {
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}

/// Where the content of a request ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The request has no content.
    None,
    /// After N bytes.
    Length(u64),
    /// With the last chunk and the trailer section.
    Chunked,
}

/// What the request expects before it goes on (RFC 9110 §10.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing.
    None,
    /// `100-continue`: the client holds the content back until a response.
    Continue,
    /// An expectation that the server does not support: 417.
    Unknown,
}

/// Parses one request head from the beginning of `bytes`, which follow any empty lines ([`skip_empty_lines`]). Returns
/// it with its length, or `None` if it is not complete yet.
///
/// The result does not depend on how the bytes were split on their way: the first error in them is the result, and it
/// need not wait for the line to end (a TLS hello has no lines).
///
/// # Errors
/// What is wrong with the request, by the RFC's section.
pub fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Option<(RequestHead<'a>, usize)>, BadRequest> {
    let window = &bytes[..bytes.len().min(limits.max_head)];
    match parse_window(window)? {
        None if window.len() == limits.max_head => Err(too_large(window)),
        found => Ok(found),
    }
}

/// The method of bytes that are not a valid request: a response to HEAD has no content, whatever else is wrong.
pub(super) fn method(bytes: &[u8]) -> Method {
    if bytes.starts_with(b"HEAD ") { Method::Head } else { Method::Unknown }
}

/// Length of the empty lines at the beginning of `bytes`. RFC 9112 §2.2: "a server … SHOULD ignore
/// at least one empty line (CRLF) received prior to the request-line."
pub fn skip_empty_lines(bytes: &[u8]) -> usize {
    let mut skipped = 0;
    loop {
        match &bytes[skipped..] {
            [b'\n', ..] => skipped += 1,
            [b'\r', b'\n', ..] => skipped += 2,
            _ => return skipped,
        }
    }
}

/// Which part of a head is too large: a request line without an end, or what follows it.
fn too_large(window: &[u8]) -> BadRequest {
    match memchr::memchr(b'\n', window) {
        Some(_) => BadRequest::FieldsTooLarge,
        None => BadRequest::TargetTooLong,
    }
}

fn parse_window(bytes: &[u8]) -> Result<Option<(RequestHead<'_>, usize)>, BadRequest> {
    let mut storage = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut storage) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => {
            let version = if request.version == Some(0) { Version::Http10 } else { Version::Http11 };
            let line = (request.method.unwrap_or_default(), request.path.unwrap_or_default(), version);
            let section = memchr::memchr(b'\n', bytes).map_or(length, |end| end + 1);
            interpret(line, request.headers, &bytes[section..length]).map(|head| Some((head, length)))
        }
        Err(httparse::Error::Version) => parse_other_version(bytes),
        Err(error) => Err(syntax_error(error)),
    }
}

/// httparse parses HTTP/1.0 and 1.1 only. RFC 9110 §2.5: a higher minor version is taken as the highest supported one;
/// another major version is answered with 505.
fn parse_other_version(bytes: &[u8]) -> Result<Option<(RequestHead<'_>, usize)>, BadRequest> {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        let version = bytes.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
        return if may_become_version(version) { Ok(None) } else { Err(BadRequest::RequestLine) };
    };
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    let line = std::str::from_utf8(line).map_err(|_| BadRequest::RequestLine)?;
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(BadRequest::RequestLine);
    };
    match version.strip_prefix("HTTP/").map(str::as_bytes) {
        Some([b'1', b'.', minor]) if minor.is_ascii_digit() => {}
        Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit() => {
            return Err(BadRequest::Version);
        }
        _ => return Err(BadRequest::RequestLine),
    }
    let mut storage = [httparse::EMPTY_HEADER; MAX_FIELDS];
    match httparse::parse_headers(&bytes[end + 1..], &mut storage).map_err(syntax_error)? {
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete((fields_length, fields)) => {
            let length = end + 1 + fields_length;
            let line = (method, target, Version::Http11);
            interpret(line, fields, &bytes[end + 1..length]).map(|head| Some((head, length)))
        }
    }
}

/// Whether these bytes may be the beginning of a version and its line end.
fn may_become_version(beginning: &[u8]) -> bool {
    const FORM: &[u8] = b"HTTP/0.0\r";
    let fits = |(byte, form): (&u8, &u8)| byte == form || *form == b'0' && byte.is_ascii_digit();
    beginning.len() <= FORM.len() && beginning.iter().zip(FORM).all(fits)
}

fn syntax_error(error: httparse::Error) -> BadRequest {
    match error {
        httparse::Error::TooManyHeaders => BadRequest::FieldsTooLarge,
        httparse::Error::HeaderName => BadRequest::FieldName,
        httparse::Error::HeaderValue => BadRequest::FieldValue,
        _ => BadRequest::RequestLine,
    }
}

fn interpret<'a>(
    (method_as_sent, target_as_sent, version): (&'a str, &'a str, Version),
    lines: &[httparse::Header<'a>],
    section: &'a [u8],
) -> Result<RequestHead<'a>, BadRequest> {
    let method = Method::from_token(method_as_sent);
    let target = parse_target(method, target_as_sent)?;
    let fields = Fields::new(section, Rc::new(FieldIndex::new(lines, section)));
    check_host(&fields, version)?;
    Ok(RequestHead {
        method,
        method_as_sent,
        target,
        target_as_sent,
        version,
        options: connection_options(&fields),
        framing: parse_framing(&fields, version)?,
        expectation: parse_expectation(&fields, version),
        fields,
    })
}

/// RFC 9110 §7.6.1: connection options are tokens, case-insensitive, in lists over several lines.
fn connection_options(fields: &Fields<'_>) -> ConnectionOptions {
    let mut options = ConnectionOptions::default();
    for token in fields.lines(Field::Connection).flat_map(list_members) {
        options.close |= token.eq_ignore_ascii_case(b"close");
        options.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
    }
    options
}

/// RFC 9112 §3.2: "A server MUST respond with a 400 … to any HTTP/1.1 request message that lacks a
/// Host header field and to any request message that contains more than one Host header field line
/// or a Host header field with an invalid field value."
fn check_host(fields: &Fields<'_>, version: Version) -> Result<(), BadRequest> {
    let mut lines = fields.lines(Field::Host);
    match (lines.next(), lines.next()) {
        (None, _) if version == Version::Http10 => Ok(()),
        (None, _) => Err(BadRequest::HostMissing),
        (Some(_), Some(_)) => Err(BadRequest::HostRepeated),
        (Some(host), None) if is_host(host) => Ok(()),
        (Some(_), None) => Err(BadRequest::HostInvalid),
    }
}

/// RFC 9112 §6.3.
fn parse_framing(fields: &Fields<'_>, version: Version) -> Result<Framing, BadRequest> {
    if fields.has(Field::TransferEncoding) {
        if version == Version::Http10 {
            return Err(BadRequest::EncodingInHttp10);
        }
        if fields.has(Field::ContentLength) {
            return Err(BadRequest::LengthAndEncoding);
        }
        return parse_transfer_encoding(fields).map(|()| Framing::Chunked);
    }
    let mut lines = fields.lines(Field::ContentLength);
    match (lines.next(), lines.next()) {
        (None, _) => Ok(Framing::None),
        (Some(digits), None) => match parse_digits(digits).ok_or(BadRequest::ContentLength)? {
            0 => Ok(Framing::None),
            length => Ok(Framing::Length(length)),
        },
        (Some(_), Some(_)) => Err(BadRequest::ContentLength),
    }
}

/// Accepts `chunked` and nothing else.
fn parse_transfer_encoding(fields: &Fields<'_>) -> Result<(), BadRequest> {
    let (mut chunked, mut others) = (0, false);
    let mut last_is_chunked = false;
    for coding in fields.lines(Field::TransferEncoding).flat_map(list_members) {
        last_is_chunked = coding.eq_ignore_ascii_case(b"chunked");
        chunked += usize::from(last_is_chunked);
        others |= !last_is_chunked;
    }
    // RFC 9112 §6.3 (4): "If … the chunked transfer coding is not the final encoding, … the server MUST respond with
    // the 400 (Bad Request) status code". §6.1: it must not be applied more than once.
    if !last_is_chunked || chunked > 1 {
        return Err(BadRequest::EncodingNotChunked);
    }
    // RFC 9112 §6.1: "A server that receives a request message with a transfer coding it does not understand SHOULD
    // respond with 501 (Not Implemented)."
    if others { Err(BadRequest::EncodingUnknown) } else { Ok(()) }
}

/// RFC 9110 §10.1.1: "A server MUST ignore a 100-continue expectation received in an HTTP/1.0 request."
fn parse_expectation(fields: &Fields<'_>, version: Version) -> Expectation {
    let mut expectation = Expectation::None;
    if version == Version::Http11 {
        for member in fields.lines(Field::Expect).flat_map(list_members) {
            match member.eq_ignore_ascii_case(b"100-continue") {
                true if expectation == Expectation::None => expectation = Expectation::Continue,
                true => {}
                false => expectation = Expectation::Unknown,
            }
        }
    }
    expectation
}

impl<'a> RequestHead<'a> {
    /// The values of a field, line by line, without surrounding white space.
    pub fn lines(&self, field: Field) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields.lines(field)
    }

    /// The value of a field with exactly one line. If a singleton field is sent twice, neither value can be trusted
    /// (RFC 9110 §5.3), so it counts as absent.
    pub fn value(&self, field: Field) -> Option<&'a [u8]> {
        self.fields.value(field)
    }

    /// Whether a proxy has forwarded the request, as far as the names of its fields tell.
    pub fn is_forwarded(&self) -> bool {
        self.fields.is_forwarded()
    }

    /// Whether the field was sent at all.
    pub fn has(&self, field: Field) -> bool {
        self.fields.has(field)
    }
}
