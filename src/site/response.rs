//! What the site answers: a status, fields, and content that may lie in memory or in a file.

use std::fs::File;
use std::rc::Rc;

use super::pages;
use crate::http::{FieldBlock, Length, Plan, ResponseHead, Status};

/// What the site has to say to a request.
#[derive(Debug)]
pub enum Answer {
    /// This.
    Response(Response),
    /// This, and the connection is to break with it or after it, as planned.
    Planned(Response, Plan),
    /// Only the server itself can tell: it writes the report, and makes it a response by the functions of [`Report`].
    Report(Report),
}

/// What only the server itself can answer: reports on its own state, and the live feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// `/-/status`: JSON.
    Status,
    /// `/-/metrics`: the text format of Prometheus.
    Metrics,
    /// `/-/events`: the live feed, from now on or from behind the event with this id, if it may have one more viewer.
    Feed {
        /// `Last-Event-ID`.
        last: Option<u64>,
    },
}

impl Report {
    /// The response that carries the state as JSON.
    pub fn status(json: String) -> Response {
        Self::response("application/json", json)
    }

    /// The response that carries the metrics.
    pub fn metrics(text: String) -> Response {
        Self::response("text/plain; version=0.0.4; charset=utf-8", text)
    }

    /// The response that becomes the live feed.
    pub fn feed(last: Option<u64>) -> Response {
        let mut fields = FieldBlock::new();
        fields
            .push("Content-Type", "text/event-stream")
            .push("X-Content-Type-Options", "nosniff")
            .push("Cache-Control", "no-store")
            // nginx would hold events back until its buffer is full.
            .push("X-Accel-Buffering", "no");
        Response { status: Status::OK, fields, content: Content::Feed { last } }
    }

    /// The response in place of the feed when it has as many viewers as it may have.
    pub fn too_many_viewers() -> Response {
        pages::refusal(
            Status::SERVICE_UNAVAILABLE,
            "The live feed has as many viewers as it may have. Close a page first.",
        )
    }

    fn response(media_type: &str, text: String) -> Response {
        let mut response = pages::page(Status::OK, media_type, text.into_bytes());
        response.fields.push("Cache-Control", "no-store");
        response
    }
}

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
    /// In memory, perhaps shared with other responses.
    Bytes(Rc<[u8]>),
    /// A part of a file, sent from there.
    File(FileSlice),
    /// Several of these, one after the other.
    Parts(Vec<Part>),
    /// The same, in chunks: their framing is among the parts.
    Chunked(Vec<Part>),
    /// The live feed, from now on or from behind the event with this id.
    Feed {
        /// `Last-Event-ID`.
        last: Option<u64>,
    },
}

/// A piece of [`Content::Parts`].
#[derive(Debug)]
pub enum Part {
    /// In memory.
    Bytes(Rc<[u8]>),
    /// From a file.
    File(FileSlice),
    /// A block that is not empty, again and again until there are this many bytes.
    Repeated(Rc<[u8]>, u64),
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
    /// The head for the protocol to encode. `server_timing` is the number of the connection if the client may view the
    /// console.
    pub fn head(&self, server_timing: Option<u64>) -> ResponseHead<'_> {
        ResponseHead {
            status: self.status,
            length: self.content.length(),
            fields: self.fields.as_bytes(),
            server_timing,
        }
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
            Content::Chunked(parts) => Length::Chunked(parts.iter().map(Part::length).sum()),
            Content::Feed { .. } => Length::Stream,
        }
    }
}

impl Part {
    /// Its bytes.
    pub fn length(&self) -> u64 {
        match self {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::File(slice) => slice.length,
            Part::Repeated(_, length) => *length,
        }
    }
}

impl From<Part> for Content {
    fn from(part: Part) -> Self {
        match part {
            Part::Bytes(bytes) => Content::Bytes(bytes),
            Part::File(slice) => Content::File(slice),
            repeated @ Part::Repeated(..) => Content::Parts(vec![repeated]),
        }
    }
}
