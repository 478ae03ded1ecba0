//! The only place where a clock is read.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::http::{Date, Moment};

/// The two clocks: one that only goes forward, for timers, and the wall clock, for `Date`.
#[derive(Debug)]
pub struct Clock {
    stopwatch: Stopwatch,
    date: Date,
}

/// The clock that only goes forward.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
    started_unix: Duration,
}

impl Stopwatch {
    /// When it started, by the wall clock. Later steps of that do not change it.
    pub fn started_unix(self) -> Duration {
        self.started_unix
    }

    /// Microseconds since the start.
    pub fn now(self) -> Moment {
        Moment::from_micros(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
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

    /// The same clock, for somebody else to read.
    pub fn stopwatch(&self) -> Stopwatch {
        self.stopwatch
    }

    /// The second that the wall clock shows; its text is written anew only when it changes.
    pub fn date(&mut self) -> &Date {
        let second = unix_time().as_secs();
        if second != self.date.unix() {
            self.date = Date::from_unix(second);
        }
        &self.date
    }
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
