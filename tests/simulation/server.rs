//! The server: the very engine that serves, turned as `holdline::server::Server` turns it, but by a clock that
//! nobody waits for, and a poll that is late.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use holdline::http::{Date, Limits, Moment, Tick};
use holdline::observe::{Observers, Peer};
use holdline::server::{Action, Draining, Engine, Readiness, Shutdown, Watch};
use holdline::site::{Site, SiteOptions};

use super::client::Client;
use super::climate::Climate;
use super::line::Line;
use super::random::Random;
use super::rules::RoomFrom;
use super::scene::Scene;
use super::socket::SimulatedSocket;
use super::witness::{Account, Witness};

/// Connections that may be accepted in a turn.
const MAX_ACCEPTS: usize = 64;

/// How long to wait when there is no descriptor for a connection.
const ACCEPT_PAUSE: u64 = 100_000;

/// Connections that may linger before the server gets impatient with the first of them.
const MAX_LINGERING: usize = 16;

/// Connections of an address beyond its limit that may wait for their refusal.
const MAX_TURNED_AWAY: usize = 64;

/// Bytes that a connection may hold in memory beside a whole request head: a read ahead, a batch of answers, and one
/// more answer of the largest that is sent from memory.
const MAX_BUFFERED: usize = (16 + 32 + 32 + 16) * 1024;

/// More turns than this that move nothing, one after the other and each asked for at once, are a loop.
const MAX_IDLE_TURNS: usize = 3;

/// The engine, and what goes on around it.
pub struct Server {
    engine: Engine<SimulatedSocket>,
    scene: Rc<Scene>,
    account: Rc<RefCell<Account>>,
    random: Random,
    limits: Limits,
    draining: Option<Draining>,
    listening: bool,
    /// Clients whose connections wait to be accepted, ...
    door: VecDeque<usize>,
    /// ... but not before this moment.
    accept_not_before: u64,
    /// It does nothing before this moment: it has just slept, or the process is stopped.
    busy_until: u64,
    /// When its timer wakes it.
    alarm: Option<u64>,
    idle_turns: usize,
}

impl Server {
    pub fn new(scene: &Rc<Scene>, random: Random) -> Self {
        let Climate { limits, max_connections, .. } = &scene.climate;
        let site = Site::open(scene.tree.borrow().path(), SiteOptions::default()).expect("the root is there");
        let account = Rc::new(RefCell::new(Account::default()));
        let mut observers = Observers::default();
        observers.add(Box::new(Witness(Rc::clone(&account))));
        let watch = Watch { read: Box::new(Moment::default), started_unix: Duration::ZERO };
        Server {
            engine: Engine::new(site, observers, limits, *max_connections, watch),
            limits: limits.clone(),
            scene: Rc::clone(scene),
            account,
            random,
            draining: None,
            listening: true,
            door: VecDeque::new(),
            accept_not_before: 0,
            busy_until: 0,
            alarm: None,
            idle_turns: 0,
        }
    }

    /// When its poll returns.
    pub fn next_turn(&self) -> Option<u64> {
        let door = (!self.door.is_empty()).then_some(self.accept_not_before);
        let work = if self.scene.told.borrow().is_empty() { door } else { Some(0) };
        [work, self.alarm, self.next_of_shutdown()].into_iter().flatten().min().map(|at| at.max(self.busy_until))
    }

    /// Nobody is let in any more.
    pub fn is_closed(&self) -> bool {
        !self.listening
    }

    /// A client connects: it waits to be accepted.
    pub fn knock(&mut self, client: usize) {
        self.door.push_back(client);
    }

    /// Nobody is inside, and nobody waits at the door.
    pub fn is_empty(&self) -> bool {
        self.engine.is_empty() && self.door.is_empty()
    }

    /// A turn of the loop.
    pub fn turn(&mut self, clients: &[Client]) {
        let before = self.scene.moved.get();
        self.scene.turn.set(self.scene.turn.get() + 1);
        // No two turns are at the same moment.
        self.scene.now.set(self.scene.now.get() + 1);
        self.with_tick(|engine, tick| engine.begin_iteration(0, tick));
        self.bring_news(clients);
        self.with_tick(Engine::run_ready_list);
        self.accept(clients);
        self.with_tick(Engine::expire);
        self.with_tick(Engine::feed);
        self.continue_shutdown(clients);
        self.look_around(clients);
        self.sleep(self.scene.moved.get() > before);
    }

    /// What the poll brings: some of what the sockets have to tell, in any order, and now and then nothing new.
    fn bring_news(&mut self, clients: &[Client]) {
        let mut told = std::mem::take(&mut *self.scene.told.borrow_mut());
        for end in (1..told.len()).rev() {
            told.swap(end, self.random.size(0..=end));
        }
        let put_off = if self.scene.mishap(10) { self.random.size(0..=told.len()) } else { 0 };
        let put_off = told.split_off(told.len() - put_off);
        for id in told {
            let news = std::mem::take(&mut clients[id].line.borrow_mut().news);
            self.tell(&clients[id], news);
        }
        self.scene.told.borrow_mut().extend(put_off);
        if self.scene.mishap(10) {
            let id = self.random.size(0..=clients.len() - 1);
            self.tell(&clients[id], Readiness { readable: true, writable: true, ..Readiness::default() });
        }
    }

    fn tell(&mut self, client: &Client, news: Readiness) {
        let handle = client.line.borrow().handle;
        if let Some(handle) = handle {
            self.with_tick(|engine, tick| engine.ready(handle, news, tick));
        }
    }

    /// Lets in who waits, as long as there is room, and a descriptor.
    fn accept(&mut self, clients: &[Client]) {
        if self.scene.now.get() < self.accept_not_before {
            return;
        }
        for _ in 0..MAX_ACCEPTS {
            if self.door.is_empty() {
                return;
            }
            if self.scene.mishap(50) {
                let turn = Some(self.scene.turn.get());
                self.scene.evicting.set(turn);
                self.scene.hurrying.set(turn);
                if !self.with_tick(Engine::free_descriptor) {
                    self.accept_not_before = self.scene.now.get() + ACCEPT_PAUSE;
                    return;
                }
            }
            self.take_in_next(clients);
        }
    }

    fn take_in_next(&mut self, clients: &[Client]) {
        let Some(id) = self.door.pop_front() else { return };
        let (serving, lingering) = self.account.borrow().standing(clients);
        let max = self.scene.climate.max_connections;
        // At most so many wait for their refusal: some of those who might be refused are served.
        let waits =
            |id: &&usize| clients[**id].line.borrow().unwelcome && clients[**id].line.borrow().our_fin.is_none();
        let refused = self.account.borrow().open.iter().filter(waits).count();
        let room = |bytes: fn(&Line) -> u64| {
            let open = &self.account.borrow().open;
            let lines = open.iter().map(|id| clients[*id].line.borrow());
            let room: Vec<_> = lines.filter_map(|line| line.may_make_room(bytes(&line), &self.scene)).collect();
            let idle = room.iter().filter(|from| **from == RoomFrom::Idle).count();
            // Of those who are silent the server counts on one only.
            serving < max + idle + usize::from(room.contains(&RoomFrom::Silent))
        };
        // One who seems to be idle may have to go; those who are so make room. Who waits for a refusal may be among those
        // who are counted here, and takes no room.
        let too_many = self.too_many_of_address(id, clients);
        if too_many == 0 && serving >= max {
            self.scene.evicting.set(Some(self.scene.turn.get()));
        }
        let unwelcome = too_many > 0 || !room(|line| line.delivered);
        if lingering > MAX_LINGERING {
            self.scene.hurrying.set(Some(self.scene.turn.get()));
        }
        let line = &clients[id].line;
        line.borrow_mut().accepted = Some(self.scene.now.get());
        line.borrow_mut().unwelcome = unwelcome;
        line.borrow_mut().shut_out = too_many > MAX_TURNED_AWAY || unwelcome && refused >= MAX_TURNED_AWAY;
        self.scene.note(id, "accepted as one more than", serving as u64);
        self.account.borrow_mut().accepted.push(id);
        let socket = SimulatedSocket { line: Rc::clone(line), scene: Rc::clone(&self.scene), reset: false };
        let address = if clients[id].local { [127, 0, 0, 1] } else { [192, 0, 2, 1] };
        let peer = Peer::Ip((address, 40_000).into());
        // Meanwhile nothing arrives that would keep those who may go.
        let calm = self.scene.calm.replace(true);
        let handle = self.with_tick(|engine, tick| engine.adopt(socket, peer, tick));
        self.scene.calm.set(calm);
        if let Some(handle) = handle {
            line.borrow_mut().register(handle, &self.scene);
        }
    }

    /// How many more than may be served there are of its address, itself included.
    fn too_many_of_address(&self, client: usize, clients: &[Client]) -> usize {
        let max = self.limits.max_per_ip as usize;
        let of_address = |id: &&usize| {
            let is_served = clients[**id].line.borrow().our_fin.is_none();
            is_served && clients[**id].local == clients[client].local
        };
        let served = self.account.borrow().open.iter().filter(of_address).count();
        if max == 0 { 0 } else { (served + 1).saturating_sub(max) }
    }

    /// When the next step of a shutdown, or a signal, is due.
    fn next_of_shutdown(&self) -> Option<u64> {
        let Climate { stop, second_stop, .. } = &self.scene.climate;
        let now = self.scene.now.get();
        match &self.draining {
            None => *stop,
            Some(_) if self.scene.aborting.get() => None,
            Some(draining) => {
                let due = now + draining.wait(self.now()).as_micros() as u64;
                Some(second_stop.filter(|at| *at > now).map_or(due, |at| at.min(due)))
            }
        }
    }

    /// Delivers the signals that are due: the first begins a shutdown, the second cuts what is left.
    fn handle_signals(&mut self) {
        let now = self.scene.now.get();
        let Climate { stop, second_stop, politely, .. } = self.scene.climate;
        let is_due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if self.draining.is_none() && is_due(stop) {
            self.scene.draining_since.set(Some(now));
            self.scene.trace(None, "is told to stop", 0);
            let mode = if politely { Shutdown::Graceful } else { Shutdown::Fast };
            self.draining = Some(Draining::begin(mode, self.now(), &self.limits));
            self.with_tick(Engine::reschedule_all);
        }
        let moment = self.now();
        if let Some(draining) = self.draining.as_mut().filter(|_| is_due(second_stop)) {
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
                    self.scene.closing_idle.set(true);
                    self.with_tick(Engine::close_idle);
                }
                Some(Action::EndFeeds) => self.with_tick(Engine::end_feeds),
                Some(Action::AbortAll) => {
                    self.scene.aborting.set(true);
                    self.scene.trace(None, "drops everything", 0);
                    self.with_tick(Engine::abort_all);
                }
                Some(Action::Finish) | None => return,
            }
        }
    }

    fn close_listeners(&mut self, clients: &[Client]) {
        self.listening = false;
        self.scene.trace(None, "closes its doors to all but", self.door.len() as u64);
        while !self.door.is_empty() {
            self.take_in_next(clients);
        }
    }

    /// What must be true whenever the server goes to sleep.
    fn look_around(&mut self, clients: &[Client]) {
        self.account.borrow_mut().check(clients, &self.scene);
        let account = self.account.borrow();
        if self.engine.is_empty() != account.open.is_empty() {
            self.scene.complain(None, format!("the engine and its ledger differ: {} open", account.open.len()));
        }
        let buffered = self.engine.buffered().max().unwrap_or(0);
        if buffered > self.limits.max_head + MAX_BUFFERED {
            self.scene.complain(None, format!("a connection holds {buffered} bytes"));
        }
        if self.engine.wait(self.now()) != Some(Duration::ZERO) {
            account.open.iter().for_each(|id| clients[*id].line.borrow().rests(&self.scene));
        }
    }

    /// How long it sleeps; longer than it wanted, now and then.
    fn sleep(&mut self, moved: bool) {
        let now = self.scene.now.get();
        let wait = self.engine.wait(self.now()).map(|wait| wait.as_micros() as u64);
        self.idle_turns = if moved || wait != Some(0) { 0 } else { self.idle_turns + 1 };
        if self.idle_turns > MAX_IDLE_TURNS {
            self.scene.complain(None, "the server turns and turns, and nothing moves".into());
        }
        let late = if self.scene.mishap(10) { self.random.within(0..=500_000) } else { 0 };
        self.alarm = wait.map(|wait| now + wait + late);
        let stopped = if self.scene.mishap(200) { 500_000 } else { 200 };
        self.busy_until = now + self.random.within(0..=stopped);
    }

    fn now(&self) -> Moment {
        Moment::from_micros(self.scene.now.get())
    }

    fn with_tick<T>(&mut self, act: impl FnOnce(&mut Engine<SimulatedSocket>, &Tick<'_>) -> T) -> T {
        let now = self.now();
        let date = Date::from_unix(1_800_000_000 + now.as_micros() / 1_000_000);
        act(&mut self.engine, &Tick { now, date: &date, limits: &self.limits, draining: self.draining.is_some() })
    }
}
