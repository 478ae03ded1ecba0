//! What all parts of a run share: the clock, randomness, the files, the settings, the trace, and the first violation.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use super::files::Tree;
use super::random::Random;
use super::settings::Settings;
use super::slots::Slots;

/// Steps that the trace holds.
const TRACED: usize = 20_000;

/// Steps of one client that are printed when a run fails.
const PRINTED: usize = 60;

/// The state of a run, but for the server and its clients. Moments are microseconds.
pub struct Shared {
    pub now: Cell<u64>,
    /// Loop iterations of the server so far.
    pub iteration: Cell<u64>,
    pub settings: Settings,
    pub random: RefCell<Random>,
    pub tree: RefCell<Tree>,
    /// When the server was told to shut down.
    pub draining_since: Cell<Option<u64>>,
    /// A fast shutdown closes idle connections before the promised idle time is over.
    pub closing_idle: Cell<bool>,
    /// The time to drain is over: the server closes everything.
    pub aborting: Cell<bool>,
    pub slots: RefCell<Slots>,
    /// Counts the calls of the engine in which a connection has one budget.
    pub budget_period: Cell<u64>,
    /// Counts bytes, FINs and connections. An iteration that leaves it unchanged was one too many.
    pub progress: Cell<u64>,
    /// Connections whose sockets have events for the next poll.
    pub ready: RefCell<Vec<usize>>,
    /// No more faults of the network and of the process are injected.
    pub faults_over: Cell<bool>,
    violation: RefCell<Option<(Option<usize>, String)>>,
    trace: RefCell<VecDeque<Step>>,
}

/// An entry of the trace.
#[derive(Clone, Copy)]
struct Step {
    now: u64,
    client: Option<usize>,
    what: &'static str,
    amount: u64,
}

impl Shared {
    /// When a run begins.
    pub const BEGIN: u64 = 1_000_000;

    pub fn new(settings: Settings, random: Random, tree: Tree) -> Self {
        Shared {
            now: Cell::new(Self::BEGIN),
            iteration: Cell::new(0),
            random: RefCell::new(random),
            tree: RefCell::new(tree),
            draining_since: Cell::new(None),
            closing_idle: Cell::new(false),
            aborting: Cell::new(false),
            slots: RefCell::new(Slots::new(settings.max_connections)),
            budget_period: Cell::new(0),
            progress: Cell::new(0),
            ready: RefCell::default(),
            faults_over: Cell::new(false),
            violation: RefCell::default(),
            trace: RefCell::default(),
            settings,
        }
    }

    /// Records progress on a connection.
    pub fn record(&self, client: usize, what: &'static str, amount: u64) {
        self.progress.set(self.progress.get() + 1);
        self.trace(Some(client), what, amount);
    }

    /// Adds a step to the trace, which is printed if the run fails.
    pub fn trace(&self, client: Option<usize>, what: &'static str, amount: u64) {
        let mut trace = self.trace.borrow_mut();
        if trace.len() == TRACED {
            trace.pop_front();
        }
        trace.push_back(Step { now: self.now.get(), client, what, amount });
    }

    /// The server broke a rule. Only the first violation is kept: others may follow from it. No panic, because the
    /// engine that is running catches panics.
    pub fn report(&self, client: Option<usize>, what: String) {
        let subject = client.map_or(String::new(), |client| format!("client {client}: "));
        let violation = format!("{subject}{what} (at {:?})", Duration::from_micros(self.now.get()));
        self.violation.borrow_mut().get_or_insert((client, violation));
    }

    /// The violation, if there was one, with the steps before it.
    pub fn failure(&self) -> Option<String> {
        let violation = self.violation.borrow();
        let (client, violation) = violation.as_ref()?;
        let trace = self.trace.borrow();
        let is_own = |step: &Step| client.is_none() || step.client == *client;
        let first = trace.iter().rposition({
            let mut own = 0;
            move |step| {
                own += usize::from(is_own(step));
                own == PRINTED
            }
        });
        let printed = trace.iter().skip(first.unwrap_or(0)).filter(|step| is_own(step) || step.client.is_none());
        let steps: Vec<_> = printed.map(Step::to_string).collect();
        Some(format!("{:#?}\n{}\n\n{violation}", self.settings, steps.join("\n")))
    }

    /// Changes one of the files that are served.
    pub fn change_a_file(&self, random: &mut Random) {
        let what = self.tree.borrow_mut().change(random);
        self.trace(None, what, self.tree.borrow().epoch);
    }

    /// True with the probability 1/N.
    pub fn one_in(&self, n: u64) -> bool {
        self.random.borrow_mut().one_in(n)
    }

    /// Whether a fault happens here, with the probability 1/N as long as there are faults.
    pub fn inject_fault(&self, n: u64) -> bool {
        !self.faults_over.get() && self.one_in(n)
    }

    /// A connection has a new budget for what it sends and reads.
    pub fn renew_budgets(&self) {
        self.budget_period.set(self.budget_period.get() + 1);
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Step { now, client, what, amount } = self;
        let subject = client.map_or("server".to_owned(), |client| format!("client {client}"));
        write!(f, "{:>14.6}s {subject:>10} {what} {amount}", *now as f64 / 1e6)
    }
}
