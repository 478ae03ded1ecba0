//! Durations and sizes as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A duration as it is written on the command line and in queries: `250ms`, `5s`, `2m`, `1h`, `0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// The longest that makes sense; beyond it sums of durations could overflow.
const MAX_SPAN: Duration = Duration::from_secs(365 * 24 * 3600);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_unit(text, "a duration like 250ms, 5s, 2m or 1h")?;
        let millis_each = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "" if number == Some(0) => 0,
            "" => return Err(format!("the unit is missing: write {text}s, or {text}ms, {text}m or {text}h")),
            _ => return Err(format!("unknown unit '{unit}': use ms, s, m or h")),
        };
        let millis = number.and_then(|number| number.checked_mul(millis_each)).map(Duration::from_millis);
        millis.filter(|span| *span <= MAX_SPAN).map(Span).ok_or_else(|| "must be at most 8760h, a year".into())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        match (millis % 3_600_000, millis % 60_000, millis % 1000) {
            _ if millis == 0 => f.write_str("0"),
            (0, _, _) => write!(f, "{}h", millis / 3_600_000),
            (_, 0, _) if millis > 120_000 => write!(f, "{}m", millis / 60_000),
            (_, _, 0) => write!(f, "{}s", millis / 1000),
            _ => write!(f, "{millis}ms"),
        }
    }
}

/// A number of bytes as it is written there: `512`, `16KiB`, `1MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_unit(text, "a size like 512, 16KiB or 1MiB")?;
        let bytes_each = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(format!("unknown unit '{unit}': use KiB, MiB or GiB")),
        };
        let bytes = number.and_then(|number| number.checked_mul(bytes_each));
        bytes.map(Bytes).ok_or_else(|| format!("must be at most {} bytes", u64::MAX))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes != 0 && bytes % (1 << 20) == 0 => write!(f, "{}MiB", bytes >> 20),
            bytes if bytes != 0 && bytes % (1 << 10) == 0 => write!(f, "{}KiB", bytes >> 10),
            bytes => write!(f, "{bytes}"),
        }
    }
}

/// The number, unless it is too large for any use, and the unit behind it.
fn split_unit<'a>(text: &'a str, expected: &str) -> Result<(Option<u64>, &'a str), String> {
    let is_digit = |c: char| c.is_ascii_digit();
    let (digits, unit) = text.split_at(text.find(|c| !is_digit(c)).unwrap_or(text.len()));
    if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_digit)) {
        return Err("must not be negative".into());
    }
    if digits.is_empty() {
        return Err(format!("expected {expected}"));
    }
    if unit.starts_with(['.', ',']) {
        return Err(format!("expected {expected}, without a fraction"));
    }
    if unit.contains(char::is_whitespace) {
        return Err(format!("expected {expected}, without a space"));
    }
    Ok((digits.parse().ok(), unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let span = |text: &str| text.parse::<Span>().map(|span| span.0);
        for (text, millis) in [("0", 0), ("0s", 0), ("250ms", 250), ("5s", 5000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for (text, hint) in [
            ("", "expected a duration like 250ms"),
            ("5", "write 5s"),
            ("s", "expected a duration"),
            ("-1s", "must not be negative"),
            ("+1s", "expected a duration"),
            ("--listing", "expected a duration"),
            ("1.5s", "without a fraction"),
            ("5 s", "without a space"),
            ("5sec", "unknown unit 'sec': use ms, s, m or h"),
            ("99999999999999999999s", "at most 8760h"),
            ("9000h", "at most 8760h"),
        ] {
            assert!(span(text).unwrap_err().contains(hint), "{text:?}: {:?}", span(text));
        }
    }

    #[test]
    fn sizes_have_a_number_and_perhaps_a_unit() {
        let bytes = |text: &str| text.parse::<Bytes>().map(|bytes| bytes.0);
        for (text, number) in [("0", 0), ("512", 512), ("7B", 7), ("16KiB", 16 << 10), ("3MiB", 3 << 20)] {
            assert_eq!(bytes(text), Ok(number), "{text}");
        }
        for (text, hint) in [
            ("", "expected a size like 512"),
            ("KiB", "expected a size"),
            ("-1", "must not be negative"),
            ("1kb", "unknown unit 'kb': use KiB, MiB or GiB"),
            ("1.5MiB", "without a fraction"),
            ("17179869184GiB", "at most 18446744073709551615"),
        ] {
            assert!(bytes(text).unwrap_err().contains(hint), "{text:?}: {:?}", bytes(text));
        }
    }

    #[test]
    fn defaults_are_written_as_they_are_read() {
        for text in ["70s", "5s", "1h", "10s", "250ms", "0", "5m"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        for text in ["16KiB", "256KiB", "1MiB", "0", "1000"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
    }
}
