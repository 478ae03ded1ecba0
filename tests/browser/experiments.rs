//! The five experiments: each is run, and its numbers are compared with what `/-/status` says.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{CHROMIUM, Chromium, Server, Tab, test};

/// A browser at one of the experiments.
struct Bench {
    server: Server,
    chromium: Chromium,
    tab: Tab,
}

impl Bench {
    /// Opens an experiment at a server with these flags, and waits until its buttons work.
    fn open(page: &str, flags: &[&str]) -> Bench {
        let www = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("www");
        let server = Server::serve(&www, flags);
        let mut chromium = Chromium::start();
        let tab = chromium.open(&server.url(&format!("/experiments/{page}.html")), 1280, 860);
        chromium.wait_for(&tab, "document.querySelector('.controls button')?.disabled === false");
        Bench { server, chromium, tab }
    }

    /// Presses a button and waits until what it does is done.
    fn press(&mut self, button: &str) {
        self.evaluate(&format!("delete document.body.dataset.state; document.getElementById('{button}').click()"));
        self.wait_for("['done', 'failed'].includes(document.body.dataset.state)");
        assert_eq!(self.text("trouble"), "", "{button}");
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        self.chromium.evaluate(&self.tab, expression)
    }

    fn wait_for(&mut self, expression: &str) -> Value {
        self.chromium.wait_for(&self.tab, expression)
    }

    /// Takes the picture for the docs: the buttons, and what they lead to.
    fn picture(&mut self, name: &str) {
        self.chromium.resize(&self.tab, 1100, 900);
        self.evaluate("document.querySelector('.controls').scrollIntoView()");
        self.chromium.picture(&self.tab, name);
    }

    /// What an element says.
    fn text(&mut self, id: &str) -> String {
        let text = self.evaluate(&format!("document.getElementById('{id}').textContent"));
        text.as_str().expect("a text").to_owned()
    }

    fn number(&mut self, id: &str) -> u64 {
        let text = self.text(id);
        text.parse().unwrap_or_else(|_| panic!("{id} says {text}"))
    }

    /// What an element says of itself for us.
    fn data(&mut self, id: &str, name: &str) -> String {
        let text = self.evaluate(&format!("document.getElementById('{id}').dataset.{name}"));
        text.as_str().unwrap_or_else(|| panic!("{id} has no data-{name}")).to_owned()
    }

    /// The connection that the verdict is about.
    fn conn(&mut self) -> u64 {
        self.data("verdict", "conn").parse().expect("a number")
    }

    /// How things stand, asked over a connection that the browser does not know.
    fn status(&self) -> Value {
        let answer = self.server.connect().get("/-/status");
        serde_json::from_slice(&answer.body).expect("the status is JSON")
    }

    /// What the status remembers of a connection that has ended.
    fn ended(&self, id: u64) -> Value {
        let status = self.status();
        let found = list(&status["recent"]).iter().find(|connection| connection["id"] == id);
        found.unwrap_or_else(|| panic!("no connection {id} has ended")).clone()
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

test!(short_and_long, CHROMIUM);
fn short_and_long() {
    let mut bench = Bench::open("short-and-long", &[]);
    bench.evaluate("document.getElementById('count').value = 10");
    bench.press("run");
    for (cell, expected) in [("requests", (10, 10)), ("accepted", (10, 1)), ("server", (10, 1)), ("packets", (70, 7))] {
        let found = (bench.number(&format!("short-{cell}")), bench.number(&format!("long-{cell}")));
        assert_eq!(found, expected, "{cell}");
    }
    bench.picture("experiment-short-and-long.png");
    let status = bench.status();
    let lab: Vec<_> = list(&status["recent"]).iter().filter(|connection| connection["reason"] == "lab").collect();
    assert!(lab.len() >= 10 && lab[lab.len() - 10..].iter().all(|short| short["requests"] == 1), "{lab:?}");
    let long = list(&status["connections"]).iter().filter(|open| open["last"]["target"] == "/favicon.svg");
    assert_eq!(long.map(|open| open["requests"].as_u64()).collect::<Vec<_>>(), [Some(10)], "{status}");
}

test!(three_packets_to_open_four_to_close, CHROMIUM);
fn three_packets_to_open_four_to_close() {
    let mut bench = Bench::open("ladder", &[]);
    let rows = [
        ("server-closes", "server", "fin", "server", &["SYN", "FIN", "FIN_WAIT1", "TIME_WAIT"][..]),
        ("client-closes", "client", "fin", "client", &["SYN", "FIN", "CLOSE_WAIT", "TIME_WAIT"]),
        ("server-resets", "server", "reset", "none", &["SYN", "RST"]),
    ];
    for (button, by, how, first_fin, drawn) in rows {
        bench.press(button);
        let conn = bench.conn();
        let ended = bench.ended(conn);
        assert_eq!((&ended["by"], &ended["how"], &ended["requests"]), (&by.into(), &how.into(), &2.into()), "{ended}");
        assert_eq!(ended["first_fin"], first_fin, "{ended}");
        assert_eq!(bench.data("verdict", "first"), first_fin);
        let ladder = bench.text("ladder");
        assert!(drawn.iter().all(|step| ladder.contains(step)), "{button}: {ladder}");
        if button == "server-closes" {
            bench.picture("experiment-ladder.png");
        }
    }
}

test!(why_idle_connections_must_end, CHROMIUM);
fn why_idle_connections_must_end() {
    let flags = ["--max-connections", "12", "--keep-alive-timeout", "5s", "--keep-alive-grace", "500ms"];
    let mut bench = Bench::open("idle", &flags);
    bench.evaluate("document.getElementById('count').value = 20");
    bench.press("fill");
    bench.picture("experiment-idle.png");
    bench.wait_for("Number(document.getElementById('evicted').textContent) > 0");
    // All have ended but the one that brings the stream.
    bench.wait_for("Number(document.getElementById('open').textContent) === 1");
    let (evicted, timed_out) = (bench.number("evicted"), bench.number("timed-out"));
    let status = bench.status();
    let closed = &status["totals"]["closed"]["server"];
    assert_eq!((&closed["evicted"], &closed["idle-timeout"]), (&evicted.into(), &timed_out.into()), "{status}");
    assert!(timed_out > 0, "{status}");
}

test!(the_race, CHROMIUM);
fn the_race() {
    let mut bench = Bench::open("race", &[]);
    // Chromium repeats both by itself. Another browser may report the loss of the POST.
    let rows = [("get", &["retried"][..]), ("post", &["twice", "failed"]), ("obey", &["kept"]), ("told", &["told"])];
    for (button, outcomes) in rows {
        bench.press(button);
        let outcome = bench.data("verdict", "outcome");
        assert!(outcomes.contains(&&*outcome), "{button}: {outcome}");
        if button == "post" {
            bench.picture("experiment-race.png");
        }
        let conn = bench.conn();
        match button {
            "get" | "post" => {
                let ended = bench.ended(conn);
                assert!(
                    ended["reason"] == "lab" && ended["announced"] == false && ended["race"].is_object(),
                    "{ended}"
                );
            }
            "told" => assert_eq!(bench.ended(conn)["announced"], true),
            _ => {
                let status = bench.status();
                let open = list(&status["connections"]).iter().find(|open| open["id"] == conn);
                assert_eq!(open.map(|open| &open["requests"]), Some(&2.into()), "{status}");
            }
        }
    }
    // Whether a real close is hit is luck: the two must only count alike.
    bench.press("shoot");
    let fired = bench.evaluate("document.querySelectorAll('#shots circle, #shots path').length");
    assert_eq!(fired, 24, "{}", bench.text("shots-count"));
    let hit = bench.evaluate("document.querySelectorAll('#shots path').length");
    let lost = bench.number("lost-count") + hit.as_u64().expect("a number");
    assert_eq!(bench.status()["totals"]["races"], lost);
}

test!(six_lanes, CHROMIUM);
fn six_lanes() {
    let mut bench = Bench::open("six-lanes", &[]);
    bench.evaluate("document.querySelector('[data-language=zh-Hans]').click()");
    // Five, because the page's own stream holds the sixth.
    for (button, lanes) in [("alike", 5), ("turn", 1), ("slow", 5)] {
        bench.press(button);
        let used = bench.data("verdict", "lanes");
        let used: Vec<&str> = used.split(' ').collect();
        assert_eq!(used.len(), lanes, "{button}: {used:?}");
        let status = bench.status();
        let open = list(&status["connections"]).iter().filter(|open| used.contains(&&*open["id"].to_string()));
        let requests: u64 = open.filter_map(|open| open["requests"].as_u64()).sum();
        assert!(requests >= 18, "{button}: {status}");
    }
    bench.picture("experiment-six-lanes.png");
}

test!(an_experiment_without_the_console_says_so, CHROMIUM);
/// A reader who may not open the console is told so, and nothing breaks.
fn an_experiment_without_the_console_says_so() {
    let www = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("www");
    let server = Server::serve(&www, &["--console", "off"]);
    let mut chromium = Chromium::start();
    for page in ["short-and-long", "ladder", "idle", "race", "six-lanes"] {
        let tab = chromium.open(&server.url(&format!("/experiments/{page}.html")), 800, 600);
        chromium.wait_for(&tab, "document.body?.dataset.state === 'closed'");
        let shown =
            "!document.getElementById('closed-console').hidden && document.querySelector('.controls button').disabled";
        assert_eq!(chromium.evaluate(&tab, shown), true, "{page}");
    }
}
