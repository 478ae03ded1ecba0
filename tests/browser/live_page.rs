//! `/-/`: the live page, while real clients are at work.

use std::net::SocketAddr;
use std::thread::Scope;
use std::time::{Duration, Instant};

use crate::support::{CHROMIUM, CURL, Chromium, PATIENCE, Root, Server, Tab, Viewer, WRK, get, ms, run, test, tool};

/// Opens the live page, as people like it on a wall.
fn watch(chromium: &mut Chromium, server: &Server) -> Tab {
    let tab = chromium.open("about:blank", 1400, 820);
    chromium.prefer_dark(&tab);
    chromium.go(&tab, &server.url("/-/"));
    chromium.wait_for(&tab, "window.holdline?.link === 'live' && window.holdline.totals !== null");
    tab
}

/// Waits for a lane of which this holds; gives its number.
fn lane_where(chromium: &mut Chromium, tab: &Tab, condition: &str) -> u64 {
    let search = format!("[...holdline.lanes].find(([conn, lane]) => {condition})?.[0]");
    chromium.wait_for(tab, &search).as_u64().expect("a number")
}

fn text_of(chromium: &mut Chromium, tab: &Tab, id: &str) -> String {
    let text = chromium.evaluate(tab, &format!("document.getElementById('{id}').textContent"));
    text.as_str().expect("a text").to_owned()
}

test!(it_shows_lanes_requests_an_idle_close_and_a_race, CHROMIUM, CURL, WRK);
fn it_shows_lanes_requests_an_idle_close_and_a_race() {
    let root = Root::new();
    let server = Server::start(&root, &["--keep-alive-timeout", "3s", "--keep-alive-grace", "1s"]);
    let mut chromium = Chromium::start();
    let tab = watch(&mut chromium, &server);

    // curl: one connection, two requests, closed by curl. Its lane appears, and its row in the table.
    let url = server.url("/");
    run(tool("curl").args(["-s", "-o", "/dev/null", "-o", "/dev/null", &url, &url])).assert_success();
    let by_client = "!lane.viewer && lane.requests === 2 && lane.closed?.reason === 'client-closed'";
    let conn = lane_where(&mut chromium, &tab, by_client);
    chromium.wait_for(&tab, &format!("document.getElementById('lane-{conn}') !== null"));

    // wrk: every request is counted, though not each has its block.
    let finished = run(tool("wrk").args(["-t1", "-c20", "-d2s", &url]));
    let said = &finished.assert_success().stdout;
    let line = said.lines().find(|line| line.contains(" requests in ")).expect("wrk counts its requests");
    let requests: u64 = line.split_whitespace().next().and_then(|count| count.parse().ok()).expect("a number");
    chromium.wait_for(&tab, &format!("holdline.totals.requests > {requests}"));

    // A server that hangs up on an idle connection, and a client that has not noticed.
    let mut wire = server.connect();
    wire.get("/");
    wire.expect_eof(PATIENCE);
    wire.send(get("/too-late", &[]));
    let peer = wire.address();
    let raced = format!("lane.peer === '{peer}' && lane.race !== null");
    let conn = lane_where(&mut chromium, &tab, &raced);
    drop(wire);
    let idle = format!("conn === {conn} && lane.closed?.reason === 'idle-timeout'");
    lane_where(&mut chromium, &tab, &idle);
    let closed = chromium.evaluate(&tab, &format!("holdline.lanes.get({conn}).closed"));
    assert_eq!((&closed["by"], &closed["how"]), (&"server".into(), &"fin".into()), "{closed}");
    assert_eq!(closed["announced"], false, "{closed}");
    chromium.wait_for(&tab, "document.getElementById('races').textContent === '1'");
    chromium.wait_for(&tab, &format!("document.getElementById('lane-{conn}')?.dataset.race !== undefined"));

    // The page and the server agree, to the last count.
    let sums = "(t => t.accepted === t.open + Object.values(t.closed).flatMap(by => Object.values(by)).reduce((a, b) => a + b, 0))(holdline.totals)";
    assert_eq!(chromium.evaluate(&tab, sums), true, "accepted = open + closed");
}

test!(an_empty_page_says_what_to_try, CHROMIUM);
/// Nobody is there but the page itself: it says what to try.
fn an_empty_page_says_what_to_try() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut chromium = Chromium::start();
    let tab = watch(&mut chromium, &server);
    chromium.wait_for(&tab, "!document.getElementById('empty').hidden");
    let recipes = text_of(&mut chromium, &tab, "recipes");
    assert!(recipes.contains(&format!("curl -s -o /dev/null -H 'Connection: close' {}", server.url("/"))), "{recipes}");
}

test!(a_page_too_many_says_so_and_comes_in_when_another_leaves, CHROMIUM);
fn a_page_too_many_says_so_and_comes_in_when_another_leaves() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let mut viewers: Vec<_> = (0..64).map(|_| Viewer::open(&server)).collect();
    let mut chromium = Chromium::start();
    let tab = chromium.open(&server.url("/-/"), 1400, 820);
    chromium.wait_for(&tab, "window.holdline?.link === 'full'");
    chromium.wait_for(&tab, "document.getElementById('link').textContent.includes('no room')");
    viewers.pop().map(Viewer::leave);
    chromium.wait_for(&tab, "window.holdline.link === 'live'");
}

test!(pictures_for_the_pages_of_docs, CHROMIUM, CURL);
fn pictures_for_the_pages_of_docs() {
    let root = Root::new().file("app.js", "x".repeat(40_000)).file("style.css", "x".repeat(9000));
    let server = Server::start(&root, &["--keep-alive-timeout", "4s", "--keep-alive-grace", "1s"]);
    let mut chromium = Chromium::start();
    let tab = watch(&mut chromium, &server);
    chromium.evaluate(&tab, "localStorage.setItem('holdline.window', 10)");
    chromium.reload(&tab);
    chromium.wait_for(&tab, "window.holdline?.link === 'live'");

    std::thread::scope(|scope| {
        let until = Until(Instant::now());
        let loser = scene(&server, scope, until);
        until.second(8.2);
        chromium.picture(&tab, "live.png");

        let conn = lane_where(&mut chromium, &tab, &format!("lane.peer === '{loser}' && lane.race !== null"));
        chromium.click(&tab, &format!("#{conn}"));
        chromium.wait_for(&tab, "!document.getElementById('side').hidden");
        let ladder = text_of(&mut chromium, &tab, "ladder");
        for step in ["SYN", "GET /", "200", "FIN"] {
            assert!(ladder.contains(step), "no {step} in the ladder: {ladder}");
        }
        chromium.wait_for(&tab, "document.getElementById('verdict').textContent.includes('race lost')");
        chromium.resize(&tab, 1200, 760);
        chromium.evaluate(&tab, "document.getElementById('ladder').scrollTop = 10_000");
        chromium.picture(&tab, "ladder.png");
    });
}

/// Counts the seconds of the scene.
#[derive(Clone, Copy)]
struct Until(Instant);

impl Until {
    fn second(self, second: f32) {
        std::thread::sleep((self.0 + Duration::from_secs_f32(second)).saturating_duration_since(Instant::now()));
    }
}

/// Ten seconds in the life of a server, in which a race is lost. Gives the address of who loses it.
fn scene<'scope>(server: &'scope Server, scope: &'scope Scope<'scope, '_>, until: Until) -> SocketAddr {
    // Five that come back again and again, each at its own pace.
    for pace in [17, 24, 31, 43, 90] {
        scope.spawn(move || {
            until.second(pace as f32 / 50.0);
            let mut wire = server.connect();
            for round in 0..1000 / pace {
                wire.get(["/", "/app.js", "/style.css", "/missing"][round * pace % 4]);
                std::thread::sleep(ms(pace as u64 * 10));
            }
        });
    }
    // Short connections, and some that end in other ways.
    scope.spawn(move || {
        for second in [1.5, 2.9, 4.3, 5.7, 7.1] {
            until.second(second);
            run(tool("curl").args(["-s", "-o", "/dev/null", "-H", "Connection: close", &server.url("/")]));
        }
    });
    scope.spawn(move || {
        until.second(3.2);
        let mut bad = server.connect();
        bad.send("GET / HTTP/1.1\r\n\r\n");
        bad.read_response();
        until.second(4.7);
        let mut gone = server.connect();
        gone.get("/");
        until.second(6.2);
        gone.reset();
    });
    let mut loser = server.connect();
    let peer = loser.address();
    scope.spawn(move || {
        for path in ["/", "/app.js", "/style.css"] {
            loser.get(path);
            std::thread::sleep(ms(300));
        }
        loser.expect_eof(PATIENCE);
        std::thread::sleep(ms(250));
        loser.send(get("/app.js", &[]));
        std::thread::sleep(ms(800));
    });
    peer
}
