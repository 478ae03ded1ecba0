//! Where to: an `http` URL, taken apart (RFC 9110 §4.2.1, RFC 3986 §3).

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use crate::http::is_host;

/// The port of `http` URLs that name none.
const DEFAULT_PORT: u16 = 80;

/// The target of requests: a server and what to ask of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// The host and perhaps a port, as the field `Host` says them.
    pub authority: String,
    /// The path and perhaps a query: the target of the request line.
    pub path: String,
    /// The host as the resolver wants it, without brackets.
    host: String,
    port: u16,
}

impl HttpUrl {
    /// The addresses of the server.
    ///
    /// # Errors
    /// If the name is not known.
    pub fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }
}

impl FromStr for HttpUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err("https is not measured: give the http URL of the server behind TLS".into());
            }
            None if begins_with_host(url) => return Err(format!("a URL begins with http://: write http://{url}")),
            _ => return Err("expected a URL like http://127.0.0.1:8080/".into()),
        };
        // What would end the request line early, or mean something else in it.
        if let Some(odd) = url.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(format!("a URL cannot contain {odd:?}: write it percent-encoded"));
        }
        // A fragment is never sent (RFC 9110 §7.1).
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("a user name in a URL is not sent: leave it out".into());
        }
        if !is_host(authority.as_bytes()) {
            return Err(format!("'{authority}' is not a host and port: expected a URL like http://127.0.0.1:8080/"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => (host, digits),
            _ => (authority, ""),
        };
        if host.is_empty() {
            return Err("the host is missing: expected a URL like http://127.0.0.1:8080/".into());
        }
        let port = if port.is_empty() { Ok(DEFAULT_PORT) } else { port.parse() };
        Ok(HttpUrl {
            authority: authority.to_owned(),
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: port.map_err(|_| "the port is not a number from 0 to 65535")?,
        })
    }
}

/// Whether only the scheme is missing.
fn begins_with_host(text: &str) -> bool {
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty() && is_host(host.as_bytes())
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_a_port_and_a_path() {
        for (url, authority, host, port, path) in [
            ("http://127.0.0.1:8080/a?b=c#d", "127.0.0.1:8080", "127.0.0.1", 8080, "/a?b=c"),
            ("HTTP://example.org", "example.org", "example.org", 80, "/"),
            ("http://example.org?q", "example.org", "example.org", 80, "/?q"),
            ("http://[::1]:81/", "[::1]:81", "::1", 81, "/"),
            ("http://[::1]/x", "[::1]", "::1", 80, "/x"),
            ("http://host:/", "host:", "host", 80, "/"),
        ] {
            let target: HttpUrl = url.parse().unwrap();
            let parts = (target.authority.as_str(), target.host.as_str(), target.port, target.path.as_str());
            assert_eq!(parts, (authority, host, port, path), "{url}");
        }
    }

    #[test]
    fn a_url_that_is_not_of_http_is_refused_with_the_reason() {
        for (url, why) in [
            ("https://example.org/", "https is not measured"),
            ("ftp://example.org/", "expected a URL"),
            ("example.org", "write http://example.org"),
            ("127.0.0.1:8080/a?b", "write http://127.0.0.1:8080/a?b"),
            ("[::1]:8080", "write http://[::1]:8080"),
            ("/path", "expected a URL"),
            ("", "expected a URL"),
            ("http://", "host is missing"),
            ("http:///path", "host is missing"),
            ("http://:80/", "host is missing"),
            ("http://user@host/", "user name"),
            ("http://host:99999/", "not a host"),
            ("http://[::1/", "not a host"),
            ("http://host/a b", "percent-encoded"),
            ("http://host/\r\nX: y", "percent-encoded"),
        ] {
            let error = url.parse::<HttpUrl>().unwrap_err();
            assert!(error.contains(why), "{url:?}: {error}");
        }
    }
}
