//! The server: the engine that serves for real, run as `holdline::server::Server` runs it, but with a simulated clock
//! and a poll that may return late.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use holdline::http::{Date, Limits, Moment, Tick};
use holdline::observe::{Observers, Peer};
use holdline::server::{Action, Draining, Engine, Readiness, Shutdown, Watch};
use holdline::site::{Site, SiteOptions};

use super::client::Client;
use super::ledger::{EventRecorder, Ledger};
use super::random::Random;
use super::settings::Settings;
use super::shared::Shared;
use super::slots::{Evictable, MakingRoom, Newcomer, Standing};
use super::socket::SimulatedSocket;

/// Connections that are accepted in one loop iteration.
const MAX_ACCEPTS: usize = 64;

/// How long accepting rests when there is no descriptor for a connection.
const ACCEPT_PAUSE: u64 = 100_000;

/// Bytes that a connection may hold in memory beside a whole request head: a read ahead, a batch of responses, and one
/// more response of the largest that is sent from memory.
const MAX_BUFFERED: usize = (16 + 32 + 32 + 16) * 1024;

/// More iterations than this in a row that make no progress, with no sleep between them, are an endless loop.
const MAX_IDLE_ITERATIONS: usize = 3;

/// The engine, and what surrounds it in the process.
pub struct Server {
    engine: Engine<SimulatedSocket>,
    shared: Rc<Shared>,
    ledger: Rc<RefCell<Ledger>>,
    random: Random,
    limits: Limits,
    draining: Option<Draining>,
    listening: bool,
    /// Clients whose connections wait to be accepted.
    accept_queue: VecDeque<usize>,
    /// Accepting rests until then.
    accept_not_before: u64,
    /// The next iteration begins no earlier: this one takes its time, or the process is stopped.
    busy_until: u64,
    /// When the poll times out.
    alarm: Option<u64>,
    idle_iterations: usize,
}

impl Server {
    pub fn new(shared: &Rc<Shared>, random: Random) -> Self {
        let Settings { limits, max_connections, .. } = &shared.settings;
        let site = Site::open(shared.tree.borrow().path(), SiteOptions::default()).expect("the root is there");
        let ledger = Rc::new(RefCell::new(Ledger::default()));
        let mut observers = Observers::default();
        observers.add(Box::new(EventRecorder(Rc::clone(&ledger))));
        let watch = Watch { read: Box::new(Moment::default), started_unix: Duration::ZERO };
        Server {
            engine: Engine::new(site, observers, limits, *max_connections, watch),
            limits: limits.clone(),
            shared: Rc::clone(shared),
            ledger,
            random,
            draining: None,
            listening: true,
            accept_queue: VecDeque::new(),
            accept_not_before: 0,
            busy_until: 0,
            alarm: None,
            idle_iterations: 0,
        }
    }

    /// When the poll returns.
    pub fn next_iteration(&self) -> Option<u64> {
        let accept = (!self.accept_queue.is_empty()).then_some(self.accept_not_before);
        let events = if self.shared.ready.borrow().is_empty() { accept } else { Some(0) };
        [events, self.alarm, self.next_of_shutdown()].into_iter().flatten().min().map(|at| at.max(self.busy_until))
    }

    /// The listeners are closed.
    pub fn is_closed(&self) -> bool {
        !self.listening
    }

    /// A client connects: its connection waits in the accept queue.
    pub fn connect(&mut self, client: usize) {
        self.accept_queue.push_back(client);
    }

    /// No connection is open, and none waits in the accept queue.
    pub fn is_empty(&self) -> bool {
        self.engine.is_empty() && self.accept_queue.is_empty()
    }

    /// One loop iteration.
    pub fn iterate(&mut self, clients: &[Client]) {
        let before = self.shared.progress.get();
        self.shared.iteration.set(self.shared.iteration.get() + 1);
        // No two iterations are at the same moment.
        self.shared.now.set(self.shared.now.get() + 1);
        self.shared.renew_budgets();
        self.with_tick(|engine, tick| engine.begin_iteration(0, tick));
        self.shared.renew_budgets();
        self.deliver_events(clients);
        self.with_tick(Engine::drive_ready);
        self.accept(clients);
        self.shared.renew_budgets();
        self.with_tick(Engine::expire);
        self.shared.renew_budgets();
        self.with_tick(Engine::feed);
        self.continue_shutdown(clients);
        self.check_at_rest(clients);
        self.sleep(self.shared.progress.get() > before);
    }

    /// Delivers events as the poll reports them: in any order, no two of one connection, some only with the next poll, and
    /// some spurious.
    fn deliver_events(&mut self, clients: &[Client]) {
        let mut ready = std::mem::take(&mut *self.shared.ready.borrow_mut());
        for end in (1..ready.len()).rev() {
            ready.swap(end, self.random.size(0..=end));
        }
        let put_off = if self.shared.inject_fault(10) { self.random.size(0..=ready.len()) } else { 0 };
        let put_off = ready.split_off(ready.len() - put_off);
        for &id in &ready {
            let readiness = std::mem::take(&mut clients[id].connection.borrow_mut().readiness);
            self.deliver_event(&clients[id], readiness);
        }
        self.shared.ready.borrow_mut().extend(put_off);
        let id = self.random.size(0..=clients.len() - 1);
        if !ready.contains(&id) && self.shared.inject_fault(10) {
            let spurious = Readiness { readable: true, writable: true, ..Readiness::default() };
            self.deliver_event(&clients[id], spurious);
        }
    }

    fn deliver_event(&mut self, client: &Client, readiness: Readiness) {
        let handle = client.connection.borrow().handle;
        if let Some(handle) = handle {
            self.engine.ready(handle, readiness);
        }
    }

    /// Accepts connections from the queue, as long as there are descriptors.
    fn accept(&mut self, clients: &[Client]) {
        if self.shared.now.get() < self.accept_not_before {
            return;
        }
        for _ in 0..MAX_ACCEPTS {
            if self.accept_queue.is_empty() {
                return;
            }
            if self.shared.inject_fault(50) && !self.free_descriptor(clients) {
                self.accept_not_before = self.shared.now.get() + ACCEPT_PAUSE;
                return;
            }
            self.accept_next(clients);
        }
    }

    /// There was no descriptor for a connection.
    fn free_descriptor(&mut self, clients: &[Client]) -> bool {
        let making_room = self.making_room(None, clients);
        self.shared.slots.borrow_mut().begin_making_room(making_room);
        let found = self.with_tick(Engine::free_descriptor);
        let is_open = |id: usize| clients[id].connection.borrow().is_open();
        if let Err(what) = self.shared.slots.borrow_mut().freed(found, is_open) {
            self.shared.report(None, what.into());
        }
        found
    }

    fn accept_next(&mut self, clients: &[Client]) {
        let Some(id) = self.accept_queue.pop_front() else { return };
        let newcomer = Newcomer::new(id, self.surplus_of_address(id, clients));
        let making_room = self.making_room(Some(newcomer), clients);
        self.shared.slots.borrow_mut().begin_making_room(making_room);
        self.shared.renew_budgets();
        let connection = &clients[id].connection;
        connection.borrow_mut().accepted = Some(self.shared.now.get());
        let mut ledger = self.ledger.borrow_mut();
        connection.borrow_mut().number = ledger.accepted.len();
        self.shared.record(id, "accepted beside others, namely", ledger.open.len() as u64);
        ledger.accepted.push(id);
        drop(ledger);
        let socket =
            SimulatedSocket { connection: Rc::clone(connection), shared: Rc::clone(&self.shared), reset: false };
        let address = if clients[id].local { [127, 0, 0, 1] } else { [192, 0, 2, 1] };
        let peer = Peer::Ip((address, 40_000).into());
        let handle = self.with_tick(|engine, tick| engine.adopt(socket, peer, tick));
        connection.borrow_mut().decide(&self.shared);
        let standing = connection.borrow().standing;
        let is_answered = !connection.borrow().responses.is_between();
        let is_open = |id: usize| clients[id].connection.borrow().is_open();
        if let Err(what) = self.shared.slots.borrow_mut().accepted(standing, is_answered, is_open) {
            self.shared.report(Some(id), what.into());
        }
        if let Some(handle) = handle {
            connection.borrow_mut().register(handle, &self.shared);
        }
    }

    /// What there is to make room from.
    fn making_room(&self, newcomer: Option<Newcomer>, clients: &[Client]) -> MakingRoom {
        let mut room = MakingRoom::new(newcomer);
        let (mut oldest, mut oldest_incomplete, mut malformed) = (None, None, Vec::new());
        let earlier = |before: Option<u64>, since: u64| Some(before.map_or(since, |before| before.min(since)));
        for id in &self.ledger.borrow().open {
            let connection = clients[*id].connection.borrow();
            match connection.evictable(connection.delivered, &self.shared) {
                Some(Evictable::Idle { since }) => room.idle_since = earlier(room.idle_since, since),
                Some(Evictable::Silent { since }) => room.silent_since = earlier(room.silent_since, since),
                None => {}
            }
            room.lingering.extend(connection.server_fin.map(|since| (since, *id)));
            let entry = (connection.number, *id);
            if connection.standing == Standing::OverLimit {
                oldest = Some(oldest.map_or(entry, |oldest| entry.min(oldest)));
            }
            if connection.is_incomplete_over_limit() && connection.next_is_malformed() {
                malformed.push(entry);
            } else if connection.is_incomplete_over_limit() {
                oldest_incomplete = Some(oldest_incomplete.map_or(entry, |oldest| entry.min(oldest)));
            }
        }
        if let Some(newcomer) = &mut room.newcomer {
            newcomer.oldest_is_incomplete = oldest.is_some() && oldest == oldest_incomplete;
            // Malformed bytes may be refused before their head ends, or not.
            malformed.retain(|entry| oldest_incomplete.is_none_or(|oldest| *entry < oldest));
            newcomer.may_go = malformed.into_iter().chain(oldest_incomplete).map(|(_, id)| id).collect();
        }
        room
    }

    /// By how many connections the client's address exceeds its limit, this one included.
    fn surplus_of_address(&self, client: usize, clients: &[Client]) -> usize {
        let max = self.limits.max_per_ip as usize;
        let of_address = |id: &&usize| {
            let counts = clients[**id].connection.borrow().server_fin.is_none();
            counts && clients[**id].local == clients[client].local
        };
        let served = self.ledger.borrow().open.iter().filter(of_address).count();
        if max == 0 { 0 } else { (served + 1).saturating_sub(max) }
    }

    /// When the next step of a shutdown, or a signal, is due.
    fn next_of_shutdown(&self) -> Option<u64> {
        let Settings { shutdown, second_shutdown, .. } = &self.shared.settings;
        let now = self.shared.now.get();
        match &self.draining {
            None => *shutdown,
            Some(_) if self.shared.aborting.get() => None,
            Some(draining) => {
                let due = now + draining.wait(self.now()).as_micros() as u64;
                Some(second_shutdown.filter(|at| *at > now).map_or(due, |at| at.min(due)))
            }
        }
    }

    /// Delivers the signals that are due: the first begins a shutdown, the second aborts what is left.
    fn handle_signals(&mut self) {
        let now = self.shared.now.get();
        let Settings { shutdown, second_shutdown, graceful, .. } = self.shared.settings;
        let is_due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if self.draining.is_none() && is_due(shutdown) {
            self.shared.draining_since.set(Some(now));
            self.shared.trace(None, "begins to drain", 0);
            let mode = if graceful { Shutdown::Graceful } else { Shutdown::Fast };
            self.draining = Some(Draining::begin(mode, self.now(), &self.limits));
            self.with_tick(Engine::reschedule_all);
        }
        let moment = self.now();
        if let Some(draining) = self.draining.as_mut().filter(|_| is_due(second_shutdown)) {
            draining.cut_now(moment);
        }
    }

    /// Takes the steps of a shutdown that are due, as the server does.
    fn continue_shutdown(&mut self, clients: &[Client]) {
        self.handle_signals();
        let now = self.now();
        while let Some(draining) = &mut self.draining {
            match draining.step(now, self.engine.remaining(self.listening)) {
                Some(Action::CloseListeners) => self.close_listeners(clients),
                Some(Action::CloseIdle) => {
                    self.shared.closing_idle.set(true);
                    self.shared.renew_budgets();
                    self.with_tick(Engine::close_idle);
                }
                Some(Action::EndFeeds) => self.with_tick(Engine::end_feeds),
                Some(Action::AbortAll) => {
                    self.shared.aborting.set(true);
                    self.shared.trace(None, "closes everything", 0);
                    self.with_tick(Engine::abort_all);
                }
                Some(Action::Finish) | None => return,
            }
        }
    }

    fn close_listeners(&mut self, clients: &[Client]) {
        self.listening = false;
        self.shared.trace(None, "drains the accept queue of", self.accept_queue.len() as u64);
        while !self.accept_queue.is_empty() {
            self.accept_next(clients);
        }
    }

    /// Checks what must be true whenever the server goes to sleep.
    fn check_at_rest(&mut self, clients: &[Client]) {
        self.ledger.borrow_mut().check(clients, &self.shared);
        let ledger = self.ledger.borrow();
        if self.engine.is_empty() != ledger.open.is_empty() {
            self.shared.report(None, format!("the engine and its ledger differ: {} open", ledger.open.len()));
        }
        let buffered = self.engine.buffered().max().unwrap_or(0);
        if buffered > self.limits.max_head + MAX_BUFFERED {
            self.shared.report(None, format!("a connection holds {buffered} bytes"));
        }
        if self.engine.wait(self.now()) != Some(Duration::ZERO) {
            ledger.open.iter().for_each(|id| clients[*id].connection.borrow().check_at_rest(&self.shared));
        }
    }

    /// Sleeps as long as the engine allows, and sometimes longer.
    fn sleep(&mut self, progress: bool) {
        let now = self.shared.now.get();
        let wait = self.engine.wait(self.now()).map(|wait| wait.as_micros() as u64);
        self.idle_iterations = if progress || wait != Some(0) { 0 } else { self.idle_iterations + 1 };
        if self.idle_iterations > MAX_IDLE_ITERATIONS {
            self.shared.report(None, "the loop iterates and iterates, and makes no progress".into());
        }
        let late = if self.shared.inject_fault(10) { self.random.within(0..=500_000) } else { 0 };
        self.alarm = wait.map(|wait| now + wait + late);
        let stopped = if self.shared.inject_fault(200) { 500_000 } else { 200 };
        self.busy_until = now + self.random.within(0..=stopped);
    }

    fn now(&self) -> Moment {
        Moment::from_micros(self.shared.now.get())
    }

    fn with_tick<T>(&mut self, act: impl FnOnce(&mut Engine<SimulatedSocket>, &Tick<'_>) -> T) -> T {
        let now = self.now();
        let date = Date::from_unix(1_800_000_000 + now.as_micros() / 1_000_000);
        act(&mut self.engine, &Tick { now, date: &date, limits: &self.limits, draining: self.draining.is_some() })
    }
}
