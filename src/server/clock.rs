//! The only place where a clock is read.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

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
}

impl Stopwatch {
    /// Microseconds since the start.
    pub fn now(self) -> Moment {
        Moment::from_micros(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Clock { stopwatch: Stopwatch { started: Instant::now() }, date: Date::from_unix(unix_seconds()) }
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
        let second = unix_seconds();
        if second != self.date.unix() {
            self.date = Date::from_unix(second);
        }
        &self.date
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
