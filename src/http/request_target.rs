//! Request targets: the four forms in which a request names what it is for (RFC 9112 §3.2).

use super::host::is_host;
use super::{BadRequest, Method};

/// The request target (RFC 9112 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Origin-form, or absolute-form without its scheme and authority. Still percent-encoded.
    Path {
        /// Begins with `/`.
        path: &'a str,
        /// The part after the first `?`.
        query: Option<&'a str>,
    },
    /// `*`, for OPTIONS only: the server as a whole.
    Asterisk,
    /// `host:port`, for CONNECT only.
    Authority,
}

/// Reads a target as it was sent (RFC 9112 §3.2).
pub(super) fn parse_target(method: Method, sent: &str) -> Result<Target<'_>, BadRequest> {
    // A fragment is never sent (RFC 9110 §4.2.5). Bytes beyond ASCII should be encoded, but many clients send what a person
    // has typed; they are taken as themselves.
    if sent.bytes().any(|byte| byte == b'#') {
        return Err(BadRequest::Target);
    }
    if method == Method::Connect {
        return if is_host(sent.as_bytes()) && sent.contains(':') {
            Ok(Target::Authority)
        } else {
            Err(BadRequest::Target)
        };
    }
    if sent.starts_with('/') {
        return Ok(split_query(sent));
    }
    if sent == "*" {
        return if method == Method::Options { Ok(Target::Asterisk) } else { Err(BadRequest::Target) };
    }
    parse_absolute_form(method, sent).ok_or(BadRequest::Target)
}

/// RFC 9112 §3.2.2: a server must accept absolute-form, whoever sends it.
fn parse_absolute_form(method: Method, sent: &str) -> Option<Target<'_>> {
    let (scheme, rest) = sent.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.is_empty() || !is_host(authority.as_bytes()) {
        return None;
    }
    Some(match rest.as_bytes().first() {
        Some(b'/') => split_query(rest),
        Some(_) => Target::Path { path: "/", query: Some(&rest[1..]) },
        // RFC 9112 §3.2.4: OPTIONS for an authority without a path means the server as a whole.
        None if method == Method::Options => Target::Asterisk,
        None => Target::Path { path: "/", query: None },
    })
}

pub(super) fn split_query(target: &str) -> Target<'_> {
    // Most targets are so short that a vectorised search takes longer.
    match target.bytes().position(|byte| byte == b'?') {
        Some(at) => Target::Path { path: &target[..at], query: Some(&target[at + 1..]) },
        None => Target::Path { path: target, query: None },
    }
}
