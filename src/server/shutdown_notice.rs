//! What a shutdown says while it waits: for which connections, and how long at most.

use crate::http::Limits;
use crate::observe::text::{Brief, plural};

/// Connections in flight that are named.
pub(super) const MAX_NAMED: usize = 3;

/// Columns of a request that is named.
pub(super) const NAME_COLUMNS: usize = 40;

/// The connections for which a shutdown waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// In the middle of a request or a response.
    pub(super) in_flight: u64,
    /// The first of them, as they are named.
    pub(super) named: Vec<String>,
    /// Without a request. A graceful shutdown waits for the end of their promised time.
    pub(super) idle: u64,
    /// Closed by us: we wait for the peer's FIN.
    pub(super) closing: u64,
}

impl Waiting {
    /// One line, if there is something to wait for. `again` is how to ask for the end at once.
    pub fn notice(&self, limits: &Limits, again: &str) -> Option<String> {
        let Waiting { in_flight, named, idle, closing } = self;
        let mut waits = Vec::new();
        if *in_flight > 0 {
            let more = if *in_flight > named.len() as u64 { ", …" } else { "" };
            let connections = plural(*in_flight, "connection", "connections");
            waits.push(format!("{connections} in flight ({}{more})", named.join(", ")));
        }
        if *idle > 0 {
            waits.push(plural(*idle, "idle connection", "idle connections"));
        }
        if *closing > 0 {
            waits.push(plural(*closing, "client to close its connection", "clients to close their connections"));
        }
        let nothing_to_cut = *in_flight == 0;
        let only_closing = nothing_to_cut && *idle == 0;
        let most = if only_closing { limits.linger.min(limits.drain_timeout) } else { limits.drain_timeout };
        let then = if nothing_to_cut { "stops at once" } else { "cuts them" };
        let waits = match &waits[..] {
            [] => return None,
            [one] => one.clone(),
            [others @ .., last] => format!("{} and {last}", others.join(", ")),
        };
        Some(format!("stopping: waiting at most {} for {waits}; {again} {then}", Brief(most)))
    }
}

/// One line about a shutdown that begins with the drain delay.
pub fn accepting(limits: &Limits, again: &str) -> String {
    let (delay, most) = (Brief(limits.drain_delay), Brief(limits.drain_timeout));
    format!("stopping: accepting connections for {delay}, then waiting at most {most}; {again} stops at once")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_notice_says_for_what_how_long_and_how_to_end_it() {
        let limits = Limits::DEFAULT;
        let notice = |in_flight, named: &[&str], idle, closing| {
            let named = named.iter().map(ToString::to_string).collect();
            Waiting { in_flight, named, idle, closing }.notice(&limits, "Ctrl-C again").unwrap_or_default()
        };
        for (waiting, expected) in [
            (notice(0, &[], 0, 0), ""),
            (
                notice(1, &["127.0.0.1:1 GET /a"], 0, 0),
                "stopping: waiting at most 10 s for 1 connection in flight (127.0.0.1:1 GET /a); Ctrl-C again cuts them",
            ),
            (
                notice(1_234, &["a", "b", "c"], 2, 1),
                "stopping: waiting at most 10 s for 1,234 connections in flight (a, b, c, …), 2 idle connections and \
                 1 client to close its connection; Ctrl-C again cuts them",
            ),
            (notice(0, &[], 1, 0), "stopping: waiting at most 10 s for 1 idle connection; Ctrl-C again stops at once"),
            (
                notice(0, &[], 0, 2),
                "stopping: waiting at most 2 s for 2 clients to close their connections; Ctrl-C again stops at once",
            ),
        ] {
            assert_eq!(waiting, expected);
        }
        let short = Limits { drain_timeout: Duration::from_millis(500), ..limits };
        let closing = Waiting { closing: 1, ..Waiting::default() }.notice(&short, "a second signal").unwrap();
        assert!(closing.contains("at most 500 ms for 1 client"), "{closing}");
        assert_eq!(
            accepting(&Limits { drain_delay: Duration::from_secs(5), ..limits }, "a second signal"),
            "stopping: accepting connections for 5 s, then waiting at most 10 s; a second signal stops at once"
        );
    }
}
