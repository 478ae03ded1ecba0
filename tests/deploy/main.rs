//! What is in `deploy/`: accepted by the programs that it is for, consistent in its numbers, proven by restarts.

#[path = "../support/mod.rs"]
mod support;

mod flags;
mod haproxy;
mod kubernetes;
mod loops;
mod sandbox;
mod socket_activation;
mod static_binary;
mod systemd;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

fn main() -> std::process::ExitCode {
    support::run_tests()
}

/// A file of `deploy/`.
fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// What stands in a file of `deploy/`.
fn read(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap_or_else(|error| panic!("deploy/{name}: {error}"))
}

/// An address that is bound again and again. Port 0 would be another one each time, and a port of 127.0.0.1 could be
/// taken meanwhile, by a connection for its own end; 127.0.0.0/8 is wide enough for an address that only this process
/// uses.
fn lasting_address(port: u16) -> SocketAddr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    (Ipv4Addr::new(127, 64 | high & 63, low, 1), port).into()
}
