//! Response heads as a client reads them: where the content ends, and whether the connection lives on.

use crate::http::fields::{list_members, parse_digits};

/// Fields of one response head.
const MAX_FIELDS: usize = 100;

/// What the head of a response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The three digits.
    pub status: u16,
    /// The content's end.
    pub content: ContentEnd,
    /// The connection lives on after this response.
    pub persists: bool,
    /// It says `Connection: keep-alive`.
    pub says_keep_alive: bool,
    /// For how many seconds the connection is kept, as `Keep-Alive: timeout` promises.
    pub promise: Option<u64>,
    /// Its `Server` field.
    pub server: Option<String>,
}

/// Where the content of a response ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEnd {
    /// After this many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// Reads the head at the start of these bytes, for a request other than HEAD or CONNECT that was sent as
/// HTTP/1.0 or not. `None` if it is not complete; with it the length of the head.
///
/// # Errors
/// What is wrong with it.
pub fn parse(bytes: &[u8], http10_request: bool) -> Result<Option<(Head, usize)>, &'static str> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut lines);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err("what came is not an HTTP response"),
    };
    let values = |name: &'static str| {
        response.headers.iter().filter(move |line| line.name.eq_ignore_ascii_case(name)).map(|line| line.value)
    };
    let has_option =
        |option: &str| values("connection").flat_map(list_members).any(|m| m.eq_ignore_ascii_case(option.as_bytes()));
    let status = response.code.unwrap_or_default();
    let content = content(status, values("transfer-encoding"), values("content-length"))?;
    let http11 = response.version == Some(1);
    // RFC 9112 §9.3. A server that is asked as HTTP/1.0 keeps the connection only if it says so.
    let (says_close, says_keep_alive) = (has_option("close"), has_option("keep-alive"));
    let keeps = if http11 && !http10_request { true } else { says_keep_alive };
    Ok(Some((
        Head {
            status,
            content,
            persists: keeps && !says_close && content != ContentEnd::UntilClose,
            says_keep_alive,
            promise: values("keep-alive").flat_map(list_members).find_map(promise),
            server: values("server").next().map(|value| String::from_utf8_lossy(value).into_owned()),
        },
        length,
    )))
}

/// The number in `timeout=70`.
fn promise(parameter: &[u8]) -> Option<u64> {
    let (name, value) = parameter.split_at_checked(b"timeout=".len())?;
    if name.eq_ignore_ascii_case(b"timeout=") { parse_digits(value.trim_ascii()) } else { None }
}

/// RFC 9112 §6.3, in its order.
fn content<'a>(
    status: u16,
    codings: impl Iterator<Item = &'a [u8]>,
    mut lengths: impl Iterator<Item = &'a [u8]>,
) -> Result<ContentEnd, &'static str> {
    if (100..200).contains(&status) || status == 204 || status == 304 {
        return Ok(ContentEnd::Length(0));
    }
    if let Some(last) = codings.flat_map(list_members).last() {
        return Ok(if last.eq_ignore_ascii_case(b"chunked") { ContentEnd::Chunked } else { ContentEnd::UntilClose });
    }
    let Some(length) = lengths.next() else { return Ok(ContentEnd::UntilClose) };
    if lengths.any(|other| other != length) {
        return Err("the response has two lengths");
    }
    parse_digits(length).map(ContentEnd::Length).ok_or("the response's length is not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_ends_and_the_connection_lives_on_as_the_rfc_says() {
        use ContentEnd::{Chunked, Length, UntilClose};
        for (head, http10, content, persists) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", false, Length(5), true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: foo, CLOSE\r\n", false, Length(5), false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", true, Length(5), false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n", true, Length(5), true),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", false, Length(5), false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n", false, Length(5), true),
            ("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", false, UntilClose, false),
            ("HTTP/1.1 200 OK\r\n", false, UntilClose, false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", false, Chunked, true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n", false, UntilClose, false),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", false, Length(0), true),
            ("HTTP/1.1 204 No Content\r\n", false, Length(0), true),
        ] {
            let (read, _) = parse(format!("{head}\r\n").as_bytes(), http10).unwrap().unwrap();
            assert_eq!((read.content, read.persists), (content, persists), "{head}");
        }
    }

    #[test]
    fn a_promise_is_read() {
        for (field, promise) in [
            ("Keep-Alive: timeout=70, max=999", Some(70)),
            ("Keep-Alive: max=5,Timeout=5 ", Some(5)),
            ("Keep-Alive: max=5", None),
            ("Keep-Alive: timeout=x", None),
            ("X: timeout=5", None),
        ] {
            let (read, _) = parse(format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n").as_bytes(), false).unwrap().unwrap();
            assert_eq!(read.promise, promise, "{field}");
        }
    }

    #[test]
    fn bytes_that_are_not_a_response_are_refused() {
        for bytes in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        ] {
            assert!(parse(bytes.as_bytes(), false).is_err(), "{bytes}");
        }
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nContent-", false), Ok(None));
    }
}
