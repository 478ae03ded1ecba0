//! What can be wrong with a request, and the status that answers it.

use super::{CloseReason, Status};

/// Why the bytes are no request that can be answered, each with one [status](BadRequest::status).
/// Whatever it is, the connection closes after the answer: the two sides may no longer agree
/// where the next request begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadRequest {
    /// The request line is not `method SP target SP version`, or its method is no token.
    RequestLine,
    /// A target that none of the four forms of RFC 9112 §3.2 fits.
    Target,
    /// A field name that is no token, space before a colon, or a folded line (RFC 9112 §5).
    FieldName,
    /// A control byte, a bare CR or a NUL in a field value (RFC 9110 §5.5).
    FieldValue,
    /// HTTP/1.1 without Host (RFC 9112 §3.2).
    HostMissing,
    /// More than one Host (RFC 9112 §3.2).
    HostRepeated,
    /// A Host that is no host (RFC 9112 §3.2).
    HostInvalid,
    /// A Content-Length that is no single number (RFC 9112 §6.3 (5)).
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
    BodyTimeout,
    /// Nothing: the lab answers as if the request had not been complete in time.
    LabTimeout,
}

impl BadRequest {
    /// Every variant there is.
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
        BadRequest::BodyTimeout,
        BadRequest::LabTimeout,
    ];

    /// Why the connection ends after the answer.
    pub const fn close_reason(self) -> CloseReason {
        match self {
            BadRequest::HeadTimeout => CloseReason::HeadTimeout,
            BadRequest::BodyTimeout => CloseReason::BodyTimeout,
            BadRequest::ContentTooLarge => CloseReason::BodyTooLarge,
            BadRequest::LabTimeout => CloseReason::Lab,
            _ => CloseReason::BadRequest,
        }
    }

    /// The status that answers it, and what to tell a person.
    pub const fn status(self) -> (Status, &'static str) {
        match self {
            BadRequest::RequestLine => (Status::BAD_REQUEST, "The request line is malformed."),
            BadRequest::Target => (Status::BAD_REQUEST, "The request target is malformed."),
            BadRequest::FieldName => (Status::BAD_REQUEST, "A field name is malformed."),
            BadRequest::FieldValue => (Status::BAD_REQUEST, "A field value is malformed."),
            BadRequest::HostMissing => (Status::BAD_REQUEST, "The Host field is missing."),
            BadRequest::HostRepeated => (Status::BAD_REQUEST, "There is more than one Host field."),
            BadRequest::HostInvalid => (Status::BAD_REQUEST, "The Host field names no host."),
            BadRequest::ContentLength => (Status::BAD_REQUEST, "The Content-Length is no single number."),
            BadRequest::LengthAndEncoding => {
                (Status::BAD_REQUEST, "Content-Length and Transfer-Encoding contradict each other.")
            }
            BadRequest::EncodingInHttp10 => (Status::BAD_REQUEST, "HTTP/1.0 knows no Transfer-Encoding."),
            BadRequest::EncodingNotChunked => {
                (Status::BAD_REQUEST, "The Transfer-Encoding does not end in one chunked.")
            }
            BadRequest::EncodingUnknown => (Status::NOT_IMPLEMENTED, "The Transfer-Encoding is not implemented."),
            BadRequest::Chunk => (Status::BAD_REQUEST, "The chunked content is malformed."),
            BadRequest::ContentTooLarge => (Status::CONTENT_TOO_LARGE, "The request content is too large."),
            BadRequest::TargetTooLong => (Status::URI_TOO_LONG, "The request target is too long."),
            BadRequest::FieldsTooLarge => (Status::FIELDS_TOO_LARGE, "The request fields are too large, or too many."),
            BadRequest::Version => (Status::VERSION_NOT_SUPPORTED, "This server speaks HTTP/1.1 and HTTP/1.0."),
            BadRequest::HeadTimeout => (Status::REQUEST_TIMEOUT, "The request head took too long."),
            BadRequest::BodyTimeout => (Status::REQUEST_TIMEOUT, "The request content took too long."),
            BadRequest::LabTimeout => (Status::REQUEST_TIMEOUT, "The lab says that a request took too long."),
        }
    }
}
