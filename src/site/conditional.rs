//! Conditional requests (RFC 9110 §13): is the client's copy still good, and may a range be added to it?

use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use crate::http::{Date, Field, RequestHead, parse_http_date};

/// What tells one state of a representation from another (RFC 9110 §8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The entity tag.
    pub etag: Option<ETag>,
    /// `Last-Modified`.
    pub last_modified: Option<Date>,
    /// The same as seconds since the Unix epoch, for comparisons. A file whose time lies in the future has none: its
    /// `Last-Modified` is the moment of each answer, and says nothing of its bytes.
    pub modified: Option<i64>,
}

/// An entity tag of ours. It is made of what the representation is, not of where it lies: each replica has the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag {
    /// Other bytes may get the same tag (RFC 9110 §8.8.1), so it is good for a 304, but a part must not be added to what
    /// has it.
    weak: bool,
    /// With its quotes.
    opaque: String,
}

impl ETag {
    /// The strong tag of these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        ETag { weak: false, opaque: format!("\"{:x}-{:016x}\"", bytes.len(), hasher.finish()) }
    }

    /// The tag of a file that is not read for it: its size, and its modification time in seconds and nanoseconds. It is
    /// weak as long as the file may change again without its time telling.
    pub fn of_file(size: u64, (seconds, nanoseconds): (i64, i64), settled: bool) -> Self {
        // As long at one moment as at another, so that the simulator's runs can be repeated to the byte.
        ETag { weak: !settled, opaque: format!("\"{size:x}-{seconds:x}.{nanoseconds:08x}\"") }
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.weak { "W/" } else { "" }, self.opaque)
    }
}

impl Validators {
    /// The validators that are sent at the second `now` with bytes that were modified at this one, if that is known.
    pub fn new(etag: ETag, modified: Option<i64>, now: &Date) -> Self {
        let modified = modified.map(|modified| u64::try_from(modified).unwrap_or(0));
        Validators {
            etag: Some(etag),
            // RFC 9110 §8.8.2.1: "An origin server with a clock MUST NOT generate a Last-Modified date that is
            // later than the server's time of message origination (Date)."
            last_modified: modified.map(|modified| Date::from_unix(modified.min(now.unix()))),
            modified: modified.filter(|modified| *modified <= now.unix()).map(u64::cast_signed),
        }
    }
}

/// What the preconditions of a GET or HEAD come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on as if there were none.
    Proceed,
    /// 304: the client has it already.
    NotModified,
    /// 412: it is not what the client thinks it is.
    Failed,
}

/// Evaluates the preconditions in the order of RFC 9110 §13.2.2.
pub fn evaluate(head: &RequestHead<'_>, validators: &Validators, now: &Date) -> Verdict {
    // (1), and (2) only without (1).
    if head.has(Field::IfMatch) {
        if !any_tag(head, Field::IfMatch, |tag| tag.matches_strongly(validators)) {
            return Verdict::Failed;
        }
    } else if let (Some(since), Some(modified)) = (date(head, Field::IfUnmodifiedSince, now), validators.modified)
        && modified > since
    {
        return Verdict::Failed;
    }
    // (3), and (4) only without (3).
    if head.has(Field::IfNoneMatch) {
        if any_tag(head, Field::IfNoneMatch, |tag| tag.matches_weakly(validators)) {
            return Verdict::NotModified;
        }
    } else if let (Some(since), Some(modified)) = (date(head, Field::IfModifiedSince, now), validators.modified)
        && modified <= since
    {
        return Verdict::NotModified;
    }
    Verdict::Proceed
}

/// RFC 9110 §13.1.5: whether `Range` counts. If what the client has a part of no longer exists, it wants all
/// of what is there now.
pub fn range_applies(head: &RequestHead<'_>, validators: &Validators, now: &Date) -> bool {
    if !head.has(Field::IfRange) {
        return true;
    }
    let Some(value) = head.value(Field::IfRange) else { return false };
    if let Some(tag) = EntityTags(value).next() {
        return tag != EntityTag::Any && tag.matches_strongly(validators);
    }
    let (Some(date), Some(modified)) = (parse_http_date(value, now), validators.modified) else { return false };
    // "If the HTTP-date validator provided is not a strong validator in the sense defined by Section 8.8.2.2, the
    // condition is false." It is none while the file can change again in the same second.
    let is_strong = modified < now.unix().cast_signed();
    // "If the HTTP-date validator provided exactly matches the Last-Modified field value …"
    is_strong && date == modified
}

/// RFC 9110 §13.1.3, §13.1.4: a recipient must ignore a value that is not an HTTP-date.
fn date(head: &RequestHead<'_>, field: Field, now: &Date) -> Option<i64> {
    head.value(field).and_then(|value| parse_http_date(value, now))
}

fn any_tag(head: &RequestHead<'_>, field: Field, matches: impl Fn(EntityTag<'_>) -> bool) -> bool {
    head.lines(field).flat_map(EntityTags).any(matches)
}

/// A member of `If-Match` or `If-None-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntityTag<'a> {
    /// `*`: whatever there is.
    Any,
    /// `"tag"` or `W/"tag"`.
    Tag { weak: bool, opaque: &'a [u8] },
}

impl EntityTag<'_> {
    /// RFC 9110 §8.8.3.2: "two entity tags are equivalent if both are not weak and their opaque-tags match".
    fn matches_strongly(self, validators: &Validators) -> bool {
        let is_strong = match self {
            EntityTag::Any => true,
            EntityTag::Tag { weak, .. } => !weak && validators.etag.as_ref().is_some_and(|etag| !etag.weak),
        };
        is_strong && self.matches_weakly(validators)
    }

    fn matches_weakly(self, validators: &Validators) -> bool {
        match self {
            EntityTag::Any => true,
            EntityTag::Tag { opaque, .. } => {
                validators.etag.as_ref().is_some_and(|etag| etag.opaque.as_bytes() == opaque)
            }
        }
    }
}

/// The entity tags of one field line. A comma may stand inside of one (RFC 9110 §8.8.3); what is none
/// is passed over, and so matches nothing.
struct EntityTags<'a>(&'a [u8]);

impl<'a> Iterator for EntityTags<'a> {
    type Item = EntityTag<'a>;

    fn next(&mut self) -> Option<EntityTag<'a>> {
        loop {
            let start = self.0.iter().position(|byte| !b" \t,".contains(byte))?;
            let member = &self.0[start..];
            let (tag, rest) = read_tag(member).map_or((None, member), |(tag, rest)| (Some(tag), rest));
            let (trailing, next) = rest.split_at(memchr::memchr(b',', rest).unwrap_or(rest.len()));
            self.0 = next;
            // Only white space may stand between a member and the comma that ends it.
            if tag.is_some() && trailing.trim_ascii().is_empty() {
                return tag;
            }
        }
    }
}

/// The entity tag at the beginning, and what follows it.
fn read_tag(bytes: &[u8]) -> Option<(EntityTag<'_>, &[u8])> {
    if let Some(rest) = bytes.strip_prefix(b"*") {
        return Some((EntityTag::Any, rest));
    }
    let (weak, quoted) = bytes.strip_prefix(b"W/").map_or((false, bytes), |quoted| (true, quoted));
    let inner = quoted.strip_prefix(b"\"")?;
    let (opaque, rest) = quoted.split_at(memchr::memchr(b'"', inner)? + 2);
    Some((EntityTag::Tag { weak, opaque }, rest))
}
