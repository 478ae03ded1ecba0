//! nginx, Apache, lighttpd, h2o, Caddy, Node and Python's `http.server`, each with short timeouts: every row finds what the
//! page about probe-server has in its table.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{in_time, judgement, server_card};
use crate::support::{APACHE, CADDY, H2O, LIGHTTPD, NGINX, NODE, PYTHON, Root, pattern, test, wait_for};

/// The idle time that each of them is told, where it can be told.
const IDLE: u64 = 2;

/// A server that is ended with the test.
struct Other {
    child: Child,
    address: SocketAddr,
    root: Root,
}

impl Drop for Other {
    fn drop(&mut self) {
        // A master process takes its workers along.
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a process id");
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.root.at("log")).unwrap_or_default());
        }
    }
}

impl Other {
    /// Starts a program that serves a file of 8 MiB, and waits until it listens. In the arguments and in a file called
    /// `config`, ROOT and PORT stand for the folder and a free port.
    fn start(program: &str, arguments: &[&str], config: &str) -> Other {
        let root = Root::new().file("www/big.bin", pattern(8 << 20)).file("log", "");
        fs::create_dir(root.at("tmp")).expect("a folder");
        // Apache does not run as root.
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let port = free_port();
        let folder = root.path().to_str().expect("a path in UTF-8").to_owned();
        let fill_in = |text: &str| text.replace("ROOT", &folder).replace("PORT", &port.to_string());
        fs::write(root.at("config"), fill_in(config)).expect("the configuration is written");
        let log = fs::File::options().append(true).open(root.at("log")).expect("a log");
        let child = Command::new(program)
            .args(arguments.iter().map(|argument| fill_in(argument)))
            .current_dir(root.path())
            .env("HOME", root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let other = Other { child, address, root };
        wait_for(&format!("{program} to listen"), || TcpStream::connect(address).ok());
        other
    }

    /// Asserts that the rows have the grades of the column of this name, and returns the card.
    fn assert_judged(&self, column: &str) -> Value {
        let url = format!("http://{}/big.bin", self.address);
        let expected = grades(column);
        assert!(expected.len() > 5, "{expected:?}");
        in_time(|| {
            let card = server_card(&url, &["--watch", "9s", "--max", "150"]);
            println!("{card:#}");
            let odd = expected.iter().find(|(row, grade)| judgement(&card, row).0 != grade);
            let odd =
                odd.map(|(row, grade)| format!("{row} of {column}: not {grade}, but {:?}", judgement(&card, row)));
            odd.map_or(Ok(card), Err)
        })
    }
}

/// A port that no other test takes: it lies outside of the range from which the kernel chooses, and each test is a process.
fn free_port() -> u16 {
    let candidates = (0..20_000).map(|at| 10_000 + (std::process::id().wrapping_mul(8) + at) % 20_000);
    let mut ports = candidates.filter_map(|port| u16::try_from(port).ok());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("one of many ports is free")
}

/// The rows of the page's table, each with its grade in the column whose heading begins like this.
fn grades(column: &str) -> Vec<(String, String)> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/probe-server.md")).expect("the page");
    let (_, section) = page.split_once("\n## Seven servers\n").expect("the page has this section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut rows = section.lines().filter(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let heading = cells(rows.next().expect("a heading"));
    let at = heading.iter().position(|name| name.starts_with(column)).unwrap_or_else(|| panic!("no column {column}"));
    let grade = |row: &str| (cells(row)[0].trim_matches('`').to_owned(), cells(row)[at].trim_matches('*').to_owned());
    rows.skip(1).map(grade).collect()
}

/// Asserts that the idle time is what it was told, and at most so much more by which the server itself is late.
fn assert_idle(card: &Value, late: u64) {
    let found = card["seen"]["idle"]["idle"]["after_ms"].as_u64().expect("a number");
    let told = IDLE * 1000;
    assert!((told - 20..told + late + 1000).contains(&found), "{told} ms were found as {found} ms");
}

/// The user to run as, where a server must be told because it is started by root.
fn by_root(directive: &str) -> &str {
    if rustix::process::geteuid().is_root() { directive } else { "" }
}

test!(nginx_is_judged, NGINX);
fn nginx_is_judged() {
    let config = format!(
        "daemon off; {} pid ROOT/pid; error_log ROOT/log; events {{}} http {{ access_log off; \
         client_body_temp_path ROOT/tmp; proxy_temp_path ROOT/tmp; fastcgi_temp_path ROOT/tmp; \
         uwsgi_temp_path ROOT/tmp; scgi_temp_path ROOT/tmp; keepalive_timeout {IDLE}s {IDLE}s; \
         client_header_timeout 2s; client_body_timeout 2s; keepalive_requests 6; \
         server {{ listen 127.0.0.1:PORT; root ROOT/www; }} }}",
        by_root("user root;"),
    );
    let nginx = Other::start("nginx", &["-e", "ROOT/log", "-c", "ROOT/config"], &config);
    let card = nginx.assert_judged("nginx");
    assert_idle(&card, 0);
    assert!(judgement(&card, "limit").1.contains("response 6, and announces"), "{card}");
}

test!(apache_is_judged, APACHE);
fn apache_is_judged() {
    let module = |name: &str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
    let modules: String = ["mpm_event", "authz_core", "reqtimeout"].map(module).concat();
    let config = format!(
        "ServerRoot ROOT\nPidFile ROOT/pid\nErrorLog ROOT/log\nListen 127.0.0.1:PORT\nServerName localhost\n{modules}\
         {}DocumentRoot ROOT/www\nKeepAliveTimeout {IDLE}\nMaxKeepAliveRequests 5\nAcceptFilter http none\n\
         RequestReadTimeout header=2 body=2\n",
        by_root("User www-data\nGroup www-data\n"),
    );
    let apache = Other::start("apache2", &["-D", "FOREGROUND", "-f", "ROOT/config"], &config);
    assert_idle(&apache.assert_judged("Apache"), 0);
}

test!(lighttpd_is_judged, LIGHTTPD);
fn lighttpd_is_judged() {
    let config = format!(
        "server.document-root = \"ROOT/www\"\nserver.bind = \"127.0.0.1\"\nserver.port = PORT\n\
         server.errorlog = \"ROOT/log\"\nserver.max-keep-alive-idle = {IDLE}\nserver.max-read-idle = 2\n"
    );
    let lighttpd = Other::start("lighttpd", &["-D", "-f", "ROOT/config"], &config);
    // Its clock ticks in seconds.
    assert_idle(&lighttpd.assert_judged("lighttpd"), 1000);
}

test!(h2o_is_judged, H2O);
fn h2o_is_judged() {
    let config = format!(
        "listen: {{host: 127.0.0.1, port: PORT}}\n{}num-threads: 1\nhttp1-request-timeout: {IDLE}\n\
         hosts: {{default: {{paths: {{/: {{file.dir: ROOT/www}}}}}}}}\n",
        by_root("user: root\n"),
    );
    let h2o = Other::start("h2o", &["-c", "ROOT/config"], &config);
    assert_idle(&h2o.assert_judged("h2o"), 0);
}

test!(caddy_is_judged, CADDY);
fn caddy_is_judged() {
    let config = format!(
        "{{\n admin off\n auto_https off\n servers {{\n  timeouts {{\n   idle {IDLE}s\n   \
         read_header 2s\n   read_body 2s\n  }}\n }}\n}}\nhttp://127.0.0.1:PORT {{\n root * ROOT/www\n file_server\n}}\n"
    );
    let caddy = Other::start("caddy", &["run", "--config", "ROOT/config", "--adapter", "caddyfile"], &config);
    assert_idle(&caddy.assert_judged("Caddy"), 0);
}

test!(node_is_judged, NODE);
/// It streams a file, as most servers made with it do.
fn node_is_judged() {
    let config = format!(
        "const http = require('http'), fs = require('fs');\n\
         const file = 'ROOT/www/big.bin', length = fs.statSync(file).size;\n\
         const server = http.createServer({{ connectionsCheckingInterval: 200 }}, (request, response) => {{\n\
           response.setHeader('Content-Length', length);\n  fs.createReadStream(file).pipe(response);\n}});\n\
         server.keepAliveTimeout = {};\nserver.headersTimeout = 2000;\nserver.requestTimeout = 2000;\n\
         server.listen(PORT, '127.0.0.1');\n",
        IDLE * 1000,
    );
    let node = Other::start("node", &["ROOT/config"], &config);
    // It waits for a second more than it is told.
    assert_idle(&node.assert_judged("Node"), 1000);
}

test!(http_server_is_judged, PYTHON);
fn http_server_is_judged() {
    let arguments = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", "ROOT/www", "PORT"];
    Other::start("python3", &arguments, "").assert_judged("http.server");
}
