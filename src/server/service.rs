//! The service manager: sockets inherited from it (`sd_listen_fds(3)`) and notifications to it (`sd_notify(3)`). The
//! protocol is systemd's; other managers speak it too.

use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use listenfd::ListenFd;

use super::listen::{Listener, SocketOptions, not_listening};

/// The first inherited descriptor (SD_LISTEN_FDS_START); the others follow it.
const FIRST_DESCRIPTOR: usize = 3;

/// The listening sockets that this process has inherited by socket activation (`LISTEN_FDS`); empty without it.
///
/// # Errors
/// One line that says which of the descriptors is not a listening stream socket.
pub fn inherited_listeners(options: SocketOptions) -> Result<Vec<Listener>, String> {
    let mut sockets = ListenFd::from_env();
    (0..sockets.len())
        .map(|index| {
            let listener = take(&mut sockets, index).and_then(|socket| Listener::inherited(socket, options));
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

/// Sends our state, such as `READY=1`, to the service manager, if there is one (`NOTIFY_SOCKET`). Does not wait for room
/// in its socket.
pub fn notify(state: &str) {
    let Some(manager) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return };
    let sent = address(manager.as_bytes()).and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(state.as_bytes(), &address)
    });
    if let Err(error) = sent {
        log::warn!("cannot tell the service manager {state}: {error}");
    }
}

/// The address that `NOTIFY_SOCKET` names: a path, or an abstract name behind `@`.
fn address(manager: &[u8]) -> io::Result<SocketAddr> {
    match manager.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(manager)),
    }
}
