//! Time as an argument, with all else that the protocol knows of the world.

use std::ops::Add;
use std::time::Duration;

use super::{Date, Limits};

/// A moment: microseconds since the server started. Only the driver reads a clock to make one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// The moment `micros` microseconds after the server started.
    pub const fn from_micros(micros: u64) -> Self {
        Moment(micros)
    }

    /// Microseconds since the server started.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time since `earlier`; zero if that lies ahead.
    pub const fn since(self, earlier: Moment) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    /// Saturates: a wait that is too long to count never ends.
    fn add(self, wait: Duration) -> Moment {
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        Moment(self.0.saturating_add(micros))
    }
}

/// Made once per loop iteration.
#[derive(Clone, Copy, Debug)]
pub struct Tick<'a> {
    /// The moment at which this iteration began.
    pub now: Moment,
    /// The second of the wall clock, for `Date` (RFC 9110 §6.6.1) and for dates that must not lie after it.
    pub date: &'a Date,
    /// The limits.
    pub limits: &'a Limits,
    /// The server is shutting down: every response says `Connection: close`.
    pub draining: bool,
}
