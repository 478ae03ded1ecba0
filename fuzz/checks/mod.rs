//! What must hold for any input: the fuzz targets look for one that breaks it, and the test
//! `tests/fuzz_corpus.rs` replays those that they found interesting. Each check compares with a
//! naive reader of the same bytes that shares no code with the one it watches.

pub mod content;
pub mod head;
pub mod target;
mod tree;

/// RFC 9110 §5.6.2: `token`, by what it may not hold.
fn is_token(name: &[u8]) -> bool {
    let is_token_byte = |byte: &u8| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(byte);
    !name.is_empty() && name.iter().all(is_token_byte)
}

/// No control byte but the tab (RFC 9110 §5.5).
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t')
}
