//! RFC 3986 §2.1, §5.2.4 and RFC 9110 §4.2.3, §17.3: from a target to a file, and never out of the root.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{Response, Server, get};

#[test]
fn paths() {
    let root = site::root();
    run(&Server::start(&root, &[]), &rows());
}

#[test]
fn hidden() {
    let root = site::root();
    run(
        &Server::start(&root, &["--hidden"]),
        &[
            row("--hidden", "shows what begins with a dot", get("/.secret", &[])).gives(&[200]).body("secret\n"),
            row("--hidden", "also deeper", get("/dir/.hidden", &[])).gives(&[200]).body("hidden\n"),
            row("--hidden", "but nothing outside", get("/%2e%2e/etc/passwd", &[]))
                .gives(&[400, 404])
                .hides("root:")
                .kept_or_closed(),
        ],
    );
}

/// Targets and the content they lead to.
const SERVED: &[(&str, &str, &str)] = &[
    ("/hello.txt", "hello, world\n", "a file"),
    ("/dir/a.txt", "a\n", "a file in a folder"),
    ("/hello%2Etxt", "hello, world\n", "an encoded letter is the letter"),
    ("/%68%65%6c%6C%6f.txt", "hello, world\n", "digits in either case"),
    ("/a%20b.txt", "a space\n", "a space"),
    ("/a+b.txt", "a plus\n", "a plus is a plus"),
    ("/a%2Bb.txt", "a plus\n", "also when it is encoded"),
    ("/100%25.txt", "a percent sign\n", "a percent sign is decoded once"),
    ("/q%3F.txt", "a question mark\n", "an encoded question mark begins no query"),
    ("/h%23.txt", "a number sign\n", "an encoded number sign begins no fragment"),
    ("/%C3%BCn%C3%AF.txt", "beyond ASCII\n", "bytes beyond ASCII"),
    ("/./hello.txt", "hello, world\n", "a dot segment"),
    ("/dir/../hello.txt", "hello, world\n", "two dots within the root"),
    ("/dir/./a.txt", "a\n", "a dot segment deeper"),
    ("/inside", "hello, world\n", "a symlink that stays inside"),
    ("/.well-known/ok.txt", "well known\n", "the one name with a dot that is served (RFC 8615)"),
    ("/dir/.", "the index of dir\n", "a dot segment at the end is its folder"),
    ("/dir/a/..", "the index of dir\n", "so are two"),
    ("/dir/%2e%2e/hello.txt", "hello, world\n", "an encoded dot is a dot (§6.2.2.2)"),
    ("/index.html", "<!doctype html><title>home</title>home page\n", "the index by its name"),
    ("/sp%20ace/", "the index of sp ace\n", "a folder with a space"),
    ("/na:me/", "the index of na:me\n", "a folder with a colon"),
    ("/hello.txt?/../../etc/passwd", "hello, world\n", "dots in a query"),
];

/// Targets that lead nowhere.
const REFUSED: &[(&str, &str)] = &[
    ("/missing.txt", "no such file"),
    ("/missing/a.txt", "no such folder"),
    ("/HELLO.TXT", "case matters"),
    ("/hello.txt/", "a file is not a folder"),
    ("/hello.txt/a", "nor holds it one"),
    ("/hello.txt;v=1", "parameters are part of the name"),
    ("/hello.txt%3Fa", "an encoded question mark is part of the name"),
    ("/a%2bb%2btxt", "another name"),
    ("/.secret", "a name that begins with a dot"),
    ("/%2esecret", "also when the dot is encoded"),
    ("/dir/.hidden", "also deeper"),
    ("/../../../../etc/passwd", "dots that lead out"),
    ("/..", "two dots"),
    ("/../", "two dots and a slash"),
    ("/%2e%2e/%2e%2e/etc/passwd", "encoded dots"),
    ("/.%2e/etc/passwd", "half encoded"),
    ("/%2E%2E%2Fetc%2Fpasswd", "with encoded slashes"),
    ("/..%2f..%2fetc%2fpasswd", "slashes only"),
    ("/dir/..%2f..%2fetc/passwd", "deeper"),
    ("/%252e%252e/%252e%252e/etc/passwd", "encoded twice"),
    ("/..%5c..%5cetc%5cpasswd", "encoded backslashes"),
    ("/..;/etc/passwd", "dots with a parameter"),
    ("/.../.../etc/passwd", "three dots"),
    ("/dir/../../etc/passwd", "in and out again"),
    ("//etc/passwd", "two slashes"),
    ("/./../etc/passwd", "a dot before"),
    ("/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd", "overlong UTF-8 for dots"),
    ("/%e0%80%ae%e0%80%ae/etc/passwd", "longer"),
    ("/..%c0%af..%c0%afetc/passwd", "overlong UTF-8 for slashes"),
    ("/%uff0e%uff0e/etc/passwd", "a coding that is not of the web"),
    ("/dir%2fa.txt", "an encoded slash is not a slash"),
    ("/dir%2Fa.txt", "in either case"),
    ("/dir%5ca.txt", "an encoded backslash neither"),
    ("/hello.txt%00", "NUL at the end"),
    ("/hello.txt%00.html", "NUL within"),
    ("/%00", "NUL only"),
    ("/outside", "a symlink that leads out"),
    ("/outside-dir/passwd", "a folder that leads out"),
    ("/leak/", "an index that leads out"),
    ("/nested/", "an index that is a folder"),
    ("/up/", "a symlink to the folder above"),
    ("/up/etc/passwd", "through it"),
    ("/loop", "a symlink to itself"),
    ("/pipe", "a FIFO, which must not be waited for"),
    ("/socket", "a socket"),
    ("/%0d%0aX-Injected:%20yes", "line ends"),
    ("/%7f%01%1b", "control bytes"),
    ("/%ff%fe", "what is not UTF-8"),
];

/// Targets that are malformed: RFC 3986 §2.1 wants two hexadecimal digits after `%`.
const MALFORMED: &[&str] = &["/%", "/%4", "/%zz", "/%4x", "/a%", "/hello.txt%", "/%%41", "/%-1", "/% 1"];

/// Folders without their slash, and where they redirect to (`|`: or to). The query is kept.
const REDIRECTED: &[(&str, &str, &str)] = &[
    ("/dir", "/dir/", "a folder"),
    ("/dir?a=b&c", "/dir/?a=b&c", "the query is kept"),
    ("/dir?", "/dir/", "an empty one may go"),
    ("/sp%20ace", "/sp%20ace/", "a space stays encoded"),
    ("/na:me", "/na:me/|/na%3Ame/", "a colon makes no scheme"),
    ("/.well-known", "/.well-known/", "a folder that is served though its name begins with a dot"),
    ("/bare", "/bare/", "also without an index"),
    ("/./dir", "/dir/", "after a dot segment"),
    ("/dir/../dir", "/dir/", "after two dots"),
    ("/%64ir", "/dir/", "an encoded letter"),
    ("/dir?//evil.example/", "/dir/?//evil.example/", "a query can't steer it"),
    ("/dir?%0d%0aX-Injected:%20yes", "/dir/?%0d%0aX-Injected:%20yes", "nor end its line"),
];

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for &(target, content, why) in SERVED {
        rows.push(row("3986 §6.2.2", format!("{why}: {target}"), get(target, &[])).gives(&[200]).body(content));
    }
    for &(target, why) in REFUSED {
        rows.push(row("9110 §17.3", format!("{why}: {target}"), get(target, &[])).gives(&[400, 403, 404]).hides("root:").hides("secret\n").lacks("x-injected").lacks("location").kept_or_closed());
    }
    for target in MALFORMED {
        rows.push(row("3986 §2.1", *target, get(target, &[])).gives(&[400]).kept_or_closed());
    }
    for &(target, wanted, why) in REDIRECTED {
        rows.push(row("9110 §15.4.2", format!("{why}: {target}"), get(target, &[])).gives(&[301]).lacks("x-injected").check(move |response| redirects(response, target, wanted)));
    }
    rows.extend([
        row("9110 §17.3", "a name longer than any", get(&format!("/{}", "a".repeat(300)), &[])).gives(&[404, 414]),
        row("9110 §17.3", "a path deeper than any", get(&"/a".repeat(3000), &[])).gives(&[404, 414]),
        row("9110 §17.3", "a thousand dots", get(&format!("/{}etc/passwd", "../".repeat(1000)), &[])).gives(&[400, 404]).hides("root:").kept_or_closed(),
        row("9110 §17.3", "as absolute-form too", get("http://localhost/../../etc/passwd", &[])).gives(&[400, 404]).hides("root:").kept_or_closed(),
    ]);
    for target in ["//", "//evil.example", "//evil.example/", "///evil.example/..", "//dir", "//evil.example/%2e%2e", "/%2f/evil.example", "/\\evil.example", "//evil.example/../dir"] {
        rows.push(row("9110 §17.3", format!("no way off the site: {target}"), get(target, &[])).gives(&[200, 301, 400, 403, 404]).check(stays_here).kept_or_closed());
    }
    rows
}

/// Whether a Location of this response, read as a reference relative to `target`, is `wanted`.
fn redirects(response: &Response, target: &str, wanted: &str) -> Option<String> {
    let location = response.field("location").unwrap_or_default();
    if location.contains("://") || location.starts_with("//") {
        return Some(format!("Location {location:?} is not relative"));
    }
    // RFC 3986 §4.2: in a relative path, a colon in the first segment would make a scheme.
    if !location.starts_with(['/', '.']) && location.split(['/', '?']).next().is_some_and(|first| first.contains(':')) {
        return Some(format!("Location {location:?} reads as a scheme"));
    }
    let path = target.split('?').next().unwrap_or_default();
    let folder = &path[..=path.rfind('/').unwrap_or(0)];
    let joined = if location.starts_with('/') { location.to_owned() } else { format!("{folder}{location}") };
    let leads_there = wanted.split('|').any(|one| without_dots(&joined) == one);
    (!leads_there).then(|| format!("Location {location:?} leads to {joined}, not {wanted}"))
}

/// RFC 3986 §5.2.4, for the paths above: one dot is dropped, two take the segment before with them.
fn without_dots(reference: &str) -> String {
    let (path, query) = reference.split_once('?').map_or((reference, None), |(path, query)| (path, Some(query)));
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let path = segments.join("/");
    query.filter(|query| !query.is_empty()).map_or(path.clone(), |query| format!("{path}?{query}"))
}

fn stays_here(response: &Response) -> Option<String> {
    let location = response.field("location")?;
    let leaves = location.starts_with("//") || location.starts_with("/\\") || location.contains("://");
    leaves.then(|| format!("Location {location:?}"))
}
