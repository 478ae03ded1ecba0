//! A run: the server, clients of every behaviour, and files that change.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::client::Client;
use super::files::Tree;
use super::random::Random;
use super::server::Server;
use super::settings::Settings;
use super::shared::Shared;

/// Faults are injected until this long after the last arrival.
const FAULTS: u64 = 10_000_000;

/// This long after the last fault every connection must have ended.
const PATIENCE: u64 = 1_000_000_000;

/// The server and all its clients.
pub struct World {
    shared: Rc<Shared>,
    server: Server,
    clients: Vec<Client>,
    /// When each client acts next.
    agenda: BinaryHeap<Reverse<(u64, usize)>>,
    next_change: u64,
    random: Random,
    steps: u64,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let settings = Settings::new(&mut random);
        let tree = Tree::new(&mut random, settings.largest);
        let clients: Vec<_> = (0..settings.clients).map(|id| Client::new(id, &mut random)).collect();
        let mut arrival = || Shared::BEGIN + random.within(0..=settings.arrivals);
        let agenda = (0..clients.len()).map(|id| Reverse((arrival(), id))).collect();
        let shared = Rc::new(Shared::new(settings, Random::new(random.next()), tree));
        let server = Server::new(&shared, Random::new(random.next()));
        World { shared, server, clients, agenda, next_change: 0, random, steps: 0 }
    }

    /// Runs until every connection has ended. Returns the number of steps, or the violation.
    pub fn run(mut self) -> Result<u64, String> {
        let last_fault = Shared::BEGIN + self.shared.settings.arrivals + FAULTS;
        while !self.agenda.is_empty() || !self.server.is_empty() {
            self.step();
            let now = self.shared.now.get();
            self.shared.faults_over.set(now > last_fault);
            if now > last_fault + PATIENCE {
                self.shared.report(None, self.still_open());
            }
            if let Some(failure) = self.shared.failure() {
                return Err(failure);
            }
        }
        if self.clients.iter().any(|client| client.connection.borrow().is_open()) {
            self.shared.report(None, "a socket is still open".into());
        }
        if !self.shared.slots.borrow().is_empty() {
            self.shared.report(None, "the model still counts a connection".into());
        }
        self.shared.failure().map_or(Ok(self.steps), Err)
    }

    /// Takes the next step in time: a client acts, or the server's loop iterates. Before it a file may change.
    fn step(&mut self) {
        self.steps += 1;
        let server = self.server.next_iteration();
        let client = self.agenda.peek().map(|Reverse((at, _))| *at);
        let next = [server, client].into_iter().flatten().min().unwrap_or(u64::MAX);
        self.shared.now.set(next.max(self.shared.now.get()));
        if self.shared.now.get() >= self.next_change && !self.shared.faults_over.get() {
            self.change_a_file();
        }
        if client == Some(next) {
            self.let_client_act();
        } else if server == Some(next) {
            self.server.iterate(&self.clients);
        }
    }

    fn let_client_act(&mut self) {
        let Some(Reverse((now, id))) = self.agenda.pop() else { return };
        let client = &mut self.clients[id];
        if client.is_new() {
            if self.server.is_closed() {
                // Connection refused: the listeners are closed.
                return;
            }
            self.server.connect(id);
        }
        let pause = client.act(&self.shared);
        if !client.over {
            self.agenda.push(Reverse((now + pause.max(1), id)));
        }
    }

    fn change_a_file(&mut self) {
        let shared = &self.shared;
        let changes = shared.settings.changes;
        self.next_change = shared.now.get() + self.random.within(changes / 2..=changes * 2);
        shared.change_a_file(&mut self.random);
    }

    fn still_open(&self) -> String {
        let open = self.clients.iter().filter(|client| client.connection.borrow().is_open());
        let names: Vec<_> =
            open.map(|client| format!("{} ({:?})", client.connection.borrow().id, client.behaviour)).collect();
        format!("long after the last fault these are still open: {}", names.join(", "))
    }
}
