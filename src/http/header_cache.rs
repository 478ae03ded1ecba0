//! Recently seen header sections. Two requests of one client often differ in the target only: the header section behind
//! the request line need not be parsed again if it is the same, byte for byte.

use std::rc::Rc;

use super::fields::{FieldIndex, Fields};
use super::head::{self, Expectation, Framing};
use super::request_target::split_query;
use super::{BadRequest, ConnectionOptions, Limits, Method, RequestHead, Version};

/// Header sections that are cached at a time.
const MAX_SECTIONS: usize = 32;

/// Bytes of the longest section that is cached.
const MAX_SECTION: usize = 2048;

/// Valid header sections and what they mean. A hit gives the same result as parsing, sooner.
#[derive(Debug, Default)]
pub struct HeaderCache {
    sections: Vec<CachedSection>,
    /// The section that was used last, on any connection.
    latest: SectionIndex,
    /// The section that is replaced next.
    oldest: usize,
}

/// The cached section that a connection's last request had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SectionIndex(u8);

/// The header section of an HTTP/1.1 request without content, as most are.
#[derive(Debug)]
struct CachedSection {
    bytes: Box<[u8]>,
    options: ConnectionOptions,
    index: Rc<FieldIndex>,
}

impl HeaderCache {
    /// As [`head::parse`], for a connection whose last request had the section at `index`.
    pub(super) fn parse<'a>(
        &mut self,
        bytes: &'a [u8],
        index: &mut SectionIndex,
        limits: &Limits,
    ) -> Result<Option<(RequestHead<'a>, usize)>, BadRequest> {
        if let Some((line, section)) = RequestLine::read(bytes)
            && let Some((cached, found)) = self.find(section, *index)
            && bytes.len() - section.len() + cached.bytes.len() <= limits.max_head
        {
            let (section, rest) = section.split_at(cached.bytes.len());
            let head = cached.head(line, section);
            (*index, self.latest) = (found, found);
            return Ok(Some((head, bytes.len() - rest.len())));
        }
        let found = head::parse(bytes, limits)?;
        if let Some((head, _)) = &found {
            self.insert(head, index);
        }
        Ok(found)
    }

    /// The cached section with which these bytes begin: that of the connection's last request, or else that of the last
    /// request of all.
    fn find(&self, bytes: &[u8], index: SectionIndex) -> Option<(&CachedSection, SectionIndex)> {
        [index, self.latest].into_iter().find_map(|index| {
            let cached = self.sections.get(usize::from(index.0))?;
            bytes.starts_with(&cached.bytes).then_some((cached, index))
        })
    }

    fn insert(&mut self, head: &RequestHead<'_>, index: &mut SectionIndex) {
        let section = head.fields.section();
        let plain = head.version == Version::Http11
            && head.framing == Framing::None
            && head.expectation == Expectation::None
            && section.len() <= MAX_SECTION;
        if !plain {
            return;
        }
        let found = self.sections.iter().position(|cached| *cached.bytes == *section).unwrap_or_else(|| {
            let cached = CachedSection { bytes: section.into(), options: head.options, index: head.fields.index() };
            if self.sections.len() < MAX_SECTIONS {
                self.sections.push(cached);
                return self.sections.len() - 1;
            }
            let oldest = self.oldest;
            self.sections[oldest] = cached;
            self.oldest = (oldest + 1) % MAX_SECTIONS;
            oldest
        });
        *index = SectionIndex(found as u8);
        self.latest = *index;
    }
}

impl CachedSection {
    fn head<'a>(&self, line: RequestLine<'a>, section: &'a [u8]) -> RequestHead<'a> {
        RequestHead {
            method: line.method,
            method_as_sent: line.method.as_str(),
            target: split_query(line.target),
            target_as_sent: line.target,
            version: Version::Http11,
            options: self.options,
            framing: Framing::None,
            expectation: Expectation::None,
            fields: Fields::new(section, Rc::clone(&self.index)),
        }
    }
}

/// A request line of the plainest kind.
struct RequestLine<'a> {
    method: Method,
    target: &'a str,
}

impl<'a> RequestLine<'a> {
    /// Accepts `GET` or `HEAD`, a path, HTTP/1.1 and CRLF; any other line is left to [`head::parse`]. Returns what follows
    /// the line, too.
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (method, rest) = match bytes {
            [b'G', b'E', b'T', b' ', rest @ ..] => (Method::Get, rest),
            [b'H', b'E', b'A', b'D', b' ', rest @ ..] => (Method::Head, rest),
            _ => return None,
        };
        // Visible ASCII, and no fragment.
        let is_of_target = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#';
        let end = rest.iter().position(|byte| !is_of_target(byte))?;
        let (target, rest) = rest.split_at(end);
        let section = rest.strip_prefix(b" HTTP/1.1\r\n")?;
        let target = std::str::from_utf8(target).ok().filter(|target| target.starts_with('/'))?;
        Some((RequestLine { method, target }, section))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Field;

    /// What is read of a head, with the cache and without.
    fn read(cache: &mut HeaderCache, index: &mut SectionIndex, bytes: &str) -> [String; 2] {
        let limits = Limits::DEFAULT;
        let show = |found: Result<Option<(RequestHead<'_>, usize)>, BadRequest>| {
            let found = found.map(|found| {
                found.map(|(head, length)| {
                    let RequestHead { method, method_as_sent, target, target_as_sent, version, .. } = head;
                    let RequestHead { options, framing, expectation, .. } = head;
                    let values = [Field::Host, Field::Accept, Field::Origin].map(|field| {
                        let lines: Vec<_> = head.lines(field).map(<[u8]>::to_vec).collect();
                        (lines, head.value(field).map(<[u8]>::to_vec), head.has(field))
                    });
                    let line = format!("{method:?} {method_as_sent} {target:?} {target_as_sent} {version:?}");
                    format!("{line} {options:?} {framing:?} {expectation:?} {values:?} {length}")
                })
            });
            format!("{found:?}")
        };
        [show(cache.parse(bytes.as_bytes(), index, &limits)), show(head::parse(bytes.as_bytes(), &limits))]
    }

    #[test]
    fn a_cached_section_gives_the_same_result_as_parsing() {
        let sections = [
            "Host: a\r\n\r\n",
            "Host: a\r\n\r\nGET /next HTTP/1.1\r\n",
            "Host: a\r\nAccept: b\r\nConnection: close\r\nAccept:  c \r\n\r\n",
            "Host: a\r\nContent-Length: 3\r\n\r\nabc",
            "Host: a\r\nExpect: 100-continue\r\n\r\n",
            "Host: a\r\nHost: b\r\n\r\n",
            "Host: a\n\n",
            "Host: a\r\n",
            "Via:\r\nHost: a\r\n\r\n",
            "\r\n",
        ];
        let lines = [
            "GET / HTTP/1.1\r\n",
            "HEAD /a?b?c HTTP/1.1\r\n",
            "GET /a HTTP/1.0\r\n",
            "GET /a HTTP/1.1\n",
            "GET /a  HTTP/1.1\r\n",
            "GET /a#b HTTP/1.1\r\n",
            "GET /\u{e9} HTTP/1.1\r\n",
            "GET a HTTP/1.1\r\n",
            "GET http://b/c HTTP/1.1\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "POST / HTTP/1.1\r\n",
        ];
        let (mut cache, mut index) = (HeaderCache::default(), SectionIndex::default());
        for _ in 0..2 {
            for section in sections {
                for line in lines {
                    let [with, without] = read(&mut cache, &mut index, &format!("{line}{section}"));
                    assert_eq!(with, without, "{line}{section}");
                }
            }
        }
        assert_eq!(cache.sections.len(), 4);
    }

    #[test]
    fn the_cache_is_bounded_and_still_finds_what_is_used() {
        let (mut cache, mut index) = (HeaderCache::default(), SectionIndex::default());
        for number in 0..3 * MAX_SECTIONS {
            let section = format!("GET / HTTP/1.1\r\nHost: a{number}\r\n\r\n");
            for _ in 0..2 {
                let [with, without] = read(&mut cache, &mut index, &section);
                assert_eq!(with, without);
            }
        }
        assert_eq!(cache.sections.len(), MAX_SECTIONS);
        let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(MAX_SECTION));
        read(&mut cache, &mut index, &long);
        assert!(cache.sections.iter().all(|section| section.bytes.len() <= MAX_SECTION));
    }
}
