//! Header sections that came lately. What differs between two requests of one client is often only the target: the
//! section behind the request line need not be read again if it is the same, byte for byte.

use std::rc::Rc;

use super::fields::{FieldIndex, Fields};
use super::head::{self, Expectation, Framing, split_query};
use super::{BadRequest, ConnectionOptions, Limits, Method, RequestHead, Version};

/// How many are known at a time.
const MAX_SECTIONS: usize = 32;

/// Bytes of a section that is worth to be known.
const MAX_SECTION: usize = 2048;

/// Sections that were found good, and what they mean. To know them changes no answer, only how soon it is found.
#[derive(Debug, Default)]
pub struct KnownSections {
    sections: Vec<Known>,
    /// The one that was used last.
    latest: Place,
    /// The one that gives way next.
    oldest: usize,
}

/// Which section a connection's last request had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(u8);

/// The section of a request by HTTP/1.1 without content: most are.
#[derive(Debug)]
struct Known {
    bytes: Box<[u8]>,
    options: ConnectionOptions,
    index: Rc<FieldIndex>,
}

impl KnownSections {
    /// As [`head::parse`], of a connection whose last request had its section at this place.
    pub(super) fn parse<'a>(
        &mut self,
        bytes: &'a [u8],
        place: &mut Place,
        limits: &Limits,
    ) -> Result<Option<(RequestHead<'a>, usize)>, BadRequest> {
        if let Some((line, section)) = RequestLine::read(bytes)
            && let Some((known, found)) = self.find(section, *place)
            && bytes.len() - section.len() + known.bytes.len() <= limits.max_head
        {
            let (section, rest) = section.split_at(known.bytes.len());
            let head = known.head(line, section);
            (*place, self.latest) = (found, found);
            return Ok(Some((head, bytes.len() - rest.len())));
        }
        let found = head::parse(bytes, limits)?;
        if let Some((head, _)) = &found {
            self.learn(head, place);
        }
        Ok(found)
    }

    /// The known section with which these bytes begin: the client's last one, or else whoever was last.
    fn find(&self, bytes: &[u8], place: Place) -> Option<(&Known, Place)> {
        [place, self.latest].into_iter().find_map(|place| {
            let known = self.sections.get(usize::from(place.0))?;
            bytes.starts_with(&known.bytes).then_some((known, place))
        })
    }

    fn learn(&mut self, head: &RequestHead<'_>, place: &mut Place) {
        let section = head.fields.section();
        let plain = head.version == Version::Http11
            && head.framing == Framing::None
            && head.expectation == Expectation::None
            && section.len() <= MAX_SECTION;
        if !plain {
            return;
        }
        let found = self.sections.iter().position(|known| *known.bytes == *section).unwrap_or_else(|| {
            let known = Known { bytes: section.into(), options: head.options, index: head.fields.index() };
            if self.sections.len() < MAX_SECTIONS {
                self.sections.push(known);
                return self.sections.len() - 1;
            }
            let place = self.oldest;
            self.sections[place] = known;
            self.oldest = (place + 1) % MAX_SECTIONS;
            place
        });
        *place = Place(found as u8);
        self.latest = *place;
    }
}

impl Known {
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
    /// `GET` or `HEAD`, a path, HTTP/1.1 and CRLF; what is written otherwise is for [`head::parse`] to read. Returns
    /// what follows the line, too.
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

    /// What is read of a head, with the sections known and without.
    fn read(known: &mut KnownSections, place: &mut Place, bytes: &str) -> [String; 2] {
        let limits = Limits::DEFAULT;
        let show = |found: Result<Option<(RequestHead<'_>, usize)>, BadRequest>| {
            let found = found.map(|found| {
                found.map(|(head, length)| {
                    let RequestHead { method, method_as_sent, target, target_as_sent, version, .. } = head;
                    let RequestHead { options, framing, expectation, .. } = head;
                    let values = [Field::Host, Field::Accept, Field::Via].map(|field| {
                        let lines: Vec<_> = head.lines(field).map(<[u8]>::to_vec).collect();
                        (lines, head.value(field).map(<[u8]>::to_vec), head.has(field))
                    });
                    let line = format!("{method:?} {method_as_sent} {target:?} {target_as_sent} {version:?}");
                    format!("{line} {options:?} {framing:?} {expectation:?} {values:?} {length}")
                })
            });
            format!("{found:?}")
        };
        [show(known.parse(bytes.as_bytes(), place, &limits)), show(head::parse(bytes.as_bytes(), &limits))]
    }

    #[test]
    fn to_know_a_section_changes_no_answer() {
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
        let (mut known, mut place) = (KnownSections::default(), Place::default());
        for _ in 0..2 {
            for section in sections {
                for line in lines {
                    let [with, without] = read(&mut known, &mut place, &format!("{line}{section}"));
                    assert_eq!(with, without, "{line}{section}");
                }
            }
        }
        assert_eq!(known.sections.len(), 4);
    }

    #[test]
    fn what_is_known_is_bounded_and_what_is_used_goes_on_to_be_found() {
        let (mut known, mut place) = (KnownSections::default(), Place::default());
        for number in 0..3 * MAX_SECTIONS {
            let section = format!("GET / HTTP/1.1\r\nHost: a{number}\r\n\r\n");
            for _ in 0..2 {
                let [with, without] = read(&mut known, &mut place, &section);
                assert_eq!(with, without);
            }
        }
        assert_eq!(known.sections.len(), MAX_SECTIONS);
        let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(MAX_SECTION));
        read(&mut known, &mut place, &long);
        assert!(known.sections.iter().all(|section| section.bytes.len() <= MAX_SECTION));
    }
}
