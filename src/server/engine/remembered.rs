//! The first and the last request of a connection, remembered for the ledger.

use crate::http::{RequestHead, Status};
use crate::observe::text::clip;

/// Bytes of a request's method and target that are remembered for the ledger.
const MAX_REMEMBERED: usize = 100;

/// The first and the last request of a connection, for the ledger.
#[derive(Debug, Default)]
pub(super) struct RememberedRequests {
    /// The first request, then the last one if there is another.
    lines: String,
    /// The length of the first request.
    first: u8,
    /// The status of the response to the last request, once there is one.
    pub(super) last_status: Option<Status>,
}

impl RememberedRequests {
    /// Remembers a request.
    pub(super) fn remember(&mut self, head: &RequestHead<'_>) {
        self.remember_line(&[head.method_as_sent, " ", head.target_as_sent]);
    }

    /// Remembers the first line of bytes that are not a request.
    pub(super) fn remember_bytes(&mut self, bytes: &[u8]) {
        let end = bytes.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(bytes.len()).min(MAX_REMEMBERED);
        self.remember_line(&[&String::from_utf8_lossy(&bytes[..end])]);
    }

    fn remember_line(&mut self, words: &[&str]) {
        self.last_status = None;
        let first = usize::from(self.first);
        self.lines.truncate(first);
        let length: usize = words.iter().map(|word| word.len()).sum();
        if length <= MAX_REMEMBERED {
            words.iter().for_each(|word| self.lines.push_str(word));
        } else {
            self.lines.push_str(&clip(&words.concat(), MAX_REMEMBERED));
        }
        if first == 0 {
            self.first = self.lines.len() as u8;
        }
    }

    pub(super) fn first(&self) -> &str {
        &self.lines[..usize::from(self.first)]
    }

    pub(super) fn last(&self) -> &str {
        match &self.lines[usize::from(self.first)..] {
            "" => &self.lines,
            last => last,
        }
    }
}
