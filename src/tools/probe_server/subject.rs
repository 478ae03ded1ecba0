//! The server that is probed, and what is sent to it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use crate::tools::connection::{Broken, ClientConnection};
use crate::tools::response::Head;
use crate::tools::url::HttpUrl;

/// How long to wait for the FIN of a server that has to close.
pub const CLOSE_WAIT: Duration = Duration::from_millis(500);

/// One server at one address, and what is asked of it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The URL that is requested.
    pub url: HttpUrl,
    /// Where the server is.
    pub address: SocketAddr,
}

impl Subject {
    /// Finds the address at which the server answers, and its response.
    ///
    /// # Errors
    /// If there is none, or more than one; one line that says why.
    pub fn find(url: &HttpUrl) -> Result<(Subject, Head), String> {
        let addresses = url.resolve().map_err(|_| format!("cannot find the host of {url}: check its name"))?;
        check_is_one(&addresses).map_err(|why| format!("{url} {why}"))?;
        let mut why = "it has no address".to_owned();
        for address in addresses {
            let subject = Subject { url: url.clone(), address };
            match ClientConnection::open(address) {
                Ok(mut connection) => {
                    let head = subject.get(&mut connection, "Connection: close\r\n");
                    return Ok((subject, head.map_err(|broken| format!("{url}: {broken}"))?));
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    why = "nothing listens there; start the server, or check the port".to_owned();
                }
                Err(error) => why = error.to_string(),
            }
        }
        Err(format!("cannot connect to {url}: {why}"))
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// In words, if the server can't be reached.
    pub fn open(&self) -> Result<ClientConnection, String> {
        ClientConnection::open(self.address).map_err(|error| format!("cannot connect: {error}"))
    }

    /// A request without content: its method, and further field lines with their ends.
    pub fn request(&self, method: &str, fields: &str) -> String {
        self.head(method, "HTTP/1.1", fields) + "\r\n"
    }

    /// The head of a request without its last, empty line.
    pub fn head(&self, method: &str, version: &str, fields: &str) -> String {
        let HttpUrl { authority, path, .. } = &self.url;
        format!("{method} {path} {version}\r\nHost: {authority}\r\nUser-Agent: holdline probe-server\r\n{fields}")
    }

    /// Makes a GET with these field lines, and reads the response.
    ///
    /// # Errors
    /// If there is none, or not all of it.
    pub fn get(&self, connection: &mut ClientConnection, fields: &str) -> Result<Head, Broken> {
        connection.send(self.request("GET", fields).as_bytes())?;
        connection.read_response(false)
    }
}

/// Refuses a name that stands for several machines: each may do something else.
fn check_is_one(addresses: &[SocketAddr]) -> Result<(), String> {
    let machines: BTreeSet<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
    // A name like localhost has an address of each version.
    if machines.len() < 2 || machines.iter().all(IpAddr::is_loopback) {
        return Ok(());
    }
    let all: Vec<String> = machines.iter().map(ToString::to_string).collect();
    Err(format!("has several addresses: write one of {} in place of the name", all.join(", ")))
}

/// Waits until this moment.
pub fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_several_machines_is_refused() {
        let check = |addresses: &[&str]| {
            let addresses: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            check_is_one(&addresses)
        };
        assert_eq!(check(&["192.0.2.1:80"]), Ok(()));
        assert_eq!(check(&["192.0.2.1:80", "192.0.2.1:80"]), Ok(()));
        assert_eq!(check(&["[::1]:80", "127.0.0.1:80"]), Ok(()));
        let why = "has several addresses: write one of 192.0.2.1, 192.0.2.2 in place of the name";
        assert_eq!(check(&["192.0.2.2:80", "192.0.2.1:80"]), Err(why.to_owned()));
    }
}
