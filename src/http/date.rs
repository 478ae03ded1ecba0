//! HTTP-dates (RFC 9110 §5.6.7).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A second of the wall clock, with its IMF-fixdate text ready to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    unix: u64,
    text: [u8; 29],
}

impl Date {
    /// The date of a second since the Unix epoch. Seconds past the year 9999, which no
    /// HTTP-date can tell, are taken as its last one.
    pub fn from_unix(unix: u64) -> Self {
        const LAST: u64 = 253_402_300_799;
        let unix = unix.min(LAST);
        let formatted = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(unix));
        let mut text = [b' '; 29];
        text.copy_from_slice(formatted.as_bytes());
        Date { unix, text }
    }

    /// The second, counted from the Unix epoch.
    pub fn unix(&self) -> u64 {
        self.unix
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("httpdate writes ASCII")
    }

    /// The same as bytes, for the head of a response.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

/// The second a field value names, in any of the three forms of RFC 9110 §5.6.7; `None` if it
/// is no HTTP-date.
pub fn parse_http_date(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let time: SystemTime = httpdate::parse_http_date(text).ok()?;
    Some(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_imf_fixdate_and_read_in_all_three_forms() {
        assert_eq!(Date::from_unix(784_111_777).as_str(), "Sun, 06 Nov 1994 08:49:37 GMT");
        for form in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse_http_date(form.as_bytes()), Some(784_111_777), "{form}");
        }
        assert_eq!(parse_http_date(b"yesterday"), None);
    }

    #[test]
    fn a_date_beyond_what_http_can_tell_does_not_panic() {
        assert_eq!(Date::from_unix(u64::MAX).as_str(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
