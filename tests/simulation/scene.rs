//! What all parts of a run share: the clock, chance, the files, the limits, the trace, and what went wrong.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use super::climate::Climate;
use super::files::Tree;
use super::random::Random;

/// Steps that are remembered ...
const TRACED: usize = 20_000;

/// ... and those of one client that are told of when a run fails.
const TOLD: usize = 60;

/// The world of a run, but for the server and its clients. Moments are microseconds.
pub struct Scene {
    pub now: Cell<u64>,
    /// Turns of the server so far.
    pub turn: Cell<u64>,
    pub climate: Climate,
    pub random: RefCell<Random>,
    pub tree: RefCell<Tree>,
    /// When the server was told to stop.
    pub draining_since: Cell<Option<u64>>,
    /// Who is idle is closed without waiting for the end of its promise.
    pub closing_idle: Cell<bool>,
    /// The server was told to drop everything.
    pub aborting: Cell<bool>,
    /// In this turn the server may close idle connections to make room ...
    pub evicting: Cell<Option<u64>>,
    /// ... or cut the lingering of those that are closing.
    pub hurrying: Cell<Option<u64>>,
    /// All that moved: bytes, FINs, connections. A turn that is asked for and moves nothing is one too many.
    pub moved: Cell<u64>,
    /// Connections whose sockets have something to tell.
    pub told: RefCell<Vec<usize>>,
    /// The faults of the network and of the process are over.
    pub calm: Cell<bool>,
    fault: RefCell<Option<(Option<usize>, String)>>,
    trace: RefCell<VecDeque<Step>>,
}

/// What happened.
#[derive(Clone, Copy)]
struct Step {
    now: u64,
    conn: Option<usize>,
    what: &'static str,
    amount: u64,
}

impl Scene {
    /// When a run begins.
    pub const BEGIN: u64 = 1_000_000;

    pub fn new(climate: Climate, random: Random, tree: Tree) -> Self {
        Scene {
            now: Cell::new(Self::BEGIN),
            turn: Cell::new(0),
            climate,
            random: RefCell::new(random),
            tree: RefCell::new(tree),
            draining_since: Cell::new(None),
            closing_idle: Cell::new(false),
            aborting: Cell::new(false),
            evicting: Cell::new(None),
            hurrying: Cell::new(None),
            moved: Cell::new(0),
            told: RefCell::default(),
            calm: Cell::new(false),
            fault: RefCell::default(),
            trace: RefCell::default(),
        }
    }

    /// Something moved.
    pub fn note(&self, conn: usize, what: &'static str, amount: u64) {
        self.moved.set(self.moved.get() + 1);
        self.trace(Some(conn), what, amount);
    }

    /// Something is worth telling if the run fails.
    pub fn trace(&self, conn: Option<usize>, what: &'static str, amount: u64) {
        let mut trace = self.trace.borrow_mut();
        if trace.len() == TRACED {
            trace.pop_front();
        }
        trace.push_back(Step { now: self.now.get(), conn, what, amount });
    }

    /// The server broke a rule. The first one counts: what follows may follow from it. No panic, because
    /// the server is in the middle of something, and catches panics.
    pub fn complain(&self, conn: Option<usize>, what: String) {
        let who = conn.map_or(String::new(), |conn| format!("client {conn}: "));
        let complaint = format!("{who}{what} (at {:?})", Duration::from_micros(self.now.get()));
        self.fault.borrow_mut().get_or_insert((conn, complaint));
    }

    /// What went wrong, with the steps before it.
    pub fn verdict(&self) -> Option<String> {
        let fault = self.fault.borrow();
        let (conn, fault) = fault.as_ref()?;
        let trace = self.trace.borrow();
        let is_own = |step: &Step| conn.is_none() || step.conn == *conn;
        let first = trace.iter().rposition({
            let mut own = 0;
            move |step| {
                own += usize::from(is_own(step));
                own == TOLD
            }
        });
        let told = trace.iter().skip(first.unwrap_or(0)).filter(|step| is_own(step) || step.conn.is_none());
        let steps: Vec<_> = told.map(Step::to_string).collect();
        Some(format!("{:#?}\n{}\n\n{fault}", self.climate, steps.join("\n")))
    }

    pub fn chance(&self, times: u64) -> bool {
        self.random.borrow_mut().once_in(times)
    }

    /// A fault that happens once in so many times, as long as there are faults.
    pub fn mishap(&self, times: u64) -> bool {
        !self.calm.get() && self.chance(times)
    }

    pub fn is_evicting(&self) -> bool {
        self.evicting.get() == Some(self.turn.get())
    }

    pub fn is_hurrying(&self) -> bool {
        self.hurrying.get() == Some(self.turn.get())
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Step { now, conn, what, amount } = self;
        let who = conn.map_or("server".to_owned(), |conn| format!("client {conn}"));
        write!(f, "{:>14.6}s {who:>10} {what} {amount}", *now as f64 / 1e6)
    }
}
