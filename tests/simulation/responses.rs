//! Reads the responses as the server writes them, and compares them with what is expected.

use super::expected::{Expected, SentRequest};
use super::files::{Tree, Version};
use super::head::{Check, Head, head_end};

/// Reads everything that the server sends on a connection.
#[derive(Default)]
pub struct ResponseReader {
    reading: Reading,
    /// How many responses are complete.
    pub complete: usize,
    /// Where these end, as offsets in everything that the server sends.
    pub ends: Vec<u64>,
    /// The status of the last response.
    pub status: u16,
    /// A response said `Connection: close`.
    pub announced: bool,
    /// The file whose response is incomplete, and its versions that fit.
    pub file: Option<(usize, Vec<usize>)>,
    written: u64,
}

/// The part of a response that comes next.
enum Reading {
    Head(Vec<u8>),
    /// Content, and how many bytes of it are to come.
    Content(Content, usize),
}

impl Default for Reading {
    fn default() -> Self {
        Reading::Head(Vec::new())
    }
}

/// What the content of a response must be.
enum Content {
    /// These bytes.
    Exactly(&'static [u8]),
    /// The parts of a file, each with a head of its own.
    Multipart { so_far: Vec<u8>, boundary: String, versions: Vec<(usize, Parts)> },
    /// A page of the server's own.
    Page,
}

/// The first byte of each part in its file, and its content.
type Parts = Vec<(usize, &'static [u8])>;

impl ResponseReader {
    /// No response is incomplete.
    pub fn is_between(&self) -> bool {
        matches!(&self.reading, Reading::Head(bytes) if bytes.is_empty())
    }

    /// The server sends these bytes, and has read `read` bytes of the client before. `check` checks each head.
    pub fn hear(
        &mut self,
        mut bytes: &[u8],
        requests: &[SentRequest],
        read: u64,
        tree: &mut Tree,
        check: impl Fn(&Head, usize) -> Check<()>,
    ) -> Check<()> {
        while !bytes.is_empty() {
            let before = bytes.len();
            match &mut self.reading {
                Reading::Head(so_far) => {
                    if self.announced {
                        return Err("a response after Connection: close".into());
                    }
                    let Some(end) = head_end(so_far, bytes) else {
                        so_far.extend(bytes);
                        self.written += bytes.len() as u64;
                        return Ok(());
                    };
                    so_far.extend(&bytes[..end]);
                    bytes = &bytes[end..];
                    let head = Head::parse(so_far)?;
                    let request = requests.get(self.complete).ok_or("a response without a request")?;
                    let (content, length) = self.content_of(&head, request, read, tree)?;
                    check(&head, self.complete)?;
                    self.status = head.status;
                    self.announced = head.close;
                    self.reading = Reading::Content(content, length);
                }
                Reading::Content(content, left) => {
                    let count = bytes.len().min(*left);
                    content.hear(&bytes[..count], *left)?;
                    bytes = &bytes[count..];
                    *left -= count;
                }
            }
            self.written += (before - bytes.len()) as u64;
            if let Reading::Content(content, 0) = &self.reading {
                content.end()?;
                self.reading = Reading::default();
                self.file = None;
                self.complete += 1;
                self.ends.push(self.written);
            }
        }
        Ok(())
    }

    /// The content that must follow this head, if the head can answer the request at all.
    fn content_of(
        &mut self,
        head: &Head,
        request: &SentRequest,
        read: u64,
        tree: &mut Tree,
    ) -> Check<(Content, usize)> {
        let length = head.length;
        let page = || {
            // The server knows that the method is HEAD once it has read the space behind it.
            let head_only = request.head_only && read >= request.begins + 5;
            let length = if head_only || matches!(head.status, 204 | 304) { Some(0) } else { length };
            Ok((Content::Page, length.ok_or("no Content-Length")?))
        };
        // Whether there is a reason for these is checked by the rules.
        if matches!(head.status, 408 | 503) {
            return page();
        }
        match &request.expected {
            Expected::Status(status) if *status == head.status => page(),
            Expected::Rejection(statuses) if statuses.contains(&head.status) => page(),
            Expected::File(query) => {
                let Some((_, arrived)) = request.arrived else { return Err("a response before its request".into()) };
                let mut versions: Vec<_> = tree.versions(query.file, arrived, tree.epoch).collect();
                versions.retain(|(_, version)| head.fits(&query.outcome(version, request.head_only), version));
                let Some((_, first)) = versions.first() else {
                    return Err(format!("{head} fits no version of the file: {request:?}"));
                };
                let parts = |version: &Version| -> Parts {
                    let parts = query.outcome(version, request.head_only).parts;
                    parts.into_iter().map(|(at, length)| (at, version.content(at, length))).collect()
                };
                let content = match (head.status, &head.boundary) {
                    (200, _) | (206, None) if !request.head_only => Content::Exactly(parts(first)[0].1),
                    (206, Some(boundary)) => Content::Multipart {
                        so_far: Vec::new(),
                        boundary: boundary.clone(),
                        versions: versions
                            .iter()
                            .map(|(_, version)| (version.size.unwrap_or(0), parts(version)))
                            .collect(),
                    },
                    _ => Content::Page,
                };
                let numbers: Vec<_> = versions.iter().map(|(number, _)| *number).collect();
                if let [only] = numbers[..] {
                    head.check_tag(&mut tree.files[query.file].versions[only])?;
                }
                self.file = Some((query.file, numbers));
                match content {
                    Content::Page => page(),
                    content => Ok((content, length.ok_or("no Content-Length")?)),
                }
            }
            expected => Err(format!("{head} for {expected:?}")),
        }
    }
}

impl Content {
    /// More of it comes; `left` bytes, these included, are to come.
    fn hear(&mut self, bytes: &[u8], left: usize) -> Check<()> {
        match self {
            Content::Page => Ok(()),
            Content::Exactly(all) => {
                let at = all.len() - left;
                if all[at..at + bytes.len()] == *bytes { Ok(()) } else { Err(format!("wrong content at {at}")) }
            }
            Content::Multipart { so_far, .. } => {
                so_far.extend(bytes);
                Ok(())
            }
        }
    }

    /// RFC 9110 §14.6.
    fn end(&self) -> Check<()> {
        let Content::Multipart { so_far, boundary, versions } = self else { return Ok(()) };
        let mut verdicts = versions.iter().map(|(size, parts)| check_parts(so_far, boundary, *size, parts));
        verdicts.find(Result::is_ok).unwrap_or_else(|| Err("the parts fit no version of the file".into()))
    }
}

fn check_parts(mut rest: &[u8], boundary: &str, size: usize, parts: &Parts) -> Check<()> {
    let delimiter = format!("\r\n--{boundary}\r\n");
    for (first, content) in parts {
        rest = rest.strip_prefix(delimiter.as_bytes()).ok_or("no delimiter before a part")?;
        let end = head_end(&[], rest).ok_or("the head of a part does not end")?;
        let range = format!("Content-Range: bytes {first}-{}/{size}\r\n", first + content.len() - 1);
        if !String::from_utf8_lossy(&rest[..end]).contains(&range) {
            return Err(format!("a part without {range}"));
        }
        rest = rest[end..].strip_prefix(*content).ok_or("wrong content in a part")?;
    }
    if rest == format!("\r\n--{boundary}--\r\n").as_bytes() {
        Ok(())
    } else {
        Err("no delimiter behind the last part".into())
    }
}
