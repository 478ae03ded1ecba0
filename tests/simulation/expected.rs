//! The response that HTTP demands for a request. Written from the RFCs, not from the server.

use super::files::Version;

/// A request as the client sent it. Positions are offsets in everything that the client sends.
#[derive(Clone, Debug)]
pub struct SentRequest {
    /// Its first byte, behind any empty lines.
    pub begins: u64,
    /// The end of its head.
    pub head_ends: u64,
    /// The end of what the server needs for the response.
    pub ends: u64,
    /// When all of it was in the receive buffer: the moment, and the number of file changes until then.
    pub arrived: Option<(u64, u64)>,
    /// Its method is HEAD.
    pub head_only: bool,
    /// RFC 9112 §9.3: the close option or HTTP/1.0 without keep-alive.
    pub closes: bool,
    /// The response comes before its content is read, so the connection must close.
    pub unread: bool,
    pub expected: Expected,
}

/// The response that HTTP demands for a request.
#[derive(Clone, Debug)]
pub enum Expected {
    /// A file, or what its condition and its ranges make of it.
    File(FileRequest),
    /// This status.
    Status(u16),
    /// One of these statuses and a close: the request is malformed or too large. The response may come before its end.
    Rejection(&'static [u16]),
}

/// A request for a file.
#[derive(Clone, Debug)]
pub struct FileRequest {
    pub file: usize,
    pub ranges: Vec<(Option<usize>, Option<usize>)>,
    pub condition: Condition,
}

/// RFC 9110 §13. Times are seconds since the epoch.
#[derive(Clone, Debug)]
pub enum Condition {
    None,
    ModifiedSince(u64),
    UnmodifiedSince(u64),
    NoneMatch(String),
    Match(String),
    RangeIf(u64),
}

/// The response to a request for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: u16,
    /// First byte and length of each part that is sent.
    pub parts: Vec<(usize, usize)>,
}

impl FileRequest {
    /// The response if the file is in this version.
    pub fn outcome(&self, version: &Version, head_only: bool) -> Outcome {
        let Some(size) = version.size else { return Outcome { status: 404, parts: vec![] } };
        let same_tag = |tag: &String| version.tag.as_ref() == Some(tag);
        let early = match &self.condition {
            Condition::ModifiedSince(time) => (version.modified <= *time).then_some(304),
            Condition::NoneMatch(tag) => same_tag(tag).then_some(304),
            Condition::UnmodifiedSince(time) => (version.modified > *time).then_some(412),
            Condition::Match(tag) => (!same_tag(tag)).then_some(412),
            Condition::None | Condition::RangeIf(_) => None,
        };
        if let Some(status) = early {
            return Outcome { status, parts: vec![] };
        }
        let ranges_count =
            !head_only && !matches!(self.condition, Condition::RangeIf(time) if time != version.modified);
        let whole = Outcome { status: 200, parts: vec![(0, size)] };
        if self.ranges.is_empty() || !ranges_count {
            return whole;
        }
        // There is no part of an empty file.
        if size == 0 {
            return whole;
        }
        let parts: Vec<_> = self.ranges.iter().filter_map(|range| part(*range, size)).collect();
        match parts.iter().map(|(_, length)| length).sum::<usize>() {
            0 => Outcome { status: 416, parts },
            sum if sum > size => whole,
            _ => Outcome { status: 206, parts },
        }
    }
}

/// RFC 9110 §14.1.2: `first-last`, `first-` or `-length`.
fn part((first, last): (Option<usize>, Option<usize>), size: usize) -> Option<(usize, usize)> {
    let (first, last) = match (first, last) {
        (Some(first), Some(last)) => (first, last.min(size.saturating_sub(1))),
        (Some(first), None) => (first, size.saturating_sub(1)),
        (None, Some(length)) => (size - length.min(size), size.wrapping_sub(1)),
        (None, None) => return None,
    };
    (first < size).then(|| (first, last - first + 1))
}
