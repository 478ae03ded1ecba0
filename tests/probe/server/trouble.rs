//! Servers that can't be probed, and those that end while they are: a sentence and the right exit status, in time.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use super::{judgement, probe_server};
use crate::support::test;

/// A server that says this to each of its first connections, and then listens no more.
fn says(response: &'static str, connections: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(response.as_bytes());
        }
    });
    address
}

test!(what_is_no_server_to_probe_is_one_line);
fn what_is_no_server_to_probe_is_one_line() {
    let mute = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mute_url = format!("http://{}/", mute.local_addr().expect("an address"));
    let refuses = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let url = |response| format!("http://{}/", says(response, 1));
    for (arguments, status, culprit) in [
        (&[&*format!("http://{refuses}/")][..], 1, "nothing listens there"),
        (&[&mute_url], 1, "no whole response within 10 s"),
        (&[&url("SSH-2.0-OpenSSH_9.2\r\n")], 1, "not an HTTP response"),
        (&[&url("")], 1, "ended the connection without a response"),
        (&[&url("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut")], 1, "ended the connection inside a response"),
        (&["https://127.0.0.1/"], 2, "give the http URL of the server behind TLS"),
        (&[], 2, "<URL> is missing"),
        (&["http://127.0.0.1/", "http://127.0.0.2/"], 2, "http://127.0.0.2/"),
        (&["--behind", "elb", "http://127.0.0.1/"], 2, "alb, gcp"),
        (&["--behind"], 2, "a name like alb, or a duration like 60s"),
        (&["--require", "idle>60", "http://127.0.0.1/"], 2, "write 60s"),
        (&["--require", "politeness", "http://127.0.0.1/"], 2, "half-close"),
        (&["--require"], 2, "names, separated by commas"),
        (&["--connections", "0", "http://127.0.0.1/"], 2, "--connections"),
        (&["--watch", "0", "http://127.0.0.1/"], 2, "--watch"),
        (&["--max", "0", "http://127.0.0.1/"], 2, "--max"),
        (&["--stop", "", "http://127.0.0.1/"], 2, "--stop"),
    ] {
        let output = probe_server(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.starts_with("holdline: ") && said.lines().count() == 1, "{arguments:?}: {said}");
        assert!(said.contains(culprit) && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
}

test!(a_server_that_dies_while_it_is_probed_is_said_to_be_gone);
fn a_server_that_dies_while_it_is_probed_is_said_to_be_gone() {
    let address = says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1);
    let output = probe_server(&["--watch", "1s", "--stop", "true", "--json", &format!("http://{address}/")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("holdline: the server stopped answering while it was probed: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let card = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(judgement(&card, "idle").0, "not shown", "{card}");
}
