//! What can be wrong with a request, and the status that answers it.

use super::{CloseReason, Status};

/// Why a request is refused before the site sees it, each reason with one [status](BadRequest::status). In each case
/// the connection closes after the response: the two sides may no longer agree where the next request begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadRequest {
    /// The request line is not `method SP target SP version`, or its method is not a token.
    RequestLine,
    /// A target that none of the four forms of RFC 9112 §3.2 fits.
    Target,
    /// A field name that is not a token, space before a colon, or a folded line (RFC 9112 §5).
    FieldName,
    /// A control byte, a bare CR or a NUL in a field value (RFC 9110 §5.5).
    FieldValue,
    /// HTTP/1.1 without Host (RFC 9112 §3.2).
    HostMissing,
    /// More than one Host (RFC 9112 §3.2).
    HostRepeated,
    /// A Host that is neither a name nor an address (RFC 9112 §3.2).
    HostInvalid,
    /// A Content-Length that is not a single number (RFC 9112 §6.3 (5)).
    ContentLength,
    /// Content-Length beside Transfer-Encoding (RFC 9112 §6.3 (3)): smuggling.
    LengthAndEncoding,
    /// Transfer-Encoding in HTTP/1.0 (RFC 9112 §6.1).
    EncodingInHttp10,
    /// Transfer-Encoding that does not end in one `chunked` (RFC 9112 §6.3 (4)).
    EncodingNotChunked,
    /// A transfer coding that we don't know (RFC 9112 §6.1).
    EncodingUnknown,
    /// A chunk size, chunk end or trailer that is not well formed (RFC 9112 §7.1).
    Chunk,
    /// Content beyond `--max-body` (RFC 9110 §15.5.14).
    ContentTooLarge,
    /// A request line beyond `--max-head` (RFC 9110 §15.5.15).
    TargetTooLong,
    /// Fields beyond `--max-head` or more than [`MAX_FIELDS`](super::MAX_FIELDS) (RFC 6585 §5).
    FieldsTooLarge,
    /// A major version other than 1 (RFC 9110 §15.6.6).
    Version,
    /// The head was not complete in time (RFC 9110 §15.5.9).
    HeadTimeout,
    /// The content was not complete in time (RFC 9110 §15.5.9).
    ContentTimeout,
    /// The head was not complete in time, on a connection over the limit: that is what its client is told.
    OverLimit,
    /// Nothing is wrong: the lab answers as if the request had not been complete in time.
    LabTimeout,
}

impl BadRequest {
    /// Every variant.
    pub const ALL: &[BadRequest] = &[
        BadRequest::RequestLine,
        BadRequest::Target,
        BadRequest::FieldName,
        BadRequest::FieldValue,
        BadRequest::HostMissing,
        BadRequest::HostRepeated,
        BadRequest::HostInvalid,
        BadRequest::ContentLength,
        BadRequest::LengthAndEncoding,
        BadRequest::EncodingInHttp10,
        BadRequest::EncodingNotChunked,
        BadRequest::EncodingUnknown,
        BadRequest::Chunk,
        BadRequest::ContentTooLarge,
        BadRequest::TargetTooLong,
        BadRequest::FieldsTooLarge,
        BadRequest::Version,
        BadRequest::HeadTimeout,
        BadRequest::ContentTimeout,
        BadRequest::OverLimit,
        BadRequest::LabTimeout,
    ];

    /// Why the connection ends after the answer.
    pub const fn close_reason(self) -> CloseReason {
        match self {
            BadRequest::HeadTimeout => CloseReason::HeadTimeout,
            BadRequest::ContentTimeout => CloseReason::ContentTimeout,
            BadRequest::ContentTooLarge => CloseReason::ContentTooLarge,
            BadRequest::OverLimit => CloseReason::TooMany,
            BadRequest::LabTimeout => CloseReason::Lab,
            _ => CloseReason::BadRequest,
        }
    }

    /// The status that answers it, and the sentence for its page.
    pub const fn status(self) -> (Status, &'static str) {
        match self {
            BadRequest::RequestLine => (Status::BAD_REQUEST, "The request line must have the form GET /path HTTP/1.1."),
            BadRequest::Target => (Status::BAD_REQUEST, "The request target must be a path like /index.html."),
            BadRequest::FieldName => {
                (Status::BAD_REQUEST, "Each field must be one line: a name, a colon right behind it, and a value.")
            }
            BadRequest::FieldValue => (Status::BAD_REQUEST, "A field value must not contain control characters."),
            BadRequest::HostMissing => (Status::BAD_REQUEST, "HTTP/1.1 requires a Host field."),
            BadRequest::HostRepeated => (Status::BAD_REQUEST, "There must be only one Host field."),
            BadRequest::HostInvalid => {
                (Status::BAD_REQUEST, "Invalid Host: it must be a name or an address, with an optional port.")
            }
            BadRequest::ContentLength => (Status::BAD_REQUEST, "Content-Length must be a single number."),
            BadRequest::LengthAndEncoding => {
                (Status::BAD_REQUEST, "Send either Content-Length or Transfer-Encoding, not both.")
            }
            BadRequest::EncodingInHttp10 => (Status::BAD_REQUEST, "Transfer-Encoding is not allowed in HTTP/1.0."),
            BadRequest::EncodingNotChunked => {
                (Status::BAD_REQUEST, "Transfer-Encoding must name chunked exactly once, at its end.")
            }
            BadRequest::EncodingUnknown => {
                (Status::NOT_IMPLEMENTED, "The only supported Transfer-Encoding is chunked.")
            }
            BadRequest::Chunk => {
                (Status::BAD_REQUEST, "The chunked request body is malformed (RFC 9112, section 7.1).")
            }
            BadRequest::ContentTooLarge => {
                (Status::CONTENT_TOO_LARGE, "The request body is too large: send less, or raise --max-body.")
            }
            BadRequest::TargetTooLong => {
                (Status::URI_TOO_LONG, "The request target is too long: shorten it, or raise --max-head.")
            }
            BadRequest::FieldsTooLarge => (
                Status::FIELDS_TOO_LARGE,
                "The request has too many or too large fields: send fewer, or raise --max-head.",
            ),
            BadRequest::Version => {
                (Status::VERSION_NOT_SUPPORTED, "Use HTTP/1.1 or HTTP/1.0: this server speaks no other version.")
            }
            BadRequest::HeadTimeout => (
                Status::REQUEST_TIMEOUT,
                "The request head did not arrive in time: send it at once, or raise --head-timeout.",
            ),
            BadRequest::ContentTimeout => (
                Status::REQUEST_TIMEOUT,
                "The request body did not arrive in time: send it faster, or raise --body-timeout.",
            ),
            BadRequest::OverLimit => {
                (Status::SERVICE_UNAVAILABLE, "Too many connections are open. Try again in a second.")
            }
            BadRequest::LabTimeout => {
                (Status::REQUEST_TIMEOUT, "The lab sends this 408 because a request asked for it.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_by_one_sentence_of_its_own() {
        let mut sentences = std::collections::HashSet::new();
        for bad in BadRequest::ALL {
            let (_, sentence) = bad.status();
            assert!(sentence.ends_with('.') && sentence.len() <= 90, "{sentence}");
            assert!(sentences.insert(sentence), "{sentence} is told twice");
        }
    }
}
