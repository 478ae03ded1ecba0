//! What holds for the reader of a request's content, whatever the bytes.

use super::{is_text, is_token};
use holdline::http::{BadRequest, ContentReader, Framing, Limits, MAX_CHUNK_EXTRAS};

/// Small, so that inputs reach it.
const MAX_BODY: u64 = 256;
const LIMITS: Limits = Limits { max_body: MAX_BODY, ..Limits::DEFAULT };

/// Panics if the reader does, if its answer depends on how the bytes were split on their way, or if
/// the content ends elsewhere than a naive reader finds.
pub fn check(bytes: &[u8]) {
    check_chunked(bytes);
    let present = bytes.len() as u64;
    for length in [1, present / 2, present, present + 1, MAX_BODY, MAX_BODY + 1] {
        check_length(bytes, length);
    }
}

fn check_chunked(bytes: &[u8]) {
    let outcome = read_in_any_pieces(bytes, Framing::Chunked);
    let end = match outcome {
        Ok(Progress { done: true, taken }) => Some(taken),
        Ok(_) | Err(_) => None,
    };
    assert_eq!(end, naive_end(bytes), "{outcome:?}");
    if let Ok(Progress { taken, .. }) = outcome {
        // The most for a byte of content: 16 digits, that byte and two line ends. Extensions and
        // trailers are counted; a line of these has at least two bytes beside its end.
        let most = 21 * MAX_BODY as usize + 2 * MAX_CHUNK_EXTRAS + 22;
        assert!(taken <= most, "{taken} bytes, and still no end");
    }
}

fn check_length(bytes: &[u8], length: u64) {
    if length > MAX_BODY {
        let refused = ContentReader::new(Framing::Length(length), &LIMITS);
        assert_eq!(refused.unwrap_err(), BadRequest::ContentTooLarge);
    } else if length > 0 {
        let taken = bytes.len().min(length as usize);
        let expected = Progress { taken, done: taken == length as usize };
        assert_eq!(read_in_any_pieces(bytes, Framing::Length(length)), Ok(expected));
    }
}

/// How far a reader came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Progress {
    taken: usize,
    done: bool,
}

/// Whole, byte by byte, and in pieces in between: always the same.
fn read_in_any_pieces(bytes: &[u8], framing: Framing) -> Result<Progress, BadRequest> {
    let whole = read_in_pieces(bytes, framing, bytes.len().max(1));
    for size in [1, 2, 3, 5, 8, 13] {
        assert_eq!(read_in_pieces(bytes, framing, size), whole, "in pieces of {size}");
    }
    whole
}

fn read_in_pieces(bytes: &[u8], framing: Framing, size: usize) -> Result<Progress, BadRequest> {
    let mut reader = ContentReader::new(framing, &LIMITS)?.expect("a framing with content");
    let mut taken = 0;
    for piece in bytes.chunks(size) {
        let count = reader.read(piece)?;
        assert!(count <= piece.len(), "more than there is");
        assert!(count == piece.len() || reader.is_done(), "less than all of it, and not done");
        taken += count;
    }
    Ok(Progress { taken, done: reader.is_done() })
}

/// Where a chunked body ends (RFC 9112 §7.1), if it is complete, well formed and within the limits.
fn naive_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut content = 0_u64;
    let mut extras = 0;
    loop {
        let line = line_at(bytes, at)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let size = u64::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()?;
        let extension = &line[digits..];
        if digits > 16 || !extension.is_empty() && !extension.trim_ascii_start().starts_with(b";") {
            return None;
        }
        content = content.checked_add(size).filter(|content| *content <= MAX_BODY)?;
        extras += extension.len();
        at += line.len() + 2;
        if size == 0 {
            break;
        }
        at += size as usize;
        if bytes.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        at += 2;
    }
    loop {
        let line = line_at(bytes, at)?;
        at += line.len() + 2;
        extras += line.len();
        if line.is_empty() {
            return (extras <= MAX_CHUNK_EXTRAS).then_some(at);
        }
        let name = line.split(|byte| *byte == b':').next().filter(|name| name.len() < line.len())?;
        if !is_token(name) {
            return None;
        }
    }
}

/// The line that begins there, without its CRLF.
fn line_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = &bytes[at..];
    let line = &rest[..rest.windows(2).position(|pair| pair == b"\r\n")?];
    is_text(line).then_some(line)
}
