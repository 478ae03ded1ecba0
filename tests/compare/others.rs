//! nginx and Python's `http.server`.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{NGINX, PYTHON, Root, test};
use crate::{assert_responses, compared};

/// A server that is ended with the test.
struct Other {
    child: Child,
    address: SocketAddr,
}

impl Drop for Other {
    fn drop(&mut self) {
        // nginx's master process takes its worker along.
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a process id");
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.child.wait();
    }
}

/// nginx on a socket that it inherits, as from an nginx that it replaces: so its port is free for sure.
fn nginx(root: &Root, directives: &str) -> Other {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    fcntl_setfd(&listener, FdFlags::empty()).expect("the child may inherit it");
    let folder = root.path().display();
    // Its worker must be able to read the folder, which is ours alone.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let config = format!(
        "daemon off; {user} pid {folder}/pid; error_log {folder}/error.log; events {{}} \
         http {{ access_log off; client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; \
         fastcgi_temp_path {folder}/tmp; uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp; \
         server {{ listen {address}; root {folder}; {directives} }} }}"
    );
    let path = root.at("nginx.conf");
    std::fs::write(&path, config).expect("the configuration is written");
    let child = Command::new("nginx")
        .args(["-e", &format!("{folder}/error.log"), "-c"])
        .arg(path)
        .env("NGINX", format!("{};", listener.as_raw_fd()))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nginx starts");
    // Our own copy of the listening socket can go: whoever connects meanwhile waits in its queue for nginx.
    Other { child, address }
}

/// Python's `http.server`, as it is when nobody tells it otherwise: HTTP/1.0.
fn python(root: &Root, protocol: &str) -> Other {
    let mut child = Command::new("python3")
        .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--protocol", protocol, "--directory"])
        .arg(root.path())
        .arg("0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python3 starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("it says where");
    let port = line.split("port ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a port");
    Other { child, address: format!("127.0.0.1:{port}").parse().expect("an address") }
}

test!(nginx_closes_after_the_requests_that_it_is_told, NGINX);
fn nginx_closes_after_the_requests_that_it_is_told() {
    let root = Root::new();
    let nginx = nginx(&root, "keepalive_requests 10;");
    let told = compared(&format!("http://{}/", nginx.address), 25);
    let verdicts = assert_responses(&told, [&[1; 25], &[10, 10, 5], &[1; 25], &[10, 10, 5], &[10, 10, 5]]);
    assert_eq!(verdicts[3], "closed after 10 requests, announced");
    assert!(told["software"].as_str().expect("it has a name").starts_with("nginx"));
}

test!(python_closes_after_each_response, PYTHON);
fn python_closes_after_each_response() {
    let root = Root::new();
    let python = python(&root, "HTTP/1.0");
    let told = compared(&format!("http://{}/", python.address), 12);
    let verdicts = assert_responses(&told, [&[1; 12]; 5]);
    assert_eq!(verdicts[3], "closed after each response");
    assert_eq!(verdicts[4], "closed after each response, so not pipelined");
}

test!(python_keeps_connections_if_it_is_told_to_speak_http_1_1, PYTHON);
fn python_keeps_connections_if_it_is_told_to_speak_http_1_1() {
    let root = Root::new();
    let python = python(&root, "HTTP/1.1");
    let told = compared(&format!("http://{}/", python.address), 12);
    assert_responses(&told, [&[1; 12], &[1; 12], &[1; 12], &[12], &[12]]);
}
