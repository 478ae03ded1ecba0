//! What is wrong is said in one line, with the right exit status.

use std::net::TcpListener;

use crate::holdline;
use crate::support::{Root, test};

/// Asserts that the binary refuses: one line on standard error that names the culprit, nothing else, this status.
fn assert_refuses(arguments: &[&str], status: i32, culprit: &str) {
    let output = holdline(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{arguments:?} says more or less than a line: {said}");
    assert!(said.starts_with("holdline: "), "{arguments:?}: {said}");
    assert!(said.contains(culprit), "{arguments:?} does not name {culprit}: {said}");
    assert!(!said.contains("panicked") && !said.contains(".rs:"), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?} writes to standard output");
}

test!(a_bad_flag_is_one_line_and_status_2);
fn a_bad_flag_is_one_line_and_status_2() {
    for (flag, values) in [
        (
            "--listen",
            &["", "nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x", "[::1]", "unix:"][..],
        ),
        (
            "--keep-alive-timeout",
            &["", "x", "5", "s", "5x", "1.5s", "-1s", "+1s", "5 s", "99999999999999999999s", "9999999999h"],
        ),
        ("--keep-alive-grace", &["", "5", "x"]),
        ("--max-requests", &["", "x", "-1", "1.5", "99999999999999999999"]),
        ("--max-age", &["", "1", "x"]),
        ("--head-timeout", &["", "10", "x", "0"]),
        ("--body-timeout", &["", "10", "x", "0"]),
        ("--send-timeout", &["", "30", "x", "0"]),
        ("--linger", &["", "2", "x"]),
        ("--drain-timeout", &["", "10", "x"]),
        ("--drain-delay", &["", "1", "x"]),
        ("--max-connections", &["", "x", "-1", "0"]),
        ("--max-per-ip", &["", "x", "-1"]),
        ("--max-head", &["", "x", "-1", "16KB", "16 KiB", "0", "99999999999999999999"]),
        ("--max-body", &["", "x", "-1", "1.5MiB", "99999999999999999999"]),
        ("--tcp-keep-alive", &["", "60", "x", "-1s"]),
        ("--index", &["", "a/b", ".."]),
        ("--cache-control", &["", "a\r\nb: c"]),
        ("--access-log", &[""]),
        ("--connection-log", &[""]),
        ("--log-format", &["", "x", "Text"]),
        ("--sandbox", &["", "x", "yes"]),
        ("--no-such-flag", &["x"]),
    ] {
        for value in values {
            assert_refuses(&[&format!("{flag}={value}")], 2, flag);
        }
    }
}

test!(a_flag_without_its_value_is_one_line_and_status_2);
fn a_flag_without_its_value_is_one_line_and_status_2() {
    for flag in ["--listen", "--keep-alive-timeout", "--max-requests", "--max-head", "--index", "--cache-control"] {
        assert_refuses(&[flag], 2, flag);
    }
    assert_refuses(&["--hidden=yes"], 2, "--hidden");
    assert_refuses(&["--spa"], 2, "--not-found");
}

test!(a_second_root_is_one_line_and_status_2);
fn a_second_root_is_one_line_and_status_2() {
    assert_refuses(&["one", "another"], 2, "another");
}

test!(a_port_in_use_is_one_line_and_status_1);
fn a_port_in_use_is_one_line_and_status_1() {
    let root = Root::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a bound socket has an address").to_string();
    assert_refuses(&["--listen", &address, &root.path().to_string_lossy()], 1, &address);
}

test!(an_address_that_is_not_ours_is_one_line_and_status_1);
fn an_address_that_is_not_ours_is_one_line_and_status_1() {
    let root = Root::new();
    assert_refuses(&["--listen", "192.0.2.1:0", &root.path().to_string_lossy()], 1, "192.0.2.1:0");
}

test!(a_root_that_is_none_is_one_line_and_status_1);
fn a_root_that_is_none_is_one_line_and_status_1() {
    let root = Root::new();
    for name in ["missing", "index.html", "index.html/x", "line\nend"] {
        let path = root.at(name);
        let shown = name.split('\n').next().unwrap_or_default();
        assert_refuses(&["--listen", "127.0.0.1:0", &path.to_string_lossy()], 1, shown);
    }
}

test!(a_log_that_can_not_be_opened_is_one_line_and_status_1);
fn a_log_that_can_not_be_opened_is_one_line_and_status_1() {
    let root = Root::new();
    let folder = root.path().to_string_lossy().into_owned();
    for flag in ["--access-log", "--connection-log"] {
        for log in [root.at("missing/log"), root.path().to_owned()] {
            let log = log.to_string_lossy();
            assert_refuses(&["--listen", "127.0.0.1:0", flag, &log, &folder], 1, &log);
        }
    }
}
