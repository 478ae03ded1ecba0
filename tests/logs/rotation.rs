//! SIGHUP opens the logs again by their names.

use std::fs;

use rustix::process::Signal;

use crate::support::{Root, ms, wait_for};
use crate::{lines_of, start_logging};

/// What logrotate does: the file is moved away, and the signal sent.
#[test]
fn a_rotation_under_load_loses_no_line() {
    const CLIENTS: usize = 4;
    const REQUESTS: usize = 1500;
    let outer = Root::new();
    let root = Root::new();
    let log = outer.at("access.log");
    let mut server = start_logging(&root, "--access-log", &log, &["--max-requests", "0"]);
    let ask = |client: usize| {
        let mut wire = server.connect();
        for request in 0..REQUESTS {
            assert_eq!(wire.get(&format!("/?{client}-{request}-")).status, 200);
        }
    };
    let mut files = vec![log.clone()];
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || ask(client))).collect();
        while !clients.iter().all(|client| client.is_finished()) {
            let moved = outer.at(&format!("access.log.{}", files.len()));
            fs::rename(&log, &moved).expect("the log is moved away");
            files.push(moved);
            server.signal(Signal::HUP);
            wait_for("the new log", || log.exists().then_some(()));
            std::thread::sleep(ms(20));
        }
    });
    server.signal(Signal::INT);
    assert!(server.wait().success());
    assert!(files.len() > 2, "too fast to be rotated");
    let text: String = files.iter().map(|file| fs::read_to_string(file).expect("a log")).collect();
    assert_eq!(text.lines().count(), CLIENTS * REQUESTS);
    for client in 0..CLIENTS {
        for request in 0..REQUESTS {
            assert!(text.contains(&format!("\"GET /?{client}-{request}- HTTP/1.1\"")), "{client}-{request} is lost");
        }
    }
}

#[test]
fn a_log_that_can_not_be_reopened_goes_on_in_the_old_file() {
    let outer = Root::new().file("logs/other", "");
    let root = Root::new();
    let log = outer.at("logs/access.log");
    let server = start_logging(&root, "--access-log", &log, &[]);
    fs::rename(outer.at("logs"), outer.at("moved")).expect("the folder is moved away");
    server.signal(Signal::HUP);
    wait_for("the complaint", || server.log().iter().any(|line| line.contains("cannot reopen")).then_some(()));
    server.connect().get("/");
    lines_of(&outer.at("moved/access.log"), 1);
}
