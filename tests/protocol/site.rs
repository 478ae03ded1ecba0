//! The folders that the tables ask of.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::{Root, Server, pattern};

/// When the files of the folder were last modified.
pub const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// `digits.txt`: a hundred bytes that say where they stand.
pub const DIGITS: &str =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849";

/// Length of `big.bin`, which is too large to be kept in memory.
pub const BIG: usize = 300_000;

/// The folder of most tables.
pub fn root() -> Root {
    let root = Root::new()
        .file("probe.txt", "probe\n")
        .file("hello.txt", "hello, world\n")
        .file("digits.txt", DIGITS)
        .file("empty.txt", "")
        .file("big.bin", pattern(BIG))
        .file("dir/index.html", "the index of dir\n")
        .file("dir/a.txt", "a\n")
        .file("dir/.hidden", "hidden\n")
        .file("bare/only.txt", "only\n")
        .file("bare/<b>&.txt", "escape me\n")
        .file("bare/.hidden", "hidden\n")
        .file("sp ace/index.html", "the index of sp ace\n")
        .file("na:me/index.html", "the index of na:me\n")
        .file("a b.txt", "a space\n")
        .file("a+b.txt", "a plus\n")
        .file("100%.txt", "a percent sign\n")
        .file("q?.txt", "a question mark\n")
        .file("h#.txt", "a number sign\n")
        .file("ünï.txt", "beyond ASCII\n")
        .file(".secret", "secret\n")
        .file(".well-known/ok.txt", "well known\n");
    symlink("hello.txt", root.at("inside")).expect("a symlink");
    symlink("/etc/passwd", root.at("outside")).expect("a symlink");
    symlink("/etc", root.at("outside-dir")).expect("a symlink");
    std::fs::create_dir_all(root.at("leak")).expect("a folder");
    symlink("/etc/passwd", root.at("leak/index.html")).expect("a symlink");
    std::fs::create_dir_all(root.at("nested/index.html")).expect("a folder");
    symlink("..", root.at("up")).expect("a symlink");
    symlink("loop", root.at("loop")).expect("a symlink");
    mknodat(CWD, root.at("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    drop(UnixListener::bind(root.at("socket")).expect("a socket"));
    let root = root.file("future.txt", "not yet\n");
    let future = std::fs::File::options().write(true).open(root.at("future.txt")).expect("the file opens");
    future.set_modified(SystemTime::now() + Duration::from_secs(86_400)).expect("its time is set");
    root
}

/// The entity tag that a path has now.
pub fn etag(server: &Server, path: &str) -> String {
    let response = server.connect().get(path);
    response.field("etag").unwrap_or_else(|| panic!("{path} has no ETag: {response:?}")).to_owned()
}
