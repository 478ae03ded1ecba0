//! A request head that outlives the bytes that it was parsed from, while the content of its request arrives.

use std::rc::Rc;

use super::fields::{FieldIndex, Fields};
use super::{ConnectionOptions, Expectation, Framing, Method, RequestHead, Target, Version};

/// The parts of a [`RequestHead`], as copies.
#[derive(Debug)]
pub(super) struct HeldHead {
    method: Method,
    method_as_sent: Box<str>,
    target: HeldTarget,
    target_as_sent: Box<str>,
    version: Version,
    options: ConnectionOptions,
    framing: Framing,
    expectation: Expectation,
    section: Box<[u8]>,
    index: Rc<FieldIndex>,
}

/// The parts of a [`Target`], as copies.
#[derive(Debug)]
enum HeldTarget {
    Path { path: Box<str>, query: Option<Box<str>> },
    Asterisk,
    Authority,
}

impl HeldHead {
    /// Copies a head.
    pub(super) fn new(head: &RequestHead<'_>) -> Self {
        HeldHead {
            method: head.method,
            method_as_sent: head.method_as_sent.into(),
            target: match head.target {
                Target::Path { path, query } => HeldTarget::Path { path: path.into(), query: query.map(Into::into) },
                Target::Asterisk => HeldTarget::Asterisk,
                Target::Authority => HeldTarget::Authority,
            },
            target_as_sent: head.target_as_sent.into(),
            version: head.version,
            options: head.options,
            framing: head.framing,
            expectation: head.expectation,
            section: head.fields.section().into(),
            index: head.fields.index(),
        }
    }

    /// The head.
    pub(super) fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: self.method,
            method_as_sent: &self.method_as_sent,
            target: match &self.target {
                HeldTarget::Path { path, query } => Target::Path { path, query: query.as_deref() },
                HeldTarget::Asterisk => Target::Asterisk,
                HeldTarget::Authority => Target::Authority,
            },
            target_as_sent: &self.target_as_sent,
            version: self.version,
            options: self.options,
            framing: self.framing,
            expectation: self.expectation,
            fields: Fields::new(&self.section, Rc::clone(&self.index)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, head};

    #[test]
    fn a_held_head_is_the_one_that_was_parsed() {
        let lines = ["POST /a%20b?c=d HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT a:1 HTTP/1.1", "PUT http://b HTTP/1.0"];
        for line in lines {
            let bytes = format!("{line}\r\nHost: a\r\nAccept: b\r\nContent-Length: 3\r\nAccept: c\r\n\r\n");
            let (head, _) = head::parse(bytes.as_bytes(), &Limits::DEFAULT).expect("valid").expect("complete");
            let held = HeldHead::new(&head);
            assert_eq!(format!("{:?}", held.head()), format!("{head:?}"), "{line}");
        }
    }
}
