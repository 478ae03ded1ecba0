//! Field lines: the ones that mean something to us, found in one pass, and how to read their values.

/// Writes the enum of the fields that mean something to us, and how to find one by its name.
macro_rules! known_fields {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The fields of a request that mean something to us.
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
    Forwarded = "forwarded",
    XForwardedFor = "x-forwarded-for",
    Via = "via",
}

/// What was found in one pass over the field lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    /// The first line of each known field.
    first: [Option<&'a [u8]>; Field::COUNT],
    /// A bit for each known field that has more than one line; these are looked up again in `raw`.
    repeated: u32,
    /// The head, for that.
    raw: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn collect(lines: &[httparse::Header<'a>], raw: &'a [u8]) -> Self {
        let mut fields = Fields { first: [None; Field::COUNT], repeated: 0, raw };
        for line in lines {
            if let Some(field) = Field::from_name(line.name) {
                match &mut fields.first[field as usize] {
                    Some(_) => fields.repeated |= 1 << field as u32,
                    first => *first = Some(line.value),
                }
            }
        }
        fields
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.first[field as usize].is_some()
    }

    pub(super) fn lines(&self, field: Field) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let repeated = self.repeated & 1 << field as u32 != 0;
        let raw = if repeated { self.raw } else { &[] };
        // httparse has accepted these lines: a name, a colon, a value, one line each.
        let again = raw.split(|byte| *byte == b'\n').skip(1).filter_map(move |line| {
            let colon = memchr::memchr(b':', line)?;
            line[..colon].eq_ignore_ascii_case(field.name().as_bytes()).then(|| line[colon + 1..].trim_ascii())
        });
        let first = if repeated { None } else { self.first[field as usize] };
        first.into_iter().chain(again)
    }
}

/// The members of a list-based field (RFC 9110 §5.6.1), without white space and empty ones. Commas
/// in quoted strings also split: none of the lists read this way holds a member with one.
pub fn list_members(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// `1*DIGIT`, and nothing that a lenient reader would take for a number (`+5`, ` 5`, `0x5`).
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
