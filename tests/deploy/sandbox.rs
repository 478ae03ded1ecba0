//! `--sandbox`, seen from outside: what the process can't open any more once it serves.

use std::fs;
use std::os::unix::fs::symlink;

use holdline::server::{Needs, Sandbox};
use rustix::process::Signal;

use crate::support::{Need, Root, Server, test, wait_for};

const LANDLOCK: Need = Need::Other { name: "Landlock", remedy: "a kernel with Landlock enabled", is_met: has_landlock };

/// Rules hold for a thread: one can try what the kernel has.
fn has_landlock() -> bool {
    let needs = Needs { root: Some("/".into()), ..Needs::default() };
    let entered = std::thread::spawn(move || matches!(Sandbox::enter(&needs), Ok(Some(_)))).join();
    entered.expect("the thread ends")
}

test!(no_log_is_opened_outside_its_folder, LANDLOCK);
/// The name of the log now leads to another folder. A confined process can't follow, another one does.
fn no_log_is_opened_outside_its_folder() {
    for (sandbox, follows) in [("off", true), ("on", false)] {
        let root = Root::new();
        let outer = Root::new().file("logs/old", "").file("private/old", "");
        let log = outer.at("logs/access.log").to_string_lossy().into_owned();
        let server = Server::start(&root, &["--sandbox", sandbox, "--access-log", &log]);
        fs::rename(outer.at("logs"), outer.at("moved")).expect("the folder is moved away");
        symlink(outer.at("private"), outer.at("logs")).expect("a symlink takes its place");
        server.signal(Signal::HUP);
        let opened = || outer.at("private/access.log").exists().then_some(true);
        let refused = || server.log().iter().any(|line| line.contains("cannot reopen")).then_some(false);
        assert_eq!(wait_for("the log or a complaint", || opened().or_else(refused)), follows, "--sandbox {sandbox}");
    }
}

test!(a_new_release_is_served, LANDLOCK);
/// A new release that takes the place of the old one is found nevertheless: a folder of that name, or where a symlink
/// leads now.
fn a_new_release_is_served() {
    let outer = Root::new().file("releases/1/index.html", "first").file("releases/2/index.html", "second");
    let current = outer.at("current");
    symlink("releases/1", &current).expect("a symlink");
    let server = Server::serve(&current, &["--sandbox", "on"]);
    let mut wire = server.connect();
    assert_eq!(wire.get("/").body, b"first");
    fs::remove_file(&current).expect("the symlink was there");
    symlink("releases/2", &current).expect("a symlink");
    assert_eq!(wire.get("/").body, b"second");
    fs::rename(outer.at("releases/2"), outer.at("releases/3")).expect("the release is moved away");
    fs::rename(outer.at("releases/1"), outer.at("releases/2")).expect("another takes its place");
    assert_eq!(wire.get("/").body, b"first");
}
