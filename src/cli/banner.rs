//! What a terminal shows below the first line: what to open in a browser, and how to stop.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::observe::Palette;
use crate::site::ConsoleAccess;

/// The addresses of this machine by which others reach it.
///
/// # Errors
/// What the kernel says.
pub fn network_addresses() -> io::Result<Vec<IpAddr>> {
    let addresses = if_addrs::get_if_addrs()?.into_iter().map(|interface| interface.ip());
    // No browser opens a link-local address of IPv6: it would have to name the interface.
    let is_reachable = |address: &IpAddr| match address {
        IpAddr::V4(_) => !address.is_loopback(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    };
    Ok(addresses.filter(is_reachable).collect())
}

/// The rows for a server that listens on these addresses.
pub fn banner(listening: &[SocketAddr], network: &[IpAddr], console: ConsoleAccess, palette: &Palette) -> String {
    let mut rows = Rows { text: String::new(), palette };
    let wildcards = || listening.iter().filter(|address| address.ip().is_unspecified());
    for (number, address) in wildcards().enumerate() {
        rows.add_url(if number == 0 { "this machine" } else { "" }, &url(on_this_machine(*address)), "");
    }
    let beyond = wildcards().flat_map(|wildcard| {
        let same_version = network.iter().filter(|address| address.is_ipv4() == wildcard.is_ipv4());
        same_version.map(|address| SocketAddr::new(*address, wildcard.port()))
    });
    for (number, address) in beyond.enumerate() {
        rows.add_url(if number == 0 { "network" } else { "" }, &url(address), "");
    }
    let is_local = |address: &&SocketAddr| address.ip().is_loopback() || address.ip().is_unspecified();
    let viewed_at = match console {
        ConsoleAccess::Off => None,
        ConsoleAccess::Local => listening.iter().find(is_local),
        ConsoleAccess::Any => listening.iter().find(is_local).or(listening.first()),
    };
    if let Some(address) = viewed_at {
        let everyone_can_ask = listening.iter().any(|address| !address.ip().is_loopback());
        let audience = match console {
            ConsoleAccess::Any if everyone_can_ask => "(open to everyone)",
            ConsoleAccess::Local if everyone_can_ask => "(from this machine only)",
            _ => "",
        };
        rows.add_url("live page", &format!("{}-/", url(on_this_machine(*address))), audience);
    }
    rows.add("stop", "Ctrl-C");
    rows.text
}

/// Where a browser on this machine finds what listens there.
fn on_this_machine(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(ip, address.port())
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

struct Rows<'a> {
    text: String,
    palette: &'a Palette,
}

impl Rows<'_> {
    fn add(&mut self, label: &str, value: &str) {
        let dim = self.palette.dim;
        let _ = writeln!(self.text, "  {dim}{label:<14}{dim:#}{value}");
    }

    fn add_url(&mut self, label: &str, target: &str, note: &str) {
        let Palette { url, dim, .. } = *self.palette;
        let note = if note.is_empty() { String::new() } else { format!("  {dim}{note}{dim:#}") };
        self.add(label, &format!("{url}{target}{url:#}{note}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(listening: &[&str], console: ConsoleAccess) -> String {
        let listening: Vec<SocketAddr> = listening.iter().map(|address| address.parse().unwrap()).collect();
        let network = ["192.168.1.20", "10.0.0.5", "2001:db8::20"].map(|address| address.parse().unwrap());
        banner(&listening, &network, console, &Palette::PLAIN)
    }

    #[test]
    fn on_the_loopback_there_is_nothing_but_the_live_page_to_name() {
        assert_eq!(
            shown(&["127.0.0.1:8080"], ConsoleAccess::Local),
            "  live page     http://127.0.0.1:8080/-/\n  stop          Ctrl-C\n"
        );
        assert_eq!(shown(&["127.0.0.1:8080"], ConsoleAccess::Off), "  stop          Ctrl-C\n");
        assert!(shown(&["[::1]:8080"], ConsoleAccess::Any).contains("http://[::1]:8080/-/\n"));
        assert_eq!(shown(&[], ConsoleAccess::Local), "  stop          Ctrl-C\n", "a Unix socket has no URL");
    }

    #[test]
    fn a_wildcard_is_named_by_each_address_that_it_stands_for() {
        assert_eq!(
            shown(&["0.0.0.0:8080", "[::]:8081"], ConsoleAccess::Local),
            "  this machine  http://127.0.0.1:8080/
                http://[::1]:8081/
  network       http://192.168.1.20:8080/
                http://10.0.0.5:8080/
                http://[2001:db8::20]:8081/
  live page     http://127.0.0.1:8080/-/  (from this machine only)
  stop          Ctrl-C
"
        );
        let for_all = shown(&["0.0.0.0:80"], ConsoleAccess::Any);
        assert!(for_all.contains("  live page     http://127.0.0.1:80/-/  (open to everyone)\n"), "{for_all}");
    }

    /// A client that asks by an address of the network is not local, not even from the same machine.
    #[test]
    fn the_live_page_is_named_only_where_it_can_be_seen() {
        assert_eq!(shown(&["192.168.1.20:8080"], ConsoleAccess::Local), "  stop          Ctrl-C\n");
        let open = shown(&["192.168.1.20:8080"], ConsoleAccess::Any);
        assert!(open.contains("  live page     http://192.168.1.20:8080/-/  (open to everyone)\n"), "{open}");
        let both = shown(&["192.168.1.20:8080", "127.0.0.1:8081"], ConsoleAccess::Local);
        assert!(both.contains("  live page     http://127.0.0.1:8081/-/  (from this machine only)\n"), "{both}");
    }

    #[test]
    fn addresses_are_coloured() {
        let text = banner(&["127.0.0.1:1".parse().unwrap()], &[], ConsoleAccess::Local, &Palette::COLOURS);
        let url = Palette::COLOURS.url;
        assert!(text.contains(&format!("{url}http://127.0.0.1:1/-/{url:#}")), "{text:?}");
    }
}
