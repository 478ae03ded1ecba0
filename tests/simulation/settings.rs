//! The settings of a run: limits, sizes, and how often something changes. In some runs everything is tight.

use std::time::Duration;

use holdline::http::Limits;

use super::random::Random;
use super::shared::Shared;

/// The settings of a run. Moments and durations are microseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    pub limits: Limits,
    pub max_connections: usize,
    /// Clients of the whole run.
    pub clients: usize,
    /// The clients connect within this time of the beginning.
    pub arrivals: u64,
    /// Bytes that the server's receive buffer holds.
    pub receive_buffer: usize,
    /// Bytes that the server's send buffer holds.
    pub send_buffer: usize,
    /// Bytes of the largest file.
    pub largest: usize,
    /// Average time between two changes of a file.
    pub changes: u64,
    /// When the server is told to shut down.
    pub shutdown: Option<u64>,
    /// The shutdown is graceful (SIGTERM), or fast (SIGINT).
    pub graceful: bool,
    /// When the server is told a second time.
    pub second_shutdown: Option<u64>,
}

impl Settings {
    pub fn new(random: &mut Random) -> Self {
        let limits = limits(random);
        let arrivals = random.pick(&[50_000, 1_000_000, 10_000_000, 60_000_000]);
        let shutdown = random.one_in(2).then(|| Shared::BEGIN + random.within(0..=arrivals + 5_000_000));
        let second_shutdown = shutdown.filter(|_| random.one_in(4)).map(|first| first + random.within(0..=3_000_000));
        let mut settings = Settings {
            limits,
            max_connections: random.pick(&[1, 3, 10, 40, 1000, 1000]),
            clients: random.size(60..=300),
            arrivals,
            receive_buffer: random.pick(&[500, 4_000, 60_000, 400_000]),
            send_buffer: random.pick(&[500, 4_000, 60_000, 700_000]),
            largest: random.pick(&[40_000, 100_000, 400_000]),
            changes: (arrivals / random.pick(&[1, 10, 100])).max(50_000),
            shutdown,
            graceful: random.one_in(2),
            second_shutdown,
        };
        if random.one_in(3) {
            // Everything is tight. A connection then takes many steps, so there are fewer.
            settings.clients = random.size(20..=60);
            settings.receive_buffer = random.size(1..=64);
            settings.send_buffer = random.size(1..=64);
            settings.largest = if settings.send_buffer < 16 { 1_000 } else { 34_000 };
        }
        settings
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
