//! The device of a log: a file, a pipe, a terminal or a socket. Writing to it never blocks.

use std::io::{self, ErrorKind, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::net::SendFlags;
use rustix::process::{PidfdFlags, PidfdGetfdFlags};

/// Bytes that a pipe takes without blocking when it reports room (`PIPE_BUF`, pipe(7)).
const PIPE_BUF: usize = 4096;

/// A device that is open for appending.
#[derive(Debug)]
pub struct Device {
    fd: OwnedFd,
    mode: WriteMode,
}

/// How a write to the device is kept from blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteMode {
    /// By itself: a regular file does not block, and all else is open non-blocking.
    Plain,
    /// A socket: each send has MSG_DONTWAIT.
    Socket,
    /// Shared with other processes, which expect it to block: poll(2) is asked for room before each small write.
    Shared,
}

impl Device {
    /// Opens a file by its name; creates it if there is none.
    ///
    /// # Errors
    /// The kernel's error.
    pub fn open(path: &Path) -> io::Result<Self> {
        // A FIFO is opened for reading too: so the open needs no reader, and readers may come and go.
        let is_fifo = rustix::fs::stat(path).is_ok_and(|stat| file_type(&stat) == FileType::Fifo);
        let access = if is_fifo { OFlags::RDWR } else { OFlags::WRONLY };
        let fd = rustix::fs::open(path, access | OFlags::CREATE | APPENDING, Mode::from_raw_mode(0o644))?;
        Ok(Device { fd, mode: WriteMode::Plain })
    }

    /// Standard output or standard error. Its open file description is shared with other processes, such as the shell:
    /// it is opened again, so that only ours becomes non-blocking.
    ///
    /// # Errors
    /// If it is closed, or no descriptor is left.
    pub fn inherited(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let own = || fd.try_clone_to_owned();
        match file_type(&rustix::fs::fstat(fd)?) {
            FileType::RegularFile => Ok(Device { fd: own()?, mode: WriteMode::Plain }),
            FileType::Socket => Ok(Device { fd: own()?, mode: WriteMode::Socket }),
            _ => {
                let name = format!("/proc/self/fd/{}", fd.as_raw_fd());
                match rustix::fs::open(name, OFlags::WRONLY | APPENDING, Mode::empty()) {
                    Ok(fd) => Ok(Device { fd, mode: WriteMode::Plain }),
                    // It is a pipe of another user, or there is no /proc.
                    Err(_) => Ok(Device { fd: own()?, mode: WriteMode::Shared }),
                }
            }
        }
    }

    /// A descriptor that was inherited under this number, as a shell's `3>file` passes one.
    ///
    /// # Errors
    /// If there is none.
    pub fn numbered(number: RawFd) -> io::Result<Self> {
        match number {
            1 => Device::inherited(io::stdout().as_fd()),
            2 => Device::inherited(io::stderr().as_fd()),
            _ => Device::inherited(duplicate(number)?.as_fd()),
        }
    }

    /// Writes some of the bytes, without blocking.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; the kernel's error otherwise.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.mode {
            WriteMode::Plain => Ok(rustix::io::write(&self.fd, bytes)?),
            WriteMode::Socket => Ok(rustix::net::send(&self.fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?),
            WriteMode::Shared => {
                let mut room = [PollFd::new(&self.fd, PollFlags::OUT)];
                if rustix::event::poll(&mut room, Some(&Timespec::default()))? == 0 {
                    return Err(ErrorKind::WouldBlock.into());
                }
                Ok(rustix::io::write(&self.fd, &bytes[..bytes.len().min(PIPE_BUF)])?)
            }
        }
    }

    /// Whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.fd.is_terminal()
    }

    /// Whether both are the same file, pipe, terminal or socket.
    pub fn is_same(&self, other: &Device) -> bool {
        let identity =
            |device: &Device| rustix::fs::fstat(device.fd.as_fd()).map(|stat| (stat.st_dev, stat.st_ino)).ok();
        identity(self).is_some_and(|own| Some(own) == identity(other))
    }
}

/// `APPEND` lets others truncate the file or write to it; `NOCTTY` keeps a terminal from becoming ours.
const APPENDING: OFlags = OFlags::APPEND.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

/// Duplicates a descriptor of which only the number is known. A socket can't be opened by its name under `/proc`, which is
/// the fallback for a kernel or a filter that refuses pidfd_getfd(2).
fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    let own = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty());
    match own.and_then(|own| rustix::process::pidfd_getfd(own, number, PidfdGetfdFlags::empty())) {
        Ok(fd) => Ok(fd),
        Err(rustix::io::Errno::BADF) => Err(rustix::io::Errno::BADF.into()),
        Err(_) => Ok(rustix::fs::open(format!("/proc/self/fd/{number}"), OFlags::WRONLY | APPENDING, Mode::empty())?),
    }
}

fn file_type(stat: &rustix::fs::Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use super::*;

    /// Writes until there is no room, twice: the second time after a reader has made some.
    fn fill_and_go_on(device: &Device, mut reader: File) {
        let line = [&[b'x'; 999][..], b"\n"].concat();
        let fill = || {
            let mut written = 0;
            loop {
                match device.write(&line) {
                    Ok(count) => written += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return written,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let first = fill();
        assert!(first > PIPE_BUF, "a pipe holds more than {first}");
        let mut taken = vec![0; first];
        reader.read_exact(&mut taken).unwrap();
        assert!(fill() > 0, "no room after a reader has made some");
    }

    #[test]
    fn a_pipe_that_is_full_keeps_nobody_waiting() {
        let (reader, writer) = io::pipe().unwrap();
        let device = Device::inherited(writer.as_fd()).unwrap();
        assert_eq!(device.mode, WriteMode::Plain);
        fill_and_go_on(&device, OwnedFd::from(reader).into());
        let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
        assert!(!flags.contains(OFlags::NONBLOCK), "others share this description");
    }

    /// A pipe that belongs to another user can't be opened again.
    #[test]
    fn a_shared_pipe_that_is_full_keeps_nobody_waiting() {
        let (reader, writer) = io::pipe().unwrap();
        let device = Device { fd: writer.into(), mode: WriteMode::Shared };
        fill_and_go_on(&device, OwnedFd::from(reader).into());
    }

    #[test]
    fn a_socket_that_is_full_keeps_nobody_waiting() {
        let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
        let device = Device::inherited(writer.as_fd()).unwrap();
        assert_eq!(device.mode, WriteMode::Socket);
        fill_and_go_on(&device, OwnedFd::from(reader).into());
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error() {
        for shared in [false, true] {
            let (reader, writer) = io::pipe().unwrap();
            let device = match shared {
                false => Device::inherited(writer.as_fd()).unwrap(),
                true => Device { fd: writer.into(), mode: WriteMode::Shared },
            };
            drop(reader);
            assert_eq!(device.write(b"line\n").unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
    }
}
