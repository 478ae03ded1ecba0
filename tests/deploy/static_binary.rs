//! The binary of `deploy/Containerfile`, in a folder that has nothing else, or nothing else but what it serves.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::deploy;
use crate::support::{CHROOT, Need, ROOT_USER, Server, test};

const STATIC_BINARY: Need = Need::Other {
    name: "HOLDLINE_STATIC",
    remedy: "build the static binary as .ci/run does, and set this variable to its path",
    is_met: || std::env::var_os("HOLDLINE_STATIC").is_some(),
};

test!(the_static_binary_needs_nothing_else, STATIC_BINARY, CHROOT, ROOT_USER);
/// As in a container from scratch: no library, no `/etc`, no `/proc`, and no rights.
fn the_static_binary_needs_nothing_else() {
    let binary = std::env::var_os("HOLDLINE_STATIC").expect("the test needs it");
    let scratch = TempDir::new().expect("a temporary folder");
    fs::copy(Path::new(&binary), scratch.path().join("holdline")).expect("the binary is there");
    let start = || {
        let mut chroot = Command::new("chroot");
        chroot.arg("--userspec=65534:65534").args([scratch.path(), Path::new("/holdline")]);
        Server::start_without_root(chroot, &[])
    };
    let server = start();
    assert_eq!(server.connect().get("/style.css").body, fs::read(deploy("../www/style.css")).expect("it is there"));
    drop(server);
    fs::create_dir(scratch.path().join("www")).expect("a folder is mounted");
    fs::write(scratch.path().join("www/page"), "mounted").expect("it has a file");
    assert_eq!(start().connect().get("/page").body, b"mounted");
}
