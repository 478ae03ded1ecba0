//! RFC 9110 §8, §9, §15: methods, statuses, and the fields that describe a file.

use std::os::unix::ffi::OsStrExt;

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{Response, Server, get, request};

#[test]
fn semantics() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

/// RFC 9110 §9.3.2: "The server SHOULD send the same header fields in response to a HEAD request as it would have
/// sent if the request method had been GET."
#[test]
fn head_tells_what_get_would() {
    let root = site::root();
    let server = Server::start(&root, &["--listing"]);
    let mut wire = server.connect();
    for path in
        ["/hello.txt", "/empty.txt", "/big.bin", "/", "/dir/", "/dir", "/bare/", "/missing.txt", "/.secret", "/%zz"]
    {
        for field in ["X: y", "If-None-Match: *", "If-Match: \"x\"", "Accept: application/json"] {
            let told = |response: Response| {
                let fields = response.fields.into_iter();
                let of_the_file =
                    |(name, _): &(String, String)| !["Date", "Keep-Alive", "Server-Timing"].contains(&name.as_str());
                (response.status, fields.filter(of_the_file).collect::<Vec<_>>())
            };
            wire.send(get(path, &[field]));
            let by_get = told(wire.read_response());
            wire.send(request("HEAD", path, &[field]));
            assert_eq!(told(wire.read_response_to_head()), by_get, "{path} {field}");
        }
    }
}

/// RFC 9110 §9.3.2: "the server MUST NOT send content in the response". A client that sent HEAD would take it for
/// the next response, so this holds also when the rest of the request is wrong.
#[test]
fn no_content_to_head_whatever_is_wrong() {
    let root = site::root();
    let head = |fields: &str| format!("HEAD /hello.txt HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    #[rustfmt::skip]
    let rows = [
        row("9110 §9.3.2", "no Host", "HEAD / HTTP/1.1\r\n\r\n").gives_head(&[400]).closed(),
        row("9110 §9.3.2", "a bad Host", head("Host: again\r\n")).gives_head(&[400]).closed(),
        row("9110 §9.3.2", "a bad target", "HEAD * HTTP/1.1\r\nHost: localhost\r\n\r\n").gives_head(&[400]).kept_or_closed(),
        row("9110 §9.3.2", "a bad length", head("Content-Length: x\r\n")).gives_head(&[400]).closed(),
        row("9110 §9.3.2", "an unknown coding", head("Transfer-Encoding: gzip\r\n")).gives_head(&[400, 501]).closed(),
        row("9110 §9.3.2", "a bad field", head("X : y\r\n")).gives_head(&[400]).closed(),
        row("9110 §9.3.2", "a bad chunk", head("Transfer-Encoding: chunked\r\n") + "x\r\n").gives_head(&[400]).closed(),
        row("9110 §9.3.2", "too much content", head("Content-Length: 99999999\r\n")).gives_head(&[413]).closed(),
        row("9110 §9.3.2", "too long a head", head(&format!("X: {}\r\n", "y".repeat(20_000)))).gives_head(&[431]).closed(),
        row("9110 §9.3.2", "an unknown expectation", head("Expect: 200-ok\r\n")).gives_head(&[417]).kept_or_closed(),
    ];
    run(&Server::start(&root, &[]), &rows);
}

#[test]
fn listing() {
    let root = site::root()
        .file("names/a:b.txt", "")
        .file("names/two\nlines", "")
        .file("names/\"quoted\\", "")
        .file("names/folder/x", "");
    std::fs::write(root.at("names").join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "").expect("a name beyond UTF-8");
    run(&Server::start(&root, &["--listing"]), &listing_rows());
}

#[test]
fn own_pages() {
    let root = site::root().file("404.html", "<title>lost</title>").file("app.html", "<title>app</title>");
    run(&Server::start(&root, &["--not-found", "404.html"]), &not_found_rows());
    let flags = ["--not-found", "app.html", "--spa", "--cache-control", "max-age=60"];
    run(&Server::start(&root, &flags), &spa_rows());
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("9110 §8.6", "GET tells the length", get("/hello.txt", &[])).gives(&[200]).field("content-length", "13").body("hello, world\n"),
        row("9110 §8.8.2", "and when the file was modified", get("/hello.txt", &[])).gives(&[200]).field("last-modified", site::MODIFIED),
        row("9110 §8.8.3", "and a strong entity tag", get("/hello.txt", &[])).gives(&[200]).check(strong_tag),
        row("9110 §14.3", "and that ranges are served", get("/hello.txt", &[])).gives(&[200]).field("accept-ranges", "bytes"),
        row("9110 §8.3", "and its media type", get("/hello.txt", &[])).gives(&[200]).field("content-type", "text/plain; charset=utf-8"),
        row("INTERFACE", "nobody guesses another type", get("/hello.txt", &[])).gives(&[200]).field("x-content-type-options", "nosniff"),
        row("9110 §9.3.2", "HEAD tells the same and sends nothing", request("HEAD", "/hello.txt", &[])).gives_head(&[200]).field("content-length", "13").field("last-modified", site::MODIFIED).has("etag").field("content-type", "text/plain; charset=utf-8"),
        row("9110 §9.3.2", "HEAD of a large file", request("HEAD", "/big.bin", &[])).gives_head(&[200]).field("content-length", "300000"),
        row("9110 §9.3.2", "HEAD of what is missing", request("HEAD", "/missing.txt", &[])).gives_head(&[404]),
        row("9110 §9.3.2", "HEAD of a folder", request("HEAD", "/dir", &[])).gives_head(&[301]).has("location"),
        row("9110 §8.6", "an empty file", get("/empty.txt", &[])).gives(&[200]).field("content-length", "0").body(""),
        row("9110 §8.6", "HEAD of an empty file", request("HEAD", "/empty.txt", &[])).gives_head(&[200]).field("content-length", "0"),
        row("9110 §8.8.2.1", "Last-Modified is never later than Date", get("/future.txt", &[])).gives(&[200]).check(modified_by_now),
        row("9110 §8.8.2.1", "also on HEAD", request("HEAD", "/future.txt", &[])).gives_head(&[200]).check(modified_by_now),
        row("INTERFACE", "the index of the root", get("/", &[])).gives(&[200]).shows("home page").field("content-type", "text/html; charset=utf-8"),
        row("INTERFACE", "the index of a folder", get("/dir/", &[])).gives(&[200]).body("the index of dir\n"),
        row("INTERFACE", "a folder without an index is not listed", get("/bare/", &[])).gives(&[403, 404]).hides("only.txt"),
        row("9110 §15.5.5", "404 says so readably", get("/missing.txt", &[])).gives(&[404]).shows("404").has("content-type").field("x-content-type-options", "nosniff"),
        row("9110 §8.8", "404 has no validators of a file", get("/missing.txt", &[])).gives(&[404]).lacks("etag").lacks("last-modified"),
        row("INTERFACE", "what a page repeats is escaped", get("/%3Cscript%3Ealert(1)%3C/script%3E", &[])).gives(&[404]).hides("<script"),
        row("INTERFACE", "also when it came raw", get("/\"'><b>x", &[])).gives(&[400, 404]).hides("<b>x").kept_or_closed(),
        row("9110 §9.3.8", "TRACE repeats nothing", request("TRACE", "/hello.txt", &["Cookie: secret"])).gives(&[405, 501]).hides("secret").kept_or_closed(),
        row("9110 §9.3.7", "OPTIONS says what is allowed", request("OPTIONS", "/hello.txt", &[])).gives(&[200, 204]).lists("allow", &["GET", "HEAD"]),
        row("9110 §9.3.7", "OPTIONS * too", request("OPTIONS", "*", &[])).gives(&[200, 204]).lists("allow", &["GET", "HEAD"]),
        row("9110 §8.6", "204 has no length", request("OPTIONS", "/hello.txt", &[])).gives(&[200, 204]).check(|response| {
            (response.status == 204 && !response.all("content-length").is_empty()).then(|| "Content-Length on 204".to_owned())
        }),
        row("9110 §10.2.4", "the server names itself shortly", get("/hello.txt", &[])).gives(&[200]).check(|response| {
            (response.field("server").is_some_and(|name| name.len() > 40)).then(|| "a long Server field".to_owned())
        }),
        row("9110 §12.5.5", "without variants nothing varies", get("/hello.txt", &["Accept-Encoding: gzip"])).gives(&[200]).lacks("content-encoding"),
    ];
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        rows.push(row("9110 §15.5.6", format!("{method} is not allowed, and we say what is"), request(method, "/hello.txt", &[])).gives(&[405]).lists("allow", &["GET", "HEAD"]));
        rows.push(row("9110 §15.5.6", format!("{method} of what is missing"), request(method, "/missing.txt", &[])).gives(&[404, 405]));
    }
    for method in ["PROPFIND", "MKCOL", "LOCK", "PURGE", "QUERY", "Get", "HEADX"] {
        rows.push(row("9110 §15.6.2", format!("{method} is not implemented"), request(method, "/hello.txt", &[])).gives(&[501]).kept_or_closed());
    }
    rows
}

fn strong_tag(response: &Response) -> Option<String> {
    let tag = response.field("etag").unwrap_or_default();
    let strong = tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"') && !tag[1..tag.len() - 1].contains('"');
    (!strong).then(|| format!("ETag {tag:?}"))
}

/// The file's time lies a day ahead, so the day of Last-Modified must be that of Date.
fn modified_by_now(response: &Response) -> Option<String> {
    let (modified, date) = (response.field("last-modified"), response.field("date"));
    let day = |value: Option<&str>| value.map(|text| text[..16].to_owned());
    (modified.is_some() && day(modified) != day(date)).then(|| format!("Last-Modified {modified:?}, Date {date:?}"))
}

#[rustfmt::skip]
fn listing_rows() -> Vec<Row> {
    vec![
        row("--listing", "names the files", get("/bare/", &[])).gives(&[200]).shows("only.txt").field("content-type", "text/html; charset=utf-8"),
        row("--listing", "escapes their names", get("/bare/", &[])).gives(&[200]).hides("<b>&.txt").shows("&lt;b&gt;"),
        row("--listing", "links to them encoded", get("/bare/", &[])).gives(&[200]).shows("%3Cb%3E"),
        row("--listing", "hides what is hidden", get("/bare/", &[])).gives(&[200]).hides(".hidden"),
        row("--listing", "as JSON for who prefers it", get("/bare/", &["Accept: application/json"])).gives(&[200]).shows("\"only.txt\"").check(|response| {
            let media_type = response.field("content-type").unwrap_or_default();
            (!media_type.starts_with("application/json")).then(|| format!("Content-Type {media_type:?}"))
        }),
        row("9110 §12.5.5", "and says what it varied by", get("/bare/", &[])).gives(&[200]).lists("vary", &["Accept"]),
        row("--listing", "links to any name", get("/names/", &[])).gives(&[200]).hides("href=\"a:b").shows("a:b.txt").shows("%0A").shows("%22quoted%5C").shows("%FF%FE").shows("folder/"),
        row("--listing", "any name in JSON", get("/names/", &["Accept: application/json"])).gives(&[200]).hides("two\nlines").shows("\"\\\"quoted\\\\\"").shows("a:b.txt"),
        row("--listing", "HEAD tells its length", request("HEAD", "/bare/", &[])).gives_head(&[200]).has("content-length"),
        row("--listing", "an index goes before", get("/dir/", &[])).gives(&[200]).body("the index of dir\n"),
        row("--listing", "a folder without its slash is redirected", get("/bare", &[])).gives(&[301]).has("location"),
    ]
}

#[rustfmt::skip]
fn not_found_rows() -> Vec<Row> {
    vec![
        row("--not-found", "is the content of 404", get("/missing.txt", &[])).gives(&[404]).body("<title>lost</title>").field("content-type", "text/html; charset=utf-8"),
        row("--not-found", "HEAD tells its length", request("HEAD", "/missing.txt", &[])).gives_head(&[404]).field("content-length", "19"),
        row("9110 §13.2.1", "preconditions don't change it", get("/missing.txt", &["If-None-Match: *"])).gives(&[404]),
        row("9110 §14.2", "ranges neither", get("/missing.txt", &["Range: bytes=0-1"])).gives(&[404]).body("<title>lost</title>"),
    ]
}

#[rustfmt::skip]
fn spa_rows() -> Vec<Row> {
    vec![
        row("--spa", "a path without an extension is the application's", get("/orders/12", &[])).gives(&[200]).body("<title>app</title>"),
        row("--spa", "a file that should exist is not", get("/missing.js", &[])).gives(&[404]),
        row("--spa", "nor is another method", request("DELETE", "/orders/12", &[])).gives(&[405]),
        row("--cache-control", "on a file", get("/hello.txt", &[])).gives(&[200]).field("cache-control", "max-age=60"),
        row("9110 §15.4.5", "also on its 304", get("/hello.txt", &["If-None-Match: *"])).gives(&[304]).field("cache-control", "max-age=60"),
        row("--cache-control", "also on its 206", get("/hello.txt", &["Range: bytes=0-1"])).gives(&[206]).field("cache-control", "max-age=60"),
        row("--cache-control", "not on an error", get("/missing.js", &[])).gives(&[404]).lacks("cache-control"),
    ]
}
