//! What a run is like: limits, sizes and how often something goes wrong. Some runs are tight in every way.

use std::time::Duration;

use holdline::http::Limits;

use super::random::Random;
use super::scene::Scene;

/// The conditions of a run.
#[derive(Clone, Debug)]
pub struct Climate {
    pub limits: Limits,
    pub max_connections: usize,
    /// Clients that come in the whole run.
    pub clients: usize,
    /// Within so many microseconds of the beginning.
    pub arrivals: u64,
    /// Bytes that a socket of the server's holds of what came ...
    pub inbox: usize,
    /// ... and of what goes.
    pub outbox: usize,
    /// Bytes of the largest file.
    pub largest: usize,
    /// The files change every so many microseconds, or a little sooner or later.
    pub changes: u64,
    /// When the server is told to stop.
    pub stop: Option<u64>,
    /// Politely, by SIGTERM, or promptly, by SIGINT.
    pub politely: bool,
    /// When it is told a second time.
    pub second_stop: Option<u64>,
}

impl Climate {
    pub fn new(random: &mut Random) -> Self {
        let limits = limits(random);
        let arrivals = random.pick(&[50_000, 1_000_000, 10_000_000, 60_000_000]);
        let stop = random.once_in(2).then(|| Scene::BEGIN + random.within(0..=arrivals + 5_000_000));
        let second_stop = stop.filter(|_| random.once_in(4)).map(|stop| stop + random.within(0..=3_000_000));
        let mut climate = Climate {
            limits,
            max_connections: random.pick(&[1, 3, 10, 40, 1000, 1000]),
            clients: random.size(60..=300),
            arrivals,
            inbox: random.pick(&[500, 4_000, 60_000, 200_000]),
            outbox: random.pick(&[500, 4_000, 60_000, 300_000]),
            largest: random.pick(&[40_000, 100_000, 400_000]),
            changes: (arrivals / random.pick(&[1, 10, 100])).max(50_000),
            stop,
            politely: random.once_in(2),
            second_stop,
        };
        if random.once_in(3) {
            // Everything is tight; what takes so long is done for fewer.
            climate.clients = random.size(20..=60);
            climate.inbox = random.size(1..=64);
            climate.outbox = random.size(1..=64);
            climate.largest = if climate.outbox < 16 { 1_000 } else { 34_000 };
        }
        climate
    }
}

fn limits(random: &mut Random) -> Limits {
    let mut time = |choices: &[u64]| Duration::from_millis(random.pick(choices));
    let mut limits = Limits {
        keep_alive_timeout: time(&[0, 1000, 2000, 5000, 5000, 70_000]),
        keep_alive_grace: time(&[0, 100, 1000, 5000]),
        max_age: time(&[0, 0, 500, 4000, 3_600_000]),
        head_timeout: time(&[300, 1000, 10_000]),
        body_timeout: time(&[300, 1000, 10_000]),
        send_timeout: time(&[1000, 5000, 30_000]),
        linger: time(&[100, 500, 2000]),
        drain_timeout: time(&[500, 3000, 10_000]),
        drain_delay: time(&[0, 0, 100, 2000]),
        ..Limits::DEFAULT
    };
    limits.max_requests = random.pick(&[0, 1, 2, 3, 7, 1000, 1000]);
    limits.max_per_ip = random.pick(&[0, 0, 0, 4, 20]);
    limits.max_head = random.pick(&[1000, 16 * 1024]);
    limits.max_body = random.pick(&[200, 256 * 1024]);
    limits
}
