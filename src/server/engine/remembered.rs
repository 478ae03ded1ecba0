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
        let (method, target) = (head.method_as_sent, head.target_as_sent);
        self.begin_line();
        if method.len() + 1 + target.len() <= MAX_REMEMBERED {
            self.lines.push_str(method);
            self.lines.push(' ');
            self.lines.push_str(target);
        } else {
            self.lines.push_str(&clip(&format!("{method} {target}"), MAX_REMEMBERED));
        }
        self.end_line();
    }

    /// Remembers the first line of bytes that are not a request.
    pub(super) fn remember_bytes(&mut self, bytes: &[u8]) {
        let end = bytes.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(bytes.len()).min(MAX_REMEMBERED);
        self.begin_line();
        self.lines.push_str(&clip(&String::from_utf8_lossy(&bytes[..end]), MAX_REMEMBERED));
        self.end_line();
    }

    /// Forgets the last request, unless it is the first.
    fn begin_line(&mut self) {
        self.last_status = None;
        self.lines.truncate(usize::from(self.first));
    }

    fn end_line(&mut self) {
        if self.first == 0 {
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
