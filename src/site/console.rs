//! The console: the pages under `/-/` that show the state of the server, and who may view them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::access::Access;
use super::response::{Answer, Report};
use super::{lab, live_page, pages};
use crate::http::{Field, Method, RequestHead, Status, Tick, Version};
use crate::observe::Peer;

/// The live page may run its own script and style, and connect to this server; nothing else.
const LIVE_PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'";

/// Who may view the console (`--console`): the pages under `/-/`, and `Server-Timing` in responses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsoleAccess {
    /// Clients on this machine.
    #[default]
    Local,
    /// Nobody: there is no console.
    Off,
    /// Everybody.
    Any,
}

impl ConsoleAccess {
    /// Whether the sender of this request may view the console.
    pub fn allows(self, head: &RequestHead<'_>, peer: Peer) -> bool {
        match self {
            ConsoleAccess::Any => !is_of_another_site(head),
            ConsoleAccess::Off => false,
            ConsoleAccess::Local => {
                is_local(peer) && is_direct(head) && names_this_machine(head) && !is_of_another_site(head)
            }
        }
    }
}

/// The path at which a watchdog asks for the server's health.
pub const HEALTHY: &str = "/-/healthy";

/// One row per page: its path below `/-/`, who may view it, and what answers.
const PAGES: &[(&str, Audience, Page)] = &[
    ("", Audience::ConsoleViewers, live_page),
    ("status", Audience::ConsoleViewers, |_, _| Answer::Report(Report::Status)),
    ("events", Audience::ConsoleViewers, events),
    ("metrics", Audience::MetricsReaders, |_, _| Answer::Report(Report::Metrics)),
    ("healthy", Audience::Everybody, |_, _| health(Status::OK, "healthy\n")),
    ("ready", Audience::Everybody, ready),
];

type Page = fn(&RequestHead<'_>, &Tick<'_>) -> Answer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    ConsoleViewers,
    MetricsReaders,
    Everybody,
}

impl Audience {
    fn has(self, access: Access) -> bool {
        match self {
            Audience::ConsoleViewers => access.has_console(),
            Audience::MetricsReaders => access.has_console() || access.has_metrics_alone(),
            Audience::Everybody => true,
        }
    }
}

/// Whether a page of the console is for everybody, and there even without a console.
pub fn is_for_everybody(name: &str) -> bool {
    PAGES.iter().any(|(path, audience, _)| *path == name && *audience == Audience::Everybody)
}

/// Where a path leads that lacks a slash, or has one too many, relative to itself.
pub fn redirection(path: &str) -> Option<&'static str> {
    match path {
        "/-" => Some("-/"),
        "/-/lab" => Some("lab/"),
        "/-/status/" => Some("../status"),
        "/-/events/" => Some("../events"),
        "/-/metrics/" => Some("../metrics"),
        _ => None,
    }
}

/// Answers for the path `/-/name`. A page that the client may not view is 404.
pub fn respond(
    (name, query): (&str, Option<&str>),
    head: &RequestHead<'_>,
    access: Access,
    tick: &Tick<'_>,
) -> Result<Answer, Status> {
    if let Some(experiment) = name.strip_prefix("lab/").filter(|_| access.has_lab()) {
        return lab::respond(experiment, query, head.version);
    }
    let page = PAGES.iter().find(|(path, audience, _)| *path == name && audience.has(access));
    page.map(|(_, _, page)| page(head, tick)).ok_or(Status::NOT_FOUND)
}

fn live_page(_: &RequestHead<'_>, _: &Tick<'_>) -> Answer {
    let mut response = pages::page(Status::OK, "text/html; charset=utf-8", live_page::live_page());
    response.fields.push("Content-Security-Policy", LIVE_PAGE_POLICY).push("Cache-Control", "no-store");
    Answer::Response(response)
}

fn events(head: &RequestHead<'_>, _: &Tick<'_>) -> Answer {
    let last = head.value(Field::LastEventId).and_then(crate::http::fields::parse_digits);
    Answer::Report(Report::Feed { last })
}

fn ready(_: &RequestHead<'_>, tick: &Tick<'_>) -> Answer {
    if tick.draining { health(Status::SERVICE_UNAVAILABLE, "stopping\n") } else { health(Status::OK, "ready\n") }
}

fn health(status: Status, text: &str) -> Answer {
    let mut response = pages::page(status, "text/plain; charset=utf-8", text.as_bytes());
    response.fields.push("Cache-Control", "no-store");
    Answer::Response(response)
}

fn is_local(peer: Peer) -> bool {
    match peer {
        Peer::Ip(address) => address.ip().to_canonical().is_loopback(),
        Peer::Unix => true,
    }
}

/// Behind a proxy on this machine may be a remote client. nginx, told nothing else, adds no field and takes the name of its
/// upstream for Host, but it speaks HTTP/1.0.
fn is_direct(head: &RequestHead<'_>) -> bool {
    head.version == Version::Http11 && !head.is_forwarded()
}

/// Whether a page of another origin has made its browser send this. Such a page may lead its visitor here by a link, but
/// it can neither read what is here nor use it (Fetch Metadata Request Headers §2; RFC 6454 §7).
fn is_of_another_site(head: &RequestHead<'_>) -> bool {
    if !head.has(Field::Origin) && !head.has(Field::SecFetchSite) {
        return false;
    }
    let is = |field: Field, values: &[&str]| {
        head.value(field).is_some_and(|value| values.iter().any(|known| known.as_bytes() == value))
    };
    let is_link = head.method == Method::Get
        && is(Field::SecFetchMode, &["navigate"])
        && is(Field::SecFetchDest, &["document"])
        && !head.has(Field::Origin);
    let is_own_site = !head.has(Field::SecFetchSite) || is(Field::SecFetchSite, &["same-origin", "none"]);
    !(is_link || is_own_site && is_own_origin(head))
}

/// Whether the Origin field, if there is one, names the authority that is asked. The scheme may differ: TLS may end before
/// the server.
fn is_own_origin(head: &RequestHead<'_>) -> bool {
    if !head.has(Field::Origin) {
        return true;
    }
    let (Some(origin), Some(host)) = (head.value(Field::Origin), head.value(Field::Host)) else { return false };
    let authority = memchr::memmem::find(origin, b"://").map(|at| &origin[at + 3..]);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// A page from elsewhere can make its own name lead to this machine (DNS rebinding), but it can't make a
/// browser send an address, or `localhost`, in its place.
fn names_this_machine(head: &RequestHead<'_>) -> bool {
    // RFC 9112 §3.2.2: with a target in absolute form its authority counts, and not Host. Only proxies are sent such.
    if !head.target_as_sent.starts_with(['/', '*']) {
        return false;
    }
    let Some(host) = head.value(Field::Host) else { return false };
    if let Some(rest) = host.strip_prefix(b"[") {
        let literal = rest.split(|byte| *byte == b']').next().and_then(|literal| std::str::from_utf8(literal).ok());
        return literal.is_some_and(|literal| literal.parse::<Ipv6Addr>().is_ok());
    }
    let name = &host[..host.iter().position(|byte| *byte == b':').unwrap_or(host.len())];
    is_ipv4(name) || name.eq_ignore_ascii_case(b"localhost")
}

/// RFC 3986 §3.2.2: four numbers without leading zeros.
fn is_ipv4(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_digit)
        && std::str::from_utf8(name).is_ok_and(|name| name.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, head};

    fn allowed(access: ConsoleAccess, peer: &str, fields: &str) -> bool {
        let request = format!("GET /-/ HTTP/1.1\r\n{fields}\r\n");
        let (head, _) = head::parse(request.as_bytes(), &Limits::DEFAULT).unwrap().unwrap();
        access.allows(&head, Peer::Ip(peer.parse().unwrap()))
    }

    #[test]
    fn local_means_this_machine_no_proxy_and_no_foreign_name() {
        let rows = [
            ("127.0.0.1:1", "Host: 127.0.0.1:8080\r\n", true),
            ("127.9.9.9:1", "Host: localhost\r\n", true),
            ("[::1]:1", "Host: [::1]:8080\r\n", true),
            ("[::ffff:127.0.0.1]:1", "Host: LOCALHOST:80\r\n", true),
            ("127.0.0.1:1", "Host: 192.168.1.5\r\n", true),
            ("192.168.1.5:1", "Host: 127.0.0.1\r\n", false),
            ("127.0.0.1:1", "Host: evil.example\r\n", false),
            ("127.0.0.1:1", "Host: localhost.evil.example\r\n", false),
            ("127.0.0.1:1", "Host: 127.0.0.1.evil.example\r\n", false),
            ("127.0.0.1:1", "Host:\r\n", false),
            ("127.0.0.1:1", "Host: localhost\r\nX-Forwarded-For: 10.0.0.1\r\n", false),
            ("127.0.0.1:1", "Host: localhost\r\nForwarded: for=10.0.0.1\r\n", false),
            ("127.0.0.1:1", "Host: localhost\r\nVia: 1.1 proxy\r\n", false),
            ("127.0.0.1:1", "Host: localhost\r\nX-Real-IP: 10.0.0.1\r\n", false),
            ("127.0.0.1:1", "Host: localhost\r\nX-Forwarded-Proto: https\r\n", false),
            ("127.0.0.1:1", "Host: localhost\r\nCF-Connecting-IP: 10.0.0.1\r\n", false),
        ];
        for (peer, fields, expected) in rows {
            assert_eq!(allowed(ConsoleAccess::Local, peer, fields), expected, "{peer} {fields:?}");
            assert!(allowed(ConsoleAccess::Any, peer, fields));
            assert!(!allowed(ConsoleAccess::Off, peer, fields));
        }
    }

    #[test]
    fn a_request_of_http10_may_be_that_of_a_proxy() {
        let request = b"GET /-/ HTTP/1.0\r\nHost: localhost\r\n\r\n";
        let (head, _) = head::parse(request, &Limits::DEFAULT).unwrap().unwrap();
        assert!(!ConsoleAccess::Local.allows(&head, Peer::Unix));
        assert!(ConsoleAccess::Any.allows(&head, Peer::Unix));
    }

    /// Not even where everybody may view the console: the visitor's browser may reach what the page's author can't.
    #[test]
    fn a_page_of_another_site_can_lead_here_and_nothing_else() {
        let link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
        let rows = [
            ("", true),
            ("Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", true),
            ("Sec-Fetch-Site: same-origin\r\n", true),
            ("Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost:8080\r\n", true),
            ("Origin: http://localhost:8080\r\n", true),
            ("Origin: https://LOCALHOST:8080\r\n", true),
            (link, true),
            ("Sec-Fetch-Site: same-site\r\n", false), // another port of this machine
            ("Sec-Fetch-Site: cross-site\r\n", false),
            ("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n", false),
            (&format!("{link}Origin: http://evil.example\r\n"), false), // a form that is posted
            ("Origin: http://localhost:3000\r\n", false),
            ("Origin: http://evil.example\r\n", false),
            ("Origin: null\r\n", false),
            ("Origin:\r\n", false),
            ("Origin: http://localhost:8080\r\nOrigin: http://evil.example\r\n", false),
        ];
        for (fields, expected) in rows {
            let fields = format!("Host: localhost:8080\r\n{fields}");
            for access in [ConsoleAccess::Local, ConsoleAccess::Any] {
                assert_eq!(allowed(access, "127.0.0.1:1", &fields), expected, "{access:?} {fields:?}");
            }
        }
    }
}
