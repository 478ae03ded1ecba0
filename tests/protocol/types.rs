//! RFC 9110 §8.3: the media type of a file, by the extension of its name.

use crate::row::row;
use crate::runner::run;
use crate::site;
use crate::support::{Server, get};

/// Extensions and their types, as registered or as browsers want them.
const TYPES: &[(&str, &str)] = &[
    ("html", "text/html; charset=utf-8"),
    ("htm", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("txt", "text/plain; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("md", "text/markdown; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("xml", "text/xml|application/xml"),
    ("xsl", "application/xslt+xml"),
    ("xslt", "application/xslt+xml"),
    ("dtd", "application/xml-dtd"),
    ("vcf", "text/vcard; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("svgz", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("apng", "image/apng|image/vnd.mozilla.apng"),
    ("jxl", "image/jxl"),
    ("ico", "image/x-icon|image/vnd.microsoft.icon"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("ttf", "font/ttf"),
    ("otf", "font/otf"),
    ("wasm", "application/wasm"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav|audio/x-wav|audio/wave"),
    ("mid", "audio/midi"),
    ("flac", "audio/flac"),
    ("opus", "audio/ogg|audio/opus"),
    ("m4a", "audio/mp4|audio/m4a|audio/x-m4a"),
    ("ics", "text/calendar; charset=utf-8"),
    ("HTML", "text/html; charset=utf-8"),
    ("tar.gz", "application/gzip"),
    ("js.txt", "text/plain; charset=utf-8"),
    ("unheard-of", "application/octet-stream"),
];

#[test]
fn types() {
    let files = TYPES.iter().fold(site::root(), |root, (extension, _)| root.file(&format!("a.{extension}"), "content"));
    let root = files.file("none", "content").file("ends.", "content").file("html", "content");
    let mut rows: Vec<_> = TYPES
        .iter()
        .map(|&(extension, types)| {
            row("9110 §8.3", format!(".{extension}"), get(&format!("/a.{extension}"), &[]))
                .gives(&[200])
                .field("x-content-type-options", "nosniff")
                .check(move |response| {
                    let found = response.field("content-type").unwrap_or_default();
                    let matches =
                        types.split('|').any(|one| found == one || found.strip_suffix("; charset=utf-8") == Some(one));
                    (!matches).then(|| format!("Content-Type {found:?}, not {types:?}"))
                })
        })
        .collect();
    for name in ["/none", "/ends.", "/html"] {
        let request = get(name, &[]);
        rows.push(
            row("9110 §8.3", "no extension", request).gives(&[200]).field("content-type", "application/octet-stream"),
        );
    }
    run(&Server::start(&root, &[]), &rows);
}
