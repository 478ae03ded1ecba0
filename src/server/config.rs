//! What a server is told when it is made: where it listens, what it serves, who observes it, and its limits.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::listen::{ListenAddress, Listener, SocketOptions};
use crate::http::Limits;
use crate::observe::Observer;
use crate::site::{ConsoleAccess, ListenerRole, Site, SiteOptions};

/// Connections that are served at a time, if nobody decides otherwise.
pub const MAX_CONNECTIONS: usize = 1024;

/// What a server listens on, serves, and tells.
///
/// By default it listens on a free port of 127.0.0.1, serves the console and the lab and no file, and writes nothing.
///
/// ```
/// use holdline::server::{Config, Served};
///
/// let config = Config { serve: Served::Folder("www".into()), ..Config::default() };
/// ```
pub struct Config {
    /// The addresses to listen on.
    pub listen: Vec<ListenAddress>,
    /// The addresses of the console: everybody who connects to one of them may view it, and nobody elsewhere.
    pub console_listen: Vec<ListenAddress>,
    /// The addresses where metrics and health are served to everybody, and nothing else.
    pub metrics_listen: Vec<ListenAddress>,
    /// Listening sockets that are open already, as socket activation hands them over. If there are any, they take the
    /// place of the addresses.
    pub listeners: Vec<Listener>,
    /// Options of the sockets.
    pub socket_options: SocketOptions,
    /// What is served outside of the console.
    pub serve: Served,
    /// How it is served, and who may view the console.
    pub site_options: SiteOptions,
    /// The limits and timeouts of connections and of a shutdown.
    pub limits: Limits,
    /// Connections that are served at a time; more get 503, unless an idle one can make room.
    pub max_connections: usize,
    /// Those who are told each event of each connection.
    pub observers: Vec<Box<dyn Observer + Send>>,
}

/// What is served outside of the console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Served {
    /// No file: every path outside of the console is 404.
    #[default]
    Nothing,
    /// The demonstration site, which is part of the program.
    Demonstration,
    /// The files beneath a folder.
    Folder(PathBuf),
}

/// Why there is no server.
#[derive(Debug)]
pub enum BindError {
    /// The folder can't be served.
    Folder(PathBuf, io::Error),
    /// The address can't be listened on.
    Listen(ListenAddress, io::Error),
    /// The kernel refuses a poll, or the thread of the server.
    Poll(io::Error),
}

impl Config {
    /// Whether somebody may view the console.
    pub(super) fn has_console(&self) -> bool {
        self.site_options.console != ConsoleAccess::Off || !self.console_listen.is_empty()
    }

    /// The site that is to be served.
    pub(super) fn site(&self) -> Result<Site, BindError> {
        let mut options = self.site_options.clone();
        options.console_elsewhere |= !self.console_listen.is_empty();
        match &self.serve {
            Served::Nothing => Ok(Site::without_files(options)),
            Served::Demonstration => Ok(Site::embedded(options)),
            Served::Folder(path) => Site::open(path, options).map_err(|error| BindError::Folder(path.clone(), error)),
        }
    }

    /// The listening sockets: those that are open already, or new ones.
    pub(super) fn take_listeners(&mut self) -> Result<Vec<Listener>, BindError> {
        let mut listeners = std::mem::take(&mut self.listeners);
        let listen = if listeners.is_empty() { &self.listen[..] } else { &[] };
        let all = [listen, &self.console_listen, &self.metrics_listen].concat();
        let addresses = [
            (listen, ListenerRole::Public),
            (&self.console_listen, ListenerRole::Console),
            (&self.metrics_listen, ListenerRole::Metrics),
        ];
        for (addresses, role) in addresses {
            for address in addresses {
                let only_ipv6 = self.socket_options.only_ipv6 || has_ipv4_beside(address, &all);
                let bound = Listener::bind(address, SocketOptions { only_ipv6, ..self.socket_options });
                let bound = bound.map_err(|error| BindError::Listen(address.clone(), error))?;
                listeners.push(bound.with_role(role));
            }
        }
        Ok(listeners)
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: vec![ListenAddress::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))],
            console_listen: Vec::new(),
            metrics_listen: Vec::new(),
            listeners: Vec::new(),
            socket_options: SocketOptions::default(),
            serve: Served::default(),
            site_options: SiteOptions::default(),
            limits: Limits::default(),
            max_connections: MAX_CONNECTIONS,
            observers: Vec::new(),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { listen, listeners, serve, limits, max_connections, .. } = self;
        let mut debug = f.debug_struct("Config");
        debug.field("listen", listen).field("listeners", listeners).field("serve", serve);
        debug.field("limits", limits).field("max_connections", max_connections).finish_non_exhaustive()
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BindError::Folder(path, error) => write!(f, "cannot serve {}: {error}", path.display()),
            BindError::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            BindError::Poll(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BindError::Folder(_, error) | BindError::Listen(_, error) | BindError::Poll(error) => Some(error),
        }
    }
}

/// Whether IPv4 has an address of its own for this port, so that `[::]` must leave it alone.
fn has_ipv4_beside(address: &ListenAddress, others: &[ListenAddress]) -> bool {
    let port = address.port().filter(|port| *port != 0);
    let is_beside = |other: &ListenAddress| {
        port.is_some() && other.port() == port && matches!(other, ListenAddress::Tcp(SocketAddr::V4(_)))
    };
    others.iter().any(is_beside)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A socket for both families would be refused the port. A port that was free can be taken by another process
    /// meanwhile: then the next one is tried.
    #[test]
    fn the_wildcard_of_ipv6_leaves_ipv4_to_an_address_of_its_own() {
        let listen = || {
            let port = TcpListener::bind("[::]:0").unwrap().local_addr().unwrap().port();
            let listen = ["127.0.0.1", "[::]"].map(|ip| ListenAddress::Tcp(format!("{ip}:{port}").parse().unwrap()));
            Config { listen: listen.to_vec(), ..Config::default() }.take_listeners()
        };
        let listeners = (0..10).find_map(|_| listen().ok()).expect("one port of ten is free for both");
        let families: Vec<_> = listeners.iter().map(|listener| listener.ip_addresses().len()).collect();
        assert_eq!(families, [1, 1], "{listeners:?}");
        let mut alone = Config { listen: vec![ListenAddress::Tcp("[::]:0".parse().unwrap())], ..Config::default() };
        assert_eq!(alone.take_listeners().unwrap()[0].ip_addresses().len(), 2, "without one it takes both");
    }
}
