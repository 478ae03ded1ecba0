//! Field lines: the fields that the server uses, found in one pass, and how to read their values.

use std::rc::Rc;

/// Writes the enum of the fields that the server uses, and the lookup by name.
macro_rules! known_fields {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The request fields that the server uses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names are the fields")]
        pub enum Field { $($name),* }

        impl Field {
            const COUNT: usize = [$(Field::$name),*].len();

            /// The field's name, in lower case.
            pub const fn name(self) -> &'static str {
                match self { $(Field::$name => $text),* }
            }

            fn from_name(name: &str) -> Option<Field> {
                $(if name.len() == $text.len() && name.eq_ignore_ascii_case($text) {
                    return Some(Field::$name);
                })*
                None
            }
        }
    };
}

known_fields! {
    Host = "host",
    UserAgent = "user-agent",
    Accept = "accept",
    AcceptEncoding = "accept-encoding",
    Connection = "connection",
    Referer = "referer",
    IfNoneMatch = "if-none-match",
    IfModifiedSince = "if-modified-since",
    Range = "range",
    IfRange = "if-range",
    IfMatch = "if-match",
    IfUnmodifiedSince = "if-unmodified-since",
    ContentLength = "content-length",
    TransferEncoding = "transfer-encoding",
    Expect = "expect",
    LastEventId = "last-event-id",
    Origin = "origin",
    SecFetchSite = "sec-fetch-site",
    SecFetchMode = "sec-fetch-mode",
    SecFetchDest = "sec-fetch-dest",
}

/// The field lines of a head, with the index of the used fields.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    section: &'a [u8],
    index: Rc<FieldIndex>,
}

/// The positions of the used fields, found in one pass over a header section. It holds for any other section of the
/// same bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldIndex {
    /// Start and end of the value on the first line of each field in the section; no value starts at 0.
    first: [(u32, u32); Field::COUNT],
    /// One bit per field, set if it has more than one line; those are looked up again in the section.
    repeated: u32,
    /// A proxy has added one of the lines, as far as their names tell.
    is_forwarded: bool,
}

impl FieldIndex {
    /// Makes the index of lines that httparse found in `section`.
    pub(super) fn new(lines: &[httparse::Header<'_>], section: &[u8]) -> Self {
        let mut index = FieldIndex { first: [(0, 0); Field::COUNT], repeated: 0, is_forwarded: false };
        for line in lines {
            index.is_forwarded |= is_added_by_proxies(line.name);
            let Some(field) = Field::from_name(line.name) else { continue };
            match &mut index.first[field as usize] {
                first @ (0, _) => {
                    let start = line.value.as_ptr() as usize - section.as_ptr() as usize;
                    *first = (start as u32, (start + line.value.len()) as u32);
                }
                _ => index.repeated |= 1 << field as u32,
            }
        }
        index
    }
}

impl<'a> Fields<'a> {
    pub(super) fn new(section: &'a [u8], index: Rc<FieldIndex>) -> Self {
        Fields { section, index }
    }

    /// All lines, including the empty one at the end.
    pub(super) fn section(&self) -> &'a [u8] {
        self.section
    }

    pub(super) fn index(&self) -> Rc<FieldIndex> {
        Rc::clone(&self.index)
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.index.first[field as usize].0 != 0
    }

    pub(super) fn is_forwarded(&self) -> bool {
        self.index.is_forwarded
    }

    fn is_repeated(&self, field: Field) -> bool {
        self.index.repeated & 1 << field as u32 != 0
    }

    /// The value on the only line of a field.
    pub(super) fn value(&self, field: Field) -> Option<&'a [u8]> {
        if self.is_repeated(field) { None } else { self.first(field) }
    }

    fn first(&self, field: Field) -> Option<&'a [u8]> {
        match self.index.first[field as usize] {
            (0, _) => None,
            (start, end) => self.section.get(start as usize..end as usize),
        }
    }

    pub(super) fn lines(&self, field: Field) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let again = if self.is_repeated(field) { self.section } else { &[] };
        // httparse has accepted these lines: a name, a colon, a value, one line each.
        let again = again.split(|byte| *byte == b'\n').filter_map(move |line| {
            let colon = memchr::memchr(b':', line)?;
            line[..colon].eq_ignore_ascii_case(field.name().as_bytes()).then(|| line[colon + 1..].trim_ascii())
        });
        self.value(field).into_iter().chain(again)
    }
}

/// Whether proxies add a field of this name. There is no list of them: each vendor has names of its own, but they are
/// alike (`X-Forwarded-For`, `X_Forwarded_For`, `CF-Connecting-IP`, `True-Client-IP`, `X-Envoy-External-Address`).
fn is_added_by_proxies(name: &str) -> bool {
    let name = name.as_bytes();
    // Some gateways write `_` where the field has `-`.
    let is_like = |part: &[u8], known: &[u8]| {
        part.iter().zip(known).all(|(byte, known)| byte.eq_ignore_ascii_case(known) || (*byte, *known) == (b'_', b'-'))
    };
    let ends_with = |end: &[u8]| name.len() >= end.len() && is_like(&name[name.len() - end.len()..], end);
    name.eq_ignore_ascii_case(b"via")
        || name.eq_ignore_ascii_case(b"cdn-loop")
        || name.len() > b"x-envoy-".len() && is_like(name, b"x-envoy-")
        || name.windows(b"forwarded".len()).any(|part| part.eq_ignore_ascii_case(b"forwarded"))
        || [&b"real-ip"[..], b"client-ip", b"connecting-ip"].into_iter().any(ends_with)
}

/// The members of a list-based field (RFC 9110 §5.6.1), without white space and empty ones. Commas
/// in quoted strings also split: none of the lists read this way holds a member with one.
pub fn list_members(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Parses `1*DIGIT`, and nothing else that a lenient reader would take for a number (`+5`, ` 5`, `0x5`).
pub fn parse_digits(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// RFC 9110 §5.6.2: `tchar`.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proxies_are_known_by_their_names() {
        let of_proxies = [
            "Forwarded",
            "Forwarded-For",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Forwarded-Port",
            "X-Forwarded-Server",
            "X_Forwarded_For",
            "x-original-forwarded-for",
            "Via",
            "VIA",
            "X-Real-IP",
            "x_real_ip",
            "Real-IP",
            "X-Client-IP",
            "Client-IP",
            "True-Client-IP",
            "X-Cluster-Client-IP",
            "Fastly-Client-IP",
            "Fly-Client-IP",
            "CF-Connecting-IP",
            "CF-Connecting-IPv6-Forwarded",
            "CDN-Loop",
            "X-Envoy-External-Address",
            "x-envoy-internal",
        ];
        let of_clients = [
            "Host",
            "User-Agent",
            "Accept",
            "Max-Forwards",
            "Vias",
            "Vi",
            "X",
            "",
            "X-Envoy",
            "IP",
            "X-Requested-With",
            "Sec-Fetch-Site",
            "If-None-Match",
            "X-Real-IPs",
            "Referer",
            "Cookie",
            "DNT",
            "Client-IP-Hint",
        ];
        for (names, expected) in [(&of_proxies[..], true), (&of_clients[..], false)] {
            for name in names {
                assert_eq!(is_added_by_proxies(name), expected, "{name}");
            }
        }
    }
}
