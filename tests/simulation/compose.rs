//! Composes requests: valid ones in many forms, and malformed ones.

use std::time::{Duration, SystemTime};

use super::expected::{Condition, Expected, FileRequest, SentRequest};
use super::files::{SMALL, Tree};

use super::random::Random;

/// What kind of request a client wants.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub http10: bool,
    /// Its host is localhost, where responses tell more.
    pub local: bool,
    /// It is the last one, and says `Connection: close`.
    pub last: bool,
    /// It may be malformed.
    pub malformed: bool,
    /// It is for a small file.
    pub greedy: bool,
    /// It announces a body of more than is allowed, and is followed by this many bytes of it.
    pub flood: Option<usize>,
}

/// Composes a request. `sent` is the number of bytes that the client has sent before it.
pub fn compose(random: &mut Random, tree: &Tree, style: Style, max_body: u64, sent: u64) -> (Vec<u8>, SentRequest) {
    let mut draft = Draft::default();
    if style.malformed && random.one_in(2) {
        return malformed(random, sent);
    }
    let file = if style.greedy { SMALL } else { random.pick(&[0, 1, 2, 2, 2, 3, 3, 4, 5, 6, SMALL]) };
    draft.path = tree.files[file].name;
    let mut expected = Expected::File(FileRequest { file, ranges: vec![], condition: Condition::None });
    match random.size(0..=19) {
        0..=8 => {}
        9 | 10 => draft.method = "HEAD",
        11 | 12 => expected = Expected::File(ranges(random, tree, file, &mut draft)),
        13 | 14 => expected = Expected::File(condition(random, tree, file, &mut draft)),
        15 => (draft.path, expected) = ("nothing", Expected::Status(404)),
        16 => (draft.path, expected) = ("folder", Expected::Status(301)),
        17 => (draft.method, expected) = (random.pick(&["PUT", "DELETE", "POST"]), Expected::Status(405)),
        18 => (draft.method, expected) = ("BREW", Expected::Status(501)),
        _ => (draft.method, expected) = ("OPTIONS", Expected::Status(204)),
    }
    let content = content(random, style, max_body, &mut draft, &mut expected);
    let head = draft.head(random, style);
    let begins = sent + head.bytes().take_while(|byte| b"\r\n".contains(byte)).count() as u64;
    let whole = [head.as_bytes(), &content.bytes].concat();
    let head_ends = sent + head.len() as u64;
    let request = SentRequest {
        begins,
        head_ends,
        ends: if content.needed { sent + whole.len() as u64 } else { head_ends },
        arrived: None,
        head_only: draft.method == "HEAD",
        closes: style.last || style.http10 && !draft.keep_alive,
        unread: !content.needed,
        expected,
    };
    (whole, request)
}

/// A request in the making.
struct Draft {
    method: &'static str,
    path: &'static str,
    fields: String,
    keep_alive: bool,
}

impl Default for Draft {
    fn default() -> Self {
        Draft { method: "GET", path: "", fields: String::new(), keep_alive: false }
    }
}

impl Draft {
    fn field(&mut self, name: &str, value: &str) {
        self.fields.push_str(&format!("{name}: {value}\r\n"));
    }

    /// The head, with random variations that do not matter.
    fn head(&mut self, random: &mut Random, style: Style) -> String {
        self.keep_alive = style.http10 && random.one_in(2);
        let empty_lines = random.pick(&["", "", "", "", "\r\n", "\n\r\n"]);
        let version = if style.http10 { "HTTP/1.0" } else { random.pick(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.2"]) };
        let host = if style.local { "localhost" } else { "example.org" };
        let query = random.pick(&["", "", "", "?a=/b/../c"]);
        let noise = "n".repeat(random.pick(&[0, 0, 5, 300]));
        let close = match (style.last, self.keep_alive) {
            (true, _) => random.pick(&["Connection: close\r\n", "connection: Keep-Alive , CLOSE\r\n"]),
            (false, true) => "Connection: keep-alive\r\n",
            (false, false) => random.pick(&["", "", "Connection: te\r\n"]),
        };
        let Draft { method, path, fields, .. } = self;
        format!("{empty_lines}{method} /{path}{query} {version}\r\nHost: {host}\r\nX: {noise}\r\n{close}{fields}\r\n")
    }
}

/// The content of a request.
struct Body {
    bytes: Vec<u8>,
    /// The server reads it before it responds.
    needed: bool,
}

fn content(random: &mut Random, style: Style, max_body: u64, draft: &mut Draft, expected: &mut Expected) -> Body {
    let nothing = Body { bytes: vec![], needed: true };
    if let Some(length) = style.flood {
        draft.field("Content-Length", "1000000000");
        *expected = Expected::Rejection(&[413]);
        return Body { bytes: vec![b'b'; length], needed: false };
    }
    if style.http10 || !random.one_in(10) {
        return nothing;
    }
    let length = random.size(1..=500);
    let bytes = vec![b'b'; length];
    if length as u64 > max_body {
        draft.field("Content-Length", &length.to_string());
        *expected = Expected::Rejection(&[413]);
        return Body { bytes, needed: false };
    }
    match random.size(0..=3) {
        0 => {
            draft.field("Transfer-Encoding", "chunked");
            let (first, second) = bytes.split_at(length / 2);
            let mut chunks = Vec::new();
            for chunk in [first, second].into_iter().filter(|chunk| !chunk.is_empty()) {
                chunks.extend([format!("{:x};e=1\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
            }
            chunks.extend(b"0\r\nTrailer: t\r\n\r\n");
            Body { bytes: chunks, needed: true }
        }
        1 => {
            draft.field("Content-Length", &length.to_string());
            draft.field("Expect", "100-continue");
            // Some clients send it at once, some wait for 100 (Continue).
            Body { bytes: if random.one_in(2) { bytes } else { vec![] }, needed: false }
        }
        _ => {
            draft.field("Content-Length", &length.to_string());
            Body { bytes, needed: true }
        }
    }
}

fn ranges(random: &mut Random, tree: &Tree, file: usize, draft: &mut Draft) -> FileRequest {
    let size = tree.files[file].versions.last().and_then(|version| version.size).unwrap_or(100);
    let count = random.pick(&[1, 1, 1, 2, 3]);
    let ranges: Vec<_> = (0..count)
        .map(|_| {
            let first = random.size(0..=size + 1);
            let last = first + random.size(0..=size / 2);
            match random.size(0..=4) {
                0 => (Some(first), None),
                1 => (None, Some(random.size(0..=size + 1))),
                _ => (Some(first), Some(last)),
            }
        })
        .collect();
    let number = |number: &Option<usize>| number.map_or(String::new(), |number| number.to_string());
    let words: Vec<_> = ranges.iter().map(|(first, last)| format!("{}-{}", number(first), number(last))).collect();
    draft.field("Range", &format!("bytes={}", words.join(", ")));
    let mut condition = Condition::None;
    if random.one_in(4) {
        let time = a_time(random, tree, file);
        draft.field("If-Range", &http_date(time));
        condition = Condition::RangeIf(time);
    }
    FileRequest { file, ranges, condition }
}

fn condition(random: &mut Random, tree: &Tree, file: usize, draft: &mut Draft) -> FileRequest {
    let time = a_time(random, tree, file);
    let tag = random.pick(&[0, 1]);
    let known = tree.files[file].versions.iter().rev().filter_map(|version| version.tag.clone()).nth(tag);
    let tag = known.unwrap_or_else(|| "\"no such tag\"".to_owned());
    let (name, value, condition) = match random.size(0..=3) {
        0 => ("If-Modified-Since", http_date(time), Condition::ModifiedSince(time)),
        1 => ("If-Unmodified-Since", http_date(time), Condition::UnmodifiedSince(time)),
        2 => ("If-None-Match", tag.clone(), Condition::NoneMatch(tag)),
        _ => ("If-Match", tag.clone(), Condition::Match(tag)),
    };
    draft.field(name, &value);
    FileRequest { file, ranges: vec![], condition }
}

/// When the file was changed, or a second before or after that.
fn a_time(random: &mut Random, tree: &Tree, file: usize) -> u64 {
    let modified = tree.files[file].versions.last().map_or(0, |version| version.modified).max(1_700_000_000);
    random.pick(&[modified, modified, modified - 1, modified + 1])
}

fn http_date(seconds: u64) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// A malformed request, and the statuses that may answer it.
fn malformed(random: &mut Random, sent: u64) -> (Vec<u8>, SentRequest) {
    const BAD: &[u16] = &[400];
    let rows: &[(&[u8], &'static [u16])] = &[
        (b"\x16\x03\x01\x02\x00\x01", BAD),
        (b"GET /\r\n\r\n", BAD),
        (b"GET / HTTP/1.1\r\n\r\n", BAD),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", BAD),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", BAD),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", BAD),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", BAD),
        (b"GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nbb", BAD),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nbbbbb", BAD),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlonger\r\n0\r\n\r\n", BAD),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", BAD),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", &[501]),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", &[505]),
        (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: ", &[431]),
        (b"GET /", &[414]),
    ];
    let (bytes, statuses) = random.pick(rows);
    let mut bytes = bytes.to_vec();
    if statuses == [431] || statuses == [414] {
        bytes.resize(17 * 1024, b'x');
    }
    let ends = sent + bytes.len() as u64;
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| sent + at as u64 + 4);
    let (head_ends, expected) = (head.unwrap_or(ends), Expected::Rejection(statuses));
    let request = SentRequest {
        begins: sent,
        head_ends,
        ends,
        arrived: None,
        head_only: false,
        closes: true,
        unread: false,
        expected,
    };
    (bytes, request)
}
