//! The ledger: one line per connection, at its end, that says who ended it, how and why.

use std::fmt;

use serde::{Serialize, Serializer};

use super::text::{Escaped, Size, as_text, micros, yes_no};
use super::{Life, Peer};
use crate::http::Closer;

/// A connection's life as `key=value` members, or as an object of JSON.
#[derive(Clone, Copy, Debug)]
pub struct LedgerLine<'a>(pub &'a Life<'a>);

impl fmt::Display for LedgerLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let life = self.0;
        let reason = life.ending.reason;
        write!(f, "conn={} peer={} by={} how={}", life.id, life.peer, reason.by().label(), life.ending.how.label())?;
        if let Some(side) = life.reset_by {
            write!(f, " reset-by={}", side.label())?;
        }
        write!(
            f,
            " reason={reason} announced={} first-fin={} requests={} idle={:.1}s age={:.1}s received={} sent={}",
            yes_no(life.announced),
            life.first_fin.label(),
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

/// The members of the line as JSON: exact numbers, units in the names.
#[derive(Serialize)]
struct LedgerJson<'a> {
    conn: u64,
    #[serde(serialize_with = "as_text")]
    peer: Peer,
    by: &'static str,
    how: &'static str,
    reset_by: Option<&'static str>,
    reason: &'static str,
    announced: bool,
    first_fin: &'static str,
    requests: u32,
    idle_us: u64,
    age_us: u64,
    received_bytes: u64,
    sent_bytes: u64,
    rtt_us: Option<u64>,
    race: bool,
    late_us: Option<u64>,
    first: Option<&'a str>,
    last: Option<&'a str>,
}

impl Serialize for LedgerLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let life = self.0;
        let request = |line| Some(line).filter(|line: &&str| !line.is_empty());
        let members = LedgerJson {
            conn: life.id.0,
            peer: life.peer,
            by: life.ending.reason.by().label(),
            how: life.ending.how.label(),
            reset_by: life.reset_by.map(Closer::label),
            reason: life.ending.reason.label(),
            announced: life.announced,
            first_fin: life.first_fin.label(),
            requests: life.requests,
            idle_us: micros(life.idle),
            age_us: micros(life.age),
            received_bytes: life.received,
            sent_bytes: life.sent,
            rtt_us: life.round_trip.map(micros),
            race: life.race.is_some(),
            late_us: life.race.map(micros),
            first: request(life.first),
            last: request(life.last),
        };
        members.serialize(serializer)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::{CloseReason, Closer, Ending, FirstFin, How};
    use crate::observe::ConnectionId;

    /// Of a connection that the server closed after some requests.
    pub fn life() -> Life<'static> {
        Life {
            id: ConnectionId(12),
            peer: Peer::Ip("127.0.0.1:50312".parse().unwrap()),
            ending: Ending { reason: CloseReason::IdleTimeout, how: How::Fin },
            announced: false,
            first_fin: FirstFin::Server,
            reset_by: None,
            requests: 3,
            idle: Duration::from_secs(75),
            age: Duration::from_millis(81_200),
            received: 1_200,
            sent: 812_000,
            round_trip: Some(Duration::from_micros(40)),
            race: None,
            first: "GET /",
            last: "GET /app.js",
        }
    }

    #[test]
    fn a_line_holds_the_members_that_the_interface_names() {
        let mut life = life();
        assert_eq!(
            LedgerLine(&life).to_string(),
            "conn=12 peer=127.0.0.1:50312 by=server how=fin reason=idle-timeout announced=no first-fin=server \
             requests=3 idle=75.0s age=81.2s received=1.2k sent=812k rtt=0.04ms race=no first=\"GET /\" last=\"GET /app.js\""
        );
        life.race = Some(Duration::from_micros(2_100));
        assert!(LedgerLine(&life).to_string().contains(" race=yes late=2.1ms "));
        (life.ending.how, life.reset_by) = (How::Reset, Some(Closer::Client));
        assert!(LedgerLine(&life).to_string().contains(" how=reset reset-by=client reason="));
    }

    #[test]
    fn json_has_the_same_members_with_exact_numbers() {
        let json = |life: &Life<'_>| serde_json::to_string(&LedgerLine(life)).unwrap();
        let mut life = life();
        assert_eq!(
            json(&life),
            "{\"conn\":12,\"peer\":\"127.0.0.1:50312\",\"by\":\"server\",\"how\":\"fin\",\"reset_by\":null,\
             \"reason\":\"idle-timeout\",\"announced\":false,\"first_fin\":\"server\",\"requests\":3,\"idle_us\":75000000,\
             \"age_us\":81200000,\"received_bytes\":1200,\"sent_bytes\":812000,\"rtt_us\":40,\"race\":false,\"late_us\":null,\"first\":\"GET /\",\"last\":\"GET /app.js\"}"
        );
        life = Life { race: Some(Duration::from_micros(2_100)), round_trip: None, first: "", last: "", ..life };
        let json = json(&life);
        for member in ["\"rtt_us\":null", "\"race\":true,\"late_us\":2100", "\"first\":null,\"last\":null"] {
            assert!(json.contains(member), "{member} in {json}");
        }
    }
}
