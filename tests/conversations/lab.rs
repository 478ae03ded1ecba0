//! The lab: what is planned happens, when it is planned, and nothing else does.

use std::time::Duration;

use holdline::http::{CloseReason, How, Limits};

use super::talk::{Talk, replay, replay_unsplit, replay_with};
use super::{GET, millis, secs};

/// The idle timeout.
const IDLE: Duration = secs(75);

fn get(path: &str) -> String {
    format!("GET /-/lab/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A point at which a connection ends: how it is asked for, and what brings it about.
struct Point {
    when: &'static str,
    /// Whether the response comes whole.
    whole: bool,
    bring_about: fn(&mut Talk) -> &mut Talk,
}

const POINTS: &[Point] = &[
    Point { when: "response", whole: true, bring_about: |talk| talk },
    Point { when: "reuse", whole: true, bring_about: |talk| talk.silence().client("G") },
    Point { when: "request:1", whole: true, bring_about: |talk| talk.silence().client(GET) },
    Point { when: "request:3", whole: true, bring_about: after_two_requests },
    Point { when: "idle:250ms", whole: true, bring_about: |talk| talk.after(millis(249)).silence().after(millis(70)) },
    Point { when: "head", whole: false, bring_about: |talk| talk },
    Point { when: "body", whole: false, bring_about: |talk| talk },
    Point { when: "body:5000", whole: false, bring_about: |talk| talk },
];

fn after_two_requests(talk: &mut Talk) -> &mut Talk {
    talk.client(GET).server_keeps().client(GET).server_keeps().silence().client(GET)
}

#[test]
fn each_point_goes_with_each_end_and_with_what_is_said_of_it() {
    for point in POINTS {
        for (how, end) in [("fin", fin as fn(&mut Talk, bool)), ("reset", reset), ("stall", stall), ("408", refuse)] {
            for (announce, field) in [("yes", "Connection: close"), ("no", "Connection: keep-alive")] {
                let request = get(&format!("close?when={}&how={how}&announce={announce}", point.when));
                replay_unsplit(Limits::DEFAULT, |talk| {
                    talk.client(&request);
                    if point.whole {
                        talk.server(200, &[field], |content| content.starts_with(b"The lab's plan: "));
                    }
                    (point.bring_about)(talk);
                    if !point.whole {
                        talk.server_breaks_off(|said| breaks_off(point.when, said, field));
                    }
                    end(talk, announce == "yes" && point.when != "head");
                });
            }
        }
    }
}

/// Whether so much of a response was said. A 408 may follow; to the client it is the rest.
fn breaks_off(when: &str, said: &str, field: &str) -> bool {
    let said = said.split("HTTP/1.1 408").next().unwrap();
    let Some((head, content)) = said.split_once("\r\n\r\n") else { return when == "head" && said.contains("\r\n") };
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse::<usize>().unwrap();
    let expected = if when == "body" { length / 2 } else { 5000 };
    head.contains(field) && content.len() == expected && content.len() < length
}

fn fin(talk: &mut Talk, announced: bool) {
    let seen = talk.fin().then_closed(CloseReason::Lab);
    assert_eq!((seen.how, seen.announced), (How::Fin, announced));
}

fn reset(talk: &mut Talk, announced: bool) {
    let seen = talk.silent_end().closed(CloseReason::Lab);
    assert_eq!((seen.how, seen.announced), (How::Reset, announced));
}

/// Nothing more is said, whatever comes; the idle timeout ends it, counted from the point.
fn stall(talk: &mut Talk, announced: bool) {
    talk.silence().after(secs(70)).client(GET).silence().after(IDLE - secs(70) - millis(100)).silence();
    fin(talk.after(millis(200)), announced);
}

fn refuse(talk: &mut Talk, _: bool) {
    if talk.said() > 0 {
        talk.server(408, &["Connection: close"], |content| !content.is_empty());
    }
    fin(talk, true);
}

#[test]
fn close_alone_is_a_short_connection() {
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("close")).server(200, &["Connection: close"], |_| true).fin();
        assert!(talk.then_closed(CloseReason::Lab).announced);
    });
}

#[test]
fn a_lie_is_told_and_the_connection_is_served_on() {
    for when in ["response", "reuse", "idle:250ms", "head", "body"] {
        replay(Limits::DEFAULT, |talk| {
            talk.client(get(&format!("close?when={when}&announce=lie")));
            talk.server(200, &["Connection: close"], |_| true).silence();
            talk.client(GET).server_keeps().after(IDLE - millis(100)).silence().after(millis(200)).fin();
            assert!(talk.then_closed(CloseReason::Lab).announced);
        });
    }
    // Also to those who want no more.
    replay(Limits::DEFAULT, |talk| {
        talk.client("GET /-/lab/close?announce=lie HTTP/1.0\r\nHost: localhost\r\n\r\n");
        talk.server(200, &["Connection: close"], |_| true).silence().client_finishes();
        talk.closed(CloseReason::ClientClosed);
    });
}

#[test]
fn the_race_on_demand_is_lost_by_nothing() {
    for when in ["reuse", "request:1"] {
        replay(Limits::DEFAULT, |talk| {
            talk.client(get(&format!("close?when={when}"))).server(200, &[], |_| true).after(secs(5)).client(GET).fin();
            let seen = talk.then_closed(CloseReason::Lab);
            assert_eq!((seen.race, seen.requests, seen.announced), (Some(Duration::ZERO), 1, false));
        });
    }
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("close?when=reuse&announce=yes")).server(200, &[], |_| true).client(GET).fin();
        assert_eq!(talk.then_closed(CloseReason::Lab).race, None, "it had been told");
    });
}

#[test]
fn a_request_behind_an_unannounced_fin_is_as_late_as_it_is() {
    for query in ["announce=no", "when=idle:250ms"] {
        replay(Limits::DEFAULT, |talk| {
            talk.client(get(&format!("close?{query}"))).server(200, &[], |_| true).after(millis(500)).fin();
            talk.after(millis(50)).client_at_once(GET);
            let late = talk.then_closed(CloseReason::Lab).race.expect("it was too late");
            assert!(late >= millis(50) && late <= millis(550), "{late:?}");
        });
    }
}

#[test]
fn a_request_in_time_is_answered_and_the_wait_begins_again() {
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("close?when=idle:2s")).server(200, &[], |_| true);
        talk.after(millis(1900)).client(GET).server_keeps().after(millis(1900)).silence().after(millis(200)).fin();
        talk.then_closed(CloseReason::Lab);
    });
}

#[test]
fn a_new_plan_takes_the_place_of_the_old_one() {
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("close?when=request:2")).server(200, &[], |_| true);
        talk.client(get("close?when=request:2&how=reset")).server(200, &[], |_| true);
        talk.client(GET).server_keeps().client(GET).silent_end();
        assert_eq!(talk.closed(CloseReason::Lab).how, How::Reset);
    });
}

/// What is pipelined behind comes after the response, not with it.
#[test]
fn pipelined_requests_meet_the_plan_in_their_order() {
    replay(Limits::DEFAULT, |talk| {
        talk.client(format!("{GET}{}{GET}{GET}{GET}", get("close?when=request:2")));
        talk.server_keeps().server(200, &["Connection: keep-alive"], |_| true).server_keeps().fin();
        assert_eq!(talk.then_closed(CloseReason::Lab).requests, 3);
    });
    replay(Limits::DEFAULT, |talk| {
        talk.client(format!("{GET}{}{GET}", get("wait?for=3s"))).server_keeps();
        talk.after(millis(2900)).silence().after(millis(200));
        talk.server(200, &["Connection: keep-alive"], |_| true).server_keeps().silence();
    });
}

#[test]
fn a_close_of_its_own_has_its_own_reason_but_not_before_what_is_planned_for_the_response() {
    for (when, reason) in [("reuse", CloseReason::Http10), ("response", CloseReason::Lab), ("body", CloseReason::Lab)] {
        replay(Limits::DEFAULT, |talk| {
            talk.client(format!("GET /-/lab/close?when={when} HTTP/1.0\r\nHost: localhost\r\n\r\n"));
            talk.server_breaks_off(|said| said.starts_with("HTTP/1.1 200 OK")).fin().then_closed(reason);
        });
    }
    replay(Limits::DEFAULT, |talk| {
        talk.client("GET /-/lab/close?when=re").stop().client("use HTTP/1.1\r\nHost: localhost\r\n\r\n");
        talk.server(200, &["Connection: close"], |_| true).fin().then_closed(CloseReason::Draining);
    });
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("close?when=reuse")).server(200, &[], |_| true).stop().fin().then_closed(CloseReason::Draining);
    });
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("close?how=stall")).server(200, &[], |_| true).stop().fin().then_closed(CloseReason::Draining);
    });
}

#[test]
fn head_gets_the_head_and_then_what_is_planned() {
    for when in ["response", "body", "body:4096"] {
        replay(Limits::DEFAULT, |talk| {
            talk.client(format!("HEAD /-/lab/close?when={when} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            talk.server_breaks_off(|said| said.ends_with("\r\n\r\n") && said.matches("\r\n\r\n").count() == 1);
            talk.fin().then_closed(CloseReason::Lab);
        });
    }
}

#[test]
fn a_client_may_leave_a_stalled_connection() {
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("close?how=stall")).server(200, &[], |_| true).client_finishes();
        talk.closed(CloseReason::ClientClosed);
    });
    for when in ["reuse", "body"] {
        replay(Limits::DEFAULT, |talk| {
            talk.client(get(&format!("close?when={when}&how=stall"))).server_breaks_off(|_| true);
            talk.client(GET).silence().client_finishes().closed(CloseReason::ClientAborted);
        });
    }
}

#[test]
fn a_stalled_connection_makes_room() {
    replay_with(Limits::DEFAULT, 1, |talk| {
        talk.client(get("close?when=body&how=stall")).server_breaks_off(|_| true).silence();
        talk.connect().client(GET).server_keeps();
        talk.client_number(0).fin().then_closed(CloseReason::Evicted);
    });
}

#[test]
fn what_waits_is_sent_though_the_server_stops_or_the_client_has_finished() {
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("wait?for=3s")).stop().after(millis(3100)).server(200, &[], |_| true).fin();
        talk.then_closed(CloseReason::Draining);
    });
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("wait?for=3s")).client_finishes().silence().after(millis(3100)).server(200, &[], |_| true);
        talk.closed(CloseReason::ClientClosed);
    });
}

#[test]
fn content_is_sent_at_its_rate() {
    replay(Limits::DEFAULT, |talk| {
        talk.client(get("bytes/1000?rate=100"));
        let head = talk.said();
        for second in 1..10 {
            talk.after(secs(1));
            let sent = talk.said() - head;
            assert!((second * 100 - 20..=second * 100).contains(&sent), "{sent} after {second} s");
        }
        talk.after(millis(1100)).server(200, &["Content-Length: 1000"], |content| content.len() == 1000).silence();
        talk.client(GET).server_keeps();
    });
}

#[test]
fn chunks_are_the_same_content() {
    for length in [0, 1, 16_384, 40_000] {
        replay(Limits::DEFAULT, |talk| {
            talk.client(get(&format!("bytes/{length}?chunked=yes"))).server_breaks_off(|said| {
                let (head, chunks) = said.split_once("\r\n\r\n").unwrap();
                head.contains("\r\nTransfer-Encoding: chunked") && join(chunks) == lines(length)
            });
            talk.client(GET).server_keeps().silence();
            talk.client(get(&format!("bytes/{length}")));
            talk.server(200, &[], |content| content == lines(length).as_bytes()).silence();
        });
    }
}

fn join(mut chunks: &str) -> String {
    let mut content = String::new();
    loop {
        let (size, rest) = chunks.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        content += &rest[..size];
        chunks = rest[size..].strip_prefix("\r\n").unwrap();
        if size == 0 {
            assert_eq!(chunks, "");
            return content;
        }
    }
}

fn lines(length: usize) -> String {
    let line: String = (0..63).map(|at| char::from(b'0' + at % 10)).chain(['\n']).collect();
    line.chars().cycle().take(length).collect()
}
