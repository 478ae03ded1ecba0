//! Runs rows against a server.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::row::{Row, Then};
use crate::support::{Broken, PATIENCE, Response, Server, Wire, get, ms};

/// Rows that run at the same time. Most of their time they wait for each other's bytes.
const AT_ONCE: usize = 8;

/// Runs all rows; panics with every one that failed.
pub fn run(server: &Server, rows: &[Row]) {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(what) = run_row(server, row) {
                        let shown = row.request[..row.request.len().min(300)].escape_ascii();
                        let failure = format!("{}: {}\n    sent {shown}\n    {what}", row.section, row.why);
                        failures.lock().expect("no thread panics with the lock").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no thread panicked with the lock");
    assert!(failures.is_empty(), "{} of {} rows failed:\n{}", failures.len(), rows.len(), failures.join("\n"));
}

/// Runs one row whole, and at each of its splits, each time on a new connection.
fn run_row(server: &Server, row: &Row) -> Result<(), String> {
    converse(server, row, &[&row.request]).map_err(|what| format!("whole: {what}"))?;
    if row.then == Then::Waits {
        return Ok(());
    }
    for at in split_points(&row.request) {
        let (first, second) = row.request.split_at(at);
        converse(server, row, &[first, second]).map_err(|what| format!("split at {at}: {what}"))?;
    }
    Ok(())
}

/// Near the ends, in the middle, and around the first line end and the end of the head.
fn split_points(request: &[u8]) -> BTreeSet<usize> {
    let length = request.len();
    let after = |what: &[u8]| request.windows(what.len()).position(|window| window == what).unwrap_or(0) + what.len();
    let line = after(b"\r\n");
    let points =
        [1, length / 4, length / 2, length / 4 * 3, line - 1, line, after(b"\r\n\r\n"), length.saturating_sub(1)];
    points.into_iter().filter(|at| (1..length).contains(at)).collect()
}

fn converse(server: &Server, row: &Row, parts: &[&[u8]]) -> Result<(), String> {
    let mut wire = server.connect();
    wire.send_parts(parts.iter().copied());
    if row.then == Then::Waits {
        wire.expect_silence(ms(200));
        return Ok(());
    }
    let mut last = None;
    for (index, answer) in row.answers.iter().enumerate() {
        let response =
            wire.try_read(answer.to_head, PATIENCE).map_err(|broken| format!("response {index}: {broken:?}"))?;
        if !answer.statuses.contains(&response.status) {
            return Err(format!("response {index} is {}, not {:?}", response.status, answer.statuses));
        }
        check_always(&response, index, index + 1 == row.answers.len())?;
        match answer.checks.iter().find_map(|check| check(&response)) {
            Some(what) => return Err(format!("response {index} ({}): {what}", response.status)),
            None => last = Some(response),
        }
    }
    let said_close = last.is_some_and(|response| response.closes());
    match row.then {
        Then::Closed if !said_close => Err("it does not say Connection: close".to_owned()),
        Then::Kept if said_close => Err("it says Connection: close".to_owned()),
        _ if said_close => check_closed(&mut wire),
        _ => check_kept(&mut wire),
    }
}

/// What holds for every response.
fn check_always(response: &Response, index: usize, is_last: bool) -> Result<(), String> {
    let date = response.field("date").ok_or("no Date (RFC 9110 §6.6.1)")?;
    if date.len() != 29 || !date.ends_with(" GMT") {
        return Err(format!("Date {date} is not an IMF-fixdate (RFC 9110 §5.6.7)"));
    }
    // Our interface: each response says what becomes of the connection, and how many requests it may still carry.
    let left = 1000 - (index + 1);
    let keep_alive = format!("timeout=70, max={left}");
    match (response.field("connection"), response.field("keep-alive")) {
        (Some("close"), None) if is_last => Ok(()),
        (Some("keep-alive"), Some(said)) if said == keep_alive => Ok(()),
        (Some("keep-alive"), said) => Err(format!("Keep-Alive is {said:?}, not {keep_alive:?}: it counted otherwise")),
        said => Err(format!("Connection and Keep-Alive of response {index} are {said:?}")),
    }
}

/// The server's FIN is next: nothing that followed was answered, and no RST destroys what was.
fn check_closed(wire: &mut Wire) -> Result<(), String> {
    match (wire.read_to_end(PATIENCE), wire.unread()) {
        (Broken::Eof, 0) => Ok(()),
        (end, unread) => Err(format!("closing: {end:?} after {unread} more bytes")),
    }
}

/// The next request is understood and answered, and it is the next response.
fn check_kept(wire: &mut Wire) -> Result<(), String> {
    wire.send_anyway(get("/probe.txt", &["Connection: close"]));
    let response = wire.try_read(false, PATIENCE).map_err(|broken| format!("the next request: {broken:?}"))?;
    if (response.status, response.body.as_slice()) != (200, b"probe\n") {
        return Err(format!("the next request is answered {} {}", response.status, response.body.escape_ascii()));
    }
    check_closed(wire)
}
