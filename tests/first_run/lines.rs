//! What happens, line by line, on a terminal.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::{CURL, PATIENCE, Root, SETSID, Terminal, get, run, test, tool, wait_for};

const PLAIN: [(&str, &str); 1] = [("NO_COLOR", "1")];

/// The lines about a connection, without the time and the connection's number.
fn story(terminal: &Terminal, conn: u32) -> Vec<String> {
    let about = format!("  #{conn:<3} ");
    terminal.lines().iter().filter_map(|line| line.split_once(&about)).map(|(_, text)| text.to_owned()).collect()
}

/// A line's text, with what differs from run to run left out.
fn steady(text: &str) -> String {
    let unsteady = |word: &str| word.starts_with("127.0.0.1:") || word.parse::<f64>().is_ok();
    text.split(' ').map(|word| if unsteady(word) { "~" } else { word }).collect::<Vec<_>>().join(" ")
}

test!(a_long_connection_is_told_line_by_line, SETSID, CURL);
fn a_long_connection_is_told_line_by_line() {
    let root = Root::new().file("a.txt", vec![b'a'; 4_700]);
    let terminal = Terminal::start(root.path(), &[], &PLAIN);
    let url = format!("http://{}", terminal.address());
    run(tool("curl")
        .args(["-s", "-S", "-o", "/dev/null", &format!("{url}/a.txt"), "-o", "/dev/null"])
        .arg(format!("{url}/missing?x=1")))
    .assert_success();
    terminal.line_with("FIN by client");
    let story = story(&terminal, 1);
    let [opened, first, second, end] = &story[..] else { panic!("{story:#?}") };
    assert_eq!(steady(opened), "opened by ~");
    assert_eq!(steady(first), "GET /a.txt -> 200, 4.7k in ~ ms  (request 1, kept)");
    let missing = second.strip_prefix("GET /missing?x=1 -> 404, ").expect("the second request");
    assert!(missing.ends_with(" ms  (request 2, kept)"), "{missing}");
    assert_eq!(end, "FIN by client: the client closed the connection between requests (2 requests)");
    for line in terminal.lines() {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
    }
}

test!(a_lost_race_is_red, SETSID);
fn a_lost_race_is_red() {
    let root = Root::new();
    let terminal = Terminal::start(root.path(), &[], &[]);
    let mut wire = terminal.connect();
    wire.get("/-/lab/close?when=reuse");
    wire.send_anyway(get("/", &[]));
    wire.expect_eof(PATIENCE);
    drop(wire);
    let race = terminal.line_with("RACE LOST");
    assert!(race.contains("\x1b[1m\x1b[31mRACE LOST: a request arrived as our FIN left\x1b[0m"), "{race:?}");
    let end = terminal.line_with("the lab ends");
    assert!(end.contains("\x1b[32mFIN by server: the lab ends the connection"), "{end:?}");
    let first = terminal.line_with("GET /-/lab/close?when=reuse");
    assert!(first.contains("\x1b[33mGET /-/lab/close?when=reuse\x1b[0m -> 200"), "{first:?}");
}

test!(the_polling_of_the_live_page_is_left_out, SETSID);
fn the_polling_of_the_live_page_is_left_out() {
    let root = Root::new();
    let terminal = Terminal::start(root.path(), &[], &PLAIN);
    let mut wire = terminal.connect();
    for path in ["/-/", "/-/status", "/-/metrics", "/-/nothing", "/-/lab/bytes/1", "/-/ready", "/"] {
        wire.get(path);
    }
    drop(wire);
    let mut viewer = terminal.connect();
    viewer.send(get("/-/events", &[]));
    viewer.read_some(100);
    terminal.line_with("watches the live feed");
    let asked: Vec<String> =
        story(&terminal, 1).iter().filter_map(|text| Some(text.split_once(" -> ")?.0.to_owned())).collect();
    assert_eq!(asked, ["GET /-/", "GET /-/nothing", "GET /-/lab/bytes/1", "GET /"]);
}

test!(nothing_that_a_client_sends_reaches_the_terminal_as_it_is, SETSID);
fn nothing_that_a_client_sends_reaches_the_terminal_as_it_is() {
    let root = Root::new();
    let terminal = Terminal::start(root.path(), &[], &PLAIN);
    let long = format!("/{}", "%1b]0;".repeat(500));
    for target in ["/\x1b[2J\x1b]0;owned\x07", "/a\rb", "/\x08\x7f", "/\u{202e}\u{9b}31m", "/%1b[2J%0a", &long, "/\"\\"]
    {
        let mut wire = terminal.connect();
        wire.send(get(target, &[]));
        wire.read_response();
    }
    let ends = || terminal.lines().iter().filter(|line| line.contains("FIN by")).count();
    wait_for("all ends", || (ends() == 7).then_some(()));
    for line in terminal.lines() {
        let is_harmless = line.chars().all(|shown| (' '..='~').contains(&shown) || shown == '…');
        assert!(is_harmless && line.chars().count() <= 100, "{line:?}");
    }
    let escaped = terminal.line_with("%1b[2J%0a");
    assert!(escaped.contains("GET /%1b[2J%0a -> 404"), "{escaped}");
    let cut = terminal.line_with("…");
    assert!(cut.contains("GET /%1b]0;%1b]0;") && cut.contains("… -> 404"), "{cut}");
}

test!(rust_log_rules, SETSID);
fn rust_log_rules() {
    let root = Root::new();
    for (level, ledger) in [("warn", false), ("off", false), ("info", true)] {
        let mut terminal = Terminal::start(root.path(), &[], &[("NO_COLOR", "1"), ("RUST_LOG", level)]);
        let mut wire = terminal.connect();
        wire.send(get("/", &["Connection: close"]));
        wire.read_response();
        wire.expect_eof(PATIENCE);
        drop(wire);
        if ledger {
            terminal.line_with("reason=client-asked");
        }
        terminal.press_ctrl_c();
        let (_, lines) = terminal.wait();
        let lines: Vec<&String> = lines.iter().filter(|line| !line.starts_with("  ") && *line != "^C").collect();
        assert_eq!(lines.len(), usize::from(ledger), "{level}: {lines:?}");
        assert!(
            lines.iter().all(|line| line.contains(" INFO ") && line.contains(" reason=client-asked ")),
            "{lines:?}"
        );
    }
}

test!(times_are_local_to_the_millisecond, SETSID);
fn times_are_local_to_the_millisecond() {
    const DAY: i64 = 86_400_000;
    let root = Root::new();
    let now =
        || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()).expect("small");
    // By their rules, so that it does not matter which time zones are installed.
    for (zone, offset) in [("UTC0", 0), ("IST-5:30", 19_800_000), ("NST3:30", -12_600_000)] {
        let terminal = Terminal::start(root.path(), &[], &[("NO_COLOR", "1"), ("TZ", zone)]);
        std::thread::sleep(Duration::from_millis(30)); // so that the start is not the moment of the line
        let before = now();
        let wire = terminal.connect();
        let line = terminal.line_with("opened by");
        let after = now();
        drop(wire);
        let (hours, rest) = line.split_at(2);
        let digits = |text: &str| text.parse::<i64>().unwrap_or_else(|_| panic!("{line}"));
        let shown = digits(hours) * 3_600_000
            + digits(&rest[1..3]) * 60_000
            + digits(&rest[4..6]) * 1000
            + digits(&rest[7..10]);
        assert_eq!((&rest[..1], &rest[3..4], &rest[6..7], &rest[10..12]), (":", ":", ".", "  "), "{line}");
        // As long after `before` as `after` is, at most: over midnight too. The server looks at the clock once a millisecond.
        let since = (shown - (before + offset - 1)).rem_euclid(DAY);
        assert!(since <= after - before + 1, "{line}: {since} ms after the connection, in {zone}");
    }
}

test!(more_lines_than_anybody_reads_are_counted, SETSID);
fn more_lines_than_anybody_reads_are_counted() {
    const REQUESTS: usize = 3_000;
    let root = Root::new();
    let terminal = Terminal::start(root.path(), &["--max-requests", "0"], &PLAIN);
    let mut wire = terminal.connect();
    for _ in 0..REQUESTS / 100 {
        wire.send(get("/", &[]).repeat(100));
        for _ in 0..100 {
            assert_eq!(wire.read_response().status, 200);
        }
    }
    drop(wire);
    let left_out = |line: &str| {
        let (_, count) = line.split_once("  … ")?;
        let count = count.strip_suffix(" more lines not shown").or(count.strip_suffix(" more line not shown"))?;
        count.replace(',', "").parse::<usize>().ok()
    };
    // A line for the beginning, one for each response and one for the end are shown or counted.
    wait_for("all lines, or their count", || {
        let lines = terminal.lines();
        let counted: usize = lines.iter().filter_map(|line| left_out(line)).sum();
        (story(&terminal, 1).len() + counted == REQUESTS + 2).then_some(())
    });
}

test!(a_terminal_that_is_not_read_stops_nobody, SETSID);
fn a_terminal_that_is_not_read_stops_nobody() {
    let root = Root::new();
    let terminal = Terminal::start_unread(root.path(), &[], &PLAIN);
    // A terminal takes 64 KiB and then no more before somebody reads it. Two seconds' lines are more than that.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2500) {
        assert_eq!(terminal.connect().get("/").status, 200);
    }
}
