//! RFC 9110 §13: preconditions, each by itself and in the order of §13.2.2.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site::{self, MODIFIED};
use crate::support::{Server, get, request};

#[test]
fn conditional() {
    let root = site::root();
    let server = Server::start(&root, &[]);
    run(&server, &rows(&site::etag(&server, "/hello.txt")));
}

const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

/// Fields, the status that they lead to, and why. `TAG` stands for the file's entity tag.
const CASES: &[(&str, &[&str], u16, &str)] = &[
    ("9110 §13.1.2", &["If-None-Match: TAG"], 304, "the tag that it has"),
    ("9110 §13.1.2", &["If-None-Match: W/TAG"], 304, "compared weakly"),
    ("9110 §13.1.2", &["If-None-Match: *"], 304, "any tag"),
    ("9110 §13.1.2", &["If-None-Match: \"x\""], 200, "another tag"),
    ("9110 §13.1.2", &["If-None-Match: \"x\", TAG"], 304, "a list that holds it"),
    ("9110 §13.1.2", &["If-None-Match: \"x\",TAG,\"y\""], 304, "a list without spaces"),
    ("9110 §13.1.2", &["If-None-Match: W/\"x\" , W/TAG"], 304, "a list of weak tags"),
    ("9110 §13.1.2", &["If-None-Match: \"a,b\", TAG"], 304, "a comma within a tag ends no member"),
    ("9110 §13.1.2", &["If-None-Match: \"a, TAG ,b\""], 200, "nor does it begin one"),
    ("9110 §13.1.2", &["If-None-Match: , TAG,"], 304, "empty members mean nothing"),
    ("9110 §13.1.2", &["If-None-Match: \"x\"", "If-None-Match: TAG"], 304, "a list over two lines"),
    ("9110 §13.1.2", &["If-None-Match: \"x\", \"y\""], 200, "a list that does not hold it"),
    ("9110 §13.1.2", &["If-None-Match: \"\""], 200, "an empty tag is a tag"),
    ("9110 §13.1.2", &["If-None-Match:"], 200, "an empty list"),
    ("9110 §13.1.2", &["If-None-Match: x"], 200, "what is not a tag matches nothing"),
    ("9110 §13.1.2", &["If-None-Match: \"*\""], 200, "a quoted star is a tag like others"),
    ("9110 §13.1.3", &["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"], 304, "its own time"),
    ("9110 §13.1.3", &["If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT"], 304, "a later one"),
    ("9110 §13.1.3", &["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"], 200, "an earlier one"),
    ("9110 §5.6.7", &["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], 304, "the form of RFC 850"),
    ("9110 §5.6.7", &["If-Modified-Since: Sun Nov  6 08:49:37 1994"], 304, "the form of asctime"),
    ("9110 §5.6.7", &["If-Modified-Since: Sunday, 06-Nov-94 08:49:36 GMT"], 200, "an earlier one of RFC 850"),
    ("9110 §5.6.7", &["If-Modified-Since: Sun Nov  6 08:49:36 1994"], 200, "an earlier one of asctime"),
    ("9110 §5.6.7", &["If-Modified-Since: Mon, 06 Nov 1994 08:49:37 GMT"], 304, "whatever the day of the week"),
    ("9110 §5.6.7", &["If-Modified-Since: Sun, 06 Nov 1994 08:49:60 GMT"], 304, "a leap second"),
    ("9110 §5.6.7", &["If-Modified-Since: Wed, 31 Dec 1969 23:59:59 GMT"], 200, "before the epoch"),
    ("9110 §5.6.7", &["If-Modified-Since: Saturday, 06-Nov-70 08:49:37 GMT"], 304, "2070, less than 50 years ahead"),
    ("9110 §5.6.7", &["If-Modified-Since: sun, 06 nov 1994 08:49:37 gmt"], 200, "dates are case-sensitive"),
    ("9110 §13.1.3", &["If-Modified-Since: yesterday"], 200, "what is not a date is ignored"),
    ("9110 §13.1.3", &["If-Modified-Since: 0"], 200, "a number is not a date"),
    ("9110 §13.1.3", &["If-Modified-Since: -1"], 200, "nor is a negative one"),
    ("9110 §13.1.3", &["If-Modified-Since:"], 200, "nor is nothing"),
    ("9110 §13.1.3", &["If-Modified-Since: 784111777"], 200, "nor are seconds"),
    ("9110 §13.1.3", &["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 CET"], 200, "nor is another zone"),
    ("9110 §13.1.3", &["If-Modified-Since: Thu, 32 Nov 2094 08:49:37 GMT"], 200, "nor is a day that never comes"),
    ("9110 §13.1.3", &["If-Modified-Since: BEFORE", "If-Modified-Since: AFTER"], 200, "two dates are none"),
    ("9110 §13.1.3", &["If-None-Match: \"x\"", "If-Modified-Since: AFTER"], 200, "If-None-Match goes before"),
    ("9110 §13.1.3", &["If-None-Match: TAG", "If-Modified-Since: BEFORE"], 304, "whatever the date"),
    ("9110 §13.1.1", &["If-Match: TAG"], 200, "the tag that it has"),
    ("9110 §13.1.1", &["If-Match: *"], 200, "any tag"),
    ("9110 §13.1.1", &["If-Match: \"x\", TAG"], 200, "a list that holds it"),
    ("9110 §13.1.1", &["If-Match: \"x\"", "If-Match: TAG"], 200, "a list over two lines"),
    ("9110 §13.1.1", &["If-Match: \"x\""], 412, "another tag"),
    ("9110 §13.1.1", &["If-Match: W/TAG"], 412, "compared strongly"),
    ("9110 §13.1.1", &["If-Match: \"x\", \"y\""], 412, "a list that does not hold it"),
    ("9110 §13.1.4", &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"], 200, "its own time"),
    ("9110 §13.1.4", &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:38 GMT"], 200, "a later one"),
    ("9110 §13.1.4", &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"], 412, "an earlier one"),
    ("9110 §13.1.4", &["If-Unmodified-Since: Sunday, 06-Nov-94 08:49:36 GMT"], 412, "an earlier one of RFC 850"),
    ("9110 §13.1.4", &["If-Unmodified-Since: Fri, 01 Jan 1960 00:00:00 GMT"], 412, "one before the epoch"),
    ("9110 §5.6.7", &["If-Unmodified-Since: Saturday, 06-Nov-93 08:49:36 GMT"], 412, "1993: 2093 is too far ahead"),
    ("9110 §5.6.7", &["If-Unmodified-Since: Mon, 06 Nov 1994 08:49:36 GMT"], 412, "whatever the day of the week"),
    ("9110 §13.1.4", &["If-Unmodified-Since: yesterday"], 200, "what is not a date is ignored"),
    (
        "9110 §13.2.2 (1)",
        &["If-Match: TAG", "If-Unmodified-Since: BEFORE"],
        200,
        "If-Match goes before If-Unmodified-Since",
    ),
    ("9110 §13.2.2 (1)", &["If-Match: \"x\"", "If-Unmodified-Since: AFTER"], 412, "whatever the date"),
    ("9110 §13.2.2 (1)", &["If-Match: \"x\"", "If-None-Match: TAG"], 412, "If-Match goes before If-None-Match"),
    ("9110 §13.2.2 (3)", &["If-Match: TAG", "If-None-Match: TAG"], 304, "which comes next"),
    (
        "9110 §13.2.2 (2)",
        &["If-Unmodified-Since: BEFORE", "If-None-Match: TAG"],
        412,
        "If-Unmodified-Since goes before",
    ),
    ("9110 §13.2.2 (3)", &["If-Unmodified-Since: AFTER", "If-None-Match: TAG"], 304, "If-None-Match comes next"),
    ("9110 §13.2.2 (4)", &["If-Match: TAG", "If-Modified-Since: AFTER"], 304, "If-Modified-Since comes after If-Match"),
    ("9110 §13.2.2 (5)", &["If-None-Match: TAG", "Range: bytes=0-1"], 304, "Range comes last"),
    ("9110 §13.2.2 (5)", &["If-Match: \"x\"", "Range: bytes=0-1"], 412, "also after If-Match"),
    ("9110 §13.2.2 (5)", &["If-Match: TAG", "Range: bytes=0-1"], 206, "a range of what was meant"),
    ("9110 §13.1.5", &["If-Range: TAG", "Range: bytes=0-1"], 206, "the tag that it has"),
    ("9110 §13.1.5", &["If-Range: \"x\"", "Range: bytes=0-1"], 200, "another tag: the whole"),
    ("9110 §13.1.5", &["If-Range: W/TAG", "Range: bytes=0-1"], 200, "compared strongly"),
    ("9110 §13.1.5", &["If-Range: Sun, 06 Nov 1994 08:49:37 GMT", "Range: bytes=0-1"], 206, "its own time"),
    ("9110 §13.1.5", &["If-Range: Sun, 06 Nov 1994 08:49:36 GMT", "Range: bytes=0-1"], 200, "an earlier one"),
    (
        "9110 §13.1.5",
        &["If-Range: Sun, 06 Nov 1994 08:49:38 GMT", "Range: bytes=0-1"],
        200,
        "a later one: it must be the same",
    ),
    ("9110 §13.1.5", &["If-Range: yesterday", "Range: bytes=0-1"], 200, "neither a tag nor a date"),
    ("9110 §13.1.5", &["If-Range: *", "Range: bytes=0-1"], 200, "a star is neither"),
    ("9110 §13.1.5", &["If-Range: TAG"], 200, "without Range it means nothing"),
    ("9110 §13.1.5", &["If-Range: \"x\"", "Range: bytes=100-"], 200, "no 416 if the range is void"),
];

#[rustfmt::skip]
fn rows(tag: &str) -> Vec<Row> {
    let fill = |line: &&str| line.replace("TAG", tag).replace("BEFORE", BEFORE).replace("AFTER", AFTER);
    let mut rows: Vec<Row> = CASES.iter().map(|(section, lines, status, why)| {
        let lines: Vec<String> = lines.iter().map(fill).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        row(section, format!("{why}: {lines:?}"), get("/hello.txt", &lines)).gives(&[*status])
    }).collect();
    let tag_line = &*format!("If-None-Match: {tag}");
    rows.extend([
        row("9110 §15.4.5", "304 tells the tag, and no content", get("/hello.txt", &[tag_line])).gives(&[304]).field("etag", tag).has("date").lacks("content-type").lacks("content-range").lacks("transfer-encoding"),
        row("9110 §13.1.2", "304 to a HEAD", request("HEAD", "/hello.txt", &[tag_line])).gives_head(&[304]).field("etag", tag),
        row("9110 §13.1.3", "304 to a HEAD, by date", request("HEAD", "/hello.txt", &[&format!("If-Modified-Since: {MODIFIED}")])).gives_head(&[304]),
        row("9110 §13.1.1", "412 to a HEAD", request("HEAD", "/hello.txt", &["If-Match: \"x\""])).gives_head(&[412]),
        row("9110 §13.2.1", "what is missing has no preconditions", get("/missing.txt", &["If-None-Match: *"])).gives(&[404]),
        row("9110 §13.1.1", "what is missing matches nothing", get("/missing.txt", &["If-Match: *"])).gives(&[404, 412]),
        row("9110 §13.2.1", "a method that is not allowed has none", request("DELETE", "/hello.txt", &["If-Match: \"x\""])).gives(&[405]),
        row("9110 §13.2.1", "a redirect has none", get("/dir", &["If-None-Match: *"])).gives(&[301]),
        row("9110 §13.1.2", "the index of a folder has them", get("/dir/", &["If-None-Match: *"])).gives(&[304]),
        row("9110 §13.1.2", "a large file has them", get("/big.bin", &["If-None-Match: *"])).gives(&[304]),
        row("9112 §9.3 (3)", "304 in HTTP/1.0", "GET /hello.txt HTTP/1.0\r\nIf-None-Match: *\r\nConnection: keep-alive\r\n\r\n").gives(&[304]),
        row("9110 §13.1.3", "a file whose time lies ahead has none to compare", get("/future.txt", &["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"])).gives(&[200]),
        row("9110 §13.1.3", "whatever the date", get("/future.txt", &["If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT"])).gives(&[200]),
        row("9110 §13.1.4", "nor does it fail by date", get("/future.txt", &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"])).gives(&[200]),
        row("9110 §13.1.2", "but it has a tag", get("/future.txt", &["If-None-Match: *"])).gives(&[304]),
        row("9110 §8.8.2.2", "and no part by date", get("/future.txt", &["If-Range: Sun, 06 Nov 1994 08:49:37 GMT", "Range: bytes=0-1"])).gives(&[200]),
    ]);
    rows
}
