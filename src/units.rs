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
            "" if number == 0 => 0,
            "" => return Err("the unit is missing: ms, s, m or h".into()),
            _ => return Err(format!("unknown unit '{unit}': use ms, s, m or h")),
        };
        let millis = number.checked_mul(millis_each).map(Duration::from_millis);
        millis.filter(|span| *span <= MAX_SPAN).map(Span).ok_or_else(|| "longer than a year".into())
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
        number.checked_mul(bytes_each).map(Bytes).ok_or_else(|| "too large".into())
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

fn split_unit<'a>(text: &'a str, expected: &str) -> Result<(u64, &'a str), String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    if digits.is_empty() {
        return Err(format!("expected {expected}"));
    }
    digits.parse().map(|number| (number, unit)).map_err(|_| "too large".into())
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
        for text in ["", "5", "s", "-1s", "+1s", "1.5s", "5 s", "5sec", "99999999999999999999s", "9000h"] {
            assert!(span(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_have_a_number_and_perhaps_a_unit() {
        let bytes = |text: &str| text.parse::<Bytes>().map(|bytes| bytes.0);
        for (text, number) in [("0", 0), ("512", 512), ("7B", 7), ("16KiB", 16 << 10), ("3MiB", 3 << 20)] {
            assert_eq!(bytes(text), Ok(number), "{text}");
        }
        for text in ["", "KiB", "-1", "1kb", "1.5MiB", "17179869184GiB"] {
            assert!(bytes(text).is_err(), "{text:?}");
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
