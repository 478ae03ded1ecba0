//! What the lab does to a client, one row each, and how to read what the client makes of it.

use std::time::Duration;

use super::facts::{self, Finding, RowFacts};
use crate::http::Limits;

/// One thing that a server does, and one request made twice. Each row has a server of its own, so that no pool of
/// connections mixes them.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name; together with the method it is unique.
    pub name: &'static str,
    /// What the server does.
    pub server: &'static str,
    /// The method of both requests.
    pub method: &'static str,
    /// Their path beneath `/-/lab/`.
    pub path: &'static str,
    /// What `Keep-Alive: timeout` promises.
    pub promise: Duration,
    /// What lies between them.
    pub pause: Pause,
    /// What the row shows of the client.
    pub shows: Option<Requirement>,
    /// Reads what was seen.
    pub judge: fn(&RowFacts) -> Finding,
}

/// The time between two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The second follows at once.
    None,
    /// This long.
    For(Duration),
    /// As long as the client's idle connection is watched.
    Watched,
}

/// Writes the enum of what a client may be required to do, and its names, from the same rows.
macro_rules! requirements {
    ($($name:ident = $label:literal $meaning:literal),* $(,)?) => {
        /// What a client can be required to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Requirement { $(#[doc = $meaning] $name),* }

        impl Requirement {
            /// All of them.
            pub const ALL: &'static [Requirement] = &[$(Requirement::$name),*];

            /// The stable name.
            pub const fn label(self) -> &'static str {
                match self { $(Requirement::$name => $label),* }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Requirement::$name => $meaning),* }
            }
        }
    };
}

requirements! {
    Reuse = "reuse" "uses a connection again",
    HonourClose = "honour-close" "does not use it again after Connection: close",
    HonourTimeout = "honour-timeout" "does not use it again after the time of Keep-Alive: timeout",
    RetryGet = "retry-get" "resends a GET that was lost with a reused connection",
    NoDuplicatePost = "no-duplicate-post" "does not resend a POST that was lost this way",
    SurviveFin = "survive-fin" "survives a FIN on an idle connection",
    SurviveReset = "survive-reset" "survives an RST on an idle connection",
    Survive408 = "survive-408" "survives an unsolicited 408 on an idle connection",
}

const SECOND: Duration = Duration::from_secs(1);

/// An ordinary row; what differs stands in the table.
const PLAIN: Row = Row {
    name: "",
    server: "",
    method: "GET",
    path: "",
    promise: Limits::DEFAULT.keep_alive_timeout,
    pause: Pause::None,
    shows: None,
    judge: facts::survives,
};

/// The same with a POST.
const PLAIN_POST: Row =
    Row { method: "POST", shows: Some(Requirement::NoDuplicatePost), judge: facts::survives_as_post, ..PLAIN };

/// In the order in which they are run.
pub const ROWS: &[Row] = &[
    Row {
        name: "reuse",
        server: "keeps the connection",
        path: "bytes/2",
        shows: Some(Requirement::Reuse),
        judge: facts::reuses,
        ..PLAIN
    },
    Row {
        name: "close",
        server: "says Connection: close, but stays open",
        path: "close?announce=lie",
        shows: Some(Requirement::HonourClose),
        judge: facts::leaves,
        ..PLAIN
    },
    Row { name: "fin", server: "FIN right after the response", path: "close?announce=no", ..PLAIN },
    Row { name: "fin", server: "the same", path: "close?announce=no", ..PLAIN_POST },
    Row { name: "reset", server: "RST right after the response", path: "close?how=reset&announce=no", ..PLAIN },
    Row { name: "reset", server: "the same", path: "close?how=reset&announce=no", ..PLAIN_POST },
    Row {
        name: "fin-on-reuse",
        server: "FIN when the second request arrives",
        path: "close?when=reuse",
        shows: Some(Requirement::RetryGet),
        judge: facts::retries,
        ..PLAIN
    },
    Row {
        name: "fin-on-reuse",
        server: "the same",
        path: "close?when=reuse",
        judge: facts::does_not_retry,
        ..PLAIN_POST
    },
    Row {
        name: "reset-on-reuse",
        server: "RST when the second request arrives",
        path: "close?when=reuse&how=reset",
        shows: Some(Requirement::RetryGet),
        judge: facts::retries,
        ..PLAIN
    },
    Row {
        name: "reset-on-reuse",
        server: "the same",
        path: "close?when=reuse&how=reset",
        judge: facts::does_not_retry,
        ..PLAIN_POST
    },
    Row {
        name: "408-on-reuse",
        server: "408 and FIN when the second request arrives",
        path: "close?when=reuse&how=408",
        judge: facts::takes_408,
        ..PLAIN
    },
    Row {
        name: "408-on-reuse",
        server: "the same",
        path: "close?when=reuse&how=408",
        method: "POST",
        judge: facts::takes_408,
        ..PLAIN
    },
    Row {
        name: "fin-while-idle",
        server: "FIN while the connection is idle",
        path: "close?when=idle:200ms",
        pause: Pause::For(SECOND),
        shows: Some(Requirement::SurviveFin),
        ..PLAIN
    },
    Row {
        name: "reset-while-idle",
        server: "RST while it is idle",
        path: "close?when=idle:200ms&how=reset",
        pause: Pause::For(SECOND),
        shows: Some(Requirement::SurviveReset),
        ..PLAIN
    },
    Row {
        name: "408-while-idle",
        server: "408 and FIN while it is idle",
        path: "close?when=idle:200ms&how=408",
        pause: Pause::For(SECOND),
        shows: Some(Requirement::Survive408),
        judge: facts::survives_408,
        ..PLAIN
    },
    Row {
        name: "race",
        server: "FIN after 1 s, and the second request too",
        path: "close?when=idle:1s",
        pause: Pause::For(SECOND),
        ..PLAIN
    },
    Row { name: "race", server: "the same", path: "close?when=idle:1s", pause: Pause::For(SECOND), ..PLAIN_POST },
    Row {
        name: "promise",
        server: "Keep-Alive: timeout=2, but stays open",
        path: "bytes/2",
        promise: Duration::from_secs(2),
        pause: Pause::For(Duration::from_secs(3)),
        shows: Some(Requirement::HonourTimeout),
        judge: facts::leaves,
        ..PLAIN
    },
    Row {
        name: "idle",
        server: "Keep-Alive: timeout=70, and waits",
        path: "bytes/2",
        pause: Pause::Watched,
        judge: facts::waits,
        ..PLAIN
    },
];

impl Row {
    /// The lab ends the connection when it is used again.
    pub fn ends_on_reuse(&self) -> bool {
        self.path.contains("when=reuse")
    }

    /// The lab ends the connection before the second request, if it is in time; a row where both are in time at once
    /// has its own name.
    pub fn ends_before_reuse(&self) -> bool {
        self.path.contains("when=idle") && self.name != "race"
    }

    /// What lies between the requests, if idle connections are watched for this long.
    pub fn pause(&self, watch: Duration) -> Duration {
        match self.pause {
            Pause::None => Duration::ZERO,
            Pause::For(pause) => pause,
            Pause::Watched => watch,
        }
    }
}
