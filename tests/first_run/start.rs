//! What the start says: one line wherever it goes, and more of it on a terminal.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Collected, Need, OWN_ADDRESS, PATIENCE, Root, SETSID, Terminal, Wire, address_in, get, test, urls_in,
};

const ESCAPE: char = '\x1b';

/// The value of a row below the first line.
fn row(terminal: &Terminal, label: &str) -> String {
    let beginning = format!("  {label} ");
    terminal.wait_for(label, |line| line.strip_prefix(&beginning).map(|value| value.trim().to_owned()))
}

test!(a_terminal_is_told_what_to_open_and_how_to_stop, SETSID);
fn a_terminal_is_told_what_to_open_and_how_to_stop() {
    let root = Root::new();
    let terminal = Terminal::start(root.path(), &[], &[("NO_COLOR", "1")]);
    let url = format!("http://{}/", terminal.address());
    assert_eq!(terminal.first_line(), format!("holdline: serving {} on {url}", root.path().display()));
    assert_eq!(row(&terminal, "live page"), format!("{url}-/"));
    assert_eq!(row(&terminal, "stop"), "Ctrl-C");
    assert_eq!(terminal.lines().len(), 2, "on the loopback there is nothing more to say");
    assert_eq!(terminal.connect().get("/-/").status, 200);
}

test!(without_a_console_there_is_no_live_page_to_open, SETSID);
fn without_a_console_there_is_no_live_page_to_open() {
    let root = Root::new();
    let terminal = Terminal::start(root.path(), &["--console", "off"], &[("NO_COLOR", "1")]);
    row(&terminal, "stop");
    assert!(!terminal.lines().iter().any(|line| line.contains("live page")), "{:?}", terminal.lines());
}

test!(a_wildcard_is_named_by_addresses_that_can_be_opened, SETSID, Need::OwnNetwork);
fn a_wildcard_is_named_by_addresses_that_can_be_opened() {
    let root = Root::new();
    let terminal = Terminal::start(root.path(), &["--listen", "0.0.0.0:0"], &[("NO_COLOR", "1")]);
    let urls = urls_in(terminal.first_line());
    let port = address_in(&urls[1]).port();
    assert_eq!(urls[1], format!("http://0.0.0.0:{port}/"), "the first line names what was asked for");
    let here = row(&terminal, "this machine");
    assert_eq!(here, format!("http://127.0.0.1:{port}/"));
    let network = row(&terminal, "network");
    assert_eq!(network, format!("http://{OWN_ADDRESS}:{port}/"));
    for url in [here, network] {
        assert_eq!(Wire::connect(address_in(&url)).get("/").status, 200, "{url}");
    }
    let live_page = row(&terminal, "live page");
    assert_eq!(live_page, format!("{}-/  (from this machine only)", urls[0]));
}

test!(colours_are_for_terminals_that_want_them, SETSID);
fn colours_are_for_terminals_that_want_them() {
    let root = Root::new();
    for (environment, coloured) in [
        (&[][..], true),
        (&[("NO_COLOR", "")], true), // no-color.org: "when present and not an empty string"
        (&[("NO_COLOR", "1")], false),
        (&[("TERM", "dumb")], false),
        (&[("TERM", "")], false),
        // The logger's own colours obey too.
        (&[("TERM", "dumb"), ("RUST_LOG", "info")], false),
        (&[("RUST_LOG", "info")], true),
    ] {
        let terminal = Terminal::start(root.path(), &[], environment);
        terminal.connect().get("/");
        terminal.wait_for("the end", |line| {
            ["FIN by client", "reason=client-closed"].iter().any(|end| line.contains(end)).then_some(())
        });
        let shown = terminal.lines().join("\n");
        assert_eq!(shown.contains(ESCAPE), coloured, "{environment:?}: {shown:?}");
        assert!(!terminal.first_line().contains(ESCAPE), "programs read the first line");
    }
}

test!(off_a_terminal_nothing_is_added);
fn off_a_terminal_nothing_is_added() {
    let root = Root::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
    command.args(["--listen", "127.0.0.1:0"]).arg(root.path()).env_remove("RUST_LOG").env("TERM", "xterm");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let lines = Collected::from(BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok));
    let first = lines.wait_for("the first line", |line| Some(line.clone()));
    let mut wire = Wire::connect(address_in(&urls_in(&first)[0]));
    wire.get("/");
    wire.get("/-/lab/close?when=reuse");
    wire.send_anyway(get("/", &[]));
    wire.expect_eof(PATIENCE);
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a process id");
    kill_process(pid, Signal::INT).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert_eq!(lines.wait_for_end(), [first]);
}
