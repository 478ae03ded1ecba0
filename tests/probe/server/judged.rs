//! Each row finds what a server does by construction: with good manners, and with each of the bad ones.

use std::thread;

use super::manners::{Closes, End, Full, GOOD, Manners, Uploads, server};
use super::{in_time, judgement, probe_server, server_card};
use crate::support::{Root, Server, ms, test};

/// For how long connections are watched: longer than a good server waits.
const WATCH: &[&str] = &["--watch", "3s", "--max", "50"];

/// The manners of a server, flags, a row, its grade, and a part of its sentence.
type Truth = (Manners, &'static [&'static str], &'static str, &'static str, &'static str);

const BAD: &[Truth] = &[
    (Manners { idle_end: End::Reset, ..GOOD }, &[], "idle", "careful", "resets an idle connection after 1."),
    (Manners { idle_end: End::Say408, ..GOOD }, &[], "idle", "careful", "an unsolicited 408 after 1."),
    (Manners { idle: ms(9000), ..GOOD }, &[], "idle", "ok", "kept an idle connection for the 3 s"),
    (Manners { max: 1, ..GOOD }, &[], "idle", "careful", "closes after each response"),
    (Manners { silent_end: End::Say408, ..GOOD }, &[], "silent", "careful", "sends 408 after 1."),
    (Manners { silent_end: End::Reset, ..GOOD }, &[], "silent", "careful", "resets a connection that never spoke"),
    (Manners { silent: ms(9000), ..GOOD }, &[], "silent", "not shown", "was open for all 3."),
    (Manners { promise: Some(3), ..GOOD }, &[], "keeps-promise", "BAD", "promises 3 s and closes after 1."),
    (Manners { idle: ms(1200), ..GOOD }, &[], "keeps-promise", "careful", "promises 1 s and closes after 1."),
    (Manners { promise: None, ..GOOD }, &[], "keeps-promise", "not shown", "a client can only guess"),
    (Manners { idle: ms(9000), ..GOOD }, &[], "keeps-promise", "ok", "kept a connection for all 3 s"),
    (
        Manners { idle: ms(9000), promise: Some(60), ..GOOD },
        &[],
        "keeps-promise",
        "not shown",
        "was watched for 3 s only",
    ),
    (GOOD, &["--behind", "alb"], "behind", "BAD", "502s are possible: it closes at 1."),
    (GOOD, &["--behind", "1500ms"], "behind", "careful", "hardly later than a pool, which keeps 1.5 s"),
    (GOOD, &["--behind", "1s"], "behind", "ok", "later than a pool, which keeps 1 s"),
    (GOOD, &["--behind", "urllib3"], "behind", "careful", "without a limit"),
    (Manners { idle: ms(9000), ..GOOD }, &["--behind", "2s"], "behind", "ok", "is still open after 3."),
    (Manners { idle: ms(9000), ..GOOD }, &["--behind", "gcp"], "behind", "not shown", "keeps 600 s: watch for longer"),
    (
        Manners { race: Some(End::Fin), promise: None, ..GOOD },
        &[],
        "race",
        "careful",
        "11 of 11 requests within 5 ms of its expected close were lost to a FIN, over 11 ms",
    ),
    (Manners { race: Some(End::Reset), promise: None, ..GOOD }, &[], "race", "careful", "lost to an RST, over 11 ms"),
    (Manners { race: Some(End::Fin), ..GOOD }, &[], "race", "ok", "clients that trust its promise send none then"),
    (Manners { max: 5, ..GOOD }, &[], "limit", "ok", "closes with response 5, and announces it"),
    (Manners { max: 5, announces: false, ..GOOD }, &[], "limit", "careful", "closes after response 5, unannounced"),
    (Manners { closes: Closes::Not, ..GOOD }, &[], "close-options", "BAD", "does not close after Connection: close"),
    (
        Manners { closes: Closes::ButAnswersFirst, ..GOOD },
        &[],
        "close-options",
        "BAD",
        "answers a request behind one with Connection: close",
    ),
    (Manners { closes: Closes::Unannounced, ..GOOD }, &[], "close-options", "careful", "and does not say so"),
    (Manners { finds_parts_of_words: true, ..GOOD }, &[], "close-options", "careful", "takes Connection: closed for"),
    (
        Manners { says_keep_alive: false, ..GOOD },
        &[],
        "close-options",
        "careful",
        "keeps HTTP/1.0 with keep-alive, and does not say so",
    ),
    (Manners { pipelines: false, ..GOOD }, &[], "pipelining", "BAD", "answers 1 of 10 requests sent together; the"),
    (Manners { max: 4, ..GOOD }, &[], "pipelining", "careful", "answers 4 of 10 requests sent together, and announces"),
    (Manners { closes: Closes::ButAnswersFirst, ..GOOD }, &[], "pipelining", "BAD", "and 7 of 3, one with close and 3"),
    (Manners { half_closed: Some(0), ..GOOD }, &[], "half-close", "BAD", "closes when a client has half-closed: 0 of"),
    (Manners { half_closed: Some(50), ..GOOD }, &[], "half-close", "BAD", "half-closed: 50 of"),
    (Manners { upload: Uploads::RefusedInWords, ..GOOD }, &[], "unread-body", "ok", "10 MiB gets 200 and an announced"),
    (
        Manners { upload: Uploads::RefusedUnannounced, ..GOOD },
        &[],
        "unread-body",
        "careful",
        "10 MiB gets 200 and an unannounced close",
    ),
    (Manners { upload: Uploads::AnsweredAndReset, ..GOOD }, &[], "unread-body", "careful", "gets 200 and then an RST"),
    (Manners { upload: Uploads::Reset, ..GOOD }, &[], "unread-body", "BAD", "an RST in place of a response (0 bytes"),
    (
        Manners { head: ms(1200), head_in_total: false, ..GOOD },
        &[],
        "slow",
        "careful",
        "a head of one byte a second was waited for all 3.0 s; only a pause of 1.",
    ),
    (Manners { head: ms(9000), ..GOOD }, &[], "slow", "not shown", "was waited for all 3.0 s; half a head, too"),
    (GOOD, &["--connections", "8"], "full", "ok", "8 idle ones leave room for the next"),
    (Manners { places: 12, full: Full::Says503, ..GOOD }, &["--connections", "20"], "full", "ok", "in words: 503"),
    (Manners { places: 12, full: Full::Closes, ..GOOD }, &["--connections", "20"], "full", "careful", "without a resp"),
    (Manners { places: 12, full: Full::Waits, ..GOOD }, &["--connections", "20"], "full", "BAD", "waiting, while 1"),
];

/// Cards that are made at a time: each mostly waits.
const AT_A_TIME: usize = 12;

test!(each_row_finds_what_a_server_does_by_construction);
fn each_row_finds_what_a_server_does_by_construction() {
    for truths in BAD.chunks(AT_A_TIME) {
        thread::scope(|scope| {
            for (manners, flags, row, grade, part) in truths {
                let attempt = move || {
                    let url = format!("http://{}/", server(manners.clone()));
                    let card = server_card(&url, &[WATCH, flags].concat());
                    let (found, sentence) = judgement(&card, row);
                    let is_true = found == *grade && sentence.contains(part);
                    is_true.then_some(()).ok_or_else(|| format!("{row} of {manners:?}: {found}, {sentence}"))
                };
                scope.spawn(move || in_time(attempt));
            }
        });
    }
}

test!(no_row_finds_fault_with_good_manners);
fn no_row_finds_fault_with_good_manners() {
    let card = server_card(&format!("http://{}/", server(GOOD)), &[WATCH, &["--behind", "1s"]].concat());
    assert_eq!(card["worst"], "ok", "{card}");
}

test!(an_idle_time_is_found_to_a_fifth_of_a_second);
fn an_idle_time_is_found_to_a_fifth_of_a_second() {
    for idle in [300, 1000, 2400] {
        in_time(|| {
            let url = format!("http://{}/", server(Manners { idle: ms(idle), ..GOOD }));
            let card = server_card(&url, WATCH);
            let found = card["seen"]["idle"]["idle"]["after_ms"].as_u64().expect("a number");
            assert!(found >= idle - 1, "{idle} ms were found as {found} ms");
            if found < idle + 200 { Ok(()) } else { Err(format!("{idle} ms were found as {found} ms")) }
        });
    }
}

test!(no_row_finds_fault_with_holdline);
fn no_row_finds_fault_with_holdline() {
    let root = Root::new().file("index.html", vec![b'x'; 8 << 20]);
    let flags = "--keep-alive-timeout 1s --keep-alive-grace 1s --head-timeout 1s --body-timeout 800ms";
    let flags: Vec<&str> = flags.split(' ').chain(["--max-connections", "40", "--drain-timeout", "5s"]).collect();
    let server = Server::start(&root, &flags);
    let stop = format!("kill -TERM {}", server.pid());
    let card = server_card(
        &server.url("/"),
        &["--watch", "6s", "--max", "50", "--behind", "1s", "--connections", "60", "--stop", &stop],
    );
    assert_eq!(card["worst"], "ok", "{card}");
    let rows: Vec<_> = card["rows"].as_array().expect("there are rows").iter().map(|row| &row["grade"]).collect();
    assert!(rows.len() == 13 && rows.iter().all(|grade| *grade == "ok"), "{card}");
    assert!(judgement(&card, "full").1.contains("closed 2"), "more were evicted than had to be: {card}");
}

test!(a_quick_probe_watches_and_asks_less);
fn a_quick_probe_watches_and_asks_less() {
    for (flags, watched, requests) in [
        (&[][..], 100_000, 2000),
        (&["--quick"], 15_000, 200),
        (&["--quick", "--watch", "20s", "--max", "300"], 20_000, 300),
    ] {
        // Nothing is waited for that long.
        let card = server_card(&format!("http://{}/", server(GOOD)), flags);
        assert_eq!(card["seen"]["watched_ms"], watched, "{flags:?}: {card}");
        assert_eq!(card["seen"]["limit"]["answered"], requests, "{flags:?}: {card}");
    }
}

test!(a_stop_is_judged_by_what_it_loses);
fn a_stop_is_judged_by_what_it_loses() {
    for (command, grade, part) in [
        (
            "kill -TERM PID",
            "ok",
            "the request of an idle connection is answered with close, one on its way is answered",
        ),
        ("kill -INT PID", "careful", "the request of an idle connection is lost to a FIN, one on its way is answered"),
        ("kill -KILL PID", "BAD", "one on its way is lost to"),
        ("kill -STOP PID", "BAD", "the request of an idle connection gets nothing, one on its way gets nothing"),
        ("exit 3", "not shown", "the command that stops the server has failed"),
    ] {
        let root = Root::new();
        let server = Server::start(&root, &["--drain-timeout", "5s"]);
        let stop = command.replace("PID", &server.pid().to_string());
        let card = server_card(&server.url("/"), &["--watch", "500ms", "--max", "1", "--stop", &stop]);
        let (found, sentence) = judgement(&card, "stop");
        assert!(found == grade && sentence.contains(part), "{command}: {found}, {sentence}");
    }
}

test!(what_is_required_and_not_met_is_one_line_and_status_1);
fn what_is_required_and_not_met_is_one_line_and_status_1() {
    let url = format!("http://{}/", server(Manners { half_closed: Some(0), ..GOOD }));
    let met = probe_server(&[WATCH, &["--require", "idle>1s,keeps-promise,pipelining", &url]].concat());
    assert!(met.status.success() && met.stderr.is_empty(), "{}", String::from_utf8_lossy(&met.stderr));
    assert!(String::from_utf8_lossy(&met.stdout).contains("half-close     BAD "));

    // What was not asked is not met either.
    let unmet = probe_server(&[WATCH, &["--require", "idle>2s,keeps-promise,half-close,stop", &url]].concat());
    assert_eq!(unmet.status.code(), Some(1));
    let said = String::from_utf8_lossy(&unmet.stderr);
    let beginning = "holdline: the server does not meet: idle>2s (closes an idle connection after 1.";
    assert!(said.starts_with(beginning) && said.lines().count() == 1, "{said}");
    assert!(said.contains("; half-close (closes when") && said.contains("; stop (it was not asked)"), "{said}");
    assert!(!said.contains("keeps-promise") && !unmet.stdout.is_empty(), "{said}");
}
