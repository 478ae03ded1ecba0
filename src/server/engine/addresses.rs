//! The number of open connections per address. Addresses without one are not kept.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::observe::Peer;

/// Counts of connections by address. The map's hash is keyed, so nobody can choose addresses that collide.
#[derive(Debug, Default)]
pub struct Addresses(HashMap<IpAddr, u32>);

impl Addresses {
    /// Counts one more connection. Returns how many the peer's address has now; a Unix socket has no address, and
    /// counts as 0.
    pub fn enter(&mut self, peer: Peer) -> u32 {
        let Some(address) = address_of(peer) else { return 0 };
        let count = self.0.entry(address).or_default();
        *count += 1;
        *count
    }

    /// Counts one connection less.
    pub fn leave(&mut self, peer: Peer) {
        let Some(address) = address_of(peer) else { return };
        if let Some(count) = self.0.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&address);
            }
        }
    }
}

/// The peer's address. An IPv4-mapped IPv6 address counts as the IPv4 address; of an IPv6 address only the network counts
/// (/64, RFC 4291 §2.5.1), since a host may take any address in its network.
fn address_of(peer: Peer) -> Option<IpAddr> {
    let Peer::Ip(address) = peer else { return None };
    Some(match address.ip().to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::Ip(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_counted_by_whatever_socket_and_forgotten_with_its_last_connection() {
        let mut addresses = Addresses::default();
        assert_eq!(addresses.enter(peer("192.0.2.1:1")), 1);
        assert_eq!(addresses.enter(peer("[::ffff:192.0.2.1]:2")), 2);
        assert_eq!(addresses.enter(peer("[2001:db8::1]:1")), 1);
        assert_eq!(addresses.enter(peer("[2001:db8::ffff:0:0:1]:1")), 2, "a network counts as one");
        assert_eq!(addresses.enter(peer("[2001:db8:0:1::1]:1")), 1);
        assert_eq!(addresses.enter(Peer::Unix), 0);
        addresses.leave(Peer::Unix);
        addresses.leave(peer("192.0.2.1:1"));
        assert_eq!(addresses.enter(peer("192.0.2.1:3")), 2);
        for address in ["192.0.2.1:3", "192.0.2.1:2", "[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:1::1]:1"] {
            addresses.leave(peer(address));
        }
        assert!(addresses.0.is_empty());
    }
}
