//! Where to listen, as it is written on the command line.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;

use rustix::io::Errno;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// A TCP address; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A Unix socket at this path.
    Unix(PathBuf),
}

impl ListenAddress {
    /// The port of a TCP address; 0 stands for a free one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(address) => Some(address.port()),
            Self::Unix(_) => None,
        }
    }

    /// Reads `host:port`, `[ipv6]:port` or `unix:PATH`. A name stands for all of its addresses.
    ///
    /// # Errors
    /// One line that says how to write what was probably meant.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err("the path is missing: write unix:/run/holdline.sock".into())
            } else {
                Ok(vec![Self::Unix(path.into())])
            };
        }
        let (host, port) = split(text)?;
        let port = port.parse().map_err(|_| format!("the port '{port}' is not a number from 0 to 65535"))?;
        // Brackets are for URLs; the resolver wants the address itself.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = (host, port).to_socket_addrs();
        let addresses = addresses.map_err(|_| {
            format!("cannot resolve '{host}': use 127.0.0.1:{port} for this machine, 0.0.0.0:{port} for the network")
        })?;
        let addresses = of_this_machine(addresses);
        if addresses.is_empty() { Err(format!("the host '{host}' has no address")) } else { Ok(addresses) }
    }
}

/// Each address of a name once. If there are several, those that this machine lacks are left out: `/etc/hosts` often
/// has `::1` for `localhost` where IPv6 is switched off.
fn of_this_machine(addresses: impl Iterator<Item = SocketAddr>) -> Vec<ListenAddress> {
    let mut distinct = Vec::new();
    for address in addresses {
        if !distinct.contains(&address) {
            distinct.push(address);
        }
    }
    let present: Vec<SocketAddr> = match distinct[..] {
        [] | [_] => Vec::new(),
        _ => distinct.iter().copied().filter(|address| !is_missing(*address)).collect(),
    };
    // If all are missing, the error of bind(2) says so.
    let chosen = if present.is_empty() { distinct } else { present };
    chosen.into_iter().map(ListenAddress::Tcp).collect()
}

fn is_missing(address: SocketAddr) -> bool {
    let bound = TcpListener::bind(SocketAddr::new(address.ip(), 0));
    bound.is_err_and(|error| {
        [Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    })
}

/// The host, with the brackets of an IPv6 address, and the port.
fn split(text: &str) -> Result<(&str, &str), String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let authority = rest.split('/').next().unwrap_or_default();
        return Err(format!("leave {scheme}:// out: write {}", with_port(authority)));
    }
    if text.contains('/') {
        return Err(format!("an address has no path; a Unix socket is written unix:{text}"));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(format!("an IPv6 address needs brackets: write {}", bracketed(text)));
    }
    if with_port(text) != text {
        return Err(match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => missing_host(text),
            false => format!("the port is missing: write {}", with_port(text)),
        });
    }
    // Only an IPv6 address has colons, and only it has brackets.
    match text.rsplit_once(':') {
        Some(("", port)) if !port.is_empty() => Err(missing_host(port)),
        Some((host, _)) if host.parse::<Ipv6Addr>().is_ok() => {
            Err(format!("an IPv6 address needs brackets: write {}", bracketed(text)))
        }
        Some((host, port)) if !host.contains(['[', ':', ']']) || is_bracketed(host) => Ok((host, port)),
        _ => Err("expected host:port, [ipv6]:port or unix:PATH".into()),
    }
}

fn is_bracketed(host: &str) -> bool {
    host.starts_with('[') && host.contains(':') && host.ends_with(']')
}

/// The address, with a port if it has none.
fn with_port(address: &str) -> String {
    match address.rsplit_once(':') {
        _ if address.is_empty() => String::new(),
        Some((host, "")) => format!("{host}:8080"),
        Some((_, port)) if !port.ends_with(']') => address.to_owned(),
        _ => format!("{address}:8080"),
    }
}

fn missing_host(port: &str) -> String {
    format!("the host is missing: write 127.0.0.1:{port} for this machine, 0.0.0.0:{port} for the network")
}

/// What looks like an address may have a port as its last group.
fn bracketed(text: &str) -> String {
    match text.rsplit_once(':') {
        Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() => format!("[{host}]:{port}"),
        _ => format!("[{text}]:8080"),
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_or_a_path() {
        for (text, read) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::1]:8080", "[::1]:8080"),
            ("[::]:80", "[::]:80"),
            ("unix:/run/holdline.sock", "unix:/run/holdline.sock"),
            ("unix:relative", "unix:relative"),
        ] {
            let addresses = ListenAddress::read(text).unwrap();
            assert_eq!(addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), [read]);
        }
        assert!(!ListenAddress::read("localhost:8080").unwrap().is_empty());
    }

    #[test]
    fn a_name_stands_for_each_of_its_addresses_that_this_machine_has() {
        let chosen = |addresses: &[&str]| -> Vec<String> {
            let addresses: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            of_this_machine(addresses.into_iter()).iter().map(ToString::to_string).collect()
        };
        let both = ["[::1]:80", "127.0.0.1:80"];
        assert_eq!(chosen(&both), both);
        assert_eq!(chosen(&["127.0.0.1:80", "[::1]:80", "127.0.0.1:80"]), ["127.0.0.1:80", "[::1]:80"]);
        // Addresses for documentation (RFC 3849, RFC 5737) belong to no machine.
        let foreign = ["[2001:db8::1]:80", "192.0.2.7:80"];
        assert_eq!(chosen(&[foreign[0], "127.0.0.1:80"]), ["127.0.0.1:80"]);
        assert_eq!(chosen(&foreign), foreign, "the error of bind(2) names one of them");
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_the_way_to_write_it() {
        for (text, hint) in [
            ("8080", "write 127.0.0.1:8080 for this machine"),
            (":8080", "write 127.0.0.1:8080 for this machine"),
            ("127.0.0.1", "the port is missing: write 127.0.0.1:8080"),
            ("127.0.0.1:", "the port is missing: write 127.0.0.1:8080"),
            ("localhost", "write localhost:8080"),
            ("", "expected host:port"),
            (":", "the port is missing"),
            ("[::1]", "write [::1]:8080"),
            ("[::1", "expected host:port"),
            ("[::1:8080", "expected host:port"),
            ("::1]:8080", "expected host:port"),
            ("::1", "write [::1]:8080"),
            ("::1:8080", "write [::1]:8080"),
            ("::1:34001", "write [::1]:34001"),
            ("2001:db8::1:81", "write [2001:db8::1]:81"),
            ("fe80::1:2:3:4:5", "brackets"),
            ("a:b:c", "expected host:port"),
            ("[localhost]:80", "expected host:port"),
            ("127.0.0.1:99999", "'99999' is not a number from 0 to 65535"),
            ("127.0.0.1:-1", "'-1' is not a number"),
            ("127.0.0.1:http", "'http' is not a number"),
            ("http://127.0.0.1:8080", "write 127.0.0.1:8080"),
            ("https://localhost:8443/x", "write localhost:8443"),
            ("http://localhost/", "write localhost:8080"),
            ("127.0.0.1:8080/", "no path"),
            ("/run/holdline.sock", "written unix:/run/holdline.sock"),
            ("unix:", "the path is missing"),
            ("no-such-host.invalid:8080", "cannot resolve 'no-such-host.invalid': use 127.0.0.1:8080"),
        ] {
            let error = ListenAddress::read(text).unwrap_err();
            assert!(error.contains(hint), "{text:?}: {error}");
        }
    }
}
