//! `/-/lab/…`: connections that break on request, to show how a client copes.
//!
//! Here a query becomes a [`Plan`] and a text that describes it. The protocol then carries the plan out.

use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::pages;
use super::response::{Answer, Content, Part, Response};
use crate::http::{Announce, Manner, Plan, PlannedClose, Status, Version, When};
use crate::units::{Bytes, Span};

/// The longest that a query may ask us to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The most content that a query may ask for. Only one block of it is in memory.
const LARGEST_CONTENT: u64 = 1 << 40;

/// Bytes of content in a block, which is sent repeatedly, and in a chunk.
const BLOCK: u64 = 16 * 1024;

/// One row per path: its parameters, and the function that answers.
const EXPERIMENTS: &[Experiment] = &[
    Experiment { path: "close", parameters: &["when", "how", "announce"], answer: close },
    Experiment { path: "wait", parameters: &["for"], answer: wait },
    Experiment { path: "bytes/", parameters: &["rate", "chunked"], answer: bytes },
];

/// One row per kind of query, as `/-/lab/` lists it: how it is written, and what it does.
const MANUAL: &[(&str, &str)] = &[
    ("close", "announce the close, and send a FIN after the response: a short connection"),
    ("close?when=response", "close right after the response (the default)"),
    ("close?when=reuse", "close when the first byte of the next request arrives, and leave that request unanswered"),
    ("close?when=request:N", "close when the N-th request after this one has arrived, and leave it unanswered"),
    ("close?when=idle:250ms", "close after 250 ms without a request"),
    ("close?when=head", "close in the middle of the response head"),
    ("close?when=body", "close in the middle of the response content"),
    ("close?when=body:4096", "close after 4096 bytes of the response content"),
    ("close?how=fin", "close with a FIN (the default)"),
    ("close?how=reset", "close with an RST"),
    ("close?how=stall", "do not close: send nothing more until the idle timeout"),
    ("close?how=408", "send an unsolicited 408, then a FIN"),
    ("close?announce=yes", "say Connection: close in the response (the default for when=response)"),
    ("close?announce=no", "say Connection: keep-alive in the response (the default for every other when)"),
    ("close?announce=lie", "say Connection: close in the response, but stay open and keep serving"),
    ("wait?for=3s", "send the response after 3 seconds"),
    ("bytes/N", "send N bytes of content"),
    ("bytes/N?rate=R", "send N bytes of content at R bytes per second"),
    ("bytes/N?chunked=yes", "send N bytes of content in chunks (by length to an HTTP/1.0 client)"),
];

struct Experiment {
    /// Its path, or the beginning of its path if that ends in a slash.
    path: &'static str,
    parameters: &'static [&'static str],
    answer: fn(&Query<'_>) -> Result<Answer, String>,
}

/// Answers for the path `/-/lab/name`. A malformed query gets a 400 that lists the valid ones.
///
/// # Errors
/// 404 if there is no such experiment.
pub fn respond(name: &str, query: Option<&str>, version: Version) -> Result<Answer, Status> {
    if name.is_empty() {
        return Ok(Answer::Response(plain(Status::OK, content_of(manual("")))));
    }
    let fits = |row: &&Experiment| match row.path.ends_with('/') {
        true => name.starts_with(row.path),
        false => name == row.path,
    };
    let row = EXPERIMENTS.iter().find(fits).ok_or(Status::NOT_FOUND)?;
    let answer = Query::parse(&name[row.path.len()..], query.unwrap_or_default(), row.parameters, version)
        .and_then(|query| (row.answer)(&query));
    Ok(answer.unwrap_or_else(|wrong| {
        let text = format!("{wrong}\n\n{}", manual(row.path));
        Answer::Response(plain(Status::BAD_REQUEST, content_of(text)))
    }))
}

/// The rows of the manual whose paths begin like this.
fn manual(path: &str) -> String {
    let rows = MANUAL.iter().filter(|(usage, _)| usage.starts_with(path));
    rows.map(|(usage, what)| format!("/-/lab/{usage:<24} {what}\n")).collect()
}

fn close(query: &Query<'_>) -> Result<Answer, String> {
    let half = query.value("when") == Some("body");
    let when = match query.value("when") {
        Some(text) => parse_when(text)?,
        None => When::Response,
    };
    let how = match query.value("how") {
        None | Some("fin") => Manner::Fin,
        Some("reset") => Manner::Reset,
        Some("stall") => Manner::Stall,
        Some("408") => Manner::RequestTimeout,
        Some(other) => return Err(format!("how={other}: must be fin, reset, stall or 408")),
    };
    let announce = match query.value("announce") {
        None if when == When::Response => Announce::Yes,
        Some("yes") => Announce::Yes,
        None | Some("no") => Announce::No,
        Some("lie") => Announce::Lie,
        Some(other) => return Err(format!("announce={other}: must be yes, no or lie")),
    };
    let mut planned = PlannedClose { when, how, announce };
    let text = describe(planned, half);
    let content = match when {
        When::Content(_) if half => {
            planned.when = When::Content(text.len() as u64 / 2);
            content_of(text)
        }
        // One byte more than is sent, so that the content breaks off.
        When::Content(length) => {
            Content::Parts(vec![Part::Bytes(text.into_bytes().into()), Part::Repeated(block().into(), length + 1)])
        }
        _ => content_of(text),
    };
    Ok(Answer::Planned(plain(Status::OK, content), Plan::Close(planned)))
}

fn wait(query: &Query<'_>) -> Result<Answer, String> {
    let wait = parse_span("for=", query.value("for").ok_or("for=… is missing: give a duration like 3s")?)?;
    let text = format!("The lab's plan: send nothing for {}, then this.\n", Span(wait));
    Ok(Answer::Planned(plain(Status::OK, content_of(text)), Plan::Delay(wait)))
}

fn bytes(query: &Query<'_>) -> Result<Answer, String> {
    let length = parse_bytes("bytes/", query.rest)?;
    let chunked = match query.value("chunked") {
        // RFC 9112 §6.1: no chunks to a client that has not said that it knows HTTP/1.1. It gets a length.
        Some("yes") => query.version == Version::Http11,
        None | Some("no") => false,
        Some(other) => return Err(format!("chunked={other}: must be yes or no")),
    };
    let content = match chunked {
        true => Content::Chunked(chunks(length)),
        false => Content::Parts(vec![Part::Repeated(block().into(), length)]),
    };
    let response = plain(Status::OK, content);
    let Some(rate) = query.value("rate") else { return Ok(Answer::Response(response)) };
    let rate = NonZeroU64::new(parse_bytes("rate=", rate)?).ok_or("rate=0: must be at least 1")?;
    Ok(Answer::Planned(response, Plan::Pace(rate)))
}

fn parse_when(text: &str) -> Result<When, String> {
    let (point, value) = text.split_once(':').map_or((text, None), |(point, value)| (point, Some(value)));
    match (point, value) {
        ("response", None) => Ok(When::Response),
        ("reuse", None) => Ok(When::Reuse),
        ("request", Some(number)) => match number.parse() {
            Ok(number) if number > 0 => Ok(When::Request(number)),
            _ => Err(format!("when={text}: must be request:N, with N from 1 to {}", u32::MAX)),
        },
        ("idle", Some(wait)) => parse_span("when=idle:", wait).map(When::Idle),
        ("head", None) => Ok(When::Head),
        ("body", None) => Ok(When::Content(0)),
        ("body", Some(length)) => parse_bytes("when=body:", length).map(When::Content),
        _ => Err(format!("when={text}: must be response, reuse, request:N, idle:D, head, body or body:N")),
    }
}

fn parse_span(name: &str, text: &str) -> Result<Duration, String> {
    let Span(span) = text.parse().map_err(|wrong| format!("{name}{text}: {wrong}"))?;
    if span <= LONGEST_WAIT { Ok(span) } else { Err(format!("{name}{text}: must be at most {}", Span(LONGEST_WAIT))) }
}

fn parse_bytes(name: &str, text: &str) -> Result<u64, String> {
    let Bytes(bytes) = text.parse().map_err(|wrong| format!("{name}{text}: {wrong}"))?;
    if bytes <= LARGEST_CONTENT { Ok(bytes) } else { Err(format!("{name}{text}: must be at most {LARGEST_CONTENT}")) }
}

/// The text that describes what is about to happen.
fn describe(planned: PlannedClose, half: bool) -> String {
    let said = match planned.announce {
        Announce::Yes => "say Connection: close",
        Announce::No => "do not announce it",
        Announce::Lie => {
            return "The lab's plan: say Connection: close, but stay open and keep serving, whatever when and how say.\n".into();
        }
    };
    let point = match planned.when {
        When::Response => "right after this response".to_owned(),
        When::Reuse => "when the first byte of the next request arrives, and without an answer to it".to_owned(),
        When::Request(1) => "when the next request has arrived, and without an answer to it".to_owned(),
        When::Request(later) => format!("when {later} more requests have arrived, and without an answer to the last"),
        When::Idle(wait) => format!("after {} without a request", Span(wait)),
        When::Head => "in the middle of the head of this response".to_owned(),
        When::Content(_) if half => "in the middle of this content".to_owned(),
        When::Content(length) => format!("after {length} bytes of this content"),
    };
    let end = match planned.how {
        Manner::Fin => "send a FIN",
        Manner::Reset => "send an RST",
        Manner::Stall => "send nothing more and stay open",
        Manner::RequestTimeout => "send an unsolicited 408 and a FIN",
    };
    // RFC 9112 §9.6: no request is read after a close.
    let unless = match planned.when {
        When::Reuse | When::Request(_) | When::Idle(_) => ", unless this response has to close the connection anyway",
        When::Response | When::Head | When::Content(_) => "",
    };
    format!("The lab's plan: {said}; {point}, {end}{unless}.\n")
}

fn content_of(text: String) -> Content {
    Content::Bytes(text.into_bytes().into())
}

fn plain(status: Status, content: Content) -> Response {
    let mut response = pages::page(status, "text/plain; charset=utf-8", []);
    response.fields.push("Cache-Control", "no-store");
    Response { content, ..response }
}

/// Lines of 64 bytes.
fn block() -> Vec<u8> {
    (0..BLOCK).map(|at| if at % 64 == 63 { b'\n' } else { b'0' + (at % 64 % 10) as u8 }).collect()
}

/// The same content in chunks (RFC 9112 §7.1).
fn chunks(length: u64) -> Vec<Part> {
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let block = block();
    let (whole, rest) = (chunk(&block), &block[..(length % BLOCK) as usize]);
    let mut parts = Vec::new();
    if length >= BLOCK {
        let repeated = (length / BLOCK) * whole.len() as u64;
        parts.push(Part::Repeated(Rc::from(whole), repeated));
    }
    let last = if rest.is_empty() { Vec::new() } else { chunk(rest) };
    parts.push(Part::Bytes([&last[..], b"0\r\n\r\n"].concat().into()));
    parts
}

/// The query to an experiment.
struct Query<'a> {
    /// The rest of the path.
    rest: &'a str,
    version: Version,
    values: Vec<(&'a str, String)>,
}

impl<'a> Query<'a> {
    /// Reads `name=value&name=value`, where only the values may be percent-encoded.
    fn parse(rest: &'a str, query: &'a str, known: &[&str], version: Version) -> Result<Self, String> {
        let mut values: Vec<(&str, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !known.contains(&name) {
                return Err(format!("{name}: unknown parameter"));
            }
            if values.iter().any(|(other, _)| *other == name) {
                return Err(format!("{name}: given more than once"));
            }
            values.push((name, percent_decode_str(value).decode_utf8_lossy().into_owned()));
        }
        Ok(Query { rest, version, values })
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }
}
