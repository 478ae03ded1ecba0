//! Why the server or a tool can't start, in one line that says what to try.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::errors::meant_by;
use crate::server::{BindError, ListenAddress};

/// Ports below it are for privileged processes, if the system's administrator has not changed that.
const FIRST_FREE_PORT: u16 = 1024;

/// There is no server.
pub fn cannot_start(error: &BindError) -> String {
    match error {
        BindError::Folder(root, error) => cannot_serve(root, error),
        BindError::Listen(address, error) => cannot_listen(address, error),
        BindError::Poll(error) => format!("cannot start: {}", reason(error)),
    }
}

/// The folder can't be served.
fn cannot_serve(root: &Path, error: &io::Error) -> String {
    let why = match error.kind() {
        ErrorKind::NotFound => format!("there is no such folder; {}", instead_of(root)),
        ErrorKind::NotADirectory if root.is_file() => {
            format!("it is a file; 'holdline {}' serves its folder", folder_of(root).display())
        }
        ErrorKind::NotADirectory => format!("there is no such folder; {}", instead_of(root)),
        ErrorKind::PermissionDenied => "permission denied; this user must be allowed to read and search it".to_owned(),
        _ => reason(error),
    };
    format!("cannot serve {}: {why}", root.display())
}

/// The address can't be listened on.
fn cannot_listen(address: &ListenAddress, error: &io::Error) -> String {
    let why = match address {
        ListenAddress::Tcp(address) => tcp_advice(*address, error),
        ListenAddress::Unix(path) => unix_advice(path, error),
    };
    format!("cannot listen on {address}: {}", why.unwrap_or_else(|| reason(error)))
}

/// The log can't be opened.
pub fn cannot_open_log(path: &Path, error: &io::Error) -> String {
    format!("cannot open the log {}: {}", path.display(), file_advice(path, error))
}

/// The result can't be written.
pub fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {}", path.display(), file_advice(path, error))
}

fn file_advice(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("there is no folder {}; create it first", folder_of(path).display()),
        ErrorKind::IsADirectory => "it is a folder; name a file in it".to_owned(),
        ErrorKind::PermissionDenied => "permission denied; this user must be allowed to write it".to_owned(),
        _ => reason(error),
    }
}

/// What the system says, without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    text.chars().take(1).flat_map(char::to_lowercase).chain(text.chars().skip(1)).collect()
}

/// What was probably meant by a ROOT that is missing.
fn instead_of(root: &Path) -> String {
    let port = root.to_str().and_then(|word| word.rsplit(':').next()?.trim_end_matches('/').parse::<u16>().ok());
    match port {
        Some(port) => format!("did you mean '--listen 127.0.0.1:{port}'?"),
        None => meant_by(root.as_os_str()).unwrap_or_else(|| "'holdline .' serves this folder".to_owned()),
    }
}

fn tcp_advice(address: SocketAddr, error: &io::Error) -> Option<String> {
    let (ip, port) = (address.ip(), address.port());
    match error.kind() {
        ErrorKind::AddrInUse => {
            Some(format!("the port is in use; try --listen {} for a free one", SocketAddr::new(ip, 0)))
        }
        ErrorKind::PermissionDenied if port < FIRST_FREE_PORT => {
            let free = SocketAddr::new(ip, port + 8000);
            Some(format!("a port below {FIRST_FREE_PORT} needs a privilege; try --listen {free}"))
        }
        ErrorKind::AddrNotAvailable => {
            let [here, network]: [IpAddr; 2] = match ip {
                IpAddr::V4(_) => [Ipv4Addr::LOCALHOST.into(), Ipv4Addr::UNSPECIFIED.into()],
                IpAddr::V6(_) => [Ipv6Addr::LOCALHOST.into(), Ipv6Addr::UNSPECIFIED.into()],
            };
            let [here, network] = [here, network].map(|ip| SocketAddr::new(ip, port));
            Some(format!(
                "this machine has no such address; try --listen {here} for this machine, {network} for the network"
            ))
        }
        _ => None,
    }
}

fn unix_advice(path: &Path, error: &io::Error) -> Option<String> {
    let folder = folder_of(path);
    let folder = folder.display();
    match error.kind() {
        ErrorKind::NotFound => Some(format!("there is no folder {folder}; create it first")),
        ErrorKind::PermissionDenied => {
            Some(format!("permission denied; this user must be allowed to write in {folder}"))
        }
        ErrorKind::AddrInUse if is_socket(path) => {
            Some("another process listens there; stop it or choose another path".into())
        }
        ErrorKind::AddrInUse => Some("a file has this name; remove it or choose another path".into()),
        // Of the errors of bind(2) this one is the standard library's own: the path is too long for an address.
        ErrorKind::InvalidInput => Some("the path is too long for a socket; choose a shorter one".into()),
        _ => None,
    }
}

fn is_socket(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// What opening this file for writing would fail with, as far as can be known before there is something to write.
pub fn check_writable(path: &Path) -> io::Result<()> {
    match path.is_dir() {
        true => Err(ErrorKind::IsADirectory.into()),
        // The folder is looked for through the dot, so that a file of its name does not count.
        false => folder_of(path).join(".").symlink_metadata().map(drop),
    }
}

/// The folder in which a path lies, `.` if it is a name alone.
fn folder_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What tests can't cause on every machine: some run as root, some in containers where all ports are free.
    #[test]
    fn an_address_that_can_not_be_had_is_answered_with_one_that_can() {
        for (address, kind, advice) in [
            ("127.0.0.1:8080", ErrorKind::AddrInUse, "the port is in use; try --listen 127.0.0.1:0 for a free one"),
            ("[::1]:8080", ErrorKind::AddrInUse, "try --listen [::1]:0 for a free one"),
            (
                "0.0.0.0:80",
                ErrorKind::PermissionDenied,
                "a port below 1024 needs a privilege; try --listen 0.0.0.0:8080",
            ),
            ("[::]:443", ErrorKind::PermissionDenied, "try --listen [::]:8443"),
            ("127.0.0.1:8080", ErrorKind::PermissionDenied, "cannot listen on 127.0.0.1:8080: permission denied"),
            ("192.0.2.1:80", ErrorKind::AddrNotAvailable, "try --listen 127.0.0.1:80 for this machine, 0.0.0.0:80 for"),
            ("[2001:db8::1]:80", ErrorKind::AddrNotAvailable, "try --listen [::1]:80 for this machine, [::]:80 for"),
            ("unix:/no/such/socket", ErrorKind::PermissionDenied, "must be allowed to write in /no/such"),
            ("unix:socket", ErrorKind::NotFound, "there is no folder .; create it first"),
        ] {
            let line = cannot_listen(&ListenAddress::read(address).unwrap()[0], &kind.into());
            assert!(line.starts_with(&format!("cannot listen on {address}: ")) && line.contains(advice), "{line}");
        }
    }

    #[test]
    fn the_number_of_an_error_is_left_out() {
        assert_eq!(reason(&io::Error::from_raw_os_error(24)), "too many open files");
        assert_eq!(reason(&io::Error::other("What else?")), "what else?");
    }
}
