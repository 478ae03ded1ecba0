//! Reads the content of a request and discards it, so that the next request is found behind it.

use super::fields::is_token_byte;
use super::{BadRequest, Framing, Limits, MAX_CHUNK_EXTRAS};

/// The parser of request content (RFC 9112 §6, §7.1).
#[derive(Debug)]
pub struct ContentReader {
    state: ContentState,
    /// Bytes of content that may still come; more is too large.
    allowance: u64,
    /// Bytes of chunk extensions and trailers so far.
    extras: usize,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ContentState {
    /// Content whose length is known.
    Content {
        rest: u64,
    },
    ChunkSize {
        size: u64,
        digits: u8,
    },
    /// White space before an extension, which is all that may follow it.
    BeforeExtension {
        size: u64,
    },
    Extension {
        size: u64,
    },
    ChunkSizeLf {
        size: u64,
    },
    ChunkData {
        rest: u64,
    },
    ChunkDataCr,
    ChunkDataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
    Done,
}

/// The longest chunk size that does not overflow: sixteen hexadecimal digits.
const MAX_SIZE_DIGITS: u8 = 16;

impl ContentReader {
    /// A reader for the content that `framing` announces; `None` if there is none.
    ///
    /// # Errors
    /// [`BadRequest::ContentTooLarge`] if its length is known to exceed the limit.
    pub fn new(framing: Framing, limits: &Limits) -> Result<Option<Self>, BadRequest> {
        let state = match framing {
            Framing::None => return Ok(None),
            Framing::Length(length) if length > limits.max_body => return Err(BadRequest::ContentTooLarge),
            Framing::Length(rest) => ContentState::Content { rest },
            Framing::Chunked => ContentState::ChunkSize { size: 0, digits: 0 },
        };
        Ok(Some(ContentReader { state, allowance: limits.max_body, extras: 0 }))
    }

    /// Reads the content at the beginning of `input` and returns its length. Less than all of `input` means that the
    /// content [is complete](Self::is_done).
    ///
    /// # Errors
    /// [`BadRequest::Chunk`] or [`BadRequest::ContentTooLarge`].
    pub fn read(&mut self, input: &[u8]) -> Result<usize, BadRequest> {
        let mut at = 0;
        while at < input.len() && !self.is_done() {
            at += match &mut self.state {
                ContentState::Content { rest } | ContentState::ChunkData { rest } => {
                    let taken = usize::try_from(*rest).unwrap_or(usize::MAX).min(input.len() - at);
                    *rest -= taken as u64;
                    taken
                }
                _ => {
                    self.state = self.after(input[at])?;
                    1
                }
            };
            match self.state {
                ContentState::Content { rest: 0 } => self.state = ContentState::Done,
                ContentState::ChunkData { rest: 0 } => self.state = ContentState::ChunkDataCr,
                _ => {}
            }
        }
        Ok(at)
    }

    /// The whole content, and the trailer section if there is one, has been read.
    pub fn is_done(&self) -> bool {
        self.state == ContentState::Done
    }

    /// The state after one byte of framing. Line ends are CRLF and nothing else: what another reader would take for the
    /// end of a chunk must be one for us too (RFC 9112 §7.1).
    fn after(&mut self, byte: u8) -> Result<ContentState, BadRequest> {
        let bad = Err(BadRequest::Chunk);
        match (self.state, byte) {
            (ContentState::ChunkSize { size, digits }, _) if byte.is_ascii_hexdigit() => {
                // RFC 9112 §7.1: "recipients MUST anticipate potentially large hexadecimal numerals".
                if digits == MAX_SIZE_DIGITS {
                    return bad;
                }
                let digit = (byte as char).to_digit(16).map_or(0, u64::from);
                Ok(ContentState::ChunkSize { size: size << 4 | digit, digits: digits + 1 })
            }
            (ContentState::ChunkSize { digits: 0, .. }, _) => bad,
            (ContentState::ChunkSize { size, .. }, b'\r') => Ok(ContentState::ChunkSizeLf { size }),
            (ContentState::ChunkSize { size, .. } | ContentState::BeforeExtension { size }, b' ' | b'\t') => {
                self.count_extra(ContentState::BeforeExtension { size })
            }
            (ContentState::ChunkSize { size, .. } | ContentState::BeforeExtension { size }, b';') => {
                self.count_extra(ContentState::Extension { size })
            }
            (ContentState::Extension { size }, b'\r') => Ok(ContentState::ChunkSizeLf { size }),
            (ContentState::Extension { size }, _) if is_text(byte) => {
                self.count_extra(ContentState::Extension { size })
            }
            (ContentState::ChunkSizeLf { size: 0 }, b'\n') => Ok(ContentState::TrailerStart),
            (ContentState::ChunkSizeLf { size }, b'\n') => {
                self.allowance = self.allowance.checked_sub(size).ok_or(BadRequest::ContentTooLarge)?;
                Ok(ContentState::ChunkData { rest: size })
            }
            (ContentState::ChunkDataCr, b'\r') => Ok(ContentState::ChunkDataLf),
            (ContentState::ChunkDataLf, b'\n') => Ok(ContentState::ChunkSize { size: 0, digits: 0 }),
            (ContentState::TrailerStart, b'\r') => Ok(ContentState::LastLf),
            (ContentState::TrailerStart | ContentState::TrailerName, _) if is_token_byte(byte) => {
                self.count_extra(ContentState::TrailerName)
            }
            (ContentState::TrailerName, b':') => self.count_extra(ContentState::TrailerValue),
            (ContentState::TrailerValue, b'\r') => Ok(ContentState::TrailerLf),
            (ContentState::TrailerValue, _) if is_text(byte) => self.count_extra(ContentState::TrailerValue),
            (ContentState::TrailerLf, b'\n') => Ok(ContentState::TrailerStart),
            (ContentState::LastLf, b'\n') => Ok(ContentState::Done),
            _ => bad,
        }
    }

    /// Counts a byte of an extension or a trailer, which are ignored but limited.
    fn count_extra(&mut self, next: ContentState) -> Result<ContentState, BadRequest> {
        self.extras += 1;
        if self.extras > MAX_CHUNK_EXTRAS { Err(BadRequest::Chunk) } else { Ok(next) }
    }
}

/// Whether a field value or a chunk extension may have this byte: no control byte but the tab (RFC 9110 §5.5).
fn is_text(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on a chunked body that is followed by `NEXT`.
    fn verdict(body: &str) -> Result<bool, BadRequest> {
        let bytes = format!("{body}NEXT");
        let mut whole = reader();
        let result = whole.read(bytes.as_bytes()).map(|taken| whole.is_done() && taken == body.len());
        // The same, byte by byte.
        let mut slow = reader();
        let mut taken = 0;
        let trickled = loop {
            match slow.read(&bytes.as_bytes()[taken..=taken]) {
                Err(bad) => break Err(bad),
                Ok(_) if slow.is_done() => break Ok(taken + 1 == body.len()),
                Ok(_) if taken + 1 == bytes.len() => break Ok(false),
                Ok(_) => taken += 1,
            }
        };
        assert_eq!(result, trickled, "{body:?}");
        result
    }

    fn reader() -> ContentReader {
        let limits = Limits { max_body: 100, ..Limits::DEFAULT };
        ContentReader::new(Framing::Chunked, &limits).unwrap().unwrap()
    }

    #[test]
    fn chunked_content_ends_where_rfc_9112_7_1_says() {
        let long_extension = format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(MAX_CHUNK_EXTRAS));
        let bad = Err(BadRequest::Chunk);
        let rows: &[(&str, Result<bool, BadRequest>, &str)] = &[
            ("0\r\n\r\n", Ok(true), "no content"),
            ("5\r\nhello\r\n0\r\n\r\n", Ok(true), "one chunk"),
            ("5\r\nhello\r\nA\r\n0123456789\r\n000\r\n\r\n", Ok(true), "several, zeros in front of the last size"),
            ("5;a=b;c=\"d\"\r\nhello\r\n0;last\r\n\r\n", Ok(true), "extensions are ignored"),
            ("5 ;a\r\nhello\r\n0\r\n\r\n", Ok(true), "bad white space before an extension is tolerated (BWS)"),
            ("5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n", Ok(true), "trailers are dropped"),
            ("5 \r\nhello\r\n0\r\n\r\n", bad, "white space without an extension"),
            ("\r\n0\r\n\r\n", bad, "no size"),
            ("-1\r\n", bad, "a sign"),
            ("0x5\r\nhello\r\n", bad, "a prefix"),
            ("5\nhello\r\n0\r\n\r\n", bad, "bare LF after the size"),
            ("5\rhello\r\n0\r\n\r\n", bad, "bare CR after the size"),
            ("5\r\nhelloX\r\n", bad, "data longer than its size"),
            ("5\r\nhello\n0\r\n\r\n", bad, "bare LF after the data"),
            ("00000000000000000\r\n\r\n", bad, "more digits than fit a size"),
            ("5;a\x00b\r\n", bad, "NUL in an extension"),
            ("0\r\nA b\r\n\r\n", bad, "a trailer without a colon"),
            ("0\r\n folded\r\n\r\n", bad, "a folded trailer"),
            ("0\r\n\n", bad, "bare LF at the end"),
            ("65\r\n", Err(BadRequest::ContentTooLarge), "101 bytes, where 100 are drained"),
            ("FFFFFFFFFFFFFFFF\r\n", Err(BadRequest::ContentTooLarge), "as large as a number can be"),
            (&long_extension, bad, "extensions without end"),
        ];
        for (body, expected, why) in rows {
            assert_eq!(verdict(body), *expected, "{why}");
        }
    }

    #[test]
    fn content_of_known_length_ends_after_so_many_bytes() {
        let limits = Limits { max_body: 5, ..Limits::DEFAULT };
        let mut reader = ContentReader::new(Framing::Length(5), &limits).unwrap().unwrap();
        assert_eq!(reader.read(b"abc"), Ok(3));
        assert!(!reader.is_done());
        assert_eq!(reader.read(b"deGET"), Ok(2));
        assert!(reader.is_done());
        assert_eq!(ContentReader::new(Framing::Length(6), &limits).unwrap_err(), BadRequest::ContentTooLarge);
    }
}
