//! What `docs/live-page.md` says of the paths under `/-/` and their members is what the server says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::page::{cells, first_name, page, rows};
use crate::support::{Root, Server, Viewer, get, test};

test!(every_path_answers);
fn every_path_answers() {
    let server = Server::start(&Root::new(), &[]);
    let paths = table("The API", "| path |");
    assert!(paths.len() > 5, "{paths:?}");
    for path in paths.keys() {
        // It has no end, so that only its head is awaited.
        let status = match &**path {
            "/-/events" => Viewer::open(&server).head().status,
            path => server.connect().get(path).status,
        };
        assert_eq!(status, 200, "{path}");
    }
}

test!(status_has_these_members);
fn status_has_these_members() {
    let server = Server::start(&Root::new(), &[]);
    server.connect().get("/");
    server.ledgers(1);
    let status = server.connect().get("/-/status");
    let status: Value = serde_json::from_slice(&status.body).expect("it is JSON");
    let found = status.as_object().expect("an object").iter().map(|(name, value)| {
        let object = value.as_array().map_or(value, |list| &list[0]);
        (name.clone(), members(object))
    });
    assert_eq!(found.collect::<BTreeMap<_, _>>(), table("The API", "| object |"));
}

test!(events_have_these_names_and_members);
fn events_have_these_names_and_members() {
    let root = Root::new();
    let server = Server::start(&root, &["--keep-alive-timeout", "1ms", "--keep-alive-grace", "0", "--linger", "20s"]);
    let viewer = Viewer::open(&server);
    provoke_a_race(&server, &viewer);
    let mut refused = server.connect();
    refused.send("nonsense\r\n\r\n");
    refused.read_response();
    // More than the stream shows of a connection at a time.
    let mut many = server.connect();
    many.send(get("/", &[]).repeat(500));
    viewer.wait_for("sampled", |_| Some(()));
    viewer.wait_for("totals", |_| Some(()));
    viewer.wait_for("refused", |_| Some(()));

    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for told in viewer.leave() {
        found.entry(told.name).or_default().extend(members(&told.data));
    }
    assert_eq!(found, table("The API", "| event |"));
}

/// A request on a connection that the server has closed for being idle.
fn provoke_a_race(server: &Server, viewer: &Viewer) {
    let mut wire = server.connect();
    wire.get("/");
    let peer = wire.address().to_string();
    let conn = viewer.wait_for("opened", |data| (data["peer"] == *peer).then(|| data["conn"].as_u64()).flatten());
    viewer.wait_for_event("closing", conn);
    wire.send(get("/", &[]));
    viewer.wait_for_event("race", conn);
    drop(wire);
    viewer.wait_for_event("closed", conn);
}

test!(metrics_have_these_names);
fn metrics_have_these_names() {
    let server = Server::start(&Root::new(), &[]);
    let text = String::from_utf8(server.connect().get("/-/metrics").body).expect("it is text");
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let found: BTreeSet<&str> = families.filter(|name| !name.starts_with("process_")).collect();
    let table = table("The API", "| metric |");
    assert_eq!(found, table.keys().map(String::as_str).collect());
}

/// The names in the first column of the table with this header, and those in the last column.
fn table(section: &str, header: &str) -> BTreeMap<String, BTreeSet<String>> {
    let page = page("docs/live-page.md");
    let lines = rows(page.section(section)).skip_while(|row| !row.starts_with(header)).skip(2);
    // The next table begins with its own header, whose first cell is not a name.
    let names = lines.map_while(|row| Some((first_name(row)?.to_owned(), names(cells(row).pop()?))));
    names.collect()
}

/// What stands between backticks.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn members(object: &Value) -> BTreeSet<String> {
    object.as_object().expect("an object").keys().cloned().collect()
}
