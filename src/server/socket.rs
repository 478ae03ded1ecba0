//! The operations that the driver needs of a connected socket, and the kernel's sockets.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, sockopt};

use super::tcp_info::{self, TcpInfo};

/// A connected, non-blocking stream socket. A simulated one stands in for it in tests.
pub trait Socket {
    /// Reads what has arrived; 0 is the peer's FIN.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes as much as there is room for, of the first bytes and then of those behind them. `more` says that the
    /// packet may wait for bytes that follow at once (MSG_MORE).
    fn write(&mut self, first: &[u8], behind: &[u8], more: bool) -> io::Result<usize>;
    /// Sends at most `count` bytes of a file from `offset`; 0 if the file has no more. An error of the file is told by
    /// [`FileError`]; any other is the socket's.
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

/// Bytes that are read and written at a time where `sendfile` is refused.
const COPY_SIZE: usize = 64 * 1024;

/// A file that is being sent can't be read.
#[derive(Debug)]
pub struct FileError(io::Error);

impl FileError {
    /// As the error of an operation on a socket.
    pub fn wrap(error: io::Error) -> io::Error {
        io::Error::other(FileError(error))
    }

    /// Whether this error is one.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<FileError>())
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for FileError {}

/// A TCP or Unix stream socket. Closed when dropped.
#[derive(Debug)]
pub struct StreamSocket(OwnedFd);

impl StreamSocket {
    /// Takes over a connected socket that is non-blocking already.
    pub fn new(fd: OwnedFd) -> Self {
        StreamSocket(fd)
    }

    /// What `sendfile` does, in two steps: not every file system has it, and it does not say whose the error is.
    fn copy_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        let mut buffer = vec![0; count.min(COPY_SIZE)];
        let read = file.read_at(&mut buffer, offset).map_err(FileError::wrap)?;
        if read == 0 { Ok(0) } else { self.write(&buffer[..read], &[], false) }
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
        let start = offset;
        match retry_on_intr(|| rustix::fs::sendfile(&self.0, file, Some(&mut offset), count)) {
            Err(error) if error != Errno::AGAIN => self.copy_file(file, start, count),
            sent => Ok(sent?),
        }
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn an_error_of_the_file_is_told_from_one_of_the_socket() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"0123456789").unwrap();
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let mut socket = StreamSocket::new(ours.into());
        let mut received = [0; 4];

        // Whether sendfile is there or not.
        assert_eq!(socket.send_file(file.as_file(), 2, 4).unwrap(), 4);
        peer.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"2345");
        assert_eq!(socket.copy_file(file.as_file(), 6, 100).unwrap(), 4);
        peer.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"6789");
        assert_eq!(socket.send_file(file.as_file(), 10, 1).unwrap(), 0);

        let unreadable = File::options().write(true).open(file.path()).unwrap();
        assert!(FileError::is(&socket.send_file(&unreadable, 0, 4).unwrap_err()));
        drop(peer);
        let error = socket.send_file(file.as_file(), 0, 4).unwrap_err();
        assert!(!FileError::is(&error) && error.kind() == io::ErrorKind::BrokenPipe, "{error:?}");
    }
}
