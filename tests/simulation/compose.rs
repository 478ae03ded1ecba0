//! Makes up requests: good ones in many wordings, and what is none.

use std::time::{Duration, SystemTime};

use super::files::Tree;
use super::owed::{Asked, Condition, Owed, Query};
use super::random::Random;

/// How a client words its requests.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// It speaks HTTP/1.0.
    pub old: bool,
    /// It is on this machine, where the server says more.
    pub local: bool,
    /// This is its last request, and it says so.
    pub last: bool,
    /// It sends what is no request.
    pub bad: bool,
    /// It wants the largest file that is sent from memory.
    pub greedy: bool,
}

/// Makes up a request. `sent` is how much its client has sent before it.
pub fn compose(random: &mut Random, tree: &Tree, style: Style, max_body: u64, sent: u64) -> (Vec<u8>, Asked) {
    let mut line = Line::default();
    if style.bad && random.once_in(2) {
        return garbage(random, sent);
    }
    let file = if style.greedy { 4 } else { random.pick(&[0, 1, 2, 2, 2, 3, 3, 4, 5, 6]) };
    line.path = tree.files[file].name;
    let mut owed = Owed::File(Query { file, ranges: vec![], condition: Condition::None });
    match random.size(0..=19) {
        0..=8 => {}
        9 | 10 => line.method = "HEAD",
        11 | 12 => owed = Owed::File(ranges(random, tree, file, &mut line)),
        13 | 14 => owed = Owed::File(condition(random, tree, file, &mut line)),
        15 => (line.path, owed) = ("nothing", Owed::Status(404)),
        16 => (line.path, owed) = ("folder", Owed::Status(301)),
        17 => (line.method, owed) = (random.pick(&["PUT", "DELETE", "POST"]), Owed::Status(405)),
        18 => (line.method, owed) = ("BREW", Owed::Status(501)),
        _ => (line.method, owed) = ("OPTIONS", Owed::Status(204)),
    }
    let content = content(random, style, max_body, &mut line, &mut owed);
    let head = line.head(random, style);
    let begins = sent + head.bytes().take_while(|byte| b"\r\n".contains(byte)).count() as u64;
    let whole = [head.as_bytes(), &content.bytes].concat();
    let head_ends = sent + head.len() as u64;
    let asked = Asked {
        begins,
        head_ends,
        ends: if content.needed { sent + whole.len() as u64 } else { head_ends },
        arrived: None,
        head_only: line.method == "HEAD",
        closes: style.last || style.old && !line.keep_alive,
        unread: !content.needed,
        owed,
    };
    (whole, asked)
}

struct Line {
    method: &'static str,
    path: &'static str,
    fields: String,
    keep_alive: bool,
}

impl Default for Line {
    fn default() -> Self {
        Line { method: "GET", path: "", fields: String::new(), keep_alive: false }
    }
}

impl Line {
    fn field(&mut self, name: &str, value: &str) {
        self.fields.push_str(&format!("{name}: {value}\r\n"));
    }

    /// The head, with what does not matter worded at random.
    fn head(&mut self, random: &mut Random, style: Style) -> String {
        self.keep_alive = style.old && random.once_in(2);
        let empty_lines = random.pick(&["", "", "", "", "\r\n", "\n\r\n"]);
        let version = if style.old { "HTTP/1.0" } else { random.pick(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.2"]) };
        let host = if style.local { "localhost" } else { "example.org" };
        let query = random.pick(&["", "", "", "?a=/b/../c"]);
        let noise = "n".repeat(random.pick(&[0, 0, 5, 300]));
        let close = match (style.last, self.keep_alive) {
            (true, _) => random.pick(&["Connection: close\r\n", "connection: Keep-Alive , CLOSE\r\n"]),
            (false, true) => "Connection: keep-alive\r\n",
            (false, false) => random.pick(&["", "", "Connection: te\r\n"]),
        };
        let Line { method, path, fields, .. } = self;
        format!("{empty_lines}{method} /{path}{query} {version}\r\nHost: {host}\r\nX: {noise}\r\n{close}{fields}\r\n")
    }
}

/// The content of a request.
struct Body {
    bytes: Vec<u8>,
    /// The answer comes after it.
    needed: bool,
}

fn content(random: &mut Random, style: Style, max_body: u64, line: &mut Line, owed: &mut Owed) -> Body {
    let nothing = Body { bytes: vec![], needed: true };
    if style.old || !random.once_in(10) {
        return nothing;
    }
    let length = random.size(1..=500);
    let bytes = vec![b'b'; length];
    if length as u64 > max_body {
        line.field("Content-Length", &length.to_string());
        *owed = Owed::Refusal(&[413]);
        return Body { bytes, needed: false };
    }
    match random.size(0..=3) {
        0 => {
            line.field("Transfer-Encoding", "chunked");
            let (first, second) = bytes.split_at(length / 2);
            let mut chunks = Vec::new();
            for chunk in [first, second].into_iter().filter(|chunk| !chunk.is_empty()) {
                chunks.extend([format!("{:x};e=1\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
            }
            chunks.extend(b"0\r\nTrailer: t\r\n\r\n");
            Body { bytes: chunks, needed: true }
        }
        1 => {
            line.field("Content-Length", &length.to_string());
            line.field("Expect", "100-continue");
            // Some wait for an answer, some don't.
            Body { bytes: if random.once_in(2) { bytes } else { vec![] }, needed: false }
        }
        _ => {
            line.field("Content-Length", &length.to_string());
            Body { bytes, needed: true }
        }
    }
}

fn ranges(random: &mut Random, tree: &Tree, file: usize, line: &mut Line) -> Query {
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
    line.field("Range", &format!("bytes={}", words.join(", ")));
    let mut condition = Condition::None;
    if random.once_in(4) {
        let time = a_time(random, tree, file);
        line.field("If-Range", &http_date(time));
        condition = Condition::RangeIf(time);
    }
    Query { file, ranges, condition }
}

fn condition(random: &mut Random, tree: &Tree, file: usize, line: &mut Line) -> Query {
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
    line.field(name, &value);
    Query { file, ranges: vec![], condition }
}

/// When the file was changed, or about then.
fn a_time(random: &mut Random, tree: &Tree, file: usize) -> u64 {
    let modified = tree.files[file].versions.last().map_or(0, |version| version.modified).max(1_700_000_000);
    random.pick(&[modified, modified, modified - 1, modified + 1])
}

fn http_date(seconds: u64) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// What is no request, and how it is answered.
fn garbage(random: &mut Random, sent: u64) -> (Vec<u8>, Asked) {
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
    let (head_ends, owed) = (head.unwrap_or(ends), Owed::Refusal(statuses));
    let asked =
        Asked { begins: sent, head_ends, ends, arrived: None, head_only: false, closes: true, unread: false, owed };
    (bytes, asked)
}
