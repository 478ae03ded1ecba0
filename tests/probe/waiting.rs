//! Without a command: the URLs are shown, and any client may come.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::row;
use crate::support::{Collected, Wire, get, test};

/// The address and the path in a URL.
fn parts(url: &str) -> (SocketAddr, &str) {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (address, _) = rest.split_once('/').expect("it has a path");
    (address.parse().expect("an address"), &rest[address.len()..])
}

test!(a_client_may_come_by_itself_until_a_signal_ends_it);
fn a_client_may_come_by_itself_until_a_signal_ends_it() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_holdline"))
        .args(["probe-client", "--for", "60s", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let said = Collected::from(stderr.lines().map_while(Result::ok));
    let url = |path: &str| {
        let of_path = |line: &String| line.split_whitespace().find(|word| word.ends_with(path)).map(str::to_owned);
        said.wait_for(&format!("the URL of {path}"), of_path)
    };

    let reuse = url("/bytes/2");
    let (address, path) = parts(&reuse);
    let mut wire = Wire::connect(address);
    assert_eq!((wire.get(path).status, wire.get(path).status), (200, 200));

    let lie = url("announce=lie");
    let (address, path) = parts(&lie);
    let mut wire = Wire::connect(address);
    assert_eq!((wire.get(path).status, wire.get(path).status), (200, 200));

    let lost = url("when=reuse");
    let (address, path) = parts(&lost);
    let mut wire = Wire::connect(address);
    assert_eq!(wire.get(path).status, 200);
    wire.send(get(path, &[]));
    wire.expect_eof(crate::support::PATIENCE);
    assert_eq!(Wire::connect(address).get(path).status, 200);

    let pid = Pid::from_raw(child.id().cast_signed()).expect("a process id");
    kill_process(pid, Signal::INT).expect("it still runs");
    let mut told = String::new();
    child.stdout.take().expect("it is piped").read_to_string(&mut told).expect("text");
    assert!(child.wait().expect("it ends").success());
    let card: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!((&card["holds"]["reuse"], &card["holds"]["honour-close"]), (&true.into(), &false.into()), "{card:#}");
    assert_eq!((&card["holds"]["retry-get"], &card["holds"]["survive-fin"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(row(&card, "fin-on-reuse", "GET")["arrived"], 3);
}
