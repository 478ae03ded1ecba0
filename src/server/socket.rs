//! The operations that the driver needs of a connected socket, and the kernel's sockets.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, sockopt};

use super::tcp_info::{self, TcpInfo};

/// A connected, non-blocking stream socket. A simulated one stands in for it in tests.
pub trait Socket {
    /// Reads what has arrived; 0 is the peer's FIN.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes as much as there is room for, of the first bytes and then of those behind them. `more` says that the
    /// packet may wait for bytes that follow at once (MSG_MORE).
    fn write(&mut self, first: &[u8], behind: &[u8], more: bool) -> io::Result<usize>;
    /// Sends at most `count` bytes of a file from `offset`; 0 if the file has no more.
    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize>;
    /// Sends our FIN, behind the bytes that were written before.
    fn send_fin(&mut self) -> io::Result<()>;
    /// Whether the peer's FIN is the next thing to read. That of a simulated peer is found by reading only.
    fn peer_has_finished(&self) -> bool {
        false
    }
    /// Makes the close that follows send an RST, which discards unsent bytes (SO_LINGER with zero).
    fn reset_on_close(&mut self);
    /// The kernel's state of the connection, if it is TCP.
    fn tcp_info(&self) -> Option<TcpInfo>;
    /// Limits what the kernel holds for a peer that does not read (SO_SNDBUF).
    fn limit_send_buffer(&mut self, bytes: usize);
}

/// A TCP or Unix stream socket. Closed when dropped.
#[derive(Debug)]
pub struct StreamSocket(OwnedFd);

impl StreamSocket {
    /// Takes over a connected socket that is non-blocking already.
    pub fn new(fd: OwnedFd) -> Self {
        StreamSocket(fd)
    }

    /// Moves the socket to the lowest free descriptor, if that is possible.
    pub fn with_lowest_descriptor(self) -> Self {
        rustix::io::fcntl_dupfd_cloexec(&self.0, 0).map_or(self, StreamSocket)
    }
}

impl AsRawFd for StreamSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Socket for StreamSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (read, _) = retry_on_intr(|| rustix::net::recv(&self.0, &mut *buffer, RecvFlags::empty()))?;
        Ok(read)
    }

    fn write(&mut self, first: &[u8], behind: &[u8], more: bool) -> io::Result<usize> {
        let flags = if more { SendFlags::NOSIGNAL | SendFlags::MORE } else { SendFlags::NOSIGNAL };
        if behind.is_empty() {
            return Ok(retry_on_intr(|| rustix::net::send(&self.0, first, flags))?);
        }
        let parts = [IoSlice::new(first), IoSlice::new(behind)];
        let send = || rustix::net::sendmsg(&self.0, &parts, &mut SendAncillaryBuffer::default(), flags);
        Ok(retry_on_intr(send)?)
    }

    fn send_file(&mut self, file: &File, mut offset: u64, count: usize) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::fs::sendfile(&self.0, file, Some(&mut offset), count))?)
    }

    fn send_fin(&mut self) -> io::Result<()> {
        Ok(rustix::net::shutdown(&self.0, Shutdown::Write)?)
    }

    fn peer_has_finished(&self) -> bool {
        rustix::net::recv(&self.0, &mut [0_u8; 1][..], RecvFlags::PEEK).is_ok_and(|(read, _)| read == 0)
    }

    fn reset_on_close(&mut self) {
        // Fails only if the connection is gone already.
        let _ = sockopt::set_socket_linger(&self.0, Some(Duration::ZERO));
    }

    fn tcp_info(&self) -> Option<TcpInfo> {
        tcp_info::read(self.0.as_fd())
    }

    fn limit_send_buffer(&mut self, bytes: usize) {
        // If it fails, the kernel's default applies.
        let _ = sockopt::set_socket_send_buffer_size(&self.0, bytes);
    }
}
