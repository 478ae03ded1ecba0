//! The only place where a clock is read.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::http::{Date, Moment};

/// The two clocks: the monotonic one for timers, and the wall clock for `Date`.
#[derive(Debug)]
pub struct Clock {
    stopwatch: Stopwatch,
    date: Date,
}

/// The monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
    started_unix: Duration,
}

impl Stopwatch {
    /// The start by the wall clock, since the Unix epoch. If the wall clock is set later, this does not change.
    pub fn started_unix(self) -> Duration {
        self.started_unix
    }

    /// Microseconds since the start.
    pub fn now(self) -> Moment {
        // `Duration::as_micros` computes with 128 bits, which is slower.
        let elapsed = self.started.elapsed();
        Moment::from_micros(elapsed.as_secs() * 1_000_000 + u64::from(elapsed.subsec_micros()))
    }
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        let started_unix = unix_time();
        let stopwatch = Stopwatch { started: Instant::now(), started_unix };
        Clock { stopwatch, date: Date::from_unix(started_unix.as_secs()) }
    }

    /// Microseconds since the start.
    pub fn now(&self) -> Moment {
        self.stopwatch.now()
    }

    /// The monotonic clock.
    pub fn stopwatch(&self) -> Stopwatch {
        self.stopwatch
    }

    /// The second of the wall clock at `now`. If somebody sets that clock, the date follows within a second.
    pub fn date(&mut self, now: Moment) -> &Date {
        if now >= self.date.ends() {
            self.date.move_to(unix_time(), now);
        }
        &self.date
    }
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
