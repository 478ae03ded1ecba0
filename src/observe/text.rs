//! Text of records: one line per record, whatever a peer has sent.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::Serializer;

use crate::http::Date;

/// Bytes from a peer, safe inside the quotes of a log line: quotes, backslashes, control bytes and non-ASCII bytes are
/// escaped.
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

/// A duration for people, in three or four characters and its unit: `0.3 ms`, `812 ms`, `3.1 s`, `75 s`, `12 min`.
#[derive(Clone, Copy, Debug)]
pub struct Brief(pub Duration);

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let millis = seconds * 1000.0;
        match seconds {
            ..0.00995 => write!(f, "{millis:.1} ms"),
            ..0.9995 => write!(f, "{millis:.0} ms"),
            _ if self.0.subsec_nanos() == 0 && seconds < 9.95 => write!(f, "{seconds} s"),
            ..9.95 => write!(f, "{seconds:.1} s"),
            ..119.5 => write!(f, "{seconds:.0} s"),
            ..7170.0 => write!(f, "{:.0} min", seconds / 60.0),
            _ => write!(f, "{:.0} h", seconds / 3600.0),
        }
    }
}

/// A number for people, with a comma between groups of three digits: `1,234`.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_char(',')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

/// One thing or several of them: `1 request`, `2 requests`.
pub fn plural(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", Count(number), if number == 1 { one } else { several })
}

/// Text that may be as many columns wide, with an ellipsis where it was cut. Each character of it takes one.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    match text.char_indices().nth(columns) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()),
    }
}

/// A request target, cut to `most` bytes with `...` behind them: a peer may send many times more than anybody wants to
/// read.
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
    fn durations_are_brief() {
        for (micros, text) in [
            (0, "0.0 ms"),
            (310, "0.3 ms"),
            (9_949, "9.9 ms"),
            (9_950, "10 ms"),
            (999_499, "999 ms"),
            (999_500, "1.0 s"),
            (2_000_000, "2 s"),
            (2_000_001, "2.0 s"),
            (9_949_000, "9.9 s"),
            (75_012_345, "75 s"),
            (119_500_000, "2 min"),
            (7_169_000_000, "119 min"),
            (7_200_000_000, "2 h"),
        ] {
            assert_eq!(Brief(Duration::from_micros(micros)).to_string(), text, "{micros}");
        }
    }

    #[test]
    fn numbers_are_grouped_and_their_nouns_agree() {
        for (number, text) in [(0, "0"), (999, "999"), (1_234, "1,234"), (12_345_678, "12,345,678")] {
            assert_eq!(Count(number).to_string(), text);
        }
        assert_eq!(plural(1, "line", "lines") + ", " + &plural(1_000, "line", "lines"), "1 line, 1,000 lines");
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        for (text, columns, shown) in [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("äöüß", 3, "äö…"), ("", 0, "")]
        {
            assert_eq!(cut(text, columns), shown);
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
