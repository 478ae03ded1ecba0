//! Connections that are idle, silent or slow, watched for as long as the server waits. Each has a thread of its own.

use std::thread;
use std::time::{Duration, Instant};

use super::seen::{EndSeen, Evidence, IdleSeen, RacingOutcome, RacingRequest, SlowSeen, WatchSeen};
use super::subject::{CLOSE_WAIT, Subject, sleep_until};
use crate::tools::connection::{Broken, ClientConnection, ServerEnd};

/// By how much the connections of the race begin to idle after the first one, which shows when theirs will end.
const HEAD_START: Duration = Duration::from_millis(100);

/// The requests of the race are sent up to this many milliseconds before and after the expected end, one each.
pub(super) const RACE_REACH: i64 = 5;

/// Pause between the bytes of a slow client.
const DRIP_PAUSE: Duration = Duration::from_secs(1);

/// Bytes of content that the slow client announces.
const SLOW_CONTENT: u64 = 100_000;

/// Watches a connection that idles after a response, and sends requests on others just when they end.
pub fn idle(subject: &Subject, watch: Duration) -> Evidence<IdleSeen> {
    let mut leader = subject.open()?;
    let head = subject.get(&mut leader, "").map_err(|broken| broken.to_string())?;
    let since = Instant::now();
    let promise = head.promise;
    if !head.persists {
        return Ok(IdleSeen { promise, ..IdleSeen::default() });
    }
    thread::scope(|scope| {
        let watcher = scope.spawn(|| leader.watch(since + watch));
        sleep_until(since + HEAD_START);
        let followers = (-RACE_REACH..=RACE_REACH).filter_map(|offset_ms| {
            let mut connection = subject.open().ok()?;
            subject.get(&mut connection, "").ok().filter(|head| head.persists)?;
            Some(Follower { connection, idle_since: Instant::now(), offset_ms })
        });
        let followers: Vec<Follower> = followers.collect();
        let unsolicited = watcher.join().map_err(|_| "the watch failed".to_owned())?;
        let idle = WatchSeen::of(&unsolicited, since);
        let racing = if idle.end == EndSeen::Open { Vec::new() } else { race(subject, followers, idle.after) };
        Ok(IdleSeen { promise, idle: Some(idle), racing })
    })
}

/// A connection that is expected to end when it has been idle as long as the first one was.
struct Follower {
    connection: ClientConnection,
    idle_since: Instant,
    offset_ms: i64,
}

impl Follower {
    fn due(&self, idle: Duration) -> Instant {
        let end = self.idle_since + idle;
        let offset = Duration::from_millis(self.offset_ms.unsigned_abs());
        if self.offset_ms < 0 { end - offset } else { end + offset }
    }
}

fn race(subject: &Subject, mut followers: Vec<Follower>, idle: Duration) -> Vec<RacingRequest> {
    followers.sort_by_key(|follower| follower.due(idle));
    let request = subject.request("GET", "");
    let mut sent = Vec::new();
    for follower in &mut followers {
        sleep_until(follower.due(idle));
        let is_open = !follower.connection.has_news();
        sent.push(is_open.then(|| follower.connection.send(request.as_bytes())));
    }
    let requests = followers.into_iter().zip(sent).map(|(mut follower, sent)| {
        let outcome = match sent {
            None => RacingOutcome::NotSent,
            Some(sent) => outcome_of_racing(&mut follower.connection, sent),
        };
        RacingRequest { offset_ms: follower.offset_ms, outcome }
    });
    let mut requests: Vec<RacingRequest> = requests.collect();
    requests.sort_by_key(|request| request.offset_ms);
    requests
}

fn outcome_of_racing(connection: &mut ClientConnection, sent: Result<(), Broken>) -> RacingOutcome {
    match sent.and_then(|()| connection.read_response(false)) {
        // A server may say so when it is tired of waiting (RFC 9110 §15.5.9).
        Ok(head) if head.status == 408 => RacingOutcome::LostToFin,
        Ok(_) => RacingOutcome::Answered,
        Err(Broken::TimedOut) => RacingOutcome::Silence,
        Err(_) if connection.ended == Some(ServerEnd::Fin) => RacingOutcome::LostToFin,
        Err(_) => RacingOutcome::LostToReset,
    }
}

/// Watches a connection on which nothing is ever sent.
pub fn silent(subject: &Subject, watch: Duration) -> Evidence<WatchSeen> {
    let mut connection = subject.open()?;
    let since = Instant::now();
    Ok(WatchSeen::of(&connection.watch(since + watch), since))
}

/// Watches clients that send half a head, and a head and content of one byte a second.
pub fn slow(subject: &Subject, watch: Duration) -> Evidence<SlowSeen> {
    let half = subject.head("GET", "HTTP/1.1", "X-Slow: ");
    let fields = format!("Content-Type: application/octet-stream\r\nContent-Length: {SLOW_CONTENT}\r\n");
    let post = subject.request("POST", &fields);
    thread::scope(|scope| {
        let stalled = scope.spawn(|| begin(subject, &half, |connection, since| connection.watch_since(since, watch)));
        let dripped = scope.spawn(|| begin(subject, &half, |connection, since| drip(connection, since, watch)));
        let content = scope.spawn(|| begin(subject, &post, |connection, since| drip(connection, since, watch)));
        let failed = |_| Err("the watch failed".to_owned());
        Ok(SlowSeen {
            stalled_head: stalled.join().unwrap_or_else(failed)?,
            dripped_head: dripped.join().unwrap_or_else(failed)?,
            dripped_content: content.join().unwrap_or_else(failed)?,
        })
    })
}

fn begin(
    subject: &Subject,
    bytes: &str,
    watch: impl Fn(&mut ClientConnection, Instant) -> WatchSeen,
) -> Evidence<WatchSeen> {
    let mut connection = subject.open()?;
    connection.send(bytes.as_bytes()).map_err(|broken| broken.to_string())?;
    Ok(watch(&mut connection, Instant::now()))
}

/// Sends a byte a second until the server ends the connection or answers, or the watch is over.
fn drip(connection: &mut ClientConnection, since: Instant, watch: Duration) -> WatchSeen {
    let until = since + watch;
    let mut next = since;
    loop {
        next += DRIP_PAUSE;
        let seen = WatchSeen::of(&connection.watch(until.min(next)), since);
        if seen.end != EndSeen::Open || Instant::now() >= until {
            return seen;
        }
        if seen.status.is_some() {
            let end = WatchSeen::of(&connection.watch(Instant::now() + CLOSE_WAIT), since);
            return WatchSeen { status: seen.status, ..end };
        }
        if connection.send(b"a").is_err() {
            // Its end has come, but is not read yet.
            return WatchSeen::of(&connection.watch(Instant::now() + CLOSE_WAIT), since);
        }
    }
}

impl ClientConnection {
    fn watch_since(&mut self, since: Instant, watch: Duration) -> WatchSeen {
        WatchSeen::of(&self.watch(since + watch), since)
    }
}
