//! Ctrl-C: what it waits for, how long at most, and how to end the waiting.

use std::time::Instant;

use rustix::process::Signal;

use crate::support::{PATIENCE, Root, SETSID, Server, Terminal, assert_took, get, ms, test, wait_for};

const PLAIN: [(&str, &str); 1] = [("NO_COLOR", "1")];

/// What the server itself says below the first line.
fn said(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.strip_prefix("holdline: ")).collect()
}

test!(ctrl_c_names_what_is_in_flight_and_a_second_one_cuts_it, SETSID);
fn ctrl_c_names_what_is_in_flight_and_a_second_one_cuts_it() {
    let root = Root::new().file("big.bin", vec![7; 20_000_000]);
    // Whatever the log level.
    for environment in [&PLAIN[..], &[("NO_COLOR", "1"), ("RUST_LOG", "off")]] {
        let mut terminal = Terminal::start(root.path(), &[], environment);
        let mut download = terminal.connect();
        download.send(get("/big.bin", &[]));
        download.read_some(100_000);
        if environment == PLAIN {
            terminal.line_with("opened by");
        }
        terminal.press_ctrl_c();
        let waits = format!(
            "stopping: waiting at most 10 s for 1 connection in flight ({} GET /big.bin); Ctrl-C again cuts them",
            download.address()
        );
        terminal.line_with(&waits);
        terminal.press_ctrl_c();
        let (status, lines) = terminal.wait();
        assert_eq!(status.code(), Some(1), "a download was cut");
        assert_eq!(said(&lines), [waits.as_str(), "stopped: cut 1 connection in flight"]);
        assert_eq!(lines.iter().filter(|line| *line == "^C").count(), 2, "what is typed stands alone: {lines:#?}");
    }
}

test!(ctrl_c_says_that_it_waits_for_clients_to_close, SETSID);
fn ctrl_c_says_that_it_waits_for_clients_to_close() {
    let root = Root::new();
    let mut terminal = Terminal::start(root.path(), &[], &PLAIN);
    let mut idle = terminal.connect();
    idle.get("/");
    terminal.press_ctrl_c();
    let waits = "stopping: waiting at most 2 s for 1 client to close its connection; Ctrl-C again stops at once";
    terminal.line_with(waits);
    let again = Instant::now();
    terminal.press_ctrl_c();
    let (status, lines) = terminal.wait();
    assert!(status.success(), "nothing was cut");
    assert!(again.elapsed() < ms(1500), "it took {:?}", again.elapsed());
    assert_eq!(said(&lines), [waits]);
}

test!(what_arrives_is_in_flight_too, SETSID);
fn what_arrives_is_in_flight_too() {
    let root = Root::new();
    let mut terminal = Terminal::start(root.path(), &["--drain-timeout", "500ms"], &PLAIN);
    let mut wires: Vec<_> = (0..5).map(|_| terminal.connect()).collect();
    for wire in &mut wires {
        wire.send("GET / HT");
    }
    // The beginning of a request has no line.
    let mut watcher = terminal.connect();
    let reading = r#"holdline_connections{state="reading-head"} 5"#;
    let mut metrics = || String::from_utf8(watcher.get("/-/metrics").body).unwrap();
    wait_for("five requests that have begun", || metrics().lines().any(|line| line == reading).then_some(()));
    drop(watcher);
    terminal.line_with("FIN by client");
    let asked = Instant::now();
    terminal.press_ctrl_c();
    let waits = terminal.line_with("stopping: ");
    assert!(waits.contains("waiting at most 500 ms for 5 connections in flight (127.0.0.1:"), "{waits}");
    assert_eq!(waits.matches(" sends a request").count(), 3, "{waits}");
    assert!(waits.ends_with(" sends a request, …); Ctrl-C again cuts them"), "{waits}");
    let (status, lines) = terminal.wait();
    assert_took(asked, ms(500), "the end came");
    assert_eq!(status.code(), Some(1));
    assert_eq!(said(&lines).last(), Some(&"stopped: cut 5 connections in flight"));
}

test!(without_anything_open_ctrl_c_is_silent, SETSID);
fn without_anything_open_ctrl_c_is_silent() {
    let root = Root::new();
    let mut terminal = Terminal::start(root.path(), &[], &PLAIN);
    terminal.connect().get("/");
    terminal.line_with("FIN by client");
    terminal.press_ctrl_c();
    let (status, lines) = terminal.wait();
    assert!(status.success());
    assert!(said(&lines).is_empty(), "{lines:#?}");
}

test!(off_a_terminal_a_stop_says_so_at_info);
fn off_a_terminal_a_stop_says_so_at_info() {
    let root = Root::new().file("big.bin", vec![7; 20_000_000]);
    let mut server = Server::start(&root, &["--drain-delay", "300ms", "--drain-timeout", "1s"]);
    let mut download = server.connect();
    download.send(get("/big.bin", &[]));
    download.read_some(100_000);
    let mut idle = server.connect();
    idle.get("/");
    server.signal(Signal::TERM);
    let line = |part: &str| {
        let line = || server.log().into_iter().find(|line| line.contains(part));
        wait_for(part, line)
    };
    let accepts = line("stopping: accepting");
    assert!(accepts.contains(" INFO "), "{accepts}");
    assert!(accepts.ends_with("for 300 ms, then waiting at most 1 s; a second signal stops at once"), "{accepts}");
    let waits = line("stopping: waiting");
    let expected = format!(
        "waiting at most 1 s for 1 connection in flight ({} GET /big.bin) and 1 idle connection; a second signal cuts them",
        download.address()
    );
    assert!(waits.contains(" INFO ") && waits.ends_with(&expected), "{waits}");
    let cut = line("stopped: cut 1 connection in flight");
    assert!(cut.contains(" WARN "), "{cut}");
    assert_eq!(server.wait().code(), Some(1));
    idle.expect_eof(PATIENCE);
}
