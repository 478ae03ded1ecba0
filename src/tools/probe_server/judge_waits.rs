//! What the waits of a server mean for its clients.

use std::time::Duration;

use super::rows::{Case, Grade, Judgement};
use super::seen::{EndSeen, IdleSeen, RacingOutcome, RacingRequest, WatchSeen};
use super::waits::RACE_REACH;

/// By how much a server may seem to close early, because its clock ticks in milliseconds and not in ours.
const TICK: Duration = Duration::from_millis(20);

/// A request takes some time to arrive: a server that closes so shortly after its promise is too quick.
const NARROW: Duration = Duration::from_millis(500);

/// A watch that is shorter proves nothing about a server that waits.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

/// The names of the idle timeout, by what servers call themselves.
const SETTINGS: &[(&str, &str)] = &[
    ("holdline", "--keep-alive-timeout"),
    ("nginx", "keepalive_timeout"),
    ("Apache", "KeepAliveTimeout"),
    ("lighttpd", "server.max-keep-alive-idle"),
    ("Caddy", "idle_timeout"),
    ("h2o", "http1-request-timeout"),
    ("gunicorn", "--keep-alive"),
    ("uvicorn", "--timeout-keep-alive"),
];

/// An idle connection, after a response.
pub fn idle(case: &Case<'_>) -> Option<Judgement> {
    Some(match idle_seen(case) {
        Err(not_shown) => not_shown,
        Ok((_, None)) => {
            Grade::Careful.says("closes after each response, as it announces: each request pays for a handshake")
        }
        Ok((_, Some(WatchSeen { end: EndSeen::Open, .. }))) => {
            Grade::Ok.says(format!("kept an idle connection for the {} that it was watched", whole(case.seen.watched)))
        }
        Ok((_, Some(WatchSeen { status: Some(status), after, .. }))) => Grade::Careful
            .says(format!(
                "sends an unsolicited {status} after {}, which a client may take for its response",
                time(after)
            ))
            .by("RFC 9110 §15.5.9"),
        Ok((_, Some(WatchSeen { end: EndSeen::Reset, after, .. }))) => Grade::Careful
            .says(format!("resets an idle connection after {}, in place of a FIN", time(after)))
            .by("RFC 9112 §9.6"),
        Ok((_, Some(WatchSeen { after, .. }))) => {
            Grade::Ok.says(format!("closes an idle connection after {}, by FIN, unannounced", time(after)))
        }
    })
}

/// A connection that never spoke.
pub fn silent(case: &Case<'_>) -> Option<Judgement> {
    let seen = match &case.seen.silent {
        Ok(seen) => seen,
        Err(why) => return Some(Grade::NotShown.says(why)),
    };
    let after = time(seen.after);
    Some(match seen {
        WatchSeen { end: EndSeen::Open, .. } => {
            still_waits(case, &format!("a connection that never spoke was open for all {after}"))
        }
        WatchSeen { status: Some(status), .. } => Grade::Careful
            .says(format!("sends {status} after {after} to a connection that never spoke, as browsers open some"))
            .by("RFC 9110 §15.5.9"),
        WatchSeen { end: EndSeen::Reset, .. } => {
            Grade::Careful.says(format!("resets a connection that never spoke after {after}")).by("RFC 9112 §9.6")
        }
        _ => Grade::Ok.says(format!("closes a connection that never spoke after {after}")),
    })
}

/// What `Keep-Alive: timeout` says, beside what was measured.
pub fn promise(case: &Case<'_>) -> Option<Judgement> {
    let (seen, idle) = match idle_seen(case) {
        Ok((seen, Some(idle))) => (seen, idle),
        Ok((_, None)) => return Some(Grade::NotShown.says("keeps no connection, and promises none")),
        Err(not_shown) => return Some(not_shown),
    };
    let Some(promised) = seen.promise else {
        return Some(Grade::NotShown.says("says no Keep-Alive: timeout, so a client can only guess"));
    };
    let promise = Duration::from_secs(promised);
    let (watched, after) = (whole(case.seen.watched), time(idle.after));
    Some(if idle.end == EndSeen::Open && case.seen.watched >= promise {
        Grade::Ok.says(format!("promises {promised} s, and kept a connection for all {watched}"))
    } else if idle.end == EndSeen::Open {
        Grade::NotShown.says(format!("promises {promised} s, and was watched for {watched} only"))
    } else if idle.after + TICK < promise {
        Grade::Bad
            .says(format!("promises {promised} s and closes after {after}: clients that trust it lose requests"))
            .by("RFC 9112 §9.5")
    } else if idle.after < promise + NARROW {
        Grade::Careful
            .says(format!("promises {promised} s and closes after {after}: a request sent in time may be late"))
    } else {
        let margin = time(idle.after.saturating_sub(promise));
        Grade::Ok.says(format!("promises {promised} s and closes after {after}: a margin of {margin}"))
    })
}

/// Whether a pool of connections can meet the server's close.
pub fn behind(case: &Case<'_>) -> Option<Judgement> {
    let pool = case.behind?;
    let idle = match idle_seen(case) {
        Ok((_, Some(idle))) => idle,
        Ok((_, None)) => return Some(Grade::Ok.says("keeps no connection that a pool could meet the end of")),
        Err(not_shown) => return Some(not_shown),
    };
    let (open, closes) = (idle.end == EndSeen::Open, time(idle.after));
    let Some(keeps) = pool.idle() else {
        let grade = if open { Grade::NotShown } else { Grade::Careful };
        return Some(grade.says(format!("{pool} keeps idle connections without a limit, and may meet any close")));
    };
    let kept = whole(keeps);
    Some(if open && case.seen.watched > keeps {
        Grade::Ok.says(format!("is still open after {closes}, when {pool} has closed at {kept}"))
    } else if open {
        Grade::NotShown.says(format!("{pool} keeps {kept}: watch for longer than that, by --watch"))
    } else if idle.after <= keeps {
        let setting = setting(case.software);
        Grade::Bad
            .says(format!("502s are possible: it closes at {closes}, {pool} keeps {kept}. Set {setting} above {kept}."))
    } else if idle.after < keeps + NARROW {
        Grade::Careful.says(format!("closes at {closes}, hardly later than {pool}, which keeps {kept}"))
    } else {
        Grade::Ok.says(format!("closes at {closes}, later than {pool}, which keeps {kept}"))
    })
}

fn setting(software: Option<&str>) -> &'static str {
    let known = |name: &str| software.is_some_and(|software| software.starts_with(name));
    SETTINGS.iter().find(|(name, _)| known(name)).map_or("its idle timeout", |(_, setting)| setting)
}

/// Requests that are sent when the server is about to close.
pub fn race(case: &Case<'_>) -> Option<Judgement> {
    let (seen, idle) = match idle_seen(case) {
        Ok((seen, Some(idle))) if idle.end != EndSeen::Open => (seen, idle),
        Ok(_) => return Some(Grade::NotShown.says("no idle connection was closed while it was watched")),
        Err(not_shown) => return Some(not_shown),
    };
    let count = |outcome| seen.racing.iter().filter(|request| request.outcome == outcome).count();
    let (by_fin, by_reset) = (count(RacingOutcome::LostToFin), count(RacingOutcome::LostToReset));
    let of = seen.racing.len();
    if of == 0 {
        return Some(Grade::NotShown.says("no other connection was kept"));
    }
    if count(RacingOutcome::Silence) > 0 {
        let silent = count(RacingOutcome::Silence);
        return Some(Grade::Bad.says(format!("leaves {silent} of {of} requests at its close without answer and end")));
    }
    if by_fin + by_reset == 0 {
        let (answered, not_sent) = (count(RacingOutcome::Answered), count(RacingOutcome::NotSent));
        return Some(Grade::Ok.says(format!(
            "of {of} requests within {RACE_REACH} ms of its expected close {answered} were answered, {not_sent} were too late to be sent"
        )));
    }
    let is_lost =
        |request: &&RacingRequest| [RacingOutcome::LostToFin, RacingOutcome::LostToReset].contains(&request.outcome);
    let offsets: Vec<i64> = seen.racing.iter().filter(is_lost).map(|request| request.offset_ms).collect();
    // The requests are in the order of their offsets.
    let width = offsets.last().zip(offsets.first()).map_or(0, |(last, first)| last - first + 1);
    let how = match (by_fin, by_reset) {
        (_, 0) => "a FIN",
        (0, _) => "an RST",
        _ => "a FIN or an RST",
    };
    let text = format!(
        "{} of {of} requests within {RACE_REACH} ms of its expected close were lost to {how}, over {width} ms",
        by_fin + by_reset
    );
    let promised = seen.promise.is_some_and(|promise| idle.after >= Duration::from_secs(promise) + NARROW);
    let met = behind(case).is_none_or(|judgement| judgement.grade != Grade::Ok);
    Some(if promised {
        Grade::Ok.says(text + "; clients that trust its promise send none then")
    } else if !met {
        Grade::Ok.says(text + "; the pool has closed before")
    } else {
        Grade::Careful.says(text + ", and no promise says when not to send").by("RFC 9112 §9.5")
    })
}

/// Clients that are slow.
pub fn slow(case: &Case<'_>) -> Option<Judgement> {
    let seen = match &case.seen.slow {
        Ok(seen) => seen,
        Err(why) => return Some(Grade::NotShown.says(why)),
    };
    let (half, head, content) = (seen.stalled_head, seen.dripped_head, seen.dripped_content);
    let all = time(head.after);
    if head.end == EndSeen::Open && head.status.is_none() {
        let text = format!("a head of one byte a second was waited for all {all}");
        return Some(if half.end == EndSeen::Open {
            still_waits(case, &format!("{text}; half a head, too"))
        } else {
            Grade::Careful.says(format!("{text}; only a pause of {} ends it", time(half.after)))
        });
    }
    let waited_for_content = content.end == EndSeen::Open && content.status.is_none();
    let content = match (content.end, content.status) {
        (EndSeen::Open, None) => format!("content like it was waited for all {}", time(content.after)),
        (_, Some(status)) => format!("content like it gets {status} after {}", time(content.after)),
        (_, None) => format!("content like it {} after {}", end(content.end), time(content.after)),
    };
    let head = match head.status {
        Some(status) => format!("a head of one byte a second gets {status} after {all}"),
        None => format!("a head of one byte a second {} after {all}", end(head.end)),
    };
    let text = format!("{head}; {content}");
    Some(if waited_for_content { still_waits(case, &text) } else { Grade::Ok.says(text) })
}

/// How a connection with a slow client ends, as a verb.
fn end(end: EndSeen) -> &'static str {
    match end {
        EndSeen::Fin => "is closed",
        EndSeen::Reset => "is reset",
        EndSeen::Open => "is waited for",
    }
}

/// The judgement of a server that waits for as long as it was watched.
fn still_waits(case: &Case<'_>, text: &str) -> Judgement {
    let grade = if case.seen.watched < LONG_ENOUGH { Grade::NotShown } else { Grade::Careful };
    grade.says(text)
}

/// What was seen of an idle connection, or the judgement that nothing was.
fn idle_seen<'a>(case: &'a Case<'_>) -> Result<(&'a IdleSeen, Option<WatchSeen>), Judgement> {
    match &case.seen.idle {
        Ok(seen) => Ok((seen, seen.idle)),
        Err(why) => Err(Grade::NotShown.says(why)),
    }
}

/// A time that somebody has set, in seconds.
fn whole(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// A time that was measured.
fn time(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
