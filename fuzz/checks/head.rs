//! What holds for the head parser, whatever the bytes.

use super::{is_text, is_token};
use holdline::http::head;
use holdline::http::{
    BadRequest, ConnectionOptions, Expectation, Field, Framing, Limits, Method, RequestHead, Target, Version,
};

/// Small, so that inputs reach it.
const LIMITS: Limits = Limits { max_head: 1024, ..Limits::DEFAULT };

/// Panics if the parser does, if its answer depends on how the bytes were split on their way, or if
/// a naive reader of the head that it accepts finds something else in it.
pub fn check(bytes: &[u8]) {
    let bytes = &bytes[head::skip_empty_lines(bytes)..];
    first_verdict_stands(bytes);
    if let Ok(Some((head, length))) = head::parse(bytes, &LIMITS) {
        NaiveReader::new(&bytes[..length]).agrees_with(&head);
    }
}

/// Byte by byte: at first there is no verdict, and from then on it is always the same one. So any
/// splits lead to that one too. A head is accepted with its last byte, neither sooner nor later.
fn first_verdict_stands(bytes: &[u8]) {
    let mut first = None;
    for end in 0..=bytes.len() {
        let now = verdict(&bytes[..end]);
        if first.is_some() {
            assert_eq!(now, first, "with {end} bytes");
        } else {
            assert!(!matches!(now, Some(Ok((length, _))) if length != end), "accepted before or after its end");
            first = now;
        }
    }
    assert!(first.is_some() || bytes.len() < LIMITS.max_head, "a head beyond the limit is waited for");
}

/// A head's length and what was understood of it, or what is wrong with it.
type Verdict<'a> = Result<(usize, Understood<'a>), BadRequest>;
type Understood<'a> = (Method, Target<'a>, &'a str, Version, ConnectionOptions, Framing, Expectation);

fn verdict(bytes: &[u8]) -> Option<Verdict<'_>> {
    match head::parse(bytes, &LIMITS) {
        Ok(None) => None,
        Err(bad) => Some(Err(bad)),
        Ok(Some((head, length))) => {
            let RequestHead { method, target, target_as_sent, version, options, framing, expectation, .. } = head;
            Some(Ok((length, (method, target, target_as_sent, version, options, framing, expectation))))
        }
    }
}

/// Reads a head as the RFC's grammar has it, line by line, and trusts nobody.
struct NaiveReader<'a> {
    request_line: Vec<&'a str>,
    fields: Vec<(String, &'a [u8])>,
}

impl<'a> NaiveReader<'a> {
    /// Panics if the bytes are not a request line and field lines that end with the first empty line.
    fn new(raw: &'a [u8]) -> Self {
        let lines = raw.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let lines: Vec<&[u8]> = lines.collect();
        let [request_line, fields @ .., b"", b""] = &lines[..] else { panic!("no empty line ends the head") };
        NaiveReader {
            request_line: std::str::from_utf8(request_line).expect("the request line is ASCII").split(' ').collect(),
            fields: fields.iter().map(|line| field(line)).collect(),
        }
    }

    fn agrees_with(&self, head: &RequestHead<'_>) {
        for field in [Field::Host, Field::Connection, Field::ContentLength, Field::TransferEncoding, Field::Range] {
            assert_eq!(head.lines(field).collect::<Vec<_>>(), self.lines(field), "{}", field.name());
        }
        self.agrees_on_request_line(head);
        self.agrees_on_host(head);
        self.agrees_on_options(head);
        self.agrees_on_framing(head);
    }

    fn agrees_on_request_line(&self, head: &RequestHead<'_>) {
        let [method, target, version] = self.request_line[..] else { panic!("the request line has three words") };
        assert!(head.method.as_str() == method || head.method.as_str() == "?");
        assert!(version.starts_with("HTTP/1."));
        assert_eq!(head.version == Version::Http10, version == "HTTP/1.0");
        assert_eq!(head.target_as_sent, target);
        // RFC 9112 §3.2: no white space, no control and no fragment; what is not ASCII stands for itself.
        assert!(target.bytes().all(|byte| (byte.is_ascii_graphic() || !byte.is_ascii()) && byte != b'#'));
        if let Target::Path { path, query } = head.target {
            assert!(path.starts_with('/') && !path.contains('?'));
            let without_query = target.split_once('?').map_or(target, |(before, _)| before);
            assert!(without_query.ends_with(path) || path == "/");
            assert_eq!(query, target.split_once('?').map(|(_, query)| query));
        }
    }

    fn agrees_on_host(&self, head: &RequestHead<'_>) {
        match self.lines(Field::Host).len() {
            0 => assert_eq!(head.version, Version::Http10),
            lines => assert_eq!(lines, 1),
        }
    }

    fn agrees_on_options(&self, head: &RequestHead<'_>) {
        let members = self.members(Field::Connection);
        assert_eq!(head.options.close, members.contains(&"close".to_owned()));
        assert_eq!(head.options.keep_alive, members.contains(&"keep-alive".to_owned()));
    }

    /// RFC 9112 §6.3. What two readers could understand differently is not accepted.
    fn agrees_on_framing(&self, head: &RequestHead<'_>) {
        let lengths = self.lines(Field::ContentLength);
        let codings = self.members(Field::TransferEncoding);
        if head.framing == Framing::Chunked {
            assert_eq!((head.version, lengths.len(), &codings[..]), (Version::Http11, 0, &["chunked".to_owned()][..]));
            return;
        }
        assert!(self.lines(Field::TransferEncoding).is_empty());
        let length = match lengths[..] {
            [] => 0,
            [length] => digits(length),
            _ => panic!("more than one Content-Length"),
        };
        let understood = if let Framing::Length(length) = head.framing { length } else { 0 };
        assert_eq!(understood, length);
    }

    fn lines(&self, field: Field) -> Vec<&'a [u8]> {
        self.fields.iter().filter(|(name, _)| name == field.name()).map(|(_, value)| *value).collect()
    }

    /// The members of a list over all lines (RFC 9110 §5.3), in lower case.
    fn members(&self, field: Field) -> Vec<String> {
        let joined = self.lines(field).join(&b","[..]);
        let members = joined.split(|byte| *byte == b',').map(|member| String::from_utf8_lossy(member.trim_ascii()));
        members.filter(|member| !member.is_empty()).map(|member| member.to_ascii_lowercase()).collect()
    }
}

/// RFC 9112 §5: `field-name ":" OWS field-value OWS`.
fn field(line: &[u8]) -> (String, &[u8]) {
    let colon = line.iter().position(|byte| *byte == b':').expect("a field line has a colon");
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    assert!(is_token(name), "a name that is not a token");
    assert!(is_text(value), "a control byte in a value");
    (String::from_utf8_lossy(name).to_ascii_lowercase(), value.trim_ascii())
}

fn digits(value: &[u8]) -> u64 {
    assert!(value.iter().all(u8::is_ascii_digit), "a length that is not digits");
    String::from_utf8_lossy(value).parse().expect("a length that fits")
}
