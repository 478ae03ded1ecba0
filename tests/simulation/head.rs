//! The head of a response, parsed strictly.

use super::expected::Outcome;
use super::files::Version;

/// All right, or what is wrong.
pub type Check<T> = Result<T, String>;

/// The head of a response.
pub struct Head {
    pub status: u16,
    pub close: bool,
    pub keep_alive: Option<String>,
    pub length: Option<usize>,
    range: Option<String>,
    tag: Option<String>,
    pub boundary: Option<String>,
}

impl Head {
    /// RFC 9112 §4, §5, strictly.
    pub fn parse(bytes: &[u8]) -> Check<Head> {
        let text = std::str::from_utf8(bytes).map_err(|_| "a head that is not text")?;
        let (line, fields) = text.split_once("\r\n").ok_or("no status line")?;
        let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let mut head = Head {
            status: status.ok_or_else(|| format!("the status line {line:?}"))?,
            close: false,
            keep_alive: None,
            length: None,
            range: None,
            tag: None,
            boundary: None,
        };
        let mut connection = None;
        for line in fields.trim_end_matches("\r\n").split("\r\n") {
            let (name, value) = line.split_once(": ").ok_or_else(|| format!("the field line {line:?}"))?;
            match name.to_ascii_lowercase().as_str() {
                "connection" => connection = Some(value),
                "keep-alive" => head.keep_alive = Some(value.to_owned()),
                "content-length" => head.length = Some(value.parse().map_err(|_| "a bad Content-Length")?),
                "content-range" => head.range = Some(value.to_owned()),
                "etag" => head.tag = Some(value.to_owned()),
                "content-type" => {
                    head.boundary = value.strip_prefix("multipart/byteranges; boundary=").map(str::to_owned);
                }
                "transfer-encoding" => return Err("Transfer-Encoding, and no request was for a stream".into()),
                _ => {}
            }
        }
        match (connection, &head.keep_alive) {
            (Some("close"), None) => head.close = true,
            (Some("keep-alive"), Some(_)) => {}
            other => return Err(format!("Connection and Keep-Alive are {other:?}")),
        }
        Ok(head)
    }

    /// Whether it describes this version of the file.
    pub fn fits(&self, outcome: &Outcome, version: &Version) -> bool {
        let size = version.size.unwrap_or(0);
        let single = outcome.status == 206 && outcome.parts.len() == 1;
        let range = match (outcome.status, outcome.parts.as_slice()) {
            (206, [(first, length)]) => Some(format!("bytes {first}-{}/{size}", first + length - 1)),
            (416, _) => Some(format!("bytes */{size}")),
            _ => None,
        };
        let length_fits = match outcome.status {
            200 => self.length == Some(size),
            206 if single => self.length == Some(outcome.parts[0].1),
            304 => self.tag.is_none() || version.tag.is_none() || self.tag == version.tag,
            _ => true,
        };
        self.status == outcome.status
            && self.range == range
            && length_fits
            && self.boundary.is_some() == (outcome.status == 206 && !single)
    }

    /// A version of a file always has the same strong entity tag.
    pub fn check_tag(&self, version: &mut Version) -> Check<()> {
        if !matches!(self.status, 200 | 206 | 304) {
            return Ok(());
        }
        let tag = self.tag.as_ref().ok_or("no ETag")?;
        match &version.tag {
            Some(known) if known != tag => Err(format!("the tag {tag}, and it was {known} before")),
            Some(_) => Ok(()),
            None => {
                version.tag = Some(tag.clone());
                Ok(())
            }
        }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {:?} bytes ({:?}, {:?})", self.status, self.length, self.range, self.tag)
    }
}

/// Where the head ends in `more`, which follows `so_far`.
pub fn head_end(so_far: &[u8], more: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    let tail = &so_far[so_far.len().saturating_sub(3)..];
    let joint: Vec<u8> = tail.iter().chain(more.iter().take(3)).copied().collect();
    if let Some(at) = joint.windows(4).position(|window| window == END) {
        return Some(at + 4 - tail.len());
    }
    more.windows(4).position(|window| window == END).map(|at| at + 4)
}
