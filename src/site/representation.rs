//! A file in the form that was chosen, and what of it a request gets: all, parts, or only the news that
//! nothing has changed.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use super::conditional::{self, Validators, Verdict};
use super::encoding::Coding;
use super::files::Stored;
use super::pages;
use super::range::{self, ByteRange, Selection};
use super::response::{Content, Response};
use crate::http::{Field, FieldBlock, Method, RequestHead, Status, Tick};

/// What RFC 9110 §3.2 calls the selected representation.
pub struct Representation<'a> {
    /// The file.
    pub stored: Stored,
    /// Of the file without its coding.
    pub media_type: Cow<'static, str>,
    /// How the file is coded.
    pub coding: Coding,
    /// There are others to choose from.
    pub varies: bool,
    /// What the operator says about caching.
    pub cache_control: Option<&'a str>,
    /// Where the boundaries of multipart contents come from.
    pub boundaries: &'a RandomState,
}

impl Representation<'_> {
    /// Answers a GET or HEAD: first the preconditions, then the range (RFC 9110 §13.2.2).
    pub fn respond(self, head: &RequestHead<'_>, tick: &Tick<'_>) -> Response {
        let validators = self.stored.facts.validators(tick.date);
        match conditional::evaluate(head, &validators, tick.date) {
            Verdict::Proceed => {}
            Verdict::NotModified => return self.not_modified(&validators),
            Verdict::Failed => return self.error(Status::PRECONDITION_FAILED, head),
        }
        match self.selection(head, &validators, tick) {
            Selection::Whole => self.whole(&validators),
            Selection::Ranges(ranges) => match &ranges[..] {
                [range] => self.partial(*range, &validators),
                ranges => self.multipart(ranges, &validators),
            },
            Selection::Unsatisfiable => {
                let mut response = self.error(Status::RANGE_NOT_SATISFIABLE, head);
                response.fields.push("Content-Range", format!("bytes */{}", self.stored.facts.size));
                response
            }
        }
    }

    /// As the page for what is not there: neither preconditions nor ranges nor validators are about it.
    pub fn not_found(self) -> Response {
        let mut fields = self.general_fields();
        self.push_content_fields(&mut fields);
        Response { status: Status::NOT_FOUND, fields, content: self.stored.whole().into() }
    }

    fn selection(&self, head: &RequestHead<'_>, validators: &Validators, tick: &Tick<'_>) -> Selection {
        match head.value(Field::Range) {
            // RFC 9110 §14.2: "A server MUST ignore a Range header field received with a request method that
            // is unrecognized or for which range handling is not defined." It is for GET alone.
            Some(value) if head.method == Method::Get && conditional::range_applies(head, validators, tick.date) => {
                range::select(value, self.stored.facts.size)
            }
            _ => Selection::Whole,
        }
    }

    /// RFC 9110 §15.4.5: what a 200 would say about caching, and no other metadata.
    fn not_modified(&self, validators: &Validators) -> Response {
        Response { status: Status::NOT_MODIFIED, fields: self.caching_fields(validators), content: Content::None }
    }

    fn error(&self, status: Status, head: &RequestHead<'_>) -> Response {
        if self.varies { negotiated_error(status, head) } else { pages::error(status, head.target_as_sent) }
    }

    fn whole(self, validators: &Validators) -> Response {
        let mut fields = self.file_fields(validators);
        self.push_content_fields(&mut fields);
        Response { status: Status::OK, fields, content: self.stored.whole().into() }
    }

    /// RFC 9110 §15.3.7.1.
    fn partial(&self, range: ByteRange, validators: &Validators) -> Response {
        let mut fields = self.file_fields(validators);
        self.push_content_fields(&mut fields);
        fields.push("Content-Range", range.content_range(self.stored.facts.size));
        Response { status: Status::PARTIAL_CONTENT, fields, content: self.stored.slice(range).into() }
    }

    /// RFC 9110 §15.3.7.2: media type and coding are those of the parts, and stand in their heads.
    fn multipart(&self, ranges: &[ByteRange], validators: &Validators) -> Response {
        // Who writes the file must not be able to guess what would end a part of it.
        let boundary = format!("{:016x}", self.boundaries.hash_one(&validators.etag));
        let mut part_fields = FieldBlock::new();
        self.push_content_fields(&mut part_fields);
        let size = self.stored.facts.size;
        let parts = range::multipart(ranges, size, &part_fields, &boundary, |range| self.stored.slice(range));
        let mut fields = self.file_fields(validators);
        fields.push("Content-Type", format!("multipart/byteranges; boundary={boundary}"));
        Response { status: Status::PARTIAL_CONTENT, fields, content: Content::Parts(parts) }
    }

    /// The fields of every response that carries bytes of the file. They depend on the file alone, but for
    /// the `Last-Modified` of one that was written in the future.
    fn file_fields(&self, validators: &Validators) -> FieldBlock {
        let mut fields = self.caching_fields(validators);
        if let Some(last_modified) = &validators.last_modified {
            fields.push("Last-Modified", last_modified.as_bytes());
        }
        fields.push("Accept-Ranges", "bytes");
        fields
    }

    fn caching_fields(&self, validators: &Validators) -> FieldBlock {
        let mut fields = self.general_fields();
        if let Some(etag) = &validators.etag {
            fields.push("ETag", etag);
        }
        if let Some(value) = self.cache_control {
            fields.push("Cache-Control", value);
        }
        fields
    }

    fn general_fields(&self) -> FieldBlock {
        let mut fields = FieldBlock::new();
        fields.push("X-Content-Type-Options", "nosniff");
        // Also with the form that was sent because no other was wanted.
        if self.varies {
            push_vary(&mut fields);
        }
        fields
    }

    fn push_content_fields(&self, fields: &mut FieldBlock) {
        fields.push("Content-Type", self.media_type.as_bytes());
        if self.coding != Coding::Identity {
            fields.push("Content-Encoding", self.coding.token());
        }
    }
}

/// The page for an error that another `Accept-Encoding` might have spared the client.
pub fn negotiated_error(status: Status, head: &RequestHead<'_>) -> Response {
    let mut response = pages::error(status, head.target_as_sent);
    push_vary(&mut response.fields);
    response
}

/// RFC 9110 §12.5.5: "An origin server SHOULD generate a Vary header field on a cacheable response when it wishes that
/// response to be selectively reused for subsequent requests."
fn push_vary(fields: &mut FieldBlock) {
    fields.push("Vary", "Accept-Encoding");
}
