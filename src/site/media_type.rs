//! Media types by file name extension.

use std::borrow::Cow;
use std::path::Path;

/// For what has no extension, or one that nobody knows (RFC 9110 §8.3).
const UNKNOWN: &str = "application/octet-stream";

/// Where mime_guess says nothing, something outdated, or something that browsers refuse.
const CORRECTIONS: &[(&str, &str)] = &[
    ("cjs", "text/javascript"),
    ("jsonl", "application/jsonl"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("map", "application/json"),
    ("mjs", "text/javascript"), // RFC 9239; modules run only with a JavaScript type
    ("mts", "video/mp2t"),
    ("ndjson", "application/x-ndjson"),
    ("otf", "font/otf"),
    ("tgz", "application/gzip"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"), // TypeScript has no registered type, and no browser runs it
    ("woff", "font/woff"),
    // RFC 7303 §3: with a charset the XML declaration would no longer count.
    ("xml", "application/xml"),
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
