//! Reads what a client is sent, byte by byte as the server writes it, and holds it against what is owed.

use super::files::{Tree, Version};
use super::head::{Head, Verdict, head_end};
use super::owed::{Asked, Owed};

/// All that the server says on a connection.
#[derive(Default)]
pub struct Answers {
    reading: Reading,
    /// Whole answers so far.
    pub done: usize,
    /// Where they end in all that is sent.
    pub ends: Vec<u64>,
    /// The last status that came.
    pub status: u16,
    /// `Connection: close` was said.
    pub announced: bool,
    /// The file that is being sent, and the versions of which it may be.
    pub file: Option<(usize, Vec<usize>)>,
    written: u64,
}

/// Where in an answer we are.
enum Reading {
    Head(Vec<u8>),
    /// Content of which so much is still to come.
    Content(Content, usize),
}

impl Default for Reading {
    fn default() -> Self {
        Reading::Head(Vec::new())
    }
}

/// What the content must be.
enum Content {
    /// These bytes at the end of it.
    Exactly(&'static [u8]),
    /// The parts of a file, each with a head of its own.
    Multipart { so_far: Vec<u8>, boundary: String, versions: Vec<(usize, Parts)> },
    /// The server's own words.
    Words,
}

/// Where each part begins in its file, and what it is.
type Parts = Vec<(usize, &'static [u8])>;

impl Answers {
    /// Nothing is half said.
    pub fn is_between(&self) -> bool {
        matches!(&self.reading, Reading::Head(bytes) if bytes.is_empty())
    }

    /// The server says more, after it has read so much. `judge` is asked about each head.
    pub fn hear(
        &mut self,
        mut bytes: &[u8],
        asked: &[Asked],
        read: u64,
        tree: &mut Tree,
        judge: impl Fn(&Head, usize) -> Verdict<()>,
    ) -> Verdict<()> {
        while !bytes.is_empty() {
            let before = bytes.len();
            match &mut self.reading {
                Reading::Head(so_far) => {
                    if self.announced {
                        return Err("it goes on after Connection: close".into());
                    }
                    let Some(end) = head_end(so_far, bytes) else {
                        so_far.extend(bytes);
                        self.written += bytes.len() as u64;
                        return Ok(());
                    };
                    so_far.extend(&bytes[..end]);
                    bytes = &bytes[end..];
                    let head = Head::parse(so_far)?;
                    let request = asked.get(self.done).ok_or("an answer that nobody asked for")?;
                    let (content, length) = self.content_of(&head, request, read, tree)?;
                    judge(&head, self.done)?;
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
                self.done += 1;
                self.ends.push(self.written);
            }
        }
        Ok(())
    }

    /// What is to follow this head, if it may answer this request at all.
    fn content_of(&mut self, head: &Head, asked: &Asked, read: u64, tree: &mut Tree) -> Verdict<(Content, usize)> {
        let told = head.length;
        let words = || {
            // Only one whose method has come is known to be a HEAD.
            let head_only = asked.head_only && read >= asked.begins + 5;
            let length = if head_only || matches!(head.status, 204 | 304) { Some(0) } else { told };
            Ok((Content::Words, length.ok_or("no Content-Length")?))
        };
        // Refusals for other reasons are judged by the rules.
        if matches!(head.status, 408 | 503) {
            return words();
        }
        match &asked.owed {
            Owed::Status(status) if *status == head.status => words(),
            Owed::Refusal(statuses) if statuses.contains(&head.status) => words(),
            Owed::File(query) => {
                let Some((_, arrived)) = asked.arrived else { return Err("an answer before its request".into()) };
                let mut versions: Vec<_> = tree.versions(query.file, arrived, tree.epoch).collect();
                versions.retain(|(_, version)| head.fits(&query.outcome(version, asked.head_only), version));
                let Some((_, first)) = versions.first() else {
                    return Err(format!("{head} fits no version of what was asked for: {asked:?}"));
                };
                let parts = |version: &Version| -> Parts {
                    let parts = query.outcome(version, asked.head_only).parts;
                    parts.into_iter().map(|(at, length)| (at, version.content(at, length))).collect()
                };
                let content = match (head.status, &head.boundary) {
                    (200, _) | (206, None) if !asked.head_only => Content::Exactly(parts(first)[0].1),
                    (206, Some(boundary)) => Content::Multipart {
                        so_far: Vec::new(),
                        boundary: boundary.clone(),
                        versions: versions
                            .iter()
                            .map(|(_, version)| (version.size.unwrap_or(0), parts(version)))
                            .collect(),
                    },
                    _ => Content::Words,
                };
                let numbers: Vec<_> = versions.iter().map(|(number, _)| *number).collect();
                if let [only] = numbers[..] {
                    head.check_tag(&mut tree.files[query.file].versions[only])?;
                }
                self.file = Some((query.file, numbers));
                match content {
                    Content::Words => words(),
                    content => Ok((content, told.ok_or("no Content-Length")?)),
                }
            }
            owed => Err(format!("{head} for {owed:?}")),
        }
    }
}

impl Content {
    /// More of it comes; so much, this included, is to come.
    fn hear(&mut self, bytes: &[u8], left: usize) -> Verdict<()> {
        match self {
            Content::Words => Ok(()),
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
    fn end(&self) -> Verdict<()> {
        let Content::Multipart { so_far, boundary, versions } = self else { return Ok(()) };
        let mut verdicts = versions.iter().map(|(size, parts)| check_parts(so_far, boundary, *size, parts));
        verdicts.find(Result::is_ok).unwrap_or_else(|| Err("parts that fit no version of the file".into()))
    }
}

fn check_parts(mut rest: &[u8], boundary: &str, size: usize, parts: &Parts) -> Verdict<()> {
    for (index, (first, content)) in parts.iter().enumerate() {
        let delimiter = format!("{}--{boundary}\r\n", if index == 0 { "" } else { "\r\n" });
        rest = rest.strip_prefix(delimiter.as_bytes()).ok_or("no delimiter before a part")?;
        let end = head_end(&[], rest).ok_or("no end of a part's head")?;
        let range = format!("Content-Range: bytes {first}-{}/{size}\r\n", first + content.len() - 1);
        if !String::from_utf8_lossy(&rest[..end]).contains(&range) {
            return Err(format!("a part without {range}"));
        }
        rest = rest[end..].strip_prefix(*content).ok_or("the wrong content in a part")?;
    }
    if rest == format!("\r\n--{boundary}--\r\n").as_bytes() { Ok(()) } else { Err("no end of the parts".into()) }
}
