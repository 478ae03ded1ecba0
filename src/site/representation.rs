//! A file in the form that was chosen, and the response to a request for it: 200 with all of it, 206 with parts, or 304
//! without content.

use std::hash::{BuildHasher, RandomState};

use super::conditional::{self, Validators, Verdict};
use super::encoding::Coding;
use super::files::Stored;
use super::pages;
use super::range::{self, ByteRange, Selection};
use super::response::{Content, Response};
use crate::http::{Date, Field, FieldBlock, Method, RequestHead, Status, Tick};

/// How a file is represented, whatever the request.
pub struct Form<'a> {
    /// The media type of the file without its content coding.
    pub media_type: &'a str,
    /// Its content coding.
    pub coding: Coding,
    /// The file has other codings to choose from, so the response varies by `Accept-Encoding`.
    pub varies: bool,
    /// The value of `--cache-control`.
    pub cache_control: Option<&'a str>,
}

/// What RFC 9110 §3.2 calls the selected representation. Its fields are encoded once, however often it is sent.
pub struct Representation {
    /// The file.
    pub stored: Stored,
    validators: Validators,
    varies: bool,
    /// The fields of a 304.
    not_modified_fields: FieldBlock,
    /// The fields of every 200 and 206.
    common_fields: FieldBlock,
    /// The fields about the content: media type and coding.
    content_fields: FieldBlock,
    /// The fields of a 200: the common ones and those about the content.
    ok_fields: FieldBlock,
}

impl Representation {
    /// A file in this form, to be sent at the second `now`.
    pub fn new(stored: Stored, form: &Form<'_>, now: &Date) -> Self {
        let validators = stored.validators(now);
        let mut not_modified_fields = general_fields(form.varies);
        if let Some(etag) = &validators.etag {
            not_modified_fields.push("ETag", etag.to_string());
        }
        if let Some(value) = form.cache_control {
            not_modified_fields.push("Cache-Control", value);
        }
        let mut common_fields = not_modified_fields.clone();
        if let Some(last_modified) = &validators.last_modified {
            common_fields.push("Last-Modified", last_modified.as_bytes());
        }
        common_fields.push("Accept-Ranges", "bytes");
        let mut content_fields = FieldBlock::new();
        content_fields.push("Content-Type", form.media_type.as_bytes());
        if form.coding != Coding::Identity {
            content_fields.push("Content-Encoding", form.coding.token());
        }
        let mut ok_fields = common_fields.clone();
        ok_fields.append(&content_fields);
        Representation {
            stored,
            validators,
            varies: form.varies,
            not_modified_fields,
            common_fields,
            content_fields,
            ok_fields,
        }
    }

    /// Answers a GET or HEAD: first the preconditions, then the range (RFC 9110 §13.2.2). The author of the file
    /// must not be able to guess what comes out of `boundaries`.
    pub fn respond(&self, head: &RequestHead<'_>, boundaries: &RandomState, tick: &Tick<'_>) -> Response {
        match conditional::evaluate(head, &self.validators, tick.date) {
            Verdict::Proceed => {}
            Verdict::NotModified => return self.not_modified(),
            Verdict::Failed => return self.error(Status::PRECONDITION_FAILED, head),
        }
        match self.selection(head, tick) {
            Selection::Whole => self.whole(),
            Selection::Ranges(ranges) => match &ranges[..] {
                [range] => self.partial(*range),
                ranges => self.multipart(ranges, boundaries),
            },
            Selection::Unsatisfiable => {
                let mut response = self.error(Status::RANGE_NOT_SATISFIABLE, head);
                response.fields.push("Content-Range", format!("bytes */{}", self.stored.size));
                response
            }
        }
    }

    /// As the page for what is not there: neither preconditions nor ranges nor validators are about it.
    pub fn not_found(&self) -> Response {
        let mut fields = general_fields(self.varies);
        fields.append(&self.content_fields);
        Response { status: Status::NOT_FOUND, fields, content: self.stored.whole().into() }
    }

    fn selection(&self, head: &RequestHead<'_>, tick: &Tick<'_>) -> Selection {
        match head.value(Field::Range) {
            // RFC 9110 §14.2: "A server MUST ignore a Range header field received with a request method that
            // is unrecognized or for which range handling is not defined." It is for GET alone.
            Some(value)
                if head.method == Method::Get && conditional::range_applies(head, &self.validators, tick.date) =>
            {
                range::select(value, self.stored.size)
            }
            _ => Selection::Whole,
        }
    }

    /// RFC 9110 §15.4.5: what a 200 would say about caching, and no other metadata.
    fn not_modified(&self) -> Response {
        Response { status: Status::NOT_MODIFIED, fields: self.not_modified_fields.clone(), content: Content::None }
    }

    fn error(&self, status: Status, head: &RequestHead<'_>) -> Response {
        if self.varies { negotiated_error(status, head) } else { pages::error(status, head.target_as_sent) }
    }

    fn whole(&self) -> Response {
        Response { status: Status::OK, fields: self.ok_fields.clone(), content: self.stored.whole().into() }
    }

    /// RFC 9110 §15.3.7.1.
    fn partial(&self, range: ByteRange) -> Response {
        let mut fields = self.ok_fields.clone();
        fields.push("Content-Range", range.content_range(self.stored.size));
        Response { status: Status::PARTIAL_CONTENT, fields, content: self.stored.slice(range).into() }
    }

    /// RFC 9110 §15.3.7.2: media type and coding are those of the parts, and stand in their heads.
    fn multipart(&self, ranges: &[ByteRange], boundaries: &RandomState) -> Response {
        let boundary = format!("{:016x}", boundaries.hash_one(&self.validators.etag));
        let size = self.stored.size;
        let parts = range::multipart(ranges, size, &self.content_fields, &boundary, |range| self.stored.slice(range));
        let mut fields = self.common_fields.clone();
        fields.push("Content-Type", format!("multipart/byteranges; boundary={boundary}"));
        Response { status: Status::PARTIAL_CONTENT, fields, content: Content::Parts(parts) }
    }
}

fn general_fields(varies: bool) -> FieldBlock {
    let mut fields = FieldBlock::new();
    fields.push("X-Content-Type-Options", "nosniff");
    // Also with the form that was sent because no other was wanted.
    if varies {
        push_vary(&mut fields);
    }
    fields
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
