//! Admission as a pure function: is a connection that was accepted served, answered with 503, or closed at once?

/// Connections over a limit that may await their 503, in all and of one address. A further one takes the place of the
/// oldest, if that has sent no whole request yet; else it is answered if its request is there already, or closed.
const MAX_OVER_LIMIT: usize = 64;

/// What admission depends on, beside the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that count towards `--max-connections`, without the new one.
    pub serving: usize,
    /// Connections of the new one's address, it included; 0 if they are not counted.
    pub of_address: u32,
    /// Connections over a limit that await their 503, without the new one.
    pub over_limit: usize,
    /// For the new one an eviction was tried.
    pub evicted: bool,
    /// For the new one the oldest connection over the limit was to be closed.
    pub dropped: bool,
}

/// What happens to a connection that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is served.
    Serve,
    /// Evict an idle connection, and ask again.
    Evict,
    /// It is over a limit: its first request is answered with 503.
    Reject,
    /// Close the oldest connection over the limit, unless its request has come, and ask again.
    DropOldest,
    /// It is over a limit, and too many others await their 503: it is answered if its request is there, else closed.
    Drop,
}

/// Decides about one connection. 0 as `max_per_ip` means no limit.
pub fn admit(counts: &Counts, max_connections: usize, max_per_ip: u32) -> Admission {
    let beyond = if max_per_ip == 0 { 0 } else { counts.of_address.saturating_sub(max_per_ip) as usize };
    let full = counts.serving >= max_connections;
    match (beyond, full) {
        (0, false) => Admission::Serve,
        // An address that has too many connections does not evict those of others.
        (0, true) if !counts.evicted => Admission::Evict,
        (beyond, _) if beyond > MAX_OVER_LIMIT => Admission::Drop,
        _ if counts.over_limit < MAX_OVER_LIMIT => Admission::Reject,
        _ if !counts.dropped => Admission::DropOldest,
        _ => Admission::Drop,
    }
}

#[cfg(test)]
mod tests {
    use super::Admission::*;
    use super::*;

    /// One row per case: what differs from an empty server for 100 connections, 10 of them of one address.
    #[test]
    fn each_connection_is_served_rejected_or_dropped_by_the_counts() {
        type Change = fn(&mut Counts);
        let rows: &[(Change, Admission, &str)] = &[
            (|_| {}, Serve, "there is room"),
            (|c| c.serving = 99, Serve, "the last place"),
            (|c| c.serving = 100, Evict, "full: an idle connection makes room"),
            (|c| (c.serving, c.evicted) = (99, true), Serve, "which it did"),
            (|c| (c.serving, c.evicted) = (100, true), Reject, "none was idle: 503"),
            (|c| (c.serving, c.evicted) = (usize::MAX, true), Reject, "however far over the limit"),
            (|c| c.of_address = 10, Serve, "the last connection of its address"),
            (|c| c.of_address = 11, Reject, "one more than its address may have"),
            (|c| (c.of_address, c.serving) = (11, 100), Reject, "it evicts nobody"),
            (|c| c.of_address = 74, Reject, "as many as may await a 503 of one address"),
            (|c| c.of_address = 75, Drop, "more must have brought their request"),
            (|c| (c.of_address, c.over_limit) = (75, 64), Drop, "and take nobody's place"),
            (|c| c.of_address = u32::MAX, Drop, "however many"),
            (|c| (c.of_address, c.over_limit) = (11, 63), Reject, "the last that may await its 503"),
            (|c| (c.of_address, c.over_limit) = (11, 64), DropOldest, "it takes the place of the oldest"),
            (|c| (c.of_address, c.over_limit, c.dropped) = (11, 63, true), Reject, "which it did"),
            (|c| (c.of_address, c.over_limit, c.dropped) = (11, 64, true), Drop, "unless that is being answered"),
            (|c| (c.serving, c.evicted, c.over_limit) = (100, true, 64), DropOldest, "the same in a full server"),
            (|c| c.over_limit = 64, Serve, "those over the limit take no place"),
        ];
        for (change, expected, why) in rows {
            let mut counts = Counts { of_address: 1, ..Counts::default() };
            change(&mut counts);
            assert_eq!(admit(&counts, 100, 10), *expected, "{why}: {counts:?}");
        }
    }

    #[test]
    fn without_a_limit_per_address_only_the_sum_counts() {
        let counts = Counts { of_address: u32::MAX, ..Counts::default() };
        assert_eq!(admit(&counts, 100, 0), Serve);
        assert_eq!(admit(&Counts { serving: 100, evicted: true, ..counts }, 100, 0), Reject);
    }
}
