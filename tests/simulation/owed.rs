//! What HTTP owes for a request. Written from the RFCs, without a look at the server.

use super::files::Version;

/// A request as its client sent it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where it begins in all that its client sends; empty lines before it don't count.
    pub begins: u64,
    /// Where its head ends.
    pub head_ends: u64,
    /// Where it ends: with it, the server has all that it needs for an answer.
    pub ends: u64,
    /// The moment, and the changes of the files until then, at which all of it was in the server's socket.
    pub arrived: Option<(u64, u64)>,
    pub head_only: bool,
    /// The client, or the version it speaks, wants the connection to close.
    pub closes: bool,
    /// Its content is left unread, so the connection must close.
    pub unread: bool,
    pub owed: Owed,
}

/// What HTTP owes for a request.
#[derive(Clone, Debug)]
pub enum Owed {
    /// A file, or what its condition and its ranges say of it.
    File(Query),
    /// This status.
    Status(u16),
    /// One of these, and the close: it is no request. The answer may come before its end.
    Refusal(&'static [u16]),
}

/// A question about a file.
#[derive(Clone, Debug)]
pub struct Query {
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

/// What an answer to a question about a file is to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: u16,
    /// First byte and length of each part that is sent.
    pub parts: Vec<(usize, usize)>,
}

impl Query {
    /// The answer, if the file is in this version.
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
        // A suffix of nothing is satisfiable, but no Content-Range can say so.
        if size == 0 && self.ranges.iter().any(|range| range.0.is_none() && range.1 != Some(0)) {
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
