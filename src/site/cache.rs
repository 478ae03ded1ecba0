//! Files that were asked for lately, kept ready to be sent again: a small one with its bytes, a larger one open.
//!
//! Nothing that a change of the file made false is ever sent. The metadata of a file is read by its path after the request
//! for it was read, once for all requests that came in one read; the entry counts only if it is the same file, of the
//! same size, and unchanged since. So a client that changes a file and then asks for it gets the change.
//! What the metadata can't tell, a second's lifetime bounds.

use std::time::Duration;

use rustc_hash::FxHashMap;
use slab::Slab;

use super::representation::Representation;
use super::root::Location;
use crate::http::{Moment, Tick};

/// Bytes of small files, with their fields and names, that are kept.
pub const MAX_BYTES: usize = 32 << 20;

/// Files that are kept.
pub const MAX_ENTRIES: usize = 4096;

/// Larger files that are kept open: fewer than the descriptors that connections leave to files.
pub const MAX_OPEN: usize = 8;

/// After this time a file is opened again: that its path has come to lead out of the root through a symlink, or that
/// its bytes were changed through a memory map, is not seen by looking at it.
pub const LIFETIME: Duration = Duration::from_secs(1);

/// What an entry takes beside the bytes of its file: its fields, names and places, roughly.
const OVERHEAD: usize = 2048;

/// The files that are kept. When there is no room, those that were not asked for since the hand last passed make it
/// (second chance).
pub struct Cache {
    entries: Slab<CachedFile>,
    /// Only names that lie in the root come in here, so no client can choose them to collide.
    by_path: FxHashMap<Box<str>, usize>,
    bytes: usize,
    open: usize,
    hand: usize,
    /// The number of the present look: files that were last checked in an earlier one are checked again.
    look: u64,
    /// When those whose time is over are let go next, if there are any.
    sweep: Moment,
}

struct CachedFile {
    /// As it is asked for.
    path: Box<str>,
    /// Where it lies.
    location: Location,
    representation: Representation,
    loaded: Moment,
    /// The look in which its metadata was last read.
    checked: u64,
    /// It was asked for since the hand passed.
    used: bool,
}

impl Cache {
    /// An empty one.
    pub fn new() -> Self {
        Cache {
            entries: Slab::new(),
            by_path: FxHashMap::default(),
            bytes: 0,
            open: 0,
            hand: 0,
            look: 0,
            sweep: Moment::default(),
        }
    }

    /// Begins another look: from now on the metadata of each file that is asked for is read again, once.
    pub fn look_again(&mut self) {
        self.look += 1;
    }

    /// What the path of a request target names, if it is kept and still true.
    pub fn get(&mut self, path: &str, now: Moment) -> Option<&Representation> {
        let key = *self.by_path.get(path)?;
        if !self.entries[key].is_current(self.look, now) {
            self.remove(key);
            return None;
        }
        let entry = &mut self.entries[key];
        entry.used = true;
        Some(&entry.representation)
    }

    /// Keeps what was found at `location`, to be asked for by `path`, if no change of it can go unseen.
    pub fn keep(&mut self, path: &str, location: Location, representation: Representation, tick: &Tick<'_>) {
        if !representation.stored.is_settled(tick.date) || self.by_path.contains_key(path) {
            return;
        }
        let entry = CachedFile {
            path: path.into(),
            location,
            representation,
            loaded: tick.now,
            checked: self.look,
            used: false,
        };
        if self.entries.is_empty() {
            self.sweep = tick.now + LIFETIME;
        }
        self.bytes += entry.weight();
        self.open += usize::from(entry.is_open());
        let key = self.entries.insert(entry);
        self.by_path.insert(path.into(), key);
        while self.bytes > MAX_BYTES || self.entries.len() > MAX_ENTRIES {
            self.evict(|_| true);
        }
        while self.open > MAX_OPEN {
            self.evict(CachedFile::is_open);
        }
    }

    /// Lets go of files whose time is over: neither memory nor descriptors stay with what nobody asks for.
    pub fn sweep(&mut self, now: Moment) {
        if self.wake().is_none_or(|sweep| now < sweep) {
            return;
        }
        let is_over = |entry: &CachedFile| now.since(entry.loaded) >= LIFETIME;
        let over: Vec<usize> = self.entries.iter().filter(|(_, entry)| is_over(entry)).map(|(key, _)| key).collect();
        over.into_iter().for_each(|key| self.remove(key));
        self.sweep = now + LIFETIME;
    }

    /// When to [sweep](Self::sweep), if there is anything to let go of.
    pub fn wake(&self) -> Option<Moment> {
        (!self.entries.is_empty()).then_some(self.sweep)
    }

    /// Lets go of the files that are kept open. Says whether that gave back a descriptor.
    pub fn close_files(&mut self) -> bool {
        let open: Vec<usize> = self.entries.iter().filter(|(_, entry)| entry.is_open()).map(|(key, _)| key).collect();
        let mut closed = false;
        for key in open {
            closed |= self.entries[key].representation.stored.is_last_user();
            self.remove(key);
        }
        closed
    }

    /// There must be one among those that may go.
    fn evict(&mut self, among: impl Fn(&CachedFile) -> bool) {
        loop {
            self.hand = (self.hand + 1) % self.entries.capacity();
            let Some(entry) = self.entries.get_mut(self.hand).filter(|entry| among(entry)) else { continue };
            if !std::mem::take(&mut entry.used) {
                return self.remove(self.hand);
            }
        }
    }

    fn remove(&mut self, key: usize) {
        let entry = self.entries.remove(key);
        self.by_path.remove(&entry.path);
        self.bytes -= entry.weight();
        self.open -= usize::from(entry.is_open());
    }
}

impl CachedFile {
    /// Whether the file is the one that was loaded, and unchanged.
    fn is_current(&mut self, look: u64, now: Moment) -> bool {
        if self.checked == look {
            return true;
        }
        self.checked = look;
        now.since(self.loaded) < LIFETIME && self.location.has(&self.representation.stored)
    }

    fn is_open(&self) -> bool {
        self.representation.stored.is_open()
    }

    fn weight(&self) -> usize {
        self.path.len() + self.representation.stored.memory() + OVERHEAD
    }
}
