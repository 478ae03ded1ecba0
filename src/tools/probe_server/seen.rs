//! What was seen of a server: facts without a judgement. They are the numbers of the JSON output.

use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use crate::tools::connection::{ServerEnd, Unsolicited};
use crate::tools::response;

/// What was seen, or why it was not.
pub type Evidence<T> = Result<T, String>;

/// How a connection ended while it was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndSeen {
    /// The server sent a FIN.
    Fin,
    /// The server sent an RST.
    Reset,
    /// It was still open.
    Open,
}

/// A connection that was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WatchSeen {
    /// How it ended.
    pub end: EndSeen,
    /// When it ended, or for how long it was watched.
    #[serde(rename = "after_ms", serialize_with = "in_milliseconds")]
    pub after: Duration,
    /// The status of a response that came meanwhile.
    pub status: Option<u16>,
}

impl WatchSeen {
    /// What came since this moment.
    pub fn of(unsolicited: &Unsolicited, since: Instant) -> WatchSeen {
        let status = response::parse(&unsolicited.bytes, false).ok().flatten().map(|(head, _)| head.status);
        let (end, moment) = match unsolicited.end {
            Some((ServerEnd::Fin, moment)) => (EndSeen::Fin, moment),
            Some((ServerEnd::Reset, moment)) => (EndSeen::Reset, moment),
            None => (EndSeen::Open, Instant::now()),
        };
        WatchSeen { end, after: moment.saturating_duration_since(since), status }
    }
}

/// An idle connection, after a response.
#[derive(Clone, Debug, Default, Serialize)]
pub struct IdleSeen {
    /// What the server promised in `Keep-Alive: timeout`, in seconds.
    pub promise: Option<u64>,
    /// What became of the connection; `None` if the response had announced its end.
    pub idle: Option<WatchSeen>,
    /// Requests that were sent about when others like it were closed.
    pub racing: Vec<RacingRequest>,
}

/// A request near the end of an idle connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RacingRequest {
    /// When it was sent, from the moment at which the server was expected to close.
    pub offset_ms: i64,
    /// What became of it.
    pub outcome: RacingOutcome,
}

/// What became of a request near the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RacingOutcome {
    /// It was answered.
    Answered,
    /// The server's FIN came in place of an answer.
    LostToFin,
    /// An RST came in place of an answer.
    LostToReset,
    /// The connection had ended before, so that it was not sent.
    NotSent,
    /// Neither an answer nor an end came.
    Silence,
}

/// Many requests on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LimitSeen {
    /// How many were answered.
    pub answered: u32,
    /// Whether the server closed the connection.
    pub closed: bool,
    /// Whether the last response announced that.
    pub announced: bool,
}

/// A request with an option about its connection, and another behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OptionSeen {
    /// The version and the option.
    pub form: &'static str,
    /// The server has to close after its response (RFC 9112 §9.3).
    pub must_close: bool,
    /// The status of the response.
    pub status: u16,
    /// The response announces the end of the connection.
    pub announced: bool,
    /// The response says `Connection: keep-alive`.
    pub says_keep_alive: bool,
    /// The second request was answered, too.
    pub second_answered: bool,
    /// The connection ended.
    pub ended: bool,
}

/// Requests that were sent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PipeliningSeen {
    /// How many of ten were answered.
    pub of_ten: u32,
    /// The last of these responses announced the end of the connection.
    pub announced: bool,
    /// How many of three, one with `Connection: close`, and three more were answered.
    pub of_three_close_three: u32,
}

/// A client that says it will send no more, and waits for its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HalfCloseSeen {
    /// Bytes that came.
    pub received: u64,
    /// Bytes that come without the half-close.
    pub whole: u64,
    /// The response was complete.
    pub complete: bool,
    /// The server sent an RST.
    pub reset: bool,
}

/// A request with content that the server may not want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UploadSeen {
    /// Bytes of content.
    pub size: u64,
    /// Bytes of it that were sent.
    pub sent: u64,
    /// The status of the response.
    pub status: Option<u16>,
    /// The response announced the end of the connection.
    pub announced: bool,
    /// Another request was answered on the same connection.
    pub kept: bool,
    /// The server sent an RST.
    pub reset: bool,
    /// Bytes that came before the end, if they were no response.
    pub received: u64,
}

/// Clients that are slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SlowSeen {
    /// Half a request head, and then nothing.
    pub stalled_head: WatchSeen,
    /// A head of one byte a second.
    pub dripped_head: WatchSeen,
    /// Content of one byte a second.
    pub dripped_content: WatchSeen,
}

/// Many idle connections, and one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FullSeen {
    /// How many were to be opened.
    pub wanted: u32,
    /// How many were served.
    pub served: u32,
    /// How many of these the server had closed at the end.
    pub closed: u32,
    /// What became of the request of the next one.
    pub next: NextSeen,
}

/// What a connection gets when many are idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextSeen {
    /// A response as the first one.
    Served,
    /// A refusal in words: this status.
    Refused(u16),
    /// A FIN or an RST in place of a response.
    Ended,
    /// Nothing.
    Waits,
    /// No connection.
    NotConnected,
}

/// What becomes of connections when the server is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StopSeen {
    /// One that was idle and sends another request.
    pub idle: StopOutcome,
    /// One whose request was on its way.
    pub in_flight: StopOutcome,
    /// One that had just been opened and sends its first request.
    pub backlog: StopOutcome,
    /// The exit status of the command, if it has ended.
    pub command: Option<i32>,
}

/// What one of them gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopOutcome {
    /// A response.
    Answered,
    /// A response that announces the end of the connection.
    AnsweredWithClose,
    /// A FIN.
    Fin,
    /// An RST.
    Reset,
    /// Nothing.
    Silence,
}

/// Exchanges of a few responses.
#[derive(Debug, Serialize)]
pub struct ExchangesSeen {
    /// Many requests on one connection.
    #[serde(serialize_with = "evidence")]
    pub limit: Evidence<LimitSeen>,
    /// The options about the connection.
    #[serde(serialize_with = "evidence")]
    pub options: Evidence<Vec<OptionSeen>>,
    /// Requests that were sent together.
    #[serde(serialize_with = "evidence")]
    pub pipelining: Evidence<PipeliningSeen>,
    /// The half-close.
    #[serde(serialize_with = "evidence")]
    pub half_close: Evidence<HalfCloseSeen>,
    /// Content that may be unwanted: a little, and a lot.
    #[serde(serialize_with = "evidence")]
    pub uploads: Evidence<[UploadSeen; 2]>,
}

/// All that was seen.
#[derive(Debug, Serialize)]
pub struct ServerSeen {
    /// For how long connections were watched.
    #[serde(rename = "watched_ms", serialize_with = "in_milliseconds")]
    pub watched: Duration,
    /// An idle connection, and requests at its end.
    #[serde(serialize_with = "evidence")]
    pub idle: Evidence<IdleSeen>,
    /// A connection that never spoke.
    #[serde(serialize_with = "evidence")]
    pub silent: Evidence<WatchSeen>,
    /// Slow clients.
    #[serde(serialize_with = "evidence")]
    pub slow: Evidence<SlowSeen>,
    /// Exchanges of a few responses.
    #[serde(flatten)]
    pub exchanges: ExchangesSeen,
    /// Many connections; `None` if that was not asked for.
    #[serde(serialize_with = "perhaps_evidence")]
    pub full: Option<Evidence<FullSeen>>,
    /// The stop; `None` if that was not asked for.
    #[serde(serialize_with = "perhaps_evidence")]
    pub stop: Option<Evidence<StopSeen>>,
}

/// What was seen, or `{"not_shown": "the reason"}`.
fn evidence<T: Serialize, S: Serializer>(evidence: &Evidence<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match evidence {
        Ok(seen) => seen.serialize(serializer),
        Err(why) => serializer.collect_map([("not_shown", why)]),
    }
}

fn perhaps_evidence<T: Serialize, S: Serializer>(
    perhaps: &Option<Evidence<T>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match perhaps {
        Some(seen) => evidence(seen, serializer),
        None => serializer.serialize_none(),
    }
}

fn in_milliseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_millis() as u64)
}
