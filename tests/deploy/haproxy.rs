//! `deploy/haproxy.cfg`, and two instances that are restarted behind it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

use rustix::process::Signal;

use crate::loops::while_asking;
use crate::support::{HAPROXY, LedgerLine, Root, Server, Wire, get, run, test, tool, wait_for};
use crate::{deploy, flags, lasting_address, read};

const ROUNDS: usize = 20;

test!(haproxy_accepts_the_configuration, HAPROXY);
fn haproxy_accepts_the_configuration() {
    run(tool("haproxy").args(["-c", "-f"]).arg(deploy("haproxy.cfg"))).assert_success();
}

test!(the_drain_delay_outlasts_the_checks);
/// Before a listener closes, HAProxy knows that nobody is to be sent there.
fn the_drain_delay_outlasts_the_checks() {
    let configuration = read("haproxy.cfg");
    let delay = flags::duration(&configuration, "--drain-delay");
    let one = |name| flags::parse(flags::word_after(&configuration, name).expect("it is said"));
    let fall: u32 = flags::word_after(&configuration, " fall ").expect("it is said").parse().expect("a number");
    let seen = one(" inter ") * fall + one("timeout check ");
    assert!(seen < delay, "{seen:?} until HAProxy knows, but {delay:?}");
}

test!(rolling_restarts_fail_no_request, HAPROXY);
/// Both instances again and again, one after the other, while clients ask: none of them notices.
fn rolling_restarts_fail_no_request() {
    let root = Root::new();
    let addresses = [lasting_address(8081), lasting_address(8082)];
    let mut servers = addresses.map(|address| start(&root, address));
    let haproxy = Haproxy::start(lasting_address(8080), addresses);
    let names = ["a", "b"];
    names.into_iter().zip(&servers).for_each(|(name, server)| haproxy.wait_until_up(name, server));
    let content = fs::read(root.at("index.html")).expect("the page");
    let asked = while_asking(haproxy.address, &content, || {
        for _ in 0..ROUNDS {
            for ((name, address), server) in names.into_iter().zip(addresses).zip(&mut servers) {
                server.signal(Signal::TERM);
                assert_eq!(server.wait().code(), Some(0), "something was cut");
                *server = start(&root, address);
                haproxy.wait_until_up(name, server);
            }
        }
    });
    assert!(asked > ROUNDS * 2, "only {asked} requests");
}

test!(a_client_behind_haproxy_may_not_view_the_console, HAPROXY);
/// HAProxy says for whom it asks, so that nobody from elsewhere passes for one who sits at this machine.
fn a_client_behind_haproxy_may_not_view_the_console() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let haproxy = Haproxy::start(lasting_address(8083), [server.address(), server.address()]);
    haproxy.wait_until_up("a", &server);
    let mut wire = Wire::connect(haproxy.address);
    assert_eq!(wire.get("/").status, 200);
    wire.send(get("/-/status", &[]));
    assert_eq!(wire.read_response().status, 404);
    assert_eq!(server.connect().get("/-/status").status, 200);
}

/// An instance that stops in less time than in earnest.
fn start(root: &Root, address: SocketAddr) -> Server {
    let address = address.to_string();
    Server::start(root, &["--listen", &address, "--drain-delay", "250ms", "--drain-timeout", "150ms"])
}

/// HAProxy with our configuration, other addresses, and checks that follow faster one upon the other.
struct Haproxy {
    process: Child,
    address: SocketAddr,
    folder: Root,
}

impl Haproxy {
    fn start(address: SocketAddr, servers: [SocketAddr; 2]) -> Haproxy {
        let folder = Root::new();
        let admin = folder.at("admin").to_string_lossy().into_owned();
        let mut configuration = read("haproxy.cfg");
        for (ours, tests) in [
            ("bind :8080", format!("bind {address}")),
            ("server a 127.0.0.1:8081", format!("server a {}", servers[0])),
            ("server b 127.0.0.1:8082", format!("server b {}", servers[1])),
            ("/run/haproxy.sock", admin),
            ("maxconn 4000", "maxconn 100".to_owned()),
            ("inter 500ms", "inter 50ms".to_owned()),
        ] {
            assert_eq!(configuration.matches(ours).count(), 1, "{ours}");
            configuration = configuration.replace(ours, &tests);
        }
        let file = folder.at("haproxy.cfg");
        fs::write(&file, configuration).expect("the configuration is written");
        let log = || fs::File::options().append(true).create(true).open(folder.at("log")).expect("a log");
        let mut command = Command::new("haproxy");
        let process = command.args(["-db", "-f"]).arg(file).stdout(log()).stderr(log()).spawn().expect("HAProxy runs");
        wait_for("HAProxy's listener", || TcpStream::connect(address).is_ok().then_some(()));
        Haproxy { process, address, folder }
    }

    /// Waits until it sends requests to this process, and no check of an earlier one can speak against it.
    fn wait_until_up(&self, name: &str, server: &Server) {
        wait_for(&format!("{name} to be up"), || {
            let log = server.log();
            let ended = log.iter().filter_map(|line| LedgerLine::parse(line));
            let checks = ended.filter(|line| line.get("first").starts_with("GET /-/ready")).count();
            (checks >= 3 && self.status(name) == "UP").then_some(())
        });
    }

    /// What it thinks of a server: `UP`, `DOWN`, or on the way (`UP 1/2`).
    fn status(&self, name: &str) -> String {
        let mut admin = UnixStream::connect(self.folder.at("admin")).expect("HAProxy's socket");
        admin.write_all(b"show stat\n").expect("it is asked");
        let mut table = String::new();
        admin.read_to_string(&mut table).expect("it answers");
        let begins = format!("holdline,{name},");
        let row = table.lines().find(|row| row.starts_with(&begins)).unwrap_or_else(|| panic!("no {name}: {table}"));
        row.split(',').nth(17).expect("the status is the 18th").to_owned()
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.at("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains(" 200 ")).collect();
            eprintln!("HAProxy says:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"));
        }
    }
}
