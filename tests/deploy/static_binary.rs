//! The binary of `deploy/Containerfile`, in a folder that has nothing else but what it serves.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Root, Server, ignored, require_tool};

/// As in a container from scratch: no library, no `/etc`, no `/proc`, and no rights.
#[test]
fn the_static_binary_needs_nothing_else() {
    let Some(binary) = std::env::var_os("HOLDLINE_STATIC") else {
        ignored("HOLDLINE_STATIC does not name the static binary");
        return;
    };
    if !require_tool("chroot") || !(rustix::process::geteuid().is_root() || ignored("only root may change the root")) {
        return;
    }
    let scratch = Root::new().file("www/page", "static");
    fs::copy(Path::new(&binary), scratch.at("holdline")).expect("the binary is there");
    let mut chroot = Command::new("chroot");
    chroot.arg("--userspec=65534:65534").args([scratch.path(), Path::new("/holdline")]);
    let server = Server::start_by(chroot, "/www", &[]);
    assert_eq!(server.connect().get("/page").body, b"static");
}
