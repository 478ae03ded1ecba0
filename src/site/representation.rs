//! A file in the form that was chosen, and what of it a request gets: all, parts, or only the news that
//! nothing has changed.

use std::hash::{BuildHasher, RandomState};

use super::conditional::{self, Validators, Verdict};
use super::encoding::Coding;
use super::files::Stored;
use super::pages;
use super::range::{self, ByteRange, Selection};
use super::response::{Content, Response};
use crate::http::{Date, Field, FieldBlock, Method, RequestHead, Status, Tick};

/// What there is to say of a file before any request for it is known.
pub struct Form<'a> {
    /// Of the file without its coding.
    pub media_type: &'a str,
    /// How the file is coded.
    pub coding: Coding,
    /// There are others to choose from.
    pub varies: bool,
    /// What the operator says about caching.
    pub cache_control: Option<&'a str>,
}

/// What RFC 9110 §3.2 calls the selected representation. Its fields are encoded once, however often it is sent.
pub struct Representation {
    /// The file.
    pub stored: Stored,
    validators: Validators,
    varies: bool,
    /// What a 304 says.
    news: FieldBlock,
    /// What every response says that carries bytes of the file.
    of_file: FieldBlock,
    /// What is said of the bytes themselves.
    of_content: FieldBlock,
    /// The two above.
    whole: FieldBlock,
}

impl Representation {
    /// A file in this form, to be sent at the second `now`.
    pub fn new(stored: Stored, form: &Form<'_>, now: &Date) -> Self {
        let validators = stored.facts.validators(now);
        let mut news = general_fields(form.varies);
        if let Some(etag) = &validators.etag {
            news.push("ETag", etag);
        }
        if let Some(value) = form.cache_control {
            news.push("Cache-Control", value);
        }
        let mut of_file = news.clone();
        if let Some(last_modified) = &validators.last_modified {
            of_file.push("Last-Modified", last_modified.as_bytes());
        }
        of_file.push("Accept-Ranges", "bytes");
        let mut of_content = FieldBlock::new();
        of_content.push("Content-Type", form.media_type.as_bytes());
        if form.coding != Coding::Identity {
            of_content.push("Content-Encoding", form.coding.token());
        }
        let mut whole = of_file.clone();
        whole.append(&of_content);
        Representation { stored, validators, varies: form.varies, news, of_file, of_content, whole }
    }

    /// Answers a GET or HEAD: first the preconditions, then the range (RFC 9110 §13.2.2). Who writes the file must
    /// not be able to guess what comes out of `boundaries`.
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
                response.fields.push("Content-Range", format!("bytes */{}", self.stored.facts.size));
                response
            }
        }
    }

    /// As the page for what is not there: neither preconditions nor ranges nor validators are about it.
    pub fn not_found(&self) -> Response {
        let mut fields = general_fields(self.varies);
        fields.append(&self.of_content);
        Response { status: Status::NOT_FOUND, fields, content: self.stored.whole().into() }
    }

    fn selection(&self, head: &RequestHead<'_>, tick: &Tick<'_>) -> Selection {
        match head.value(Field::Range) {
            // RFC 9110 §14.2: "A server MUST ignore a Range header field received with a request method that
            // is unrecognized or for which range handling is not defined." It is for GET alone.
            Some(value)
                if head.method == Method::Get && conditional::range_applies(head, &self.validators, tick.date) =>
            {
                range::select(value, self.stored.facts.size)
            }
            _ => Selection::Whole,
        }
    }

    /// RFC 9110 §15.4.5: what a 200 would say about caching, and no other metadata.
    fn not_modified(&self) -> Response {
        Response { status: Status::NOT_MODIFIED, fields: self.news.clone(), content: Content::None }
    }

    fn error(&self, status: Status, head: &RequestHead<'_>) -> Response {
        if self.varies { negotiated_error(status, head) } else { pages::error(status, head.target_as_sent) }
    }

    fn whole(&self) -> Response {
        Response { status: Status::OK, fields: self.whole.clone(), content: self.stored.whole().into() }
    }

    /// RFC 9110 §15.3.7.1.
    fn partial(&self, range: ByteRange) -> Response {
        let mut fields = self.whole.clone();
        fields.push("Content-Range", range.content_range(self.stored.facts.size));
        Response { status: Status::PARTIAL_CONTENT, fields, content: self.stored.slice(range).into() }
    }

    /// RFC 9110 §15.3.7.2: media type and coding are those of the parts, and stand in their heads.
    fn multipart(&self, ranges: &[ByteRange], boundaries: &RandomState) -> Response {
        let boundary = format!("{:016x}", boundaries.hash_one(&self.validators.etag));
        let size = self.stored.facts.size;
        let parts = range::multipart(ranges, size, &self.of_content, &boundary, |range| self.stored.slice(range));
        let mut fields = self.of_file.clone();
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
