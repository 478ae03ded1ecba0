//! The values of `--listen`: each is a host, which may have several addresses.

use crate::server::ListenAddress;

/// The addresses of one `--listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(Vec<ListenAddress>);

/// Reads a value of `--listen`.
pub fn host(text: &str) -> Result<Host, String> {
    ListenAddress::read(text).map(Host)
}

impl Host {
    /// The first address of a host that was given before.
    pub fn given_twice(hosts: &[Host]) -> Option<&ListenAddress> {
        let is_second = |(at, host): &(usize, &Host)| hosts[..*at].contains(host) && !host.0.iter().any(takes_any_port);
        hosts.iter().enumerate().find(is_second).and_then(|(_, Host(addresses))| addresses.first())
    }

    /// The addresses of all hosts. A name may stand for one that is given by itself, too; unless several sockets may
    /// listen there, it counts once.
    pub fn addresses(hosts: &[Host], reuse_port: bool) -> Vec<ListenAddress> {
        let mut all = Vec::new();
        for address in hosts.iter().flat_map(|Host(addresses)| addresses) {
            if reuse_port || takes_any_port(address) || !all.contains(address) {
                all.push(address.clone());
            }
        }
        all
    }
}

/// Whether the kernel chooses the port.
pub fn takes_any_port(address: &ListenAddress) -> bool {
    address.port() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(written: &[&[&str]]) -> Vec<Host> {
        let read = |text: &&str| ListenAddress::read(text).unwrap();
        written.iter().map(|addresses| Host(addresses.iter().flat_map(read).collect())).collect()
    }

    #[test]
    fn an_address_that_is_given_twice_is_a_mistake_unless_a_name_brings_it() {
        let (localhost, ipv4) = (&["[::1]:80", "127.0.0.1:80"][..], &["127.0.0.1:80"][..]);
        for (written, twice) in [
            (vec![ipv4, ipv4], Some("127.0.0.1:80")),
            (vec![localhost, ipv4], None),
            (vec![ipv4, localhost], None),
            (vec![localhost, localhost], Some("[::1]:80")),
            (vec![&["127.0.0.1:0"], &["127.0.0.1:0"]], None),
            (vec![&["unix:s"], &["unix:s"]], Some("unix:s")),
        ] {
            let found = Host::given_twice(&hosts(&written)).map(ToString::to_string);
            assert_eq!(found.as_deref(), twice, "{written:?}");
        }
    }

    #[test]
    fn an_address_is_listened_on_once() {
        let listed = |written: &[&[&str]], reuse_port| Host::addresses(&hosts(written), reuse_port).len();
        assert_eq!(listed(&[&["127.0.0.1:80"], &["[::1]:80", "127.0.0.1:80"]], false), 2);
        assert_eq!(listed(&[&["127.0.0.1:80"], &["127.0.0.1:80"]], true), 2, "two sockets for one process");
        assert_eq!(listed(&[&["127.0.0.1:0"], &["127.0.0.1:0"]], false), 2, "two ports");
    }
}
