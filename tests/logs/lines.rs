//! What the lines say.

use serde_json::Value;

use crate::support::{LedgerLine, PATIENCE, Root, get, pattern};
use crate::{lines_of, start_logging, without_beginning};

#[test]
fn each_request_is_a_line_of_the_access_log() {
    let outer = Root::new();
    let root = Root::new();
    let log = outer.at("access.log");
    let server = start_logging(&root, "--access-log", &log, &["--max-requests", "4"]);
    let mut wire = server.connect();
    wire.send(get("/", &["Referer: http://a/\"b", "User-Agent: one \\ two"]));
    wire.read_response();
    wire.send([get("/none", &[]), get("/?q", &["User-Agent: curl"])].concat());
    wire.read_response();
    wire.read_response();
    wire.send("HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    wire.read_response_to_head();
    wire.expect_eof(PATIENCE);
    let mut wire = server.connect();
    wire.send("nonsense\r\n\r\n");
    let refused = wire.read_response();

    let lines = lines_of(&log, 5);
    let told: Vec<&str> = lines.iter().map(|line| without_beginning(line)).collect();
    assert_eq!(told[0], r#""GET / HTTP/1.1" 200 44 "http://a/\"b" "one \\ two" conn=1 req=1 keep"#);
    assert!(told[1].starts_with("\"GET /none HTTP/1.1\" 404 ") && told[1].ends_with(" \"-\" \"-\" conn=1 req=2 keep"));
    assert_eq!(told[2], r#""GET /?q HTTP/1.1" 200 44 "-" "curl" conn=1 req=3 keep"#);
    assert_eq!(told[3], r#""HEAD / HTTP/1.0" 200 0 "-" "-" conn=1 req=4 close=request-limit"#);
    let length = refused.body.len();
    assert_eq!(told[4], format!("\"-\" 400 {length} \"-\" \"-\" conn=2 req=1 close=bad-request"));
    assert_eq!(told.len(), 5);
}

#[test]
fn a_response_that_is_cut_counts_what_was_sent() {
    let outer = Root::new();
    let root = Root::new().file("big.bin", pattern(20_000_000));
    let log = outer.at("access.log");
    let server = start_logging(&root, "--access-log", &log, &[]);
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    wire.read_some(100_000);
    drop(wire);
    let lines = lines_of(&log, 1);
    let words: Vec<&str> = without_beginning(&lines[0]).split(' ').collect();
    let sent: u64 = words[4].parse().expect("the bytes are a number");
    assert!((99_000..20_000_000).contains(&sent), "{sent}");
    assert_eq!(words.last(), Some(&"cut=yes"));
}

#[test]
fn json_is_one_object_a_line() {
    let outer = Root::new();
    let root = Root::new();
    let (access, connection) = (outer.at("access.json"), outer.at("connection.json"));
    let flags = ["--log-format", "json", "--connection-log", &connection.to_string_lossy()];
    let server = start_logging(&root, "--access-log", &access, &flags);
    let mut wire = server.connect();
    let peer = wire.address().to_string();
    wire.send(get("/a\"b", &["User-Agent: \"\u{e9}\" \\"]));
    wire.read_response();
    drop(wire);

    let request: Value = serde_json::from_str(&lines_of(&access, 1)[0]).expect("JSON");
    assert_eq!((&request["conn"], &request["req"], &request["status"]), (&1.into(), &1.into(), &404.into()));
    assert_eq!((&request["target"], &request["user_agent"]), (&"/a\"b".into(), &"\"\u{e9}\" \\".into()));
    assert!(request["duration_us"].is_u64() && request["keep"] == true && request["close"].is_null());

    let life: Value = serde_json::from_str(&lines_of(&connection, 1)[0]).expect("JSON");
    assert_eq!((&life["conn"], &life["peer"], &life["requests"]), (&1.into(), &peer.into(), &1.into()));
    assert_eq!(
        (&life["by"], &life["how"], &life["reason"]),
        (&"client".into(), &"fin".into(), &"client-closed".into())
    );
    assert!(life["rtt_us"].is_u64() && life["age_us"].is_u64() && life["sent_bytes"].is_u64());
    for record in [&request, &life] {
        let time = record["time"].as_str().expect("a time");
        assert!(time.len() == 20 && time.ends_with('Z') && &time[10..11] == "T", "{time}");
    }
}

#[test]
fn each_connection_is_a_line_of_the_connection_log() {
    let outer = Root::new();
    let root = Root::new();
    let log = outer.at("connection.log");
    let server = start_logging(&root, "--connection-log", &log, &["--max-requests", "1"]);
    let mut wire = server.connect();
    wire.get("/");
    let peer = wire.address().to_string();
    drop(wire);
    let line = LedgerLine::parse(&lines_of(&log, 1)[0]).expect("a line of the ledger");
    line.assert_end("server", "fin", "request-limit", "yes");
    assert_eq!((line.get("peer"), line.get("first"), line.get("time").len()), (&*peer, "GET /", 20));
}
