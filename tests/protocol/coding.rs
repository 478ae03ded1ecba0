//! RFC 9110 §12.5.3, §8.4: precompressed files, chosen by Accept-Encoding.

use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{Root, Server, get, request};

#[test]
fn coding() {
    let root = root();
    let server = Server::start(&root, &["--precompressed"]);
    run(&server, &choice_rows());
    run(&server, &validator_rows(&server));
}

#[test]
fn coded_page_for_404() {
    let root = root().file("404.html", "lost").file("404.html.gz", "lost, gzipped");
    run(&Server::start(&root, &["--precompressed", "--not-found", "404.html"]), &not_found_rows());
}

#[test]
fn without_precompressed() {
    let root = root();
    run(
        &Server::start(&root, &[]),
        &[row("--precompressed", "is off by default", get("/app.js", &["Accept-Encoding: gzip, br"]))
            .gives(&[200])
            .body("plain")
            .lacks("content-encoding")],
    );
}

/// The content says which file it is from.
fn root() -> Root {
    let root = site::root().file("trap.js", "plain");
    symlink("/etc/passwd", root.at("trap.js.br")).expect("a symlink");
    mknodat(CWD, root.at("trap.js.gz"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    std::fs::create_dir(root.at("trap.js.zst")).expect("a folder");
    root.file("app.js", "plain")
        .file("app.js.gz", "gzipped")
        .file("app.js.br", "brotli")
        .file("app.js.zst", "zstandard")
        .file("gz.css", "plain")
        .file("gz.css.gz", "gzipped")
}

/// For `/app.js`, which has all siblings: Accept-Encoding, the coding that is chosen, and why.
const CHOICES: &[(&str, &str, &str)] = &[
    ("gzip", "gzip", "the only one accepted"),
    ("br", "br", "the only one accepted"),
    ("zstd", "zstd", "the only one accepted"),
    ("GZIP", "gzip", "names are case-insensitive (§8.4.1)"),
    ("gzip, deflate, br", "br", "of equals the best"),
    ("gzip;q=1.0, br;q=0.5", "gzip", "the preferred one"),
    ("br;q=0.5,gzip;q=0.8", "gzip", "in any order"),
    ("gzip ; q=0.8 , br ; q=0.5", "gzip", "with white space"),
    ("gzip;q=0, br;q=0.1", "br", "q=0 is not acceptable"),
    ("gzip;Q=0", "", "the parameter's name is case-insensitive"),
    ("gzip;q=0", "", "so the plain file is left"),
    ("gzip;q=0.000", "", "also with digits"),
    ("", "", "an empty list accepts no coding"),
    ("deflate", "", "one that we don't have"),
    ("identity", "", "the plain file"),
    ("identity, gzip;q=0", "", "explicitly"),
    ("identity;q=1, gzip;q=0.5", "", "preferred"),
    ("*;q=0, gzip", "gzip", "what is named is not the rest"),
    ("identity;q=0, gzip", "gzip", "the plain file is not acceptable"),
    ("gzip-x", "", "another name"),
];

#[rustfmt::skip]
fn choice_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for &(accepted, coding, why) in CHOICES {
        let row = row("9110 §12.5.3", format!("{why}: {accepted:?}"), get("/app.js", &[&format!("Accept-Encoding: {accepted}")]))
            .gives(&[200]).lists("vary", &["Accept-Encoding"]);
        let content = match coding { "gzip" => "gzipped", "br" => "brotli", "zstd" => "zstandard", _ => "plain" };
        let row = row.body(content).check(|response| {
            let media_type = response.field("content-type").unwrap_or_default();
            (!media_type.starts_with("text/javascript")).then(|| format!("Content-Type {media_type:?}, not the plain file's"))
        });
        rows.push(if coding.is_empty() { row.lacks("content-encoding") } else { row.field("content-encoding", coding) });
    }
    rows.extend([
        row("9110 §12.5.3", "without the field any is acceptable, and the plain one best understood", get("/app.js", &[])).gives(&[200]).body("plain").lists("vary", &["Accept-Encoding"]),
        row("9110 §12.5.3", "a star accepts any", get("/app.js", &["Accept-Encoding: *"])).gives(&[200]).lists("vary", &["Accept-Encoding"]),
        row("9110 §5.3", "a list over two lines", get("/app.js", &["Accept-Encoding: gzip;q=0.5", "Accept-Encoding: br;q=0.4"])).gives(&[200]).field("content-encoding", "gzip"),
        row("9110 §12.5.3", "a file with one sibling", get("/gz.css", &["Accept-Encoding: br, gzip;q=0.1"])).gives(&[200]).field("content-encoding", "gzip").body("gzipped"),
        row("9110 §12.5.3", "a file without siblings", get("/hello.txt", &["Accept-Encoding: gzip, br"])).gives(&[200]).lacks("content-encoding").body("hello, world\n"),
        row("9110 §12.5.3", "nothing acceptable", get("/hello.txt", &["Accept-Encoding: identity;q=0"])).gives(&[200, 406, 415]),
        row("9110 §12.5.3", "nothing acceptable by a star", get("/hello.txt", &["Accept-Encoding: *;q=0"])).gives(&[200, 406, 415]),
        row("9110 §15.5.7", "none of the forms is acceptable", get("/app.js", &["Accept-Encoding: identity;q=0"])).gives(&[406]).lists("vary", &["Accept-Encoding"]),
        row("9110 §12.5.5", "412 varies where the file does", get("/app.js", &["If-Match: \"x\""])).gives(&[412]).lists("vary", &["Accept-Encoding"]),
        row("9110 §12.5.5", "416 too", get("/app.js", &["Range: bytes=99-"])).gives(&[416]).lists("vary", &["Accept-Encoding"]).field("content-range", "bytes */5"),
        row("9110 §12.5.5", "but not where there is one form only", get("/hello.txt", &["If-Match: \"x\""])).gives(&[412]).lacks("vary"),
        row("9110 §17.3", "siblings that are not files, or lead out, are none", get("/trap.js", &["Accept-Encoding: br, gzip, zstd"])).gives(&[200]).lacks("content-encoding").body("plain"),
        row("9110 §12.5.3", "HEAD tells of the same choice", request("HEAD", "/app.js", &["Accept-Encoding: gzip"])).gives_head(&[200]).field("content-encoding", "gzip").field("content-length", "7"),
        row("9110 §14.2", "a range is one of the chosen bytes", get("/app.js", &["Accept-Encoding: gzip", "Range: bytes=0-3"])).gives(&[206]).field("content-encoding", "gzip").field("content-range", "bytes 0-3/7").body("gzip"),
        row("9110 §8.4", "a sibling asked for by its name is not coded", get("/app.js.gz", &["Accept-Encoding: gzip"])).gives(&[200]).lacks("content-encoding").field("content-type", "application/gzip").body("gzipped"),
    ]);
    rows
}

#[rustfmt::skip]
fn not_found_rows() -> Vec<Row> {
    vec![
        row("9110 §12.5.3", "the page for 404 is chosen too", get("/missing.js", &["Accept-Encoding: gzip"])).gives(&[404]).field("content-encoding", "gzip").body("lost, gzipped").lists("vary", &["Accept-Encoding"]),
        row("9110 §15.5.5", "404 it stays if its page is not acceptable", get("/missing.js", &["Accept-Encoding: identity;q=0"])).gives(&[404]).lacks("content-encoding").shows("404").lists("vary", &["Accept-Encoding"]),
        row("9110 §15.5.5", "also to a HEAD", request("HEAD", "/missing.js", &["Accept-Encoding: *;q=0"])).gives_head(&[404]).lists("vary", &["Accept-Encoding"]),
    ]
}

/// RFC 9110 §8.8.3.3: each coding has an entity tag of its own.
#[rustfmt::skip]
fn validator_rows(server: &Server) -> Vec<Row> {
    let plain = site::etag(server, "/app.js");
    let mut wire = server.connect();
    wire.send(get("/app.js", &["Accept-Encoding: gzip"]));
    let gzipped = wire.read_response().field("etag").expect("a coded file has an ETag").to_owned();
    assert_ne!(plain, gzipped, "two codings share an entity tag");
    let ask = |tag: &str, accepted: &str| get("/app.js", &[&format!("If-None-Match: {tag}"), &format!("Accept-Encoding: {accepted}")]);
    vec![
        row("9110 §8.8.3.3", "the tag of the chosen coding", ask(&gzipped, "gzip")).gives(&[304]).field("etag", gzipped.clone()).lists("vary", &["Accept-Encoding"]),
        row("9110 §8.8.3.3", "the plain file's tag is not the coded one's", ask(&plain, "gzip")).gives(&[200]).body("gzipped"),
        row("9110 §8.8.3.3", "nor the other way round", ask(&gzipped, "identity")).gives(&[200]).body("plain"),
        row("9110 §8.8.3.3", "the plain file's own", ask(&plain, "identity")).gives(&[304]).lists("vary", &["Accept-Encoding"]),
    ]
}
