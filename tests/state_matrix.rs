//! Every state of a connection against everything that can happen to it. The table is checked in: it is
//! the shortest description of `http::Connection` there is, and a change of it is a change of behaviour.
//!
//! `HOLDLINE_BLESS=1 cargo test --test state_matrix` writes it again.

use std::fmt::Write as _;
use std::time::Duration;

use holdline::http::{
    Announce, CloseReason, Connection, Date, Failure, HeaderCache, Length, Limits, Manner, Moment, Plan, PlannedClose,
    ResponseHead, State, Status, Step, Tick, When,
};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const LAST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/// A connection with a clock of its own, and a driver that does what each step says.
struct Probe {
    conn: Connection,
    now: Moment,
    date: Date,
    limits: Limits,
    /// What was done, in order.
    done: Vec<String>,
    /// Whether the socket takes what is written.
    room: bool,
    /// Bytes that it did not take yet.
    waiting: u64,
    /// What the lab plans with the next response.
    plan: Option<Plan>,
}

impl Probe {
    fn new() -> Self {
        let now = Moment::from_micros(1_000_000);
        Probe {
            conn: Connection::new(now),
            now,
            date: Date::from_unix(0),
            limits: Limits::DEFAULT,
            done: Vec::new(),
            room: true,
            waiting: 0,
            plan: None,
        }
    }

    fn tick(&self) -> Tick<'_> {
        Tick { now: self.now, date: &self.date, limits: &self.limits, draining: false }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let tick = Tick { now: self.now, date: &self.date, limits: &self.limits, draining: false };
        let mut all = self.conn.held().to_vec();
        all.extend_from_slice(bytes);
        let mut input = all.as_slice();
        let (mut header_cache, mut out) = (HeaderCache::default(), Vec::new());
        loop {
            let step = self.conn.next(&mut input, &mut header_cache, &tick);
            let status = match step {
                Step::Read | Step::Wait => break,
                Step::Close(_) => {
                    self.done.push("close".to_owned());
                    break;
                }
                Step::SendFin => {
                    self.done.push("FIN".to_owned());
                    self.conn.fin_sent(self.now);
                    continue;
                }
                Step::Write if !self.room => break,
                Step::Write => {
                    let count = self.waiting.min(self.conn.allowance(self.now));
                    self.waiting -= count;
                    self.conn.wrote(count, self.now);
                    continue;
                }
                Step::Respond(_) => Status::OK,
                Step::Refuse(bad, _) => bad.status().0,
            };
            self.done.push(status.code().to_string());
            let head = ResponseHead { status, length: Length::Known(0), fields: b"", server_timing: None };
            out.clear();
            if let Some(plan) = self.plan.take() {
                self.conn.follow(plan, self.now);
            }
            self.conn.respond(&head, &tick, &mut out);
            self.waiting += out.len() as u64;
        }
        self.conn.hold(input);
    }

    fn state(&self) -> String {
        match self.conn.state() {
            State::Lingering(why) => format!("lingering({why})"),
            State::Closed(ending) => format!("closed({}, {})", ending.reason, ending.how.label()),
            state => state.label().to_owned(),
        }
    }
}

type Act = fn(&mut Probe);

const STATES: &[(&str, Act)] = &[
    ("opened", |_| {}),
    ("reading-head", |p| p.bytes(b"GET / HT")),
    ("reading-body", |p| p.bytes(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")),
    ("sending, then keep", |p| {
        p.room = false;
        p.bytes(GET);
    }),
    ("sending, then close", |p| {
        p.room = false;
        p.bytes(LAST);
    }),
    ("pausing, by the lab", |p| planned(p, Plan::Delay(Duration::from_secs(3)))),
    ("idle", |p| p.bytes(GET)),
    ("idle, until reused, by the lab", |p| planned(p, close(When::Reuse, Manner::Fin))),
    ("idle for 1 s, then 408, by the lab", |p| {
        planned(p, close(When::Idle(Duration::from_secs(1)), Manner::RequestTimeout));
    }),
    ("stalled, by the lab", |p| planned(p, close(When::Response, Manner::Stall))),
    ("lingering(client-asked)", |p| p.bytes(LAST)),
    ("lingering(idle-timeout)", |p| {
        p.bytes(GET);
        timer(p);
    }),
    ("closed(client-reset)", |p| p.conn.failed(Failure::Reset, p.now)),
];

const EVENTS: &[(&str, Act)] = &[
    ("a request", |p| p.bytes(GET)),
    ("half a request", |p| p.bytes(b"GET / HTTP/1.1\r\nHo")),
    ("an empty line", |p| p.bytes(b"\r\n")),
    ("garbage", |p| p.bytes(b"\x16\x03\x01")),
    ("the rest of a body", |p| p.bytes(b"defghi")),
    ("room to write", |p| {
        p.room = true;
        p.bytes(b"");
    }),
    ("the peer's FIN", |p| {
        p.conn.peer_finished();
        p.bytes(b"");
    }),
    ("an RST", |p| {
        p.conn.failed(Failure::Reset, p.now);
        p.bytes(b"");
    }),
    ("no answer to probes", |p| {
        p.conn.failed(Failure::TimedOut, p.now);
        p.bytes(b"");
    }),
    ("its timer", timer),
    ("an eviction", |p| {
        p.conn.close_if_idle(CloseReason::Evicted, p.now);
        p.bytes(b"");
    }),
    ("an abort", |p| {
        p.conn.abort(CloseReason::Draining, p.now);
        p.bytes(b"");
    }),
];

fn planned(p: &mut Probe, plan: Plan) {
    p.plan = Some(plan);
    p.bytes(GET);
}

fn close(when: When, how: Manner) -> Plan {
    Plan::Close(PlannedClose { when, how, announce: Announce::No })
}

fn timer(p: &mut Probe) {
    if let Some(deadline) = p.conn.deadline(&p.tick()) {
        p.now = deadline;
        let tick = Tick { now: p.now, date: &p.date, limits: &p.limits, draining: false };
        p.conn.expire(false, &tick);
    }
    p.bytes(b"");
}

#[test]
fn the_matrix_of_states_and_events_is_as_checked_in() {
    let mut table = String::from(
        "What happens in each state at each event: what is done, then the state that follows.\n\
         A number is the status of a response; FIN is ours; `-` is nothing.\n",
    );
    for (state, prepare) in STATES {
        let mut probe = Probe::new();
        prepare(&mut probe);
        let timeout = probe.conn.timeout(&probe.tick());
        let timer = timeout.map_or("no timer".to_owned(), |(wait, why)| format!("{why} after {wait:?}"));
        writeln!(table, "\n{state}  [{timer}]").unwrap();
        for (event, happen) in EVENTS {
            let mut probe = Probe::new();
            prepare(&mut probe);
            probe.done.clear();
            probe.now = probe.now + Duration::from_millis(1);
            happen(&mut probe);
            let done = if probe.done.is_empty() { "-".to_owned() } else { probe.done.join(" ") };
            writeln!(table, "    {event:<20} {done:<14} {}", probe.state()).unwrap();
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/state_matrix.txt");
    if std::env::var_os("HOLDLINE_BLESS").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    for (line, (got, want)) in table.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, want, "line {} of tests/state_matrix.txt", line + 1);
    }
    assert_eq!(table, expected);
}
