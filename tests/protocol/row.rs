//! One row of a table.

use crate::support::Response;

/// A request, the rule it is about, and what must come back.
pub struct Row {
    /// The RFC and its section, or whose habit it is.
    pub section: &'static str,
    /// The rule, in a few words.
    pub why: String,
    /// What is sent, byte by byte.
    pub request: Vec<u8>,
    /// The responses, in their order.
    pub answers: Vec<Answer>,
    /// What becomes of the connection.
    pub then: Then,
}

/// One expected response.
pub struct Answer {
    /// Any of these.
    pub statuses: Vec<u16>,
    /// Whether it answers a HEAD, and so has no content.
    pub to_head: bool,
    /// What else must hold.
    pub checks: Vec<Check>,
}

/// What becomes of the connection after the last response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is kept: the next request on it is answered.
    Kept,
    /// It is closed, by FIN, and nothing more is answered.
    Closed,
    /// Either, but as the last response says.
    AsItSays,
    /// The server waits for more.
    Waits,
}

/// What must hold of a response: an explanation of what does not, or nothing.
pub type Check = Box<dyn Fn(&Response) -> Option<String> + Send + Sync>;

/// Begins a row, whose connection is kept unless it says otherwise.
pub fn row(section: &'static str, why: impl Into<String>, request: impl Into<Vec<u8>>) -> Row {
    Row { section, why: why.into(), request: request.into(), answers: Vec::new(), then: Then::Kept }
}

impl Row {
    /// The next response has one of these statuses.
    pub fn gives(mut self, statuses: &[u16]) -> Row {
        self.answers.push(Answer { statuses: statuses.to_vec(), to_head: false, checks: Vec::new() });
        self
    }

    /// The next response answers a HEAD with one of these statuses.
    pub fn gives_head(mut self, statuses: &[u16]) -> Row {
        self.answers.push(Answer { statuses: statuses.to_vec(), to_head: true, checks: Vec::new() });
        self
    }

    /// The connection is closed after the last response.
    pub fn closed(mut self) -> Row {
        self.then = Then::Closed;
        self
    }

    /// The RFC leaves open whether the connection is kept, but the last response must say so.
    pub fn kept_or_closed(mut self) -> Row {
        self.then = Then::AsItSays;
        self
    }

    /// No response: the server waits for more.
    pub fn waits(mut self) -> Row {
        self.then = Then::Waits;
        self
    }

    /// The response has this field with this value.
    pub fn field(self, name: &'static str, value: impl Into<String>) -> Row {
        let value = value.into();
        self.check(move |response| {
            let found = response.field(name);
            (found != Some(value.as_str())).then(|| format!("{name} is {found:?}, not {value:?}"))
        })
    }

    /// The response has this field.
    pub fn has(self, name: &'static str) -> Row {
        self.check(move |response| response.all(name).is_empty().then(|| format!("no {name}")))
    }

    /// The response has no such field.
    pub fn lacks(self, name: &'static str) -> Row {
        self.check(move |response| {
            let lines = response.all(name);
            (!lines.is_empty()).then(|| format!("{name}: {lines:?}"))
        })
    }

    /// The value of a list-based field has these members, in any case and order, among others.
    pub fn lists(self, name: &'static str, members: &'static [&'static str]) -> Row {
        self.check(move |response| {
            let value = response.all(name).join(",");
            let found: Vec<_> = value.split(',').map(str::trim).collect();
            let missing = members.iter().find(|member| !found.iter().any(|it| it.eq_ignore_ascii_case(member)));
            missing.map(|member| format!("{name} {value:?} lacks {member}"))
        })
    }

    /// The content is this.
    pub fn body(self, content: impl Into<Vec<u8>>) -> Row {
        let content = content.into();
        self.check(move |response| {
            let shown = response.body[..response.body.len().min(120)].escape_ascii();
            (response.body != content).then(|| format!("content of {} bytes: {shown}", response.body.len()))
        })
    }

    /// The content, as text, holds this.
    pub fn shows(self, part: &'static str) -> Row {
        self.check(move |response| (!text(response).contains(part)).then(|| format!("content without {part:?}")))
    }

    /// The content, as text, does not hold this.
    pub fn hides(self, part: &'static str) -> Row {
        self.check(move |response| text(response).contains(part).then(|| format!("content with {part:?}")))
    }

    /// Something else must hold of the last response.
    pub fn check(mut self, check: impl Fn(&Response) -> Option<String> + Send + Sync + 'static) -> Row {
        self.answers.last_mut().expect("a response comes before its checks").checks.push(Box::new(check));
        self
    }
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}
