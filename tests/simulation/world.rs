//! A run: the server among clients of all manners, and files that change.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::client::Client;
use super::climate::Climate;
use super::files::Tree;
use super::random::Random;
use super::scene::Scene;
use super::server::Server;

/// So long after the last client has come, faults are over.
const FAULTS: u64 = 10_000_000;

/// So long after that, nobody should be there any more.
const PATIENCE: u64 = 1_000_000_000;

/// The server and all its clients.
pub struct World {
    scene: Rc<Scene>,
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
        let climate = Climate::new(&mut random);
        let tree = Tree::new(&mut random, climate.largest);
        let clients: Vec<_> = (0..climate.clients).map(|id| Client::new(id, &mut random)).collect();
        let mut arrival = || Scene::BEGIN + random.within(0..=climate.arrivals);
        let agenda = (0..clients.len()).map(|id| Reverse((arrival(), id))).collect();
        let scene = Rc::new(Scene::new(climate, Random::new(random.next()), tree));
        let server = Server::new(&scene, Random::new(random.next()));
        World { scene, server, clients, agenda, next_change: 0, random, steps: 0 }
    }

    /// Runs until everyone has gone. Returns the number of steps, or what went wrong.
    pub fn run(mut self) -> Result<u64, String> {
        let calm_from = Scene::BEGIN + self.scene.climate.arrivals + FAULTS;
        while !self.agenda.is_empty() || !self.server.is_empty() {
            self.step();
            let now = self.scene.now.get();
            self.scene.calm.set(now > calm_from);
            if now > calm_from + PATIENCE {
                self.scene.complain(None, self.who_is_left());
            }
            if let Some(fault) = self.scene.verdict() {
                return Err(fault);
            }
        }
        if self.clients.iter().any(|client| client.line.borrow().is_open()) {
            self.scene.complain(None, "a socket is still open".into());
        }
        self.scene.verdict().map_or(Ok(self.steps), Err)
    }

    /// Whatever comes next: a client acts, a file changes, or the server turns.
    fn step(&mut self) {
        self.steps += 1;
        let server = self.server.next_turn();
        let client = self.agenda.peek().map(|Reverse((at, _))| *at);
        let next = [server, client].into_iter().flatten().min().unwrap_or(u64::MAX);
        self.scene.now.set(next.max(self.scene.now.get()));
        if self.scene.now.get() >= self.next_change && !self.scene.calm.get() {
            self.change_a_file();
        }
        if client == Some(next) {
            self.let_client_act();
        } else if server == Some(next) {
            self.server.turn(&self.clients);
        }
    }

    fn let_client_act(&mut self) {
        let Some(Reverse((now, id))) = self.agenda.pop() else { return };
        let client = &mut self.clients[id];
        if client.is_new() {
            if self.server.is_closed() {
                // Nobody listens any more.
                return;
            }
            self.server.knock(id);
        }
        let pause = client.act(&self.scene);
        if !client.over {
            self.agenda.push(Reverse((now + pause.max(1), id)));
        }
    }

    fn change_a_file(&mut self) {
        let scene = &self.scene;
        let changes = scene.climate.changes;
        self.next_change = scene.now.get() + self.random.within(changes / 2..=changes * 2);
        let what = scene.tree.borrow_mut().change(&mut self.random);
        scene.trace(None, what, scene.tree.borrow().epoch);
    }

    fn who_is_left(&self) -> String {
        let open = self.clients.iter().filter(|client| client.line.borrow().is_open());
        let names: Vec<_> = open.map(|client| format!("{} ({:?})", client.line.borrow().id, client.manner)).collect();
        format!("long after all faults are over these are still open: {}", names.join(", "))
    }
}
