//! What the site answers: a status, fields, and content that may lie in memory or in a file.

use std::fs::File;
use std::rc::Rc;

use crate::http::{FieldBlock, Length, ResponseHead, Status};

/// An answer that does not know its connection yet.
#[derive(Debug)]
pub struct Response {
    /// The outcome.
    pub status: Status,
    /// All fields but those that the protocol adds: `Date`, `Server`, `Content-Length` and what
    /// depends on the connection.
    pub fields: FieldBlock,
    /// What follows the head, to GET; to HEAD only its length is told.
    pub content: Content,
}

/// The content of a response.
#[derive(Debug)]
pub enum Content {
    /// 204 and 304 have none.
    None,
    /// Small, in memory.
    Bytes(Vec<u8>),
    /// A part of a file, sent from there.
    File(FileSlice),
    /// Several of these, one after the other.
    Parts(Vec<Part>),
}

/// A piece of [`Content::Parts`].
#[derive(Debug)]
pub enum Part {
    /// In memory.
    Bytes(Vec<u8>),
    /// From a file.
    File(FileSlice),
}

/// Bytes of an open file. The file may shrink while they are sent; the slice says what was promised.
#[derive(Clone, Debug)]
pub struct FileSlice {
    /// Where the bytes are.
    pub file: Rc<File>,
    /// The first of them.
    pub offset: u64,
    /// How many.
    pub length: u64,
}

impl Response {
    /// What the protocol encodes.
    pub fn head(&self) -> ResponseHead<'_> {
        ResponseHead { status: self.status, length: self.content.length(), fields: self.fields.as_bytes() }
    }
}

impl Content {
    /// How the end of the content is told.
    pub fn length(&self) -> Length {
        match self {
            Content::None => Length::NoContent,
            Content::Bytes(bytes) => Length::Known(bytes.len() as u64),
            Content::File(slice) => Length::Known(slice.length),
            Content::Parts(parts) => Length::Known(parts.iter().map(Part::length).sum()),
        }
    }
}

impl Part {
    /// Its bytes.
    pub fn length(&self) -> u64 {
        match self {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::File(slice) => slice.length,
        }
    }
}

impl From<Part> for Content {
    fn from(part: Part) -> Self {
        match part {
            Part::Bytes(bytes) => Content::Bytes(bytes),
            Part::File(slice) => Content::File(slice),
        }
    }
}
