//! The ledger: one line a connection, at its end. Who ended it, how, and why.

use std::fmt;

use super::Life;
use super::text::{Escaped, Size, yes_no};

/// A connection's life as `key=value` members.
#[derive(Clone, Copy, Debug)]
pub struct LedgerLine<'a>(pub &'a Life<'a>);

impl fmt::Display for LedgerLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let life = self.0;
        let reason = life.ending.reason;
        write!(
            f,
            "conn={} peer={} by={} how={} reason={reason} announced={} requests={} idle={:.1}s age={:.1}s received={} sent={}",
            life.id,
            life.peer,
            reason.by().label(),
            life.ending.how.label(),
            yes_no(life.announced),
            life.requests,
            life.idle.as_secs_f64(),
            life.age.as_secs_f64(),
            Size(life.received),
            Size(life.sent),
        )?;
        match life.round_trip {
            Some(round_trip) => write!(f, " rtt={:.2}ms", round_trip.as_secs_f64() * 1000.0)?,
            None => f.write_str(" rtt=-")?,
        }
        match life.race {
            Some(late) => write!(f, " race=yes late={:.1}ms", late.as_secs_f64() * 1000.0)?,
            None => f.write_str(" race=no")?,
        }
        write!(f, " first=\"{}\" last=\"{}\"", Escaped(life.first.as_bytes()), Escaped(life.last.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::{CloseReason, Ending, FirstFin, How};
    use crate::observe::{ConnectionId, Peer};

    #[test]
    fn a_line_holds_the_members_that_the_interface_names() {
        let mut life = Life {
            id: ConnectionId(12),
            peer: Peer::Ip("127.0.0.1:50312".parse().unwrap()),
            ending: Ending { reason: CloseReason::IdleTimeout, how: How::Fin },
            announced: false,
            first_fin: FirstFin::Server,
            requests: 3,
            idle: Duration::from_secs(75),
            age: Duration::from_millis(81_200),
            received: 1_200,
            sent: 812_000,
            round_trip: Some(Duration::from_micros(40)),
            race: None,
            first: "GET /",
            last: "GET /app.js",
        };
        assert_eq!(
            LedgerLine(&life).to_string(),
            "conn=12 peer=127.0.0.1:50312 by=server how=fin reason=idle-timeout announced=no requests=3 idle=75.0s \
             age=81.2s received=1.2k sent=812k rtt=0.04ms race=no first=\"GET /\" last=\"GET /app.js\""
        );
        life.race = Some(Duration::from_micros(2_100));
        assert!(LedgerLine(&life).to_string().contains(" race=yes late=2.1ms "));
    }
}
