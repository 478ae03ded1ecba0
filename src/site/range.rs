//! Range requests (RFC 9110 §14): which bytes are asked for, and how several parts are sent.

use super::response::Part;
use crate::http::FieldBlock;
use crate::http::fields::list_members;

/// Ranges of one request, if they ascend and don't overlap, as those of zsync and zchunk do; for more the whole file is
/// sent. They can't come to more than the file.
const MAX_RANGES: usize = 200;

/// Ranges of one request in any order. RFC 9110 §14.2 allows a server to ignore `Range`, and §17.15 advises it against
/// many small or overlapping ranges.
const MAX_UNORDERED_RANGES: usize = 16;

/// Bytes of a representation, both ends included, as in `Content-Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub first: u64,
    /// The last byte.
    pub last: u64,
}

impl ByteRange {
    /// How many bytes.
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }

    /// The value of `Content-Range` for a representation of `size` bytes (RFC 9110 §14.4).
    pub fn content_range(self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.first, self.last)
    }
}

/// What of a representation is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All: the field can't be understood, or asks for too much.
    Whole,
    /// One or more ranges, in the order of the request.
    Ranges(Vec<ByteRange>),
    /// 416: none of the ranges lies within it.
    Unsatisfiable,
}

/// Reads the value of a `Range` field for a representation of `size` bytes (RFC 9110 §14.1.2, §14.2).
pub fn select(value: &[u8], size: u64) -> Selection {
    let Some(set) = byte_range_set(value) else { return Selection::Whole };
    // No range lies within an empty representation, but clients that limit what they download with each request would
    // take 416 for a failure. RFC 9110 §14.2: "A server MAY ignore the Range header field."
    if size == 0 {
        return Selection::Whole;
    }
    let mut ranges: Vec<ByteRange> = Vec::new();
    let mut ascending = true;
    let mut budget = size;
    let mut count = 0;
    for member in list_members(set) {
        let Some(spec) = RangeSpec::parse(member) else { return Selection::Whole };
        count += 1;
        if count > MAX_RANGES {
            return Selection::Whole;
        }
        let Some(range) = spec.within(size) else { continue };
        // Ranges that overlap so much that they come to more than the file: here, have the file.
        let Some(rest) = budget.checked_sub(range.length()) else { return Selection::Whole };
        budget = rest;
        ascending &= ranges.last().is_none_or(|before| before.last < range.first);
        ranges.push(range);
    }
    if count > MAX_UNORDERED_RANGES && !ascending {
        return Selection::Whole;
    }
    match (count, ranges.is_empty()) {
        (0, _) => Selection::Whole,
        (_, true) => Selection::Unsatisfiable,
        (_, false) => Selection::Ranges(ranges),
    }
}

/// What follows `bytes=`. RFC 9110 §14.2: "A server MUST ignore a Range header field … with a range unit
/// it does not understand." Units are case-insensitive (§14.1).
fn byte_range_set(value: &[u8]) -> Option<&[u8]> {
    let (unit, rest) = value.split_at(memchr::memchr(b'=', value)?);
    unit.eq_ignore_ascii_case(b"bytes").then_some(&rest[1..])
}

/// One member of a range set (RFC 9110 §14.1.1).
enum RangeSpec {
    /// `first-` or `first-last`.
    From { first: u64, last: u64 },
    /// `-length`: the last N bytes.
    Suffix { length: u64 },
}

impl RangeSpec {
    fn parse(spec: &[u8]) -> Option<RangeSpec> {
        let (first, rest) = spec.split_at(memchr::memchr(b'-', spec)?);
        match (first, &rest[1..]) {
            (b"", length) => Some(RangeSpec::Suffix { length: saturating_number(length)? }),
            (first, b"") => Some(RangeSpec::From { first: saturating_number(first)?, last: u64::MAX }),
            (first, last) => {
                let (first, last) = (saturating_number(first)?, saturating_number(last)?);
                // RFC 9110 §14.1.1: "An int-range is invalid if the last-pos value is present and less than first-pos."
                (first <= last).then_some(RangeSpec::From { first, last })
            }
        }
    }

    /// RFC 9110 §14.1.2: the bytes of a representation that is not empty, if the range is satisfiable.
    fn within(self, size: u64) -> Option<ByteRange> {
        let end = size.checked_sub(1)?;
        match self {
            RangeSpec::From { first, last } => (first < size).then_some(ByteRange { first, last: last.min(end) }),
            RangeSpec::Suffix { length: 0 } => None,
            RangeSpec::Suffix { length } => Some(ByteRange { first: size.saturating_sub(length), last: end }),
        }
    }
}

/// `1*DIGIT`. A position beyond what we can count is as far away as any.
fn saturating_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

/// The parts of a `multipart/byteranges` content (RFC 9110 §14.6): before each slice its own head, after the last the
/// closing delimiter. "Additional CRLFs might precede the first boundary string in the body": zsync takes one line for
/// granted there, and without it asks again and again.
pub fn multipart(
    ranges: &[ByteRange],
    size: u64,
    part_fields: &FieldBlock,
    boundary: &str,
    slice: impl Fn(ByteRange) -> Part,
) -> Vec<Part> {
    let mut parts = Vec::with_capacity(2 * ranges.len() + 1);
    for range in ranges {
        let mut fields = part_fields.clone();
        fields.push("Content-Range", range.content_range(size));
        let delimiter = format!("\r\n--{boundary}\r\n");
        parts.push(Part::Bytes([delimiter.as_bytes(), fields.as_bytes(), b"\r\n"].concat().into()));
        parts.push(slice(*range));
    }
    parts.push(Part::Bytes(format!("\r\n--{boundary}--\r\n").into_bytes().into()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_selected_as_rfc_9110_section_14_says() {
        let whole = || Selection::Whole;
        let some = |ranges: &[(u64, u64)]| {
            Selection::Ranges(ranges.iter().map(|&(first, last)| ByteRange { first, last }).collect())
        };
        let rows = [
            // §14.1.2
            ("bytes=0-4", 10, some(&[(0, 4)])),
            ("bytes=5-", 10, some(&[(5, 9)])),
            ("bytes=-3", 10, some(&[(7, 9)])),
            ("bytes=-30", 10, some(&[(0, 9)])),
            ("bytes=0-99", 10, some(&[(0, 9)])),
            ("bytes=9-9", 10, some(&[(9, 9)])),
            ("bytes=10-", 10, Selection::Unsatisfiable),
            ("bytes=-0", 10, Selection::Unsatisfiable),
            // §14.2: the field is ignored for an empty representation
            ("bytes=0-", 0, whole()),
            ("bytes=0-1023", 0, whole()),
            ("bytes=-1", 0, whole()),
            // §14.1: units are case-insensitive; §14.2: unknown ones are ignored
            ("BYTES=0-4", 10, some(&[(0, 4)])),
            ("lines=0-4", 10, whole()),
            ("bytes 0-4", 10, whole()),
            // §14.1.1: what is malformed makes the whole field invalid
            ("bytes=4-0", 10, whole()),
            ("bytes=0-1,4-0", 10, whole()),
            ("bytes=", 10, whole()),
            ("bytes=,", 10, whole()),
            ("bytes=-", 10, whole()),
            ("bytes=a-b", 10, whole()),
            ("bytes=+0-4", 10, whole()),
            ("bytes=0 - 4", 10, whole()),
            ("bytes=0-4-6", 10, whole()),
            ("bytes=--4", 10, whole()),
            // numbers that overflow
            ("bytes=0-99999999999999999999999", 10, some(&[(0, 9)])),
            ("bytes=-99999999999999999999999", 10, some(&[(0, 9)])),
            ("bytes=99999999999999999999999-", 10, Selection::Unsatisfiable),
            ("bytes=1-18446744073709551615", u64::MAX, some(&[(1, u64::MAX - 1)])),
            ("bytes=0-,1-", u64::MAX, whole()),
            // several; §5.6.1.2: empty members
            ("bytes=0-1,4-5", 10, some(&[(0, 1), (4, 5)])),
            ("bytes=4-5 ,\t0-1", 10, some(&[(4, 5), (0, 1)])),
            ("bytes=,0-1,,4-5,", 10, some(&[(0, 1), (4, 5)])),
            ("bytes=0-1,20-30", 10, some(&[(0, 1)])),
            ("bytes=20-30,40-", 10, Selection::Unsatisfiable),
            ("bytes=0-2,1-3", 10, some(&[(0, 2), (1, 3)])),
            // §17.15: more than there is
            ("bytes=0-,0-", 10, whole()),
            ("bytes=0-,-1", 10, whole()),
        ];
        for (value, size, expected) in rows {
            assert_eq!(select(value.as_bytes(), size), expected, "{value} of {size}");
        }
    }

    #[test]
    fn two_hundred_ranges_that_ascend_are_sent_and_sixteen_others() {
        let ascending = |count: u64| (0..count).map(|index| format!("{0}-{0}", 2 * index)).collect::<Vec<_>>();
        let select = |ranges: Vec<String>| select(format!("bytes={}", ranges.join(",")).as_bytes(), 1000);
        assert!(matches!(select(ascending(200)), Selection::Ranges(ranges) if ranges.len() == 200));
        assert_eq!(select(ascending(201)), Selection::Whole);
        let descending = |count| ascending(count).into_iter().rev().collect();
        assert!(matches!(select(descending(16)), Selection::Ranges(_)));
        assert_eq!(select(descending(17)), Selection::Whole);
        assert_eq!(select(vec!["0-0".to_owned(); 17]), Selection::Whole, "they overlap");
    }
}
