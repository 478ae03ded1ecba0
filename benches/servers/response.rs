//! Reads responses, as far as a load generator must: where each ends, and whether it is the expected one.

/// What a stretch of bytes brought to an end, and how much content it held.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub responses: u64,
    pub content: u64,
    /// The server has said that it will close.
    pub closes: bool,
    /// The `ETag` of the last response.
    pub tag: Option<String>,
}

/// Where in the responses of one connection we are.
#[derive(Debug)]
pub struct Reader {
    status: u16,
    /// The beginning of a head that has not come whole.
    head: Vec<u8>,
    content_left: u64,
    closes: bool,
}

impl Reader {
    /// For a connection on which all responses have this status.
    pub fn new(status: u16) -> Self {
        Reader { status, head: Vec::new(), content_left: 0, closes: false }
    }

    /// Bytes of content that are to come before the next head.
    pub fn content_left(&self) -> u64 {
        self.content_left
    }

    /// Whether the server has said that it will close.
    pub fn closing(&self) -> bool {
        self.closes
    }

    /// So many bytes of content were received.
    pub fn skip(&mut self, count: u64) -> Seen {
        self.content_left -= count;
        Seen { responses: u64::from(self.content_left == 0), content: count, closes: self.closes, tag: None }
    }

    /// These bytes were received.
    ///
    /// # Errors
    /// If they are not a response, or one with another status.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<Seen, String> {
        let mut seen = Seen::default();
        while !bytes.is_empty() {
            if self.content_left > 0 {
                let taken = self.content_left.min(bytes.len() as u64);
                let skipped = self.skip(taken);
                bytes = &bytes[taken as usize..];
                seen.responses += skipped.responses;
                seen.content += taken;
            } else if self.head.is_empty() {
                let taken = self.read_head(bytes, &mut seen)?;
                if taken == 0 {
                    self.head.extend_from_slice(bytes);
                }
                bytes = &bytes[if taken == 0 { bytes.len() } else { taken }..];
            } else {
                let mut head = std::mem::take(&mut self.head);
                let held = head.len();
                head.extend_from_slice(bytes);
                let taken = self.read_head(&head, &mut seen)?;
                if taken == 0 {
                    self.head = head;
                    break;
                }
                bytes = &bytes[taken - held..];
            }
        }
        seen.closes = self.closes;
        Ok(seen)
    }

    /// Reads a head; gives its length, or 0 if it is not whole.
    fn read_head(&mut self, bytes: &[u8], seen: &mut Seen) -> Result<usize, String> {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut fields);
        let length = match response.parse(bytes).map_err(|error| format!("no response: {error}"))? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Ok(0),
        };
        if response.code != Some(self.status) {
            return Err(format!("status {:?} instead of {}", response.code, self.status));
        }
        let mut content = None;
        for field in response.headers.iter() {
            if field.name.eq_ignore_ascii_case("content-length") {
                content = std::str::from_utf8(field.value).ok().and_then(|digits| digits.parse().ok());
            } else if field.name.eq_ignore_ascii_case("connection") {
                self.closes |= field.value.eq_ignore_ascii_case(b"close");
            } else if field.name.eq_ignore_ascii_case("etag") {
                seen.tag = std::str::from_utf8(field.value).ok().map(str::to_owned);
            }
        }
        // RFC 9110 §15.4.5: a 304 has no content, whatever its fields say.
        let content = if self.status == 304 { Some(0) } else { content };
        self.content_left = content.ok_or("a response without a length")?;
        seen.responses += u64::from(self.content_left == 0);
        Ok(length)
    }
}
