//! What we say to a service manager, and what it hands over: the protocol of systemd, which others speak too
//! (`sd_notify(3)`, `sd_listen_fds(3)`).

use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use listenfd::ListenFd;

use super::listener::{Listener, SocketOptions};

/// The first descriptor that is handed over; the others follow it.
const FIRST_DESCRIPTOR: usize = 3;

/// The listening sockets that were handed over to this process (`LISTEN_FDS`), if there are any.
///
/// # Errors
/// One line that says which of them is no listening stream socket.
pub fn handed_over(options: SocketOptions) -> Result<Vec<Listener>, String> {
    let mut sockets = ListenFd::from_env();
    (0..sockets.len())
        .map(|index| {
            let listener = take(&mut sockets, index).and_then(|socket| Listener::handed_over(socket, options));
            let descriptor = FIRST_DESCRIPTOR + index;
            listener.map_err(|error| format!("cannot listen on descriptor {descriptor} of LISTEN_FDS: {error}"))
        })
        .collect()
}

/// A TCP socket, or else a Unix one.
fn take(sockets: &mut ListenFd, index: usize) -> io::Result<OwnedFd> {
    let socket = match sockets.take_tcp_listener(index) {
        Ok(socket) => socket.map(OwnedFd::from),
        Err(_) => sockets.take_unix_listener(index).map_err(|_| not_listening())?.map(OwnedFd::from),
    };
    socket.ok_or_else(not_listening)
}

/// What is told of a descriptor that is of no use here.
pub fn not_listening() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no listening TCP or Unix stream socket")
}

/// Tells the service manager how we are, if there is one (`NOTIFY_SOCKET`) and it has room for the word.
pub fn tell(state: &str) {
    let Some(manager) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return };
    let told = address(manager.as_bytes()).and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(state.as_bytes(), &address)
    });
    if let Err(error) = told {
        log::warn!("cannot tell the service manager {state}: {error}");
    }
}

/// A path, or behind `@` a name that no file system knows.
fn address(manager: &[u8]) -> io::Result<SocketAddr> {
    match manager.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(manager)),
    }
}
