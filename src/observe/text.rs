//! How facts become text: one line a record, whatever a peer has sent.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::Serializer;

use crate::http::Date;

/// Bytes of a peer, safe inside the quotes of a log line: quotes, backslashes, control bytes and what
/// is not ASCII are escaped.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            match byte {
                b'"' => f.write_str("\\\"")?,
                b'\\' => f.write_str("\\\\")?,
                b' '..=b'~' => f.write_char(*byte as char)?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        Ok(())
    }
}

/// A number of bytes for people: `512`, `1.2k`, `812k`, `3.4M`.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["k", "M", "G", "T", "P", "E"];
        if self.0 < 1000 {
            return write!(f, "{}", self.0);
        }
        let mut value = self.0 as f64 / 1000.0;
        let mut unit = 0;
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1000.0;
            unit += 1;
        }
        if value < 9.95 { write!(f, "{value:.1}{}", UNITS[unit]) } else { write!(f, "{value:.0}{}", UNITS[unit]) }
    }
}

/// A request target, or its beginning if it is longer than so many bytes: a peer may send many times more than
/// anybody wants to read.
pub fn clip(target: &str, most: usize) -> Cow<'_, str> {
    let beginning = &target[..target.floor_char_boundary(most)];
    if beginning.len() < target.len() { Cow::Owned(format!("{beginning}...")) } else { Cow::Borrowed(target) }
}

/// `yes` or `no`.
pub const fn yes_no(fact: bool) -> &'static str {
    if fact { "yes" } else { "no" }
}

/// A date as the Common Log Format has it: `06/Nov/1994:08:49:37 +0000`.
#[derive(Clone, Copy, Debug)]
pub struct ClfDate(pub Date);

impl fmt::Display for ClfDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, month, year, time) = date_parts(&self.0);
        write!(f, "{day}/{month}/{year}:{time} +0000")
    }
}

/// A date as RFC 3339 has it: `1994-11-06T08:49:37Z`.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339(pub Date);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let (day, month, year, time) = date_parts(&self.0);
        let number = MONTHS.find(month).unwrap_or_default() / 3 + 1;
        write!(f, "{year}-{number:02}-{day}T{time}Z")
    }
}

/// Day, month's name, year and time of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
fn date_parts(date: &Date) -> (&str, &str, &str, &str) {
    let imf = date.as_str();
    (&imf[5..7], &imf[8..11], &imf[12..16], &imf[17..25])
}

/// Microseconds, for JSON.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// For `#[serde(serialize_with)]`: a string of JSON as the value would be displayed.
pub fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_peer_sends_breaks_out_of_its_quotes_or_its_line() {
        let hostile = b"/a\"b\\c\r\nd\x00\x1b[31m\x7f\xc3\xa9";
        assert_eq!(Escaped(hostile).to_string(), r#"/a\"b\\c\x0d\x0ad\x00\x1b[31m\x7f\xc3\xa9"#);
    }

    #[test]
    fn dates_are_written_for_both_logs() {
        for (unix, clf, rfc3339) in [
            (784_111_777, "06/Nov/1994:08:49:37 +0000", "1994-11-06T08:49:37Z"),
            (0, "01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00Z"),
            (1_709_251_199, "29/Feb/2024:23:59:59 +0000", "2024-02-29T23:59:59Z"),
        ] {
            let date = Date::from_unix(unix);
            assert_eq!((ClfDate(date).to_string(), Rfc3339(date).to_string()), (clf.to_owned(), rfc3339.to_owned()));
        }
    }

    #[test]
    fn sizes_have_two_or_three_digits() {
        for (bytes, text) in [
            (0, "0"),
            (999, "999"),
            (1_234, "1.2k"),
            (9_960, "10k"),
            (812_345, "812k"),
            (999_600, "1.0M"),
            (3_400_000, "3.4M"),
            (u64::MAX, "18E"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }
}
