//! Responses as a client reads them: strictly, so that a malformed one fails the test.

/// A whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The three digits.
    pub status: u16,
    /// All field lines in their order.
    pub fields: Vec<(String, String)>,
    /// The content, chunks joined.
    pub body: Vec<u8>,
}

/// Why there is no (whole) response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The server said nothing more in time.
    Silent,
    /// The server's FIN came instead.
    Eof,
    /// An RST came instead.
    Reset,
    /// What came is not a response.
    Malformed(String),
}

/// How the content of a response ends (RFC 9112 §6.3).
pub enum Ends {
    /// There is none.
    NoContent,
    /// After this many bytes.
    After(usize),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    AtEof,
}

impl Response {
    /// Reads the head in `bytes`, with its length, if it is complete.
    pub fn parse_head(bytes: &[u8]) -> Result<Option<(Response, usize)>, Broken> {
        let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let malformed =
            |what: &str| Broken::Malformed(format!("{what} in {:?}", bytes[..end].escape_ascii().to_string()));
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| malformed("bytes beyond UTF-8"))?;
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.split_once(' '))
            .filter(|(digits, _)| digits.len() == 3)
            .and_then(|(digits, _)| digits.parse().ok())
            .ok_or_else(|| malformed("no status line"))?;
        let mut fields = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or_else(|| malformed("no colon"))?;
            if name.is_empty() || name.contains(' ') || line.contains(['\r', '\n']) {
                return Err(malformed("a bad field line"));
            }
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Some((Response { status, fields, body: Vec::new() }, end + 4)))
    }

    /// Where the content ends; `to_head` if the request was a HEAD.
    pub fn ends(&self, to_head: bool) -> Result<Ends, Broken> {
        if to_head || self.status < 200 || self.status == 204 || self.status == 304 {
            return Ok(Ends::NoContent);
        }
        match (self.all("transfer-encoding").as_slice(), self.all("content-length").as_slice()) {
            (["chunked"], []) => Ok(Ends::Chunked),
            ([], [digits]) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map(Ends::After).map_err(|_| Broken::Malformed(format!("Content-Length: {digits}")))
            }
            ([], []) if self.field("connection") == Some("close") => Ok(Ends::AtEof),
            framing => Err(Broken::Malformed(format!("no clear end of the content: {framing:?}"))),
        }
    }

    /// The value of a field, by its name in any case; panics if it stands on several lines.
    pub fn field(&self, name: &str) -> Option<&str> {
        let lines = self.all(name);
        assert!(lines.len() < 2, "{name} stands on {} lines of {self:?}", lines.len());
        lines.first().copied()
    }

    /// The values of a field, line by line.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = |(found, _): &&(String, String)| found.eq_ignore_ascii_case(name);
        self.fields.iter().filter(named).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether the response announces that the connection closes.
    pub fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

/// Joins the chunks at the beginning of `bytes`; gives the content and the length of its coded form, if it is complete.
pub fn join_chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Broken> {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = find(&bytes[at..], b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&bytes[at..at + line]).ok().and_then(|hex| usize::from_str_radix(hex, 16).ok());
        let size = size.ok_or_else(|| Broken::Malformed("a bad chunk size".to_owned()))?;
        at += line + 2;
        let Some(chunk) = bytes.get(at..at + size + 2) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return Err(Broken::Malformed("a bad chunk end".to_owned()));
        }
        content.extend_from_slice(&chunk[..size]);
        at += size + 2;
        if size == 0 {
            return Ok(Some((content, at)));
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
