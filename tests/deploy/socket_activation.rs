//! Restarts while the listening socket stays with systemd.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::lasting_address;
use crate::loops::while_asking;
use crate::support::{Root, SYSTEMD_SOCKET_ACTIVATE, test, wait_for};

const RESTARTS: usize = 20;

test!(restarts_under_socket_activation_fail_no_request, SYSTEMD_SOCKET_ACTIVATE);
/// Which process serves is of no concern to those who ask: the door is always open.
fn restarts_under_socket_activation_fail_no_request() {
    let root = Root::new();
    let content = fs::read(root.at("index.html")).expect("the page");
    let service = Service::start(&root, lasting_address(8090));
    let asked = while_asking(service.address, &content, || {
        for process in 1..=RESTARTS {
            service.wait_until_served_by(process);
            service.signal(Signal::TERM);
        }
        service.wait_until_served_by(RESTARTS + 1);
    });
    assert_eq!(service.read("ends"), "0\n".repeat(RESTARTS), "the exit statuses");
    assert!(asked > RESTARTS, "only {asked} requests");
}

/// What systemd does for a service with a socket: `systemd-socket-activate` opens the socket and becomes, with the
/// first connection, a loop that starts holdline again whenever it has ended.
struct Service {
    process: Child,
    address: SocketAddr,
    /// Where the loop keeps what the test looks for: `pid`, `log` and `ends`.
    folder: Root,
}

const LOOP: &str = r#"
    cd "$1"; shift
    until [ -e stop ]; do
        sh -c 'echo $$ >pid; LISTEN_PID=$$ exec "$@" 2>>log' sh "$@"
        echo $? >>ends
    done"#;

impl Service {
    fn start(root: &Root, address: SocketAddr) -> Service {
        let folder = Root::new();
        let process = Command::new("systemd-socket-activate")
            .args(["--listen", &address.to_string(), "sh", "-c", LOOP, "sh"])
            .arg(folder.path())
            .args([env!("CARGO_BIN_EXE_holdline"), "--drain-timeout", "5s"])
            .arg(root.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("systemd-socket-activate runs");
        wait_for("the socket", || TcpStream::connect(address).is_ok().then_some(()));
        Service { process, address, folder }
    }

    /// What stands in a file of the loop; nothing if it is not there yet.
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.at(name)).unwrap_or_default()
    }

    /// Waits until this many processes, one after the other, have said that they serve.
    fn wait_until_served_by(&self, count: usize) {
        wait_for(&format!("process {count}"), || {
            (self.read("log").matches(": serving ").count() == count).then_some(())
        });
    }

    fn signal(&self, signal: Signal) {
        let pid = self.read("pid").trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
        // In the end it may have gone already.
        let _ = kill_process(pid, signal);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        fs::write(self.folder.at("stop"), "").expect("the loop is told to end");
        if self.folder.at("pid").exists() {
            self.signal(Signal::TERM);
        } else {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}
