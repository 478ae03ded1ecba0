//! How the values of flags are read. Each error says what a value must be; the command line says of which flag.

use std::path::{Component, Path};
use std::time::Duration;

use crate::units::{Bytes, Span};

/// A number, 0 included.
pub fn count(text: &str) -> Result<u32, String> {
    number(text, 0, u32::MAX)
}

/// A number of something that there must be.
pub fn positive_count(text: &str) -> Result<u32, String> {
    number(text, 1, u32::MAX)
}

/// Requests of each way that `compare` makes.
pub fn request_count(text: &str) -> Result<u32, String> {
    number(text, 1, 1_000_000)
}

fn number(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| match most {
        u32::MAX if text.parse::<u64>().is_ok_and(|number| number > most.into()) => format!("must be at most {most}"),
        u32::MAX => format!("must be a whole number, {least} or more"),
        _ => format!("must be a whole number from {least} to {most}"),
    })
}

/// A timeout that guards against peers who do nothing can't be switched off.
pub fn positive_span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    if span.0.is_zero() { Err("must be longer than 0".into()) } else { Ok(span) }
}

/// The kernel counts the seconds before a TCP keep-alive probe, and no parts of them.
pub fn probe_span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    let whole = span.0.subsec_millis() == 0 && span.0 <= Duration::from_secs(32_767);
    if whole { Ok(span) } else { Err("must be whole seconds, at most 32767s".into()) }
}

/// It becomes `{pause}`, which is told in whole seconds.
pub fn watch_span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    let whole = span.0.subsec_millis() == 0 && (1..=600).contains(&span.0.as_secs());
    if whole { Ok(span) } else { Err("must be whole seconds, from 1s to 10m".into()) }
}

/// A head that is too small takes no request, one that is too large holds too much memory for each connection.
pub fn head_bytes(text: &str) -> Result<Bytes, String> {
    let bytes: Bytes = text.parse()?;
    if (256..=1 << 20).contains(&bytes.0) { Ok(bytes) } else { Err("must be from 256 to 1MiB".into()) }
}

/// The name of a file in whatever folder.
pub fn file_name(text: &str) -> Result<String, String> {
    let plain = !text.is_empty() && !text.contains(['/', '\0']) && text != "." && text != "..";
    if plain { Ok(text.to_owned()) } else { Err("must be the name of a file in each folder, without '/'".into()) }
}

/// A path beneath ROOT. The kernel refuses what leads out of it, so such a file would never be sent.
pub fn path_beneath(text: &str) -> Result<String, String> {
    let leaves = Path::new(text).components().any(|part| part == Component::ParentDir);
    let names_none = text.contains('\0') || text.trim_matches('/').is_empty();
    if leaves || names_none {
        Err("must be the path of a file beneath ROOT, without '..'".into())
    } else {
        Ok(text.to_owned())
    }
}

/// What may stand in a header field as it is.
pub fn field_value(text: &str) -> Result<String, String> {
    let plain = !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if plain { Ok(text.to_owned()) } else { Err("must be printable ASCII".into()) }
}
