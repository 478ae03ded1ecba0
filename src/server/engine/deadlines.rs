//! A timer wheel: buckets of connections by deadline, lazy and coarse.
//!
//! A connection stands in at most one bucket. When its deadline moves away, as it does with every request, nothing
//! happens here; when the bucket is due, the connection's deadline is looked at, and the connection is put into the
//! bucket where it belongs now. So a request costs a comparison, and memory is bounded by the number of open
//! connections.

use super::queue::{Links, Queue};
use crate::http::Moment;

/// The length of an interval, as a power of two in microseconds: 65.5 ms. A timer is never early, and late by at most
/// one interval.
const BUCKET_BITS: u32 = 16;

/// Buckets in the wheel. A deadline beyond its horizon of 67 s stands in the last one, and is scheduled again when that
/// is due.
const BUCKETS: u64 = 1024;

/// The timer wheel. Its entries are keys of the engine's slab.
#[derive(Debug)]
pub struct Deadlines {
    buckets: Vec<Queue>,
    links: Links,
    /// The interval at whose end each key is looked at. 32 bits of intervals last for nine years.
    planned: Vec<u32>,
    /// One bit per bucket, set if it is not empty.
    occupied: [u64; (BUCKETS / 64) as usize],
    /// The present interval: all before this one are over.
    interval: u64,
    /// No bucket before this interval is occupied.
    soonest: u64,
}

/// Not an interval.
const NEVER: u64 = u64::MAX;

/// Marks a key that stands in no bucket.
const UNPLANNED: u32 = u32::MAX;

impl Deadlines {
    /// An empty wheel, with room for this many keys.
    pub fn with_room(keys: usize) -> Self {
        Deadlines {
            buckets: vec![Queue::new(); BUCKETS as usize],
            links: Links::with_room(keys),
            planned: Vec::with_capacity(keys),
            occupied: [0; (BUCKETS / 64) as usize],
            interval: 0,
            soonest: NEVER,
        }
    }

    /// Schedules `key` to be looked at when `deadline` is over, if it is not scheduled earlier.
    pub fn schedule(&mut self, key: usize, deadline: Moment) {
        if self.planned.len() <= key {
            self.planned.resize(key + 1, UNPLANNED);
        }
        // Rounded up: a bucket is due when all deadlines in it are over.
        let interval = (deadline.as_micros() >> BUCKET_BITS) + 1;
        let interval = interval.clamp(self.interval, self.interval + BUCKETS - 1);
        if u64::from(self.planned[key]) <= interval {
            return;
        }
        self.remove(key);
        self.planned[key] = interval as u32;
        let bucket = (interval % BUCKETS) as usize;
        self.buckets[bucket].push_back(&mut self.links, key);
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
        self.soonest = self.soonest.min(interval);
    }

    /// Removes a key.
    pub fn remove(&mut self, key: usize) {
        let Some(planned) = self.planned.get_mut(key).filter(|planned| **planned != UNPLANNED) else { return };
        let bucket = (u64::from(*planned) % BUCKETS) as usize;
        *planned = UNPLANNED;
        self.buckets[bucket].remove(&mut self.links, key);
        if self.buckets[bucket].front().is_none() {
            self.occupied[bucket / 64] &= !(1 << (bucket % 64));
        }
    }

    /// Removes and returns the next key whose bucket is due. Its deadline may have moved since.
    pub fn pop_due(&mut self, now: Moment) -> Option<usize> {
        let present = now.as_micros() >> BUCKET_BITS;
        loop {
            if self.soonest <= present {
                self.soonest = self.next_occupied().unwrap_or(NEVER);
            }
            if self.soonest > present {
                self.interval = self.interval.max(present);
                return None;
            }
            let interval = self.soonest;
            self.interval = interval;
            if let Some(key) = self.buckets[(interval % BUCKETS) as usize].front() {
                self.remove(key);
                return Some(key);
            }
        }
    }

    /// When the next bucket may be due; `None` if all are empty.
    pub fn wake(&self) -> Option<Moment> {
        (self.soonest != NEVER).then(|| Moment::from_micros(self.soonest << BUCKET_BITS))
    }

    /// The earliest interval whose bucket has a key.
    fn next_occupied(&self) -> Option<u64> {
        let start = self.interval % BUCKETS;
        let words = self.occupied.len() as u64;
        // The first word is looked at twice: its upper part first, its lower part last.
        (0..=words).find_map(|step| {
            let index = (start / 64 + step) % words;
            let mut word = self.occupied[index as usize];
            if step == 0 {
                word &= u64::MAX << (start % 64);
            } else if step == words {
                word &= !(u64::MAX << (start % 64));
            }
            let bucket = index * 64 + u64::from(word.trailing_zeros());
            (word != 0).then(|| self.interval + (bucket + BUCKETS - start) % BUCKETS)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Moment {
        Moment::from_micros((seconds * 1e6) as u64)
    }

    /// The moment at which a key scheduled at `from` for `deadline` is looked at.
    fn due(deadlines: &mut Deadlines, from: f64) -> f64 {
        let mut now = at(from);
        loop {
            let Some(wake) = deadlines.wake() else { return f64::INFINITY };
            now = now.max(wake);
            if deadlines.pop_due(now).is_some() {
                return now.as_micros() as f64 / 1e6;
            }
        }
    }

    #[test]
    fn a_deadline_is_met_never_early_and_at_most_a_bucket_late() {
        let mut deadlines = Deadlines::with_room(8);
        for (from, after) in [(0.0, 0.0), (0.1, 0.25), (3.0, 1.0), (10.0, 60.0), (200.0, 66.9)] {
            assert_eq!(deadlines.pop_due(at(from)), None);
            deadlines.schedule(7, at(from + after));
            let late = due(&mut deadlines, from) - from - after;
            assert!((0.0..0.0662).contains(&late), "{late} after {from} + {after}");
        }
    }

    #[test]
    fn a_deadline_that_moves_away_is_asked_again_and_one_that_comes_nearer_is_moved() {
        let mut deadlines = Deadlines::with_room(8);
        deadlines.schedule(1, at(5.0));
        deadlines.schedule(1, at(9.0));
        assert!(due(&mut deadlines, 0.0) < 5.1, "the early bucket stays");
        deadlines.schedule(1, at(60.0));
        deadlines.schedule(1, at(6.0));
        assert!((6.0..6.1).contains(&due(&mut deadlines, 5.1)));
        assert_eq!(deadlines.pop_due(at(7.0)), None);
        assert_eq!(deadlines.wake(), None);
    }

    #[test]
    fn a_deadline_beyond_the_horizon_is_asked_at_the_horizon() {
        let mut deadlines = Deadlines::with_room(8);
        deadlines.schedule(1, at(3600.0));
        assert!((60.0..68.0).contains(&due(&mut deadlines, 0.0)));
    }

    #[test]
    fn removed_keys_are_not_due() {
        let mut deadlines = Deadlines::with_room(8);
        deadlines.schedule(1, at(1.0));
        deadlines.schedule(2, at(1.0));
        deadlines.remove(1);
        deadlines.remove(1);
        assert_eq!(deadlines.pop_due(at(2.0)), Some(2));
        assert_eq!(deadlines.pop_due(at(2.0)), None);
    }
}
