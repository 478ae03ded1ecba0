//! The proxies, load balancers and clients that keep idle connections to a server in a pool: what each keeps, and for
//! how long. `--behind` and the table of the documentation come from this one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::units::Span;

/// A program or service with a pool of connections to servers.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownPeer {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in sentences.
    pub title: &'static str,
    /// The setting that limits how long its connections to servers are idle.
    pub setting: &'static str,
    /// The default of that setting; `None` if it keeps idle connections without a limit.
    pub idle: Option<Duration>,
    /// What can be set, or what else limits it.
    pub range: &'static str,
    /// How long its health checks take by default to find a server that is stopping; `None` if it makes none unless
    /// it is told to.
    pub health_checks: Option<Duration>,
    /// Where this is said, with a version or a date.
    pub source: &'static str,
}

const fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

/// All of them: load balancers, proxies, clients.
pub const PEERS: &[KnownPeer] = &[
    KnownPeer {
        name: "alb",
        title: "AWS Application Load Balancer",
        setting: "idle_timeout.timeout_seconds",
        idle: seconds(60),
        range: "1 s to 4000 s",
        health_checks: seconds(60),
        source: "Elastic Load Balancing, user guide, 2026",
    },
    KnownPeer {
        name: "gcp",
        title: "Google Cloud Application Load Balancer",
        setting: "backend HTTP keepalive timeout",
        idle: seconds(600),
        range: "fixed",
        health_checks: seconds(10),
        source: "Cloud Load Balancing, external overview, 2026",
    },
    KnownPeer {
        name: "heroku",
        title: "Heroku router",
        setting: "keepalive of Router 2.0",
        idle: seconds(90),
        range: "fixed; off by http-disable-keepalive-to-dyno",
        health_checks: None,
        source: "Dev Center, HTTP routing, 2025",
    },
    KnownPeer {
        name: "cloudfront",
        title: "Amazon CloudFront",
        setting: "OriginKeepaliveTimeout",
        idle: seconds(5),
        range: "1 s to 120 s",
        health_checks: None,
        source: "CloudFront API reference, 2026",
    },
    KnownPeer {
        name: "nginx",
        title: "nginx",
        setting: "keepalive_timeout in upstream",
        idle: seconds(60),
        range: "any",
        health_checks: None,
        source: "ngx_http_upstream_module, since 1.15.3",
    },
    KnownPeer {
        name: "haproxy",
        title: "HAProxy",
        setting: "pool-purge-delay",
        idle: seconds(5),
        range: "any; each time half of the idle ones are closed",
        health_checks: seconds(6),
        source: "configuration manual of 2.6",
    },
    KnownPeer {
        name: "envoy",
        title: "Envoy",
        setting: "common_http_protocol_options.idle_timeout of the cluster",
        idle: seconds(3600),
        range: "any; 0 sets no limit",
        health_checks: None,
        source: "documentation of 1.39, timeouts",
    },
    KnownPeer {
        name: "traefik",
        title: "Traefik",
        setting: "forwardingTimeouts.idleConnTimeout",
        idle: seconds(90),
        range: "any; 0 sets no limit",
        health_checks: None,
        source: "documentation of 3, ServersTransport",
    },
    KnownPeer {
        name: "caddy",
        title: "Caddy",
        setting: "keepalive of reverse_proxy's transport",
        idle: seconds(120),
        range: "any, or off",
        health_checks: None,
        source: "documentation of 2, reverse_proxy",
    },
    KnownPeer {
        name: "apache",
        title: "Apache mod_proxy",
        setting: "ttl of ProxyPass",
        idle: None,
        range: "any; not with the prefork MPM",
        health_checks: None,
        source: "mod_proxy of 2.4",
    },
    KnownPeer {
        name: "varnish",
        title: "Varnish",
        setting: "backend_idle_timeout",
        idle: seconds(60),
        range: "1 s or more",
        health_checks: None,
        source: "varnishd(1), parameters of 7",
    },
    KnownPeer {
        name: "go",
        title: "Go net/http",
        setting: "Transport.IdleConnTimeout",
        idle: seconds(90),
        range: "any; 0 sets no limit",
        health_checks: None,
        source: "http.DefaultTransport of Go 1.27",
    },
    KnownPeer {
        name: "undici",
        title: "undici (fetch of Node)",
        setting: "keepAliveTimeout",
        idle: seconds(4),
        range: "any; follows Keep-Alive: timeout, to 600 s",
        health_checks: None,
        source: "undici, Client, 5.25",
    },
    KnownPeer {
        name: "node",
        title: "Node http.globalAgent",
        setting: "timeout",
        idle: seconds(5),
        range: "any; follows a shorter Keep-Alive: timeout",
        health_checks: None,
        source: "Node.js 25, http.globalAgent, since 19",
    },
    KnownPeer {
        name: "aiohttp",
        title: "aiohttp",
        setting: "keepalive_timeout of TCPConnector",
        idle: seconds(15),
        range: "any",
        health_checks: None,
        source: "aiohttp 3.11, client reference",
    },
    KnownPeer {
        name: "dotnet",
        title: ".NET SocketsHttpHandler",
        setting: "PooledConnectionIdleTimeout",
        idle: seconds(60),
        range: "any",
        health_checks: None,
        source: ".NET API, since .NET 6; 120 s before",
    },
    KnownPeer {
        name: "urllib3",
        title: "urllib3 (requests)",
        setting: "none",
        idle: None,
        range: "looks for the server's FIN before each request",
        health_checks: None,
        source: "urllib3 2, HTTPConnectionPool",
    },
];

/// What stands between a server and its clients, or is its client: a value of `--behind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// A pool that is known.
    Known(&'static KnownPeer),
    /// A pool that keeps idle connections for this long.
    Pool(Duration),
}

impl Behind {
    /// How long it keeps an idle connection; `None` if there is no limit.
    pub fn idle(self) -> Option<Duration> {
        match self {
            Behind::Known(peer) => peer.idle,
            Behind::Pool(idle) => Some(idle),
        }
    }
}

impl FromStr for Behind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(peer) = PEERS.iter().find(|peer| peer.name == text) {
            return Ok(Behind::Known(peer));
        }
        match text.parse::<Span>() {
            Ok(Span(idle)) => Ok(Behind::Pool(idle)),
            Err(why) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Err(why),
            Err(_) => {
                let names: Vec<&str> = PEERS.iter().map(|peer| peer.name).collect();
                Err(format!("must be a duration like 60s, or one of {}", names.join(", ")))
            }
        }
    }
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Behind::Known(peer) => f.write_str(peer.title),
            Behind::Pool(_) => f.write_str("a pool"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_known_by_its_name_and_another_by_its_idle_time() {
        for peer in PEERS {
            let known: Behind = peer.name.parse().unwrap();
            assert_eq!((known, known.idle()), (Behind::Known(peer), peer.idle));
            assert!(peer.name.parse::<Span>().is_err(), "{} is a duration too", peer.name);
        }
        assert_eq!("90s".parse::<Behind>().unwrap().idle(), seconds(90));
        for (text, why) in [("elb", "alb, gcp"), ("", "alb, gcp"), ("60", "write 60s"), ("-1s", "not be negative")] {
            let error = text.parse::<Behind>().unwrap_err();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn names_are_unique() {
        for peer in PEERS {
            assert_eq!(PEERS.iter().filter(|other| other.name == peer.name).count(), 1, "{}", peer.name);
        }
    }
}
