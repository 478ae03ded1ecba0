//! What happens, as short lines for a person at a terminal: one when a connection opens, one for each response, one at
//! the end. In place of the ledger, which a program reads more easily than a person.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;

use super::lines::Sink;
use super::palette::Palette;
use super::terminal_line::{self, TerminalLine};
use super::text::plural;
use super::{Answered, ConnectionId, Event, Observer};
use crate::http::{Date, Moment, RequestHead, Status, Target};

/// Lines per second. Nobody reads more, and under load they would cost more than the requests.
const MAX_LINES: u32 = 500;

/// For this long the lines are counted together.
const SECOND: Duration = Duration::from_secs(1);

/// What stands in the place of bytes that are not a valid request.
const NO_REQUEST: &str = "(no valid request)";

/// Writes the short lines.
pub struct TerminalLog {
    sink: Sink,
    zone: TimeZone,
    palette: Palette,
    /// The wall clock in this loop iteration: milliseconds since the Unix epoch.
    unix_millis: u64,
    /// The same as the lines have it, once there is a line.
    time: String,
    budget: Budget,
    /// Requests that are not answered yet, if there was a line left for each.
    asked: FxHashMap<ConnectionId, VecDeque<PendingRequest>>,
    line: String,
}

/// A request that is not answered yet.
struct PendingRequest {
    /// Its number, unless what came is not a valid request.
    number: Option<u32>,
    /// Its method and target, as they are shown.
    what: String,
    /// One of those by which the live page and monitoring ask again and again.
    polls_console: bool,
}

/// The lines of the current second.
#[derive(Default)]
struct Budget {
    began: Moment,
    written: u32,
    left_out: u64,
}

impl TerminalLog {
    /// Lines in local time and in these colours.
    pub fn new(sink: Sink, zone: TimeZone, palette: Palette) -> Self {
        TerminalLog {
            sink,
            zone,
            palette,
            unix_millis: 0,
            time: String::new(),
            budget: Budget::default(),
            asked: FxHashMap::default(),
            line: String::new(),
        }
    }

    /// A request, or what is not a valid request, is answered later. Without room for a line it is not worth remembering.
    fn remember(&mut self, conn: ConnectionId, asked: impl FnOnce() -> PendingRequest) {
        if self.budget.has_room() {
            self.asked.entry(conn).or_default().push_back(asked());
        }
    }

    fn answered(&mut self, conn: ConnectionId, answered: &Answered) {
        match self.take_asked(conn, answered.number) {
            Some(asked) if asked.polls_console && answered.status.code() < 400 => {}
            Some(asked) => self.write(conn, |line| line.answered(asked.number, &asked.what, answered)),
            // Nothing came in time.
            None if answered.status == Status::REQUEST_TIMEOUT => {
                self.write(conn, |line| line.answered(None, NO_REQUEST, answered));
            }
            None => self.budget.left_out += 1,
        }
    }

    /// What is answered now. What came before it was answered when there was no room for a line.
    fn take_asked(&mut self, conn: ConnectionId, number: u32) -> Option<PendingRequest> {
        let queue = self.asked.get_mut(&conn)?;
        while queue.front()?.number.is_some_and(|earlier| earlier < number) {
            queue.pop_front();
        }
        if queue.front()?.number.is_some_and(|later| later > number) { None } else { queue.pop_front() }
    }

    /// Writes a line about a connection, or counts it if there were too many.
    fn write(&mut self, conn: ConnectionId, text: impl FnOnce(TerminalLine<'_>) -> String) {
        if !self.budget.take() {
            return;
        }
        let palette = self.palette;
        self.push(&text(TerminalLine { conn, palette: &palette }));
    }

    fn push(&mut self, text: &str) {
        if self.time.is_empty() {
            self.write_time();
        }
        let dim = self.palette.dim;
        self.line.clear();
        let _ = writeln!(self.line, "{dim}{}{dim:#}  {text}", self.time);
        (self.sink)(self.line.as_bytes());
    }

    /// `14:03:07.412`: the offset from UTC may be another one than at the start.
    fn write_time(&mut self) {
        let millis = i64::try_from(self.unix_millis).unwrap_or(i64::MAX);
        let time = self.zone.to_datetime(Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)).time();
        let (hour, minute, second, millis) = (time.hour(), time.minute(), time.second(), time.millisecond());
        let _ = write!(self.time, "{hour:02}:{minute:02}:{second:02}.{millis:03}");
    }
}

impl Observer for TerminalLog {
    fn observe(&mut self, _now: Moment, conn: ConnectionId, event: &Event<'_>) {
        match event {
            Event::Opened { peer } => self.write(conn, |line| line.opened(*peer)),
            Event::Request { number, head, .. } => self.remember(conn, || PendingRequest {
                number: Some(*number),
                what: terminal_line::asked(head.method_as_sent, head.target_as_sent),
                polls_console: polls_console(head),
            }),
            Event::Refused => {
                self.remember(conn, || PendingRequest {
                    number: None,
                    what: NO_REQUEST.to_owned(),
                    polls_console: false,
                });
            }
            Event::Response(answered) => self.answered(conn, answered),
            Event::Race { late } => self.write(conn, |line| line.lost_race(*late)),
            Event::Viewer => self.write(conn, |line| line.views_the_feed()),
            Event::Closed(life) => {
                self.asked.remove(&conn);
                self.write(conn, |line| line.closed(life));
            }
            Event::Idle { .. } | Event::Closing { .. } => {}
        }
    }

    fn begin_iteration(&mut self, now: Moment, date: &Date) {
        self.unix_millis = date.unix_millis(now);
        self.time.clear();
        if let Some(left_out) = self.budget.renew(now) {
            let dim = self.palette.dim;
            self.push(&format!("{dim}… {} not shown{dim:#}", plural(left_out, "more line", "more lines")));
        }
    }

    fn wake(&self) -> Option<Moment> {
        (self.budget.left_out > 0).then(|| self.budget.began + SECOND)
    }

    fn needs_round_trip(&self) -> bool {
        false
    }
}

impl Budget {
    fn has_room(&self) -> bool {
        self.written < MAX_LINES
    }

    /// Takes room for a line. If there is none, the line counts as left out.
    fn take(&mut self) -> bool {
        let has_room = self.has_room();
        match has_room {
            true => self.written += 1,
            false => self.left_out += 1,
        }
        has_room
    }

    /// Begins another second if it is time to. Says how many lines were left out, if any were.
    fn renew(&mut self, now: Moment) -> Option<u64> {
        if now.since(self.began) < SECOND {
            return None;
        }
        let left_out = std::mem::replace(self, Budget { began: now, ..Budget::default() }).left_out;
        (left_out > 0).then_some(left_out)
    }
}

impl fmt::Debug for TerminalLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalLog").finish_non_exhaustive()
    }
}

/// Whether a request is for a page of the console but not for the live page itself or the lab. An open live page and
/// monitoring ask for these again and again, and nobody wants to see each time that they do.
fn polls_console(head: &RequestHead<'_>) -> bool {
    let Target::Path { path, .. } = head.target else { return false };
    path.strip_prefix("/-/").is_some_and(|name| !name.is_empty() && !name.starts_with("lab/"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::http::{Facts, Limits, head, persistence};
    use crate::observe::{Peer, ledger};

    /// A log whose lines are kept, and the time.
    struct Fixture {
        log: TerminalLog,
        lines: Arc<Mutex<Vec<String>>>,
        now: Moment,
    }

    impl Fixture {
        fn new(zone: TimeZone) -> Fixture {
            let lines = Arc::<Mutex<Vec<String>>>::default();
            let kept = Arc::clone(&lines);
            let sink = move |line: &[u8]| kept.lock().unwrap().push(String::from_utf8(line.to_vec()).unwrap());
            Fixture { log: TerminalLog::new(Box::new(sink), zone, Palette::PLAIN), lines, now: Moment::default() }
        }

        /// A loop iteration begins this much later, when the wall clock shows this.
        fn begin(&mut self, later: Duration, unix: Duration) {
            self.now = self.now + later;
            let mut date = Date::from_unix(0);
            date.move_to(unix, self.now);
            self.log.begin_iteration(self.now, &date);
        }

        fn open(&mut self, conn: u64) {
            self.log.observe(self.now, ConnectionId(conn), &Event::Opened { peer: Peer::Unix });
        }

        fn request(&mut self, conn: u64, number: u32, target: &str) {
            let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
            let (head, _) = head::parse(request.as_bytes(), &Limits::DEFAULT).unwrap().unwrap();
            self.log.observe(self.now, ConnectionId(conn), &Event::Request { number, head: &head, idle: None });
        }

        fn response(&mut self, conn: u64, number: u32, status: Status) {
            let persistence = persistence::decide(&Facts::default(), &Limits::DEFAULT);
            let answered = Answered { number, status, content: 0, persistence, took: Duration::ZERO, complete: true };
            self.log.observe(self.now, ConnectionId(conn), &Event::Response(answered));
        }

        fn take(&mut self) -> Vec<String> {
            std::mem::take(&mut *self.lines.lock().unwrap())
        }
    }

    #[test]
    fn time_is_local_also_when_the_offset_changes() {
        // Central European time by the rule itself, so that no database is needed.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let mut fixture = Fixture::new(zone);
        for (unix_millis, time) in [
            (1_774_745_999_999, "01:59:59.999"), // 29 March 2026: from two to three
            (1_774_746_000_000, "03:00:00.000"),
            (1_792_889_999_999, "02:59:59.999"), // 25 October 2026: from three back to two
            (1_792_890_000_000, "02:00:00.000"),
        ] {
            fixture.begin(Duration::from_secs(1), Duration::from_millis(unix_millis));
            fixture.open(1);
            assert_eq!(fixture.take(), [format!("{time}  #1   opened through a Unix socket\n")]);
        }
    }

    #[test]
    fn requests_that_poll_the_console_are_left_out_unless_they_fail() {
        let mut fixture = Fixture::new(TimeZone::UTC);
        fixture.begin(Duration::ZERO, Duration::ZERO);
        let rows = [
            ("/", Status::OK, true),
            ("/-/", Status::OK, true),
            ("/-/status", Status::OK, false),
            ("/-/status?x=1", Status::OK, false),
            ("/-/metrics", Status::OK, false),
            ("/-/lab/close", Status::OK, true),
            ("/-/status", Status::NOT_FOUND, true),
            ("/-/ready", Status::SERVICE_UNAVAILABLE, true),
            ("/x/-/status", Status::OK, true),
        ];
        for (number, (target, status, shown)) in (1..).zip(rows) {
            fixture.request(1, number, target);
            fixture.response(1, number, status);
            let lines = fixture.take();
            assert_eq!(lines.len(), usize::from(shown), "{target} {status:?}: {lines:?}");
            assert!(lines.iter().all(|line| line.contains(&format!("GET {target} -> {}", status.code()))), "{lines:?}");
        }
        assert_eq!(fixture.log.wake(), None, "nothing was left out that anybody must be told of");
    }

    #[test]
    fn bytes_that_are_not_a_valid_request_have_a_line_too() {
        let mut fixture = Fixture::new(TimeZone::UTC);
        fixture.begin(Duration::ZERO, Duration::ZERO);
        fixture.request(1, 1, "/a");
        fixture.log.observe(fixture.now, ConnectionId(1), &Event::Refused);
        fixture.response(1, 1, Status::OK);
        fixture.response(1, 1, Status::BAD_REQUEST);
        fixture.response(2, 0, Status::REQUEST_TIMEOUT);
        let lines = fixture.take().concat();
        let shown: Vec<&str> = lines.lines().filter_map(|line| line.split_once("#").map(|(_, line)| line)).collect();
        assert_eq!(
            shown,
            [
                "1   GET /a -> 200 in 0.0 ms  (request 1, kept)",
                "1   (no valid request) -> 400 in 0.0 ms  (kept)",
                "2   (no valid request) -> 408 in 0.0 ms  (kept)",
            ]
        );
    }

    #[test]
    fn more_lines_than_anybody_reads_are_counted() {
        let mut fixture = Fixture::new(TimeZone::UTC);
        fixture.begin(SECOND, Duration::ZERO);
        let began = fixture.now;
        let most = MAX_LINES.into();
        for conn in 1..=most {
            fixture.request(conn, 1, "/");
            fixture.response(conn, 1, Status::OK);
        }
        assert_eq!((fixture.take().len() as u64, fixture.log.wake()), (most, None));
        for number in 2..=1_235 {
            fixture.request(1, number, "/");
            fixture.response(1, number, Status::OK);
        }
        fixture.open(2);
        fixture.begin(Duration::from_millis(999), Duration::ZERO);
        assert!(fixture.take().is_empty());
        assert!(fixture.log.asked.values().all(VecDeque::is_empty), "what can't be shown is not remembered");
        assert_eq!(fixture.log.wake(), Some(began + SECOND));
        fixture.begin(Duration::from_millis(1), Duration::from_secs(7));
        assert_eq!(fixture.take(), ["00:00:07.000  … 1,235 more lines not shown\n"]);
        assert_eq!(fixture.log.wake(), None);
        fixture.open(3);
        assert_eq!(fixture.take().len(), 1);
    }

    #[test]
    fn a_connection_that_has_ended_is_forgotten() {
        let mut fixture = Fixture::new(TimeZone::UTC);
        fixture.begin(Duration::ZERO, Duration::ZERO);
        fixture.request(1, 1, "/");
        fixture.response(1, 1, Status::OK);
        assert_eq!(fixture.log.asked.len(), 1);
        let life = ledger::tests::life();
        fixture.log.observe(fixture.now, ConnectionId(1), &Event::Closed(&life));
        assert!(fixture.log.asked.is_empty());
    }
}
