//! Media types by file name extension.

use std::borrow::Cow;
use std::path::Path;

/// For what has no extension, or one that nobody knows (RFC 9110 §8.3).
const UNKNOWN: &str = "application/octet-stream";

/// Where mime_guess says nothing, something outdated, or something that browsers refuse.
const CORRECTIONS: &[(&str, &str)] = &[
    ("cjs", "text/javascript"),
    ("dtd", "application/xml-dtd"), // RFC 7303 §9.5
    ("jsonl", "application/jsonl"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("map", "application/json"),
    ("mid", "audio/midi"),
    ("midi", "audio/midi"),
    ("mjs", "text/javascript"), // RFC 9239; modules run only with a JavaScript type
    ("mts", "video/mp2t"),
    ("ndjson", "application/x-ndjson"),
    ("obj", "model/obj"),
    ("otf", "font/otf"),
    ("rpm", "application/x-rpm"),
    ("stl", "model/stl"),
    ("tgz", "application/gzip"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"), // TypeScript has no registered type, and no browser runs it
    ("usdz", "model/vnd.usdz+zip"),
    ("vcf", "text/vcard"), // RFC 6350
    ("woff", "font/woff"),
    // RFC 7303 §3: with a charset the XML declaration would no longer count.
    ("xml", "application/xml"),
    ("xsd", "application/xml"),
    ("xsl", "application/xslt+xml"),
    ("xslt", "application/xslt+xml"),
    ("yaml", "application/yaml"), // RFC 9512
    ("yml", "application/yaml"),
    ("zst", "application/zstd"),
];

/// The value of `Content-Type` for a file. Text is UTF-8, for us as for most; formats outside of `text/`
/// say themselves how they are encoded.
pub fn of(path: &Path) -> Cow<'static, str> {
    let media_type = path.extension().and_then(|extension| by_extension(extension.to_str()?)).unwrap_or(UNKNOWN);
    if media_type.starts_with("text/") {
        Cow::Owned(format!("{media_type}; charset=utf-8"))
    } else {
        Cow::Borrowed(media_type)
    }
}

fn by_extension(extension: &str) -> Option<&'static str> {
    CORRECTIONS
        .iter()
        .find(|(known, _)| extension.eq_ignore_ascii_case(known))
        .map(|(_, media_type)| *media_type)
        .or_else(|| mime_guess::from_ext(extension).first_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_have_the_types_that_browsers_expect() {
        let rows = [
            ("a.html", "text/html; charset=utf-8"),
            ("a.HTM", "text/html; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.txt", "text/plain; charset=utf-8"),
            ("a.md", "text/markdown; charset=utf-8"),
            ("a.csv", "text/csv; charset=utf-8"),
            ("a.ics", "text/calendar; charset=utf-8"),
            ("a.vtt", "text/vtt; charset=utf-8"),
            ("a.json", "application/json"),
            ("a.js.map", "application/json"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.xml", "application/xml"),
            ("a.xsd", "application/xml"),
            ("a.xsl", "application/xslt+xml"),
            ("a.xslt", "application/xslt+xml"),
            ("a.dtd", "application/xml-dtd"),
            ("a.vcf", "text/vcard; charset=utf-8"),
            ("a.svg", "image/svg+xml"),
            ("a.svgz", "image/svg+xml"),
            ("a.wasm", "application/wasm"),
            ("a.woff", "font/woff"),
            ("a.woff2", "font/woff2"),
            ("a.ttf", "font/ttf"),
            ("a.otf", "font/otf"),
            ("a.png", "image/png"),
            ("a.apng", "image/apng"),
            ("a.jpg", "image/jpeg"),
            ("a.webp", "image/webp"),
            ("a.avif", "image/avif"),
            ("a.jxl", "image/jxl"),
            ("a.ico", "image/x-icon"),
            ("a.mp4", "video/mp4"),
            ("a.webm", "video/webm"),
            ("a.ts", "video/mp2t"),
            ("a.m3u8", "application/vnd.apple.mpegurl"),
            ("a.mp3", "audio/mpeg"),
            ("a.m4a", "audio/mp4"),
            ("a.opus", "audio/ogg"),
            ("a.flac", "audio/flac"),
            ("a.wav", "audio/wav"),
            ("a.m4s", "video/iso.segment"),
            ("a.mid", "audio/midi"),
            ("a.obj", "model/obj"),
            ("a.rpm", "application/x-rpm"),
            ("a.stl", "model/stl"),
            ("a.usdz", "model/vnd.usdz+zip"),
            ("a.pdf", "application/pdf"),
            ("a.zip", "application/zip"),
            ("a.tar.gz", "application/gzip"),
            ("a.7z", "application/x-7z-compressed"),
            ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ("LICENSE", UNKNOWN),
            ("a.unheardof", UNKNOWN),
            (".html", UNKNOWN),
            ("a.", UNKNOWN),
        ];
        for (name, media_type) in rows {
            assert_eq!(of(Path::new(name)), media_type, "{name}");
        }
    }

    #[test]
    fn corrections_are_sorted_and_needed() {
        assert!(CORRECTIONS.is_sorted());
        for (extension, media_type) in CORRECTIONS {
            assert_ne!(mime_guess::from_ext(extension).first_raw(), Some(*media_type), "{extension}");
        }
    }
}
