//! Without ROOT and without `./www`, what is built in is served.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{Server, get, test, wait_for};

/// Holdline in this folder, without a ROOT.
fn in_folder(folder: &Path, flags: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdline"));
    command.current_dir(folder);
    Server::start_without_root(command, flags)
}

fn repository(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

test!(in_an_empty_folder_the_demonstration_site_is_served);
fn in_an_empty_folder_the_demonstration_site_is_served() {
    let folder = TempDir::new().expect("a temporary folder");
    for sandbox in ["auto", "off"] {
        let server = in_folder(folder.path(), &["--sandbox", sandbox]);
        let first = server.log()[0].clone();
        assert!(first.starts_with("holdline: serving the embedded demonstration site on http://127.0.0.1:"), "{first}");
        let mut wire = server.connect();
        for (target, file) in [
            ("/", "www/index.html"),
            ("/experiments/race.html", "www/experiments/race.html"),
            ("/experiments/lanes.js", "www/experiments/lanes.js"),
        ] {
            let response = wire.get(target);
            assert_eq!(response.status, 200, "{target}");
            assert!(response.body == repository(file), "{target}");
        }
        assert!(wire.get("/-/").body.starts_with(b"<!doctype html>"));
        assert_eq!(wire.get("/-/lab/bytes/10").body.len(), 10);
        assert_eq!(wire.get("/Cargo.toml").status, 404);
    }
}

test!(the_embedded_site_is_not_sent_twice);
/// A browser that comes again asks whether anything has changed.
fn the_embedded_site_is_not_sent_twice() {
    let folder = TempDir::new().expect("a temporary folder");
    let [first, second] = [(); 2].map(|()| {
        let server = in_folder(folder.path(), &[]);
        let mut wire = server.connect();
        let page = wire.get("/style.css");
        let (etag, date) = (page.field("ETag").expect("a tag"), page.field("Last-Modified").expect("a date"));
        for condition in [format!("If-None-Match: {etag}"), format!("If-Modified-Since: {date}")] {
            wire.send(get("/style.css", &[&condition]));
            assert_eq!(wire.read_response().status, 304, "{condition}");
        }
        (etag.to_owned(), date.to_owned())
    });
    assert_eq!(first, second, "a restart changes nothing");
}

test!(sighup_does_not_disturb_the_embedded_site);
fn sighup_does_not_disturb_the_embedded_site() {
    let folder = TempDir::new().expect("a temporary folder");
    let log = folder.path().join("access.log");
    let mut server = in_folder(folder.path(), &["--access-log", "access.log", "--sandbox", "auto"]);
    assert_eq!(server.connect().get("/").status, 200);
    fs::rename(&log, folder.path().join("old.log")).expect("the log is moved away");
    server.signal(Signal::HUP);
    wait_for("a new log", || log.exists().then_some(()));
    assert_eq!(server.connect().get("/").status, 200);
    server.signal(Signal::TERM);
    assert!(server.wait().success());
}

test!(the_embedded_site_takes_no_folders_place);
/// A folder that is there, or was meant to be there, is not replaced by something else.
fn the_embedded_site_takes_no_folders_place() {
    let folder = TempDir::new().expect("a temporary folder");
    let www = folder.path().join("www");
    symlink("release-7", &www).expect("a symlink that leads nowhere");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("timeout");
        command.args(["20", env!("CARGO_BIN_EXE_holdline"), "--listen", "127.0.0.1:0"]).args(arguments);
        let output = command.current_dir(folder.path()).output().expect("the binary runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for arguments in [&[][..], &["./www"], &["release-7"]] {
        let (status, said) = run(arguments);
        assert!(status == Some(1) && said.starts_with("holdline: cannot serve "), "{arguments:?}: {status:?} {said}");
    }
    fs::create_dir(folder.path().join("release-7")).expect("the release");
    fs::write(folder.path().join("release-7/index.html"), "ours").expect("its page");
    let server = in_folder(folder.path(), &[]);
    assert!(server.log()[0].starts_with("holdline: serving ./www on "), "{}", server.log()[0]);
    assert_eq!(server.connect().get("/").body, b"ours");
}
