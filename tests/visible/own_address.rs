//! The console and the metrics on addresses of their own, and what a start says of what others can see.

use std::net::SocketAddr;

use crate::support::{Need, OWN_ADDRESS, Root, Server, Wire, address_in, get, test};

/// A remote client behind a proxy, as far as its request tells.
const REMOTE: [&str; 1] = ["X-Forwarded-For: 203.0.113.9"];

/// The log, with all lines of the start: they come before the ledger line of a connection.
fn log_of_start(server: &Server) -> Vec<String> {
    let mut wire = server.connect();
    assert_eq!(wire.get("/").status, 200);
    server.ledger_of(wire);
    server.log()
}

/// The address that stands behind `words` in a line of the log.
fn address_after(server: &Server, words: &str) -> SocketAddr {
    let log = log_of_start(server);
    let url = log.iter().find_map(|line| line.split_once(words)?.1.split_once("-/"));
    address_in(url.unwrap_or_else(|| panic!("{words}: {log:#?}")).0)
}

/// The status that a request for each of these paths gets.
fn statuses<const N: usize>(address: SocketAddr, paths: [&str; N], fields: &[&str]) -> [u16; N] {
    let mut wire = Wire::connect(address);
    paths.map(|path| {
        wire.send(get(path, fields));
        wire.read_response().status
    })
}

test!(a_console_with_an_address_of_its_own_is_shown_there_to_everybody_and_elsewhere_to_nobody);
fn a_console_with_an_address_of_its_own_is_shown_there_to_everybody_and_elsewhere_to_nobody() {
    let root = Root::new();
    let server = Server::start(&root, &["--console-listen", "127.0.0.1:0"]);
    let console = address_after(&server, "the console is on ");
    let paths = ["/", "/-/healthy", "/-/ready", "/-/", "/-/status", "/-/metrics", "/-/lab/close"];
    assert_eq!(statuses(server.address(), paths, &[]), [200, 200, 200, 404, 404, 404, 404]);
    assert_eq!(statuses(console, paths, &[]), [200; 7]);
    // The lab stays with clients on this machine.
    assert_eq!(statuses(console, paths, &REMOTE), [200, 200, 200, 200, 200, 200, 404]);
    let mut wire = Wire::connect(console);
    wire.send("GET /-/status HTTP/1.1\r\nHost: console.example\r\n\r\n");
    let response = wire.read_response();
    assert_eq!((response.status, response.field("server-timing").is_some()), (200, true));
    // A page that a browser shows from elsewhere sees nothing here either.
    assert_eq!(statuses(console, ["/-/status"], &["Origin: http://evil.example"]), [404]);
}

test!(an_address_for_metrics_serves_metrics_and_health_alone);
fn an_address_for_metrics_serves_metrics_and_health_alone() {
    let root = Root::new();
    let server = Server::start(&root, &["--console", "off", "--metrics-listen", "127.0.0.1:0"]);
    let metrics = address_after(&server, "the metrics are on ");
    let paths = ["/-/metrics", "/-/healthy", "/-/ready", "/", "/index.html", "/-/", "/-/status", "/-/lab/close"];
    assert_eq!(statuses(metrics, paths, &REMOTE), [200, 200, 200, 404, 404, 404, 404, 404]);
    assert_eq!(statuses(server.address(), ["/-/metrics", "/-/healthy"], &[]), [404, 200]);
    let text = Wire::connect(metrics).get("/-/metrics");
    assert!(String::from_utf8_lossy(&text.body).contains("holdline_connections_accepted_total"));
    assert_eq!(text.field("server-timing"), None);
}

test!(the_lab_has_a_switch_of_its_own);
fn the_lab_has_a_switch_of_its_own() {
    let root = Root::new();
    let paths = ["/-/status", "/-/lab/close"];
    for (flags, local, remote) in [
        (&[][..], [200, 200], [404, 404]),
        (&["--lab", "off"], [200, 404], [404, 404]),
        (&["--lab", "any"], [200, 200], [404, 200]),
        (&["--console", "any"], [200, 200], [200, 404]),
        (&["--console", "any", "--lab", "any"], [200, 200], [200, 200]),
        (&["--console", "off"], [404, 404], [404, 404]),
        (&["--console", "off", "--lab", "local"], [404, 200], [404, 404]),
    ] {
        let server = Server::start(&root, flags);
        assert_eq!(statuses(server.address(), paths, &[]), local, "{flags:?}");
        assert_eq!(statuses(server.address(), paths, &REMOTE), remote, "{flags:?}");
    }
}

test!(a_start_warns_of_what_others_than_this_machine_can_see, Need::OwnNetwork);
fn a_start_warns_of_what_others_than_this_machine_can_see() {
    let root = Root::new();
    let beyond = format!("{OWN_ADDRESS}:0");
    for (flags, warning) in [
        (&["--console", "any"][..], None),
        (&["--console-listen", "127.0.0.1:0"], None),
        (&["--listen", &beyond, "--console-listen", "127.0.0.1:0"], None),
        (&["--metrics-listen", &beyond], None),
        (&["--listen", &beyond, "--console", "any"], Some("the console is open to all who can connect to ")),
        (&["--console-listen", &beyond], Some("the console is open to all who can connect to ")),
        (&["--listen", &beyond, "--lab", "any"], Some("the lab is open to all who can connect to ")),
        (&["--console-listen", &beyond, "--lab", "any"], Some("the console and the lab are open to all who can ")),
    ] {
        let server = Server::start(&root, flags);
        let log = log_of_start(&server);
        let warned: Vec<&String> = log.iter().filter(|line| line.contains("open to all")).collect();
        assert_eq!(warned.len(), usize::from(warning.is_some()), "{flags:?}: {log:#?}");
        assert!(warning.is_none_or(|warning| warned[0].contains(warning)), "{flags:?}: {warned:?}");
    }
}
