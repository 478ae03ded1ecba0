//! HTTP-dates (RFC 9110 §5.6.7).

use std::time::{Duration, UNIX_EPOCH};

use super::Moment;
use super::fields::parse_digits;

/// A second of the wall clock, with its IMF-fixdate text ready to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    unix: u64,
    /// When the second ends, on the monotonic clock.
    ends: Moment,
    text: [u8; 29],
}

impl Date {
    /// The date of a second since the Unix epoch. Seconds past the year 9999, which an HTTP-date can't express, become
    /// its last one.
    pub fn from_unix(unix: u64) -> Self {
        const LAST: u64 = 253_402_300_799;
        let unix = unix.min(LAST);
        let formatted = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(unix));
        let mut text = [b' '; 29];
        text.copy_from_slice(formatted.as_bytes());
        Date { unix, ends: Moment::default(), text }
    }

    /// Moves the date to this time since the Unix epoch, which is `now` on the monotonic clock. Its text is written only if
    /// that is another second.
    pub fn move_to(&mut self, unix: Duration, now: Moment) {
        if unix.as_secs() != self.unix {
            *self = Date::from_unix(unix.as_secs());
        }
        self.ends = now + Duration::from_micros(u64::from(1_000_000 - unix.subsec_micros()));
    }

    /// When the second ends, on the monotonic clock.
    pub fn ends(&self) -> Moment {
        self.ends
    }

    /// The second, counted from the Unix epoch.
    pub fn unix(&self) -> u64 {
        self.unix
    }

    /// Milliseconds from the Unix epoch to `now`, which is within this second.
    pub fn unix_millis(&self, now: Moment) -> u64 {
        let left = self.ends.since(now).as_micros().clamp(1, 1_000_000) as u64;
        self.unix * 1000 + (1_000_000 - left) / 1000
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

/// The seconds since the Unix epoch that a field value means, in any of the three forms of RFC 9110 §5.6.7; `None` if
/// it is not an HTTP-date. The century of a two-digit year depends on `now`.
pub fn parse_http_date(value: &[u8], now: &Date) -> Option<i64> {
    imf_fixdate(value).or_else(|| rfc850_date(value, now)).or_else(|| asctime_date(value))?.unix()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(value: &[u8]) -> Option<Calendar> {
    let mut text = Text(value);
    text.one_of(WEEKDAYS.map(short))?;
    text.skip(", ")?;
    let day = text.digits(2)?;
    text.skip(" ")?;
    let month = text.one_of(MONTHS)?;
    text.skip(" ")?;
    let year = text.digits(4)?;
    text.skip(" ")?;
    let second = text.time_of_day()?;
    text.ends(" GMT").then_some(Calendar { year, month, day, second })
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850_date(value: &[u8], now: &Date) -> Option<Calendar> {
    let mut text = Text(value);
    text.one_of(WEEKDAYS)?;
    text.skip(", ")?;
    let day = text.digits(2)?;
    text.skip("-")?;
    let month = text.one_of(MONTHS)?;
    text.skip("-")?;
    let year = text.digits(2)?;
    text.skip(" ")?;
    let second = text.time_of_day()?;
    text.ends(" GMT").then(|| Calendar { year, month, day, second }.in_century(now))
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime_date(value: &[u8]) -> Option<Calendar> {
    let mut text = Text(value);
    text.one_of(WEEKDAYS.map(short))?;
    text.skip(" ")?;
    let month = text.one_of(MONTHS)?;
    text.skip(" ")?;
    let day = if text.skip(" ").is_some() { text.digits(1)? } else { text.digits(2)? };
    text.skip(" ")?;
    let second = text.time_of_day()?;
    text.skip(" ")?;
    let year = text.digits(4)?;
    text.ends("").then_some(Calendar { year, month, day, second })
}

/// The day of the week is not compared with the date: a date is understood without it, and RFC 9110 §5.6.7 wants
/// recipients "to be robust in parsing timestamps". Names are case-sensitive.
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const MONTH_LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

fn short(weekday: &str) -> &str {
    &weekday[..3]
}

/// The part of a date that is still to be read.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn skip(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal.as_bytes())?;
        Some(())
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        parse_digits(digits).map(u64::cast_signed)
    }

    /// The index of the name that comes next.
    fn one_of<const N: usize>(&mut self, names: [&str; N]) -> Option<usize> {
        names.iter().position(|name| self.skip(name).is_some())
    }

    /// RFC 9110 §5.6.7: `00:00:00 - 23:59:60 (leap second)`, as seconds since midnight.
    fn time_of_day(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.skip(":")?;
        let minute = self.digits(2)?;
        self.skip(":")?;
        let second = self.digits(2)?;
        (hour < 24 && minute < 60 && second <= 60).then_some((hour * 60 + minute) * 60 + second)
    }

    fn ends(&self, with: &str) -> bool {
        self.0 == with.as_bytes()
    }
}

/// A second of the Gregorian calendar. Earlier ones compare as less.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Calendar {
    year: i64,
    /// 0 is January.
    month: usize,
    day: i64,
    /// Since midnight.
    second: i64,
}

impl Calendar {
    /// The century of a year that has two digits. RFC 9110 §5.6.7: "Recipients … MUST interpret a timestamp that
    /// appears to be more than 50 years in the future as representing the most recent year in the past that had the
    /// same last two digits."
    fn in_century(self, now: &Date) -> Calendar {
        let now = imf_fixdate(now.as_bytes()).expect("a date is written as IMF-fixdate");
        let in_50_years = Calendar { year: now.year + 50, ..now };
        let mut date = Calendar { year: now.year - now.year % 100 + 100 + self.year, ..self };
        while date > in_50_years {
            date.year -= 100;
        }
        date
    }

    /// Seconds since the Unix epoch; `None` for a day that the month does not have.
    fn unix(self) -> Option<i64> {
        let Calendar { year, month, day, second } = self;
        if !(1..=days_in(year, month)).contains(&day) {
            return None;
        }
        let in_year: i64 = (0..month).map(|month| days_in(year, month)).sum();
        let days = days_before(year) - days_before(1970) + in_year + day - 1;
        Some(days * 86_400 + second)
    }
}

fn days_in(year: i64, month: usize) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    MONTH_LENGTHS[month] + i64::from(is_leap && MONTHS[month] == "Feb")
}

/// Days from the first of January of the year 1 to that of another year.
fn days_before(year: i64) -> i64 {
    let years = year - 1;
    years * 365 + years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    const WRITTEN: i64 = 784_111_777;

    /// `Fri, 17 Jul 2026 12:00:00 GMT`
    const NOW: u64 = 1_784_289_600;

    #[test]
    fn a_date_is_written_as_imf_fixdate() {
        assert_eq!(Date::from_unix(784_111_777).as_str(), "Sun, 06 Nov 1994 08:49:37 GMT");
        // An HTTP-date can't express more.
        assert_eq!(Date::from_unix(u64::MAX).as_str(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn a_date_moves_by_seconds_and_tells_milliseconds() {
        let mut date = Date::from_unix(784_111_777);
        for (millis, text) in [
            (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_778_000, "Sun, 06 Nov 1994 08:49:38 GMT"),
            (784_111_777_001, "Sun, 06 Nov 1994 08:49:37 GMT"), // the wall clock may be set back
        ] {
            let now = Moment::from_micros(5_000);
            date.move_to(Duration::from_millis(millis), now);
            assert_eq!((date.unix_millis(now), date.unix(), date.as_str()), (millis, millis / 1000, text));
            assert_eq!(date.unix_millis(date.ends()), millis / 1000 * 1000 + 999, "it stays within its second");
        }
    }

    #[test]
    fn dates_are_read_in_all_three_forms() {
        // RFC 9110 §5.6.7
        let rows = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(WRITTEN)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(WRITTEN)),
            ("Sun Nov  6 08:49:37 1994", Some(WRITTEN)),
            ("Sun Nov 06 08:49:37 1994", Some(WRITTEN)), // date3 = month SP ( 2DIGIT / ( SP 1DIGIT ) )
            // Whatever the day of the week.
            ("Mon, 06 Nov 1994 08:49:37 GMT", Some(WRITTEN)),
            ("Monday, 06-Nov-94 08:49:37 GMT", Some(WRITTEN)),
            ("Mon Nov  6 08:49:37 1994", Some(WRITTEN)),
            // Also before the epoch.
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", Some(-1)),
            ("Fri, 01 Jan 1960 00:00:00 GMT", Some(-315_619_200)),
            ("Mon, 01 Jan 0001 00:00:00 GMT", Some(-62_135_596_800)),
            ("Sat, 01 Jan 0000 00:00:00 GMT", Some(-62_167_219_200)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            // Leap seconds, and leap days.
            ("Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_800)),
            ("Thu, 29 Feb 2024 00:00:00 GMT", Some(1_709_164_800)),
            ("Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400)),
            ("Thu, 29 Feb 1900 00:00:00 GMT", None),
            ("Wed, 29 Feb 2023 00:00:00 GMT", None),
            // Days and times that don't exist.
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 31 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("Sun, 06 Nov 1994 08:60:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:61 GMT", None),
            // Almost an HTTP-date.
            ("sun, 06 Nov 1994 08:49:37 GMT", None), // "HTTP-date is case sensitive."
            ("Sun, 06 NOV 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 gmt", None),
            ("Sun, 06 Nov 1994 08:49:37 UTC", None),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT+1", None),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 94 08:49:37 GMT", None),
            ("Sun, 06  Nov 1994 08:49:37 GMT", None),
            ("Sun, +6 Nov 1994 08:49:37 GMT", None),
            ("06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06-Nov-94 08:49:37 GMT", None),
            ("Sunday, 06 Nov 1994 08:49:37 GMT", None),
            ("Sunday, 06-Nov-1994 08:49:37 GMT", None),
            ("Sun Nov 6 08:49:37 1994", None),
            ("Sun Nov  6 08:49:37 1994 GMT", None),
            ("784111777", None),
            ("yesterday", None),
            ("Sun", None),
            ("", None),
        ];
        for (text, second) in rows {
            assert_eq!(parse_http_date(text.as_bytes(), &Date::from_unix(NOW)), second, "{text}");
        }
        assert_eq!(parse_http_date(b"Sun, 06 Nov 1994 08:49:37 GM\xff", &Date::from_unix(NOW)), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for unix in (0..253_402_300_800).step_by(40_000_003) {
            let date = Date::from_unix(unix);
            assert_eq!(parse_http_date(date.as_bytes(), &date), Some(unix.cast_signed()), "{}", date.as_str());
        }
    }

    #[test]
    fn a_year_of_two_digits_is_the_last_one_that_is_at_most_50_years_ahead() {
        // RFC 9110 §5.6.7
        let rows = [
            ("Fri, 17 Jul 2026 12:00:00 GMT", "Friday, 17-Jul-26 12:00:00 GMT", "Fri, 17 Jul 2026 12:00:00 GMT"),
            ("Fri, 17 Jul 2026 12:00:00 GMT", "Friday, 17-Jul-00 12:00:00 GMT", "Mon, 17 Jul 2000 12:00:00 GMT"),
            ("Fri, 17 Jul 2026 12:00:00 GMT", "Friday, 17-Jul-70 12:00:00 GMT", "Thu, 17 Jul 2070 12:00:00 GMT"),
            ("Fri, 17 Jul 2026 12:00:00 GMT", "Friday, 17-Jul-77 12:00:00 GMT", "Sun, 17 Jul 1977 12:00:00 GMT"),
            ("Fri, 17 Jul 2026 12:00:00 GMT", "Friday, 17-Jul-99 12:00:00 GMT", "Sat, 17 Jul 1999 12:00:00 GMT"),
            // 50 years to the second are not more than 50 years.
            ("Fri, 17 Jul 2026 12:00:00 GMT", "Friday, 17-Jul-76 12:00:00 GMT", "Fri, 17 Jul 2076 12:00:00 GMT"),
            ("Fri, 17 Jul 2026 12:00:00 GMT", "Friday, 17-Jul-76 12:00:01 GMT", "Sat, 17 Jul 1976 12:00:01 GMT"),
            // It need not be the century of now.
            ("Fri, 31 Dec 1999 23:59:59 GMT", "Saturday, 01-Jan-00 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ];
        for (now, rfc850, imf) in rows {
            let second = |text: &str, now: &Date| parse_http_date(text.as_bytes(), now).unwrap();
            let now = Date::from_unix(second(now, &Date::from_unix(0)).cast_unsigned());
            assert_eq!(second(rfc850, &now), second(imf, &now), "{rfc850} in {}", now.as_str());
        }
    }
}
