//! How facts become text: one line a record, whatever a peer has sent.

use std::fmt::{self, Write as _};

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

/// `yes` or `no`.
pub const fn yes_no(fact: bool) -> &'static str {
    if fact { "yes" } else { "no" }
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
