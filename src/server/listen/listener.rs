//! Listening sockets: addresses, options, and accept.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::SocketFlags;
use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};

use super::address::ListenAddress;
use crate::observe::Peer;
use crate::server::socket::StreamSocket;
use crate::site::ListenerRole;

/// The length of the accept queue (listen(2)). The kernel cuts it to `net.core.somaxconn`.
pub const BACKLOG: i32 = 4096;

/// Unsent bytes that the kernel takes per connection (TCP_NOTSENT_LOWAT). Without this limit it takes up to 4 MiB for a
/// peer that does not read. Bytes in flight to a peer that does read are not counted, so a fast peer is not slowed
/// down.
const MAX_UNSENT: u32 = 320 * 1024;

/// Attempts to accept that may fail in a row before the loop goes on with something else.
const MAX_FAILED_ACCEPTS: usize = 16;

/// Time between two TCP keep-alive probes (TCP_KEEPINTVL).
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// Probes without an answer after which the peer counts as gone (TCP_KEEPCNT).
const PROBES: u32 = 6;

/// Options of the sockets; by default none is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct SocketOptions {
    /// Several processes may listen on one address (SO_REUSEPORT).
    pub reuse_port: bool,
    /// The wildcard `[::]` takes IPv6 alone (IPV6_V6ONLY). Otherwise it takes IPv4 too.
    pub only_ipv6: bool,
    /// TCP keep-alive probes begin after this much silence; zero for none.
    pub tcp_keep_alive: Duration,
}

/// A listening socket. When it is dropped, the path of a Unix socket that it has bound is removed.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    address: ListenAddress,
    /// What the address is for.
    role: ListenerRole,
    /// It was inherited by socket activation, and may stay open elsewhere.
    inherited: bool,
    /// The file at the path of a Unix socket that it has bound.
    file: Option<(u64, u64)>,
}

/// The outcome of [`Listener::accept`].
#[derive(Debug)]
pub enum Accepted {
    /// A connection.
    Connection(StreamSocket, Peer),
    /// The accept queue is empty.
    Nothing,
    /// The process or the system has no descriptor or memory for the next connection (EMFILE, ENFILE, ENOBUFS, ENOMEM).
    Exhausted,
    /// The attempts failed, one after the other.
    Failing,
}

impl Listener {
    /// Binds and listens.
    ///
    /// # Errors
    /// The kernel's error, such as `AddrInUse`.
    pub fn bind(address: &ListenAddress, options: SocketOptions) -> io::Result<Self> {
        let socket = match address {
            ListenAddress::Tcp(address) => match bind_tcp(*address, options) {
                // Of the two families that it stands for, the kernel has one.
                Err(error) if takes_both(*address, options) && is_unknown_family(&error) => {
                    bind_tcp((Ipv4Addr::UNSPECIFIED, address.port()).into(), options)?
                }
                bound => bound?,
            },
            ListenAddress::Unix(path) => bind_unix(path)?,
        };
        socket.set_nonblocking(true)?;
        socket.listen(BACKLOG)?;
        let file = match address {
            ListenAddress::Unix(path) => file_at(path),
            ListenAddress::Tcp(_) => None,
        };
        let role = ListenerRole::default();
        Ok(Listener { role, address: address_of(&socket)?, fd: socket.into(), inherited: false, file })
    }

    /// Takes over an inherited listening socket (socket activation).
    ///
    /// # Errors
    /// If it is not a listening socket.
    #[cfg(feature = "bin")]
    pub(in crate::server) fn inherited(fd: OwnedFd, options: SocketOptions) -> io::Result<Self> {
        let socket = Socket::from(fd);
        if !socket.is_listener()? {
            return Err(not_listening());
        }
        let address = address_of(&socket)?;
        if let ListenAddress::Tcp(_) = address {
            set_inherited_options(&socket, options)?;
        }
        socket.set_nonblocking(true)?;
        Ok(Listener { address, role: ListenerRole::default(), fd: socket.into(), inherited: true, file: None })
    }

    /// The address; port 0 has become the port that the kernel chose.
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// The same socket, for this.
    #[must_use]
    pub fn with_role(mut self, role: ListenerRole) -> Self {
        self.role = role;
        self
    }

    /// What the address is for.
    pub fn role(&self) -> ListenerRole {
        self.role
    }

    /// The IP addresses where it listens. A socket with the wildcard of IPv6 may take IPv4 as well.
    pub fn ip_addresses(&self) -> Vec<SocketAddr> {
        match self.address {
            ListenAddress::Tcp(address) => {
                let takes_both = address.ip() == Ipv6Addr::UNSPECIFIED
                    && SockRef::from(&self.fd).only_v6().is_ok_and(|only_v6| !only_v6);
                let ipv4 = takes_both.then(|| (Ipv4Addr::UNSPECIFIED, address.port()).into());
                [address].into_iter().chain(ipv4).collect()
            }
            ListenAddress::Unix(_) => Vec::new(),
        }
    }

    /// The path of a Unix socket that it has bound, which is to be removed at the end.
    pub fn own_path(&self) -> Option<&Path> {
        match &self.address {
            ListenAddress::Unix(path) if !self.inherited => Some(path),
            _ => None,
        }
    }

    /// Accepts one connection, if the accept queue has one.
    pub fn accept(&self) -> Accepted {
        for _ in 0..MAX_FAILED_ACCEPTS {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match rustix::net::acceptfrom_with(&self.fd, flags) {
                Ok((fd, address)) => {
                    let peer = address.and_then(|address| SocketAddr::try_from(address).ok());
                    // A socket for both families maps IPv4 addresses into IPv6 (RFC 4291 §2.5.5.2).
                    let peer = peer.map(|peer| SocketAddr::new(peer.ip().to_canonical(), peer.port()));
                    return Accepted::Connection(StreamSocket::new(fd), peer.map_or(Peer::Unix, Peer::Ip));
                }
                Err(Errno::AGAIN) => return Accepted::Nothing,
                Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => return Accepted::Exhausted,
                // The connection failed before it was accepted (accept(2)); the next one may not have.
                Err(error) => log::debug!("a connection failed before it was accepted: {error}"),
            }
        }
        Accepted::Failing
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Somebody else may have the path by now.
        if let Some(path) = self.own_path().filter(|path| file_at(path) == self.file) {
            // The path may be gone already.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The error for a descriptor that is not a listening stream socket.
#[cfg(feature = "bin")]
pub(in crate::server) fn not_listening() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it is not a listening TCP or Unix stream socket")
}

/// Whether the address stands for IPv6 and IPv4.
fn takes_both(address: SocketAddr, options: SocketOptions) -> bool {
    address.ip() == Ipv6Addr::UNSPECIFIED && !options.only_ipv6
}

fn is_unknown_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}

fn bind_tcp(address: SocketAddr, options: SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A restart must not wait for connections of the last process in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(options.reuse_port)?;
    if address.is_ipv6() {
        socket.set_only_v6(options.only_ipv6)?;
    }
    set_inherited_options(&socket, options)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Sets the options that accepted sockets inherit, which saves the system calls on each of them.
fn set_inherited_options(socket: &Socket, options: SocketOptions) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_notsent_lowat(MAX_UNSENT)?;
    if !options.tcp_keep_alive.is_zero() {
        let probes =
            TcpKeepalive::new().with_time(options.tcp_keep_alive).with_interval(PROBE_INTERVAL).with_retries(PROBES);
        socket.set_tcp_keepalive(&probes)?;
    }
    Ok(())
}

/// The address that a socket is bound to. An abstract name of a Unix socket is written behind `@`.
fn address_of(socket: &Socket) -> io::Result<ListenAddress> {
    let address = socket.local_addr()?;
    Ok(match address.as_socket() {
        Some(bound) => ListenAddress::Tcp(bound),
        None => ListenAddress::Unix(unix_name(&address)),
    })
}

fn unix_name(address: &SockAddr) -> PathBuf {
    let name = address.as_abstract_namespace().map(|name| [b"@", name].concat());
    name.map(OsString::from_vec)
        .map(PathBuf::from)
        .or_else(|| address.as_pathname().map(Path::to_owned))
        .unwrap_or_default()
}

fn bind_unix(path: &Path) -> io::Result<Socket> {
    remove_stale(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(socket)
}

/// Removes the path of a Unix socket that a killed process has left behind: nobody listens there.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket && connect_at_once(path).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Does not wait for room in the accept queue: if it is full, somebody listens there.
fn connect_at_once(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)
}

/// Device and inode of what lies at a path.
fn file_at(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
