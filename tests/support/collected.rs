//! What another process says, collected by a thread of its own while a test does other things.

use std::fmt::Debug;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// What has come so far.
pub struct Collected<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: Vec<T>,
    ended: bool,
}

impl<T: Clone + Debug + Send + 'static> Collected<T> {
    /// Takes all that comes until there is no more.
    pub fn from(source: impl Iterator<Item = T> + Send + 'static) -> Arc<Collected<T>> {
        let state = Mutex::new(State { items: Vec::new(), ended: false });
        let collected = Arc::new(Collected { state, changed: Condvar::new() });
        let writer = Arc::clone(&collected);
        std::thread::spawn(move || {
            for item in source {
                writer.lock().items.push(item);
                writer.changed.notify_all();
            }
            writer.lock().ended = true;
            writer.changed.notify_all();
        });
        collected
    }

    /// All of it so far.
    pub fn all(&self) -> Vec<T> {
        self.lock().items.clone()
    }

    /// Waits for an item in which `find` finds something; panics if none comes, with the last ones that did.
    pub fn wait_for<R>(&self, what: &str, find: impl Fn(&T) -> Option<R>) -> R {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = 0;
        let mut state = self.lock();
        loop {
            if let Some(found) = state.items[seen..].iter().find_map(&find) {
                return found;
            }
            seen = state.items.len();
            let left = deadline.saturating_duration_since(Instant::now());
            let last = &state.items[seen.saturating_sub(40)..];
            assert!(!state.ended && left > Duration::ZERO, "waited in vain for {what}; what came last: {last:#?}");
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until no more can come; gives all of it.
    pub fn wait_for_end(&self) -> Vec<T> {
        let timed_out = |state: &mut State<T>| !state.ended;
        let state = self.changed.wait_timeout_while(self.lock(), PATIENCE, timed_out);
        let state = state.unwrap_or_else(PoisonError::into_inner).0;
        assert!(state.ended, "waited {PATIENCE:?} in vain for the end");
        state.items.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
