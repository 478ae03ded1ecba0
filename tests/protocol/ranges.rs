//! RFC 9110 §14: parts of a file.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site::{self, BIG, DIGITS};
use crate::support::{Response, Server, get, pattern, request};

#[test]
fn ranges() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

/// One part of `digits.txt`, which has a hundred bytes.
const PARTS: &[(&str, usize, usize, &str)] = &[
    ("bytes=0-4", 0, 4, "the first bytes"),
    ("bytes=0-0", 0, 0, "one byte"),
    ("bytes=99-99", 99, 99, "the last byte"),
    ("bytes=10-19", 10, 19, "bytes in the middle"),
    ("bytes=95-", 95, 99, "without an end"),
    ("bytes=0-", 0, 99, "everything"),
    ("bytes=-5", 95, 99, "a suffix"),
    ("bytes=-1", 99, 99, "a suffix of one"),
    ("bytes=-100", 0, 99, "a suffix that is everything"),
    ("bytes=-1000", 0, 99, "a suffix longer than the file"),
    ("bytes=0-999", 0, 99, "an end beyond the file"),
    ("bytes=50-100", 50, 99, "an end just beyond the file"),
    ("BYTES=0-4", 0, 4, "units are case-insensitive (§14.1)"),
    ("bytes=0-4,", 0, 4, "an empty member means nothing (§5.6.1)"),
    ("bytes=,0-4", 0, 4, "also before"),
    ("bytes=0-4 ", 0, 4, "white space after the value is not part of it"),
    ("bytes=000-004", 0, 4, "leading zeros are digits"),
    ("bytes=0-99999999999999999999999999", 0, 99, "an end beyond 64 bits"),
    ("bytes=1-18446744073709551615", 1, 99, "an end at the edge of 64 bits"),
    ("bytes=1-18446744073709551616", 1, 99, "an end just beyond it"),
    ("bytes=-99999999999999999999999999", 0, 99, "a suffix beyond 64 bits"),
    ("bytes=-18446744073709551615", 0, 99, "a suffix at the edge of 64 bits"),
    ("bytes=0-4,200-300", 0, 4, "what can't be satisfied is left out"),
    ("bytes=200-,-5", 95, 99, "also before"),
];

const UNSATISFIABLE: &[(&str, &str)] = &[
    ("bytes=100-", "a beginning just beyond the file"),
    ("bytes=100-200", "with an end"),
    ("bytes=1000-2000", "a beginning far beyond"),
    ("bytes=-0", "a suffix of nothing"),
    ("bytes=200-300,400-500", "several that lie beyond"),
    ("bytes=99999999999999999999999999-", "a beginning beyond 64 bits"),
    ("bytes=18446744073709551615-", "a beginning at the edge of 64 bits"),
    ("bytes=18446744073709551614-18446744073709551615", "both at the edge"),
    ("bytes=18446744073709551616-18446744073709551617", "both just beyond it"),
];

/// RFC 9110 §14.2: a Range that is not a range, or of another unit, is ignored.
const IGNORED: &[(&str, &str)] = &[
    ("bytes=5-4", "an end before its beginning"),
    ("bytes=0-4,9-8", "among others"),
    ("bytes=", "nothing"),
    ("bytes=-", "neither beginning nor end"),
    ("bytes=1", "no hyphen"),
    ("bytes=a-b", "letters"),
    ("bytes=0-4-5", "two hyphens"),
    ("bytes=0--4", "two hyphens in a row"),
    ("bytes=--5", "a negative suffix"),
    ("bytes=+0-4", "a sign"),
    ("bytes=0x0-0x4", "hexadecimal digits"),
    ("bytes=0.0-4", "a fraction"),
    ("bytes=0-4;5-9", "a semicolon"),
    ("bytes=0 - 4", "spaces within"),
    ("bytes 0-4", "no equals sign"),
    ("bytes:0-4", "a colon for it"),
    ("=0-4", "no unit"),
    ("0-4", "neither unit nor equals sign"),
    ("bytes", "a unit only"),
    ("items=0-4", "another unit"),
    ("seconds=1-2", "yet another"),
    ("bytess=0-4", "a unit that begins alike"),
    ("none=0-4", "the unit that means none"),
    ("", "an empty value"),
];

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let digits = |range: &str| get("/digits.txt", &[&format!("Range: {range}")]);
    for &(range, first, last, why) in PARTS {
        rows.push(row("9110 §14.1.2", format!("{why}: {range}"), digits(range)).gives(&[206])
            .field("content-range", format!("bytes {first}-{last}/100"))
            .field("content-length", (last - first + 1).to_string())
            .body(&DIGITS[first..=last]));
    }
    for (range, why) in UNSATISFIABLE {
        rows.push(row("9110 §15.5.17", format!("{why}: {range}"), digits(range)).gives(&[416]).field("content-range", "bytes */100"));
    }
    for (range, why) in IGNORED {
        rows.push(row("9110 §14.2", format!("{why}: {range}"), digits(range)).gives(&[200]).lacks("content-range").body(DIGITS));
    }
    rows.extend([
        row("9110 §15.3.7", "206 tells what 200 would", digits("bytes=0-4")).gives(&[206]).has("etag").has("last-modified").has("date").field("content-type", "text/plain; charset=utf-8"),
        row("9110 §14.2", "a space after the equals sign", digits("bytes= 0-4")).gives(&[200, 206]),
        row("9110 §14.2", "two Range lines", get("/digits.txt", &["Range: bytes=0-4", "Range: bytes=5-9"])).gives(&[200, 206, 400]).kept_or_closed(),
        row("9110 §14.2", "Range is for GET: HEAD ignores it", request("HEAD", "/digits.txt", &["Range: bytes=0-4"])).gives_head(&[200]).field("content-length", "100").lacks("content-range"),
        row("9110 §14.2", "HEAD ignores one that can't be satisfied too", request("HEAD", "/digits.txt", &["Range: bytes=100-"])).gives_head(&[200]).field("content-length", "100"),
        row("9110 §14.2", "other methods ignore it", request("DELETE", "/digits.txt", &["Range: bytes=0-4"])).gives(&[405]),
        row("9110 §14.2", "what is missing has no parts", get("/missing.txt", &["Range: bytes=0-4"])).gives(&[404]),
        row("9110 §14.2", "a redirect has no parts", get("/dir", &["Range: bytes=0-4"])).gives(&[301]),
        row("9110 §14.2", "the index of a folder has", get("/dir/", &["Range: bytes=4-8"])).gives(&[206]).body("index"),
        row("9110 §14.2", "HTTP/1.0 may ask too", "GET /digits.txt HTTP/1.0\r\nRange: bytes=0-4\r\n\r\n").gives(&[200, 206]).closed(),
        row("9110 §15.5.17", "an empty file has no first byte", get("/empty.txt", &["Range: bytes=0-"])).gives(&[200, 416]),
        row("9110 §14.1.2", "its suffix is empty", get("/empty.txt", &["Range: bytes=-5"])).gives(&[200, 416]),
        row("9110 §14.1.2", "a part of a large file", get("/big.bin", &["Range: bytes=123456-223455"])).gives(&[206]).body(&pattern(BIG)[123_456..223_456]).field("content-range", "bytes 123456-223455/300000"),
        row("9110 §14.1.2", "a few bytes of it", get("/big.bin", &["Range: bytes=299990-"])).gives(&[206]).body(&pattern(BIG)[299_990..]),
        row("9110 §14.6", "two parts", digits("bytes=0-4,50-54")).gives(&[206]).check(|response| check_parts(response, 100, &[(0, 4), (50, 54)], DIGITS.as_bytes())),
        row("9110 §14.6", "two parts with spaces between", digits("bytes=0-4 , 50-54")).gives(&[206]).check(|response| check_parts(response, 100, &[(0, 4), (50, 54)], DIGITS.as_bytes())),
        row("9110 §14.6", "three parts, one of them a suffix", digits("bytes=0-0,10-11,-1")).gives(&[206]).check(|response| check_parts(response, 100, &[(0, 0), (10, 11), (99, 99)], DIGITS.as_bytes())),
        row("9110 §14.6", "two parts of a large file", get("/big.bin", &["Range: bytes=0-99999,200000-299999"])).gives(&[206]).check(|response| check_parts(response, BIG, &[(0, 99_999), (200_000, 299_999)], &pattern(BIG))),
        row("9110 §14.2", "more parts than we serve: the whole", digits(&format!("bytes={}", many("0-0,2-2,", 40)))).gives(&[200]).body(DIGITS),
        row("9110 §14.2", "parts longer than the whole: the whole (CVE-2011-3192)", digits("bytes=0-,0-,0-,0-,0-")).gives(&[200]).body(DIGITS),
        row("9110 §14.2", "hundreds of them", digits(&format!("bytes={}", many("0-,", 1300)))).gives(&[200]).body(DIGITS),
        row("9110 §14.2", "parts whose sum overflows", digits("bytes=0-18446744073709551614,1-18446744073709551615,2-18446744073709551615")).gives(&[200]).body(DIGITS),
    ]);
    rows
}

/// A member of a list again and again.
fn many(member: &str, times: usize) -> String {
    member.repeat(times).trim_end_matches(',').to_owned()
}

/// RFC 9110 §14.6: each part has its own Content-Range, and the whole has none.
fn check_parts(response: &Response, total: usize, parts: &[(usize, usize)], file: &[u8]) -> Option<String> {
    let media_type = response.field("content-type").unwrap_or_default();
    let Some(boundary) = media_type.strip_prefix("multipart/byteranges; boundary=") else {
        return Some(format!("Content-Type {media_type:?}"));
    };
    if response.field("content-range").is_some() {
        return Some("a Content-Range beside those of the parts".to_owned());
    }
    let delimiter = format!("--{}", boundary.trim_matches('"'));
    let mut rest = response.body.as_slice();
    for (first, last) in parts {
        let wanted = format!("bytes {first}-{last}/{total}");
        let found = next_part(&mut rest, &delimiter, last - first + 1);
        if found.as_ref().is_none_or(|(range, content)| *range != wanted || *content != &file[*first..=*last]) {
            return Some(format!("instead of part {wanted}: {:?}", found.map(|(range, _)| range)));
        }
    }
    let end = format!("{delimiter}--");
    let rest = rest.strip_prefix(b"\r\n").unwrap_or(rest).trim_ascii_end();
    (rest != end.as_bytes()).then(|| format!("after the parts: {}", rest.escape_ascii()))
}

/// Takes a part off the beginning: its Content-Range, and `count` bytes of content.
fn next_part<'a>(rest: &mut &'a [u8], delimiter: &str, length: usize) -> Option<(String, &'a [u8])> {
    let body = rest.strip_prefix(b"\r\n").unwrap_or(rest).strip_prefix(delimiter.as_bytes())?.strip_prefix(b"\r\n")?;
    let end = body.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&body[..end]).ok()?;
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
    let range = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-range"))?.1.to_owned();
    let content = body.get(end + 4..end + 4 + length)?;
    *rest = &body[end + 4 + length..];
    Some((range, content))
}
