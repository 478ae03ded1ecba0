//! Exchanges of a few responses: limits, options, pipelining, half-closes, content that may be unwanted.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::seen::{Evidence, ExchangesSeen, HalfCloseSeen, LimitSeen, OptionSeen, PipeliningSeen, UploadSeen};
use super::subject::{CLOSE_WAIT, Subject};
use crate::tools::connection::{Broken, ClientConnection, ServerEnd};
use crate::tools::response::{ContentEnd, Head};

/// Bytes that the requests for the limit may bring in all.
const LIMIT_BYTES: u64 = 64 << 20;

/// Requests that are sent together.
pub const TOGETHER: u32 = 10;

/// Bytes that the kernel of the half-closed client holds, so that the server must wait with a long response.
const HELD_BYTES: usize = 64 * 1024;

/// How long that client waits before it reads.
const HALF_CLOSE_PAUSE: Duration = Duration::from_millis(200);

/// Bytes of content: a little, and a lot.
const UPLOADS: [u64; 2] = [1024, 10 << 20];

/// Bytes of content in one write.
const UPLOAD_PIECE: usize = 64 * 1024;

/// Requests whose options decide about the connection: the form in words, version, field line, and whether the server
/// has to close.
const OPTIONS: &[(&str, &str, &str, bool)] = &[
    ("Connection: close", "HTTP/1.1", "Connection: close\r\n", true),
    ("Connection: foo, close", "HTTP/1.1", "Connection: foo, close\r\n", true),
    ("HTTP/1.0", "HTTP/1.0", "", true),
    ("HTTP/1.0 with keep-alive", "HTTP/1.0", "Connection: keep-alive\r\n", false),
    ("Connection: closed", "HTTP/1.1", "Connection: closed\r\n", false),
    ("Connection: \"close\"", "HTTP/1.1", "Connection: \"close\"\r\n", false),
];

/// Makes all exchanges, one after the other.
pub fn all(subject: &Subject, max: u32, time: Duration) -> ExchangesSeen {
    ExchangesSeen {
        options: options(subject),
        pipelining: pipelining(subject),
        half_close: half_close(subject),
        uploads: uploads(subject),
        limit: limit(subject, max, time),
    }
}

/// Makes requests on one connection until the server closes it, or the number, the bytes or the time is used up.
fn limit(subject: &Subject, max: u32, time: Duration) -> Evidence<LimitSeen> {
    let mut connection = subject.open()?;
    let until = Instant::now() + time;
    let mut seen = LimitSeen { answered: 0, closed: false, announced: false };
    while seen.answered < max && connection.received < LIMIT_BYTES && Instant::now() < until {
        match subject.get(&mut connection, "") {
            Ok(head) => {
                seen.answered += 1;
                if !head.persists {
                    return Ok(LimitSeen { closed: true, announced: true, ..seen });
                }
            }
            Err(_) if connection.ended.is_some() || seen.answered > 0 => return Ok(LimitSeen { closed: true, ..seen }),
            Err(broken) => return Err(broken.to_string()),
        }
    }
    Ok(seen)
}

/// Sends each of the options, and another request behind it.
fn options(subject: &Subject) -> Evidence<Vec<OptionSeen>> {
    OPTIONS.iter().map(|row| option(subject, row)).collect()
}

fn option(subject: &Subject, row: &(&'static str, &str, &str, bool)) -> Evidence<OptionSeen> {
    let (form, version, field, must_close) = *row;
    let mut connection = subject.open()?;
    let request = subject.head("GET", version, field) + "\r\n";
    let first = connection.send(request.as_bytes()).and_then(|()| connection.read_response(version == "HTTP/1.0"));
    let first = first.map_err(|broken| format!("{form}: {broken}"))?;
    // A response without a length has ended with the connection.
    let over = first.content == ContentEnd::UntilClose;
    let second_answered = !over && answer_within(subject, &mut connection, CLOSE_WAIT).is_some();
    let ended = over || connection.ended.is_some();
    let Head { status, persists, says_keep_alive, .. } = first;
    Ok(OptionSeen { form, must_close, status, announced: !persists, says_keep_alive, second_answered, ended })
}

/// Makes another request, and waits for its response for this long only: one that is not to come is not waited for.
fn answer_within(subject: &Subject, connection: &mut ClientConnection, time: Duration) -> Option<Head> {
    let sent = connection.send(subject.request("GET", "").as_bytes());
    let until = Instant::now() + time;
    while sent.is_ok() && !connection.has_news() && Instant::now() < until {
        thread::sleep(Duration::from_millis(1));
    }
    if connection.has_news() || sent.is_err() { connection.read_response(false).ok() } else { None }
}

/// Sends ten requests together, and three, one with `Connection: close`, and three more.
fn pipelining(subject: &Subject) -> Evidence<PipeliningSeen> {
    let plain = subject.request("GET", "");
    let (of_ten, last) = answers(subject, &plain.repeat(TOGETHER as usize), TOGETHER)?;
    let three = plain.repeat(3);
    let mixed = [&*three, &subject.request("GET", "Connection: close\r\n"), &three].concat();
    let (of_three_close_three, _) = answers(subject, &mixed, 7)?;
    let announced = last.is_some_and(|head| !head.persists);
    Ok(PipeliningSeen { of_ten, announced, of_three_close_three })
}

/// Sends these requests at once and counts the responses, up to this many; returns the last one, too.
fn answers(subject: &Subject, requests: &str, most: u32) -> Evidence<(u32, Option<Head>)> {
    let mut connection = subject.open()?;
    // If it breaks, responses may have come before.
    let _ = connection.send(requests.as_bytes());
    let mut last: Option<Head> = None;
    for answered in 0..most {
        // Behind its announcement there is nothing to come, and what comes is not waited for long.
        let is_over = last.as_ref().is_some_and(|head| !head.persists);
        let until = Instant::now() + CLOSE_WAIT;
        while is_over && !connection.has_news() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        if is_over && !connection.has_news() {
            return Ok((answered, last));
        }
        match connection.read_response(false) {
            Ok(head) => last = Some(head),
            Err(_) => return Ok((answered, last)),
        }
    }
    Ok((most, last))
}

/// Asks, says that no more will come, and reads late and slowly.
fn half_close(subject: &Subject) -> Evidence<HalfCloseSeen> {
    let request = subject.request("GET", "Connection: close\r\n");
    let ask = |connection: &mut ClientConnection| connection.send(request.as_bytes());
    let mut plain = subject.open()?;
    ask(&mut plain).and_then(|()| plain.read_response(false)).map_err(|broken| broken.to_string())?;

    let slow = ClientConnection::open_with(subject.address, Some(HELD_BYTES));
    let mut slow = slow.map_err(|error| format!("cannot connect: {error}"))?;
    ask(&mut slow).map_err(|broken| broken.to_string())?;
    slow.half_close();
    thread::sleep(HALF_CLOSE_PAUSE);
    let response = slow.read_response(false);
    // Only by its length is it seen whether content that ends with the connection is whole.
    let whole_enough = slow.received >= plain.received;
    Ok(HalfCloseSeen {
        received: slow.received,
        whole: plain.received,
        complete: response.is_ok_and(|head| head.content != ContentEnd::UntilClose || whole_enough),
        reset: slow.ended == Some(ServerEnd::Reset),
    })
}

/// Sends content that the server may not want: a little, and a lot.
fn uploads(subject: &Subject) -> Evidence<[UploadSeen; 2]> {
    let [little, lot] = UPLOADS;
    Ok([upload(subject, little)?, upload(subject, lot)?])
}

fn upload(subject: &Subject, size: u64) -> Evidence<UploadSeen> {
    let mut connection = subject.open()?;
    let fields = format!("Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n");
    connection.send(subject.request("POST", &fields).as_bytes()).map_err(|broken| broken.to_string())?;
    let sender = connection.sender().map_err(|error| error.to_string())?;
    let control = connection.sender().map_err(|error| error.to_string())?;
    thread::scope(|scope| {
        let sending = scope.spawn(move || send_content(sender, size));
        let response = connection.read_response(false);
        let mut seen = UploadSeen {
            size,
            sent: 0,
            status: response.as_ref().ok().map(|head| head.status),
            announced: response.as_ref().is_ok_and(|head| !head.persists),
            kept: false,
            reset: false,
            received: connection.received,
        };
        if response.is_ok_and(|head| head.persists) {
            (seen.sent, seen.reset) = sending.join().unwrap_or_default();
            seen.kept = subject.get(&mut connection, "").is_ok();
        } else {
            connection.watch(Instant::now() + CLOSE_WAIT);
            let _ = control.shutdown(Shutdown::Both);
            (seen.sent, seen.reset) = sending.join().unwrap_or_default();
        }
        seen.reset |= connection.ended == Some(ServerEnd::Reset);
        Ok(seen)
    })
}

/// Sends content until all is gone or the connection takes no more. Says how much went, and whether an RST came, which
/// is reported once only.
fn send_content(mut stream: TcpStream, size: u64) -> (u64, bool) {
    let piece = [b'x'; UPLOAD_PIECE];
    let mut sent = 0;
    while sent < size {
        let next = (size - sent).min(piece.len() as u64) as usize;
        match stream.write(&piece[..next]) {
            Ok(written) if written > 0 => sent += written as u64,
            Err(error) => return (sent, error.kind() == ErrorKind::ConnectionReset),
            Ok(_) => break,
        }
    }
    (sent, false)
}

/// What a server said in place of a response, for a connection that has just been opened.
pub fn response_or_end(connection: &mut ClientConnection) -> Result<Head, Option<ServerEnd>> {
    match connection.read_response(false) {
        Ok(head) => Ok(head),
        Err(Broken::TimedOut | Broken::Malformed(_)) => Err(None),
        Err(_) => Err(connection.ended),
    }
}
