//! Short pages of our own: what went wrong, or where to go.

use std::rc::Rc;

use super::response::{Content, Response};
use crate::http::{FieldBlock, Status};

/// The methods that a target allows (RFC 9110 §10.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Those of everything that is served.
    Everywhere,
    /// Those of the lab.
    InTheLab,
}

impl Allowed {
    /// The value of `Allow`.
    pub const fn field_value(self) -> &'static str {
        match self {
            Allowed::Everywhere => "GET, HEAD, OPTIONS",
            Allowed::InTheLab => "GET, HEAD, POST, OPTIONS",
        }
    }
}

/// Characters of a target that a page repeats.
const LONGEST_TARGET: usize = 200;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:12vh auto;padding:0 1.5rem}\
    h1{font-weight:600}code{overflow-wrap:anywhere}:root{color-scheme:light dark}";

/// The page for a request that was understood but is refused, with the fields that its status calls for.
pub fn error(status: Status, target: &str) -> Response {
    error_about(status, sentence(status), target)
}

/// The page for a folder without an index, unless `--listing` is set.
pub fn unlisted_folder(target: &str) -> Response {
    let sentence = "A folder without an index is not listed. Start with --listing to list folders:";
    error_about(Status::FORBIDDEN, sentence, target)
}

/// The page for a malformed request, which may lack a target to name.
pub fn refusal(status: Status, sentence: &str) -> Response {
    error_with(status, &escape(sentence))
}

/// RFC 9110 §15.4: "the server … ought to provide a short hypertext note with a hyperlink".
pub fn redirect(location: &str) -> Response {
    let link = format!("This is at: <a href=\"{0}\">{0}</a>", escape(location));
    let mut response = error_with(Status::MOVED_PERMANENTLY, &link);
    response.fields.push("Location", location);
    response
}

/// The answer to a method that is known, and not allowed here. RFC 9110 §15.5.6: "The origin server MUST generate an Allow
/// header field in a 405 response containing a list of the target resource's currently supported methods."
pub fn method_not_allowed(allowed: Allowed, target: &str) -> Response {
    let sentence = match allowed {
        Allowed::Everywhere => "Only GET, HEAD and OPTIONS are allowed on:",
        Allowed::InTheLab => "Only GET, HEAD, POST and OPTIONS are allowed on:",
    };
    let mut response = error_about(Status::METHOD_NOT_ALLOWED, sentence, target);
    response.fields.push("Allow", allowed.field_value());
    response
}

/// The answer to OPTIONS (RFC 9110 §9.3.7).
pub fn options(allowed: Allowed) -> Response {
    let mut fields = FieldBlock::new();
    fields.push("Allow", allowed.field_value());
    Response { status: Status::NO_CONTENT, fields, content: Content::None }
}

/// A whole document; `title` and `body` are HTML already.
pub fn document(title: &str, style: &str, body: &str) -> String {
    let head = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
        <meta name=\"viewport\" content=\"width=device-width\">\n<title>";
    [head, title, "</title>\n<style>", STYLE, style, "</style>\n", body, "\n"].concat()
}

/// Text as HTML, also inside of quotes.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| b"&<>\"'".contains(&byte)) {
        html.push_str(&rest[..at]);
        html.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        });
        rest = &rest[at + 1..];
    }
    html.push_str(rest);
    html
}

/// A response with a page of ours.
pub fn page(status: Status, media_type: &str, text: impl Into<Rc<[u8]>>) -> Response {
    let mut fields = FieldBlock::new();
    fields.push("Content-Type", media_type).push("X-Content-Type-Options", "nosniff");
    Response { status, fields, content: Content::Bytes(text.into()) }
}

fn error_about(status: Status, sentence: &str, target: &str) -> Response {
    let end = target.char_indices().nth(LONGEST_TARGET).map(|(at, _)| at);
    let (shown, dots) = end.map_or((target, ""), |end| (&target[..end], "…"));
    error_with(status, &[sentence, " <code>", &escape(shown), dots, "</code>"].concat())
}

fn error_with(status: Status, details: &str) -> Response {
    let title = [itoa::Buffer::new().format(status.code()), " ", status.phrase()].concat();
    let text = document(&title, "", &["<h1>", &title, "</h1>\n<p>", details, "</p>"].concat());
    let mut response = page(status, "text/html; charset=utf-8", text.into_bytes());
    if status == Status::SERVICE_UNAVAILABLE {
        response.fields.push("Retry-After", "1");
    }
    response
}

/// What happened and what to do, with the target to follow.
fn sentence(status: Status) -> &'static str {
    match status {
        Status::BAD_REQUEST => "Malformed path (a bad %-escape, or .. above the root):",
        Status::FORBIDDEN => "The server has no permission to read this file or folder:",
        Status::NOT_FOUND => "There is nothing at:",
        Status::NOT_ACCEPTABLE => "No acceptable representation (check Accept-Encoding) of:",
        Status::PRECONDITION_FAILED => {
            "A precondition of the request (If-Match, If-Unmodified-Since) does not hold for:"
        }
        Status::RANGE_NOT_SATISFIABLE => "None of the requested ranges lies within:",
        Status::EXPECTATION_FAILED => "The only supported expectation is 100-continue. Remove the Expect field to get:",
        Status::NOT_IMPLEMENTED => "Unknown method. Use GET, HEAD or OPTIONS on:",
        Status::SERVICE_UNAVAILABLE => "The server can't open this just now. Try again in a second:",
        _ => "The server failed, and its log says why:",
    }
}
