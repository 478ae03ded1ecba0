//! A start that fails is one line that says what to try, and status 1. It leaves nothing behind.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use holdline::server::MAX_DESCRIPTORS;
use rustix::process::{Resource, geteuid, getrlimit};

use crate::assert_refuses;
use crate::support::{Need, Root, SETPRIV, Server, run, test, tool, wait_for};

/// Starts that fail, and what is said of each; `{root}` is a folder with the file `index.html`.
const FAILING: &[(&[&str], &str)] = &[
    (&["{root}/missing"], "cannot serve {root}/missing: there is no such folder; 'holdline .' serves this folder"),
    (&["{root}/index.html"], "cannot serve {root}/index.html: it is a file; 'holdline {root}' serves its folder"),
    (
        &["{root}/index.html/x"],
        "cannot serve {root}/index.html/x: there is no such folder; 'holdline .' serves this folder",
    ),
    (&["{root}/line\nend"], "cannot serve {root}/line?end: there is no such folder; 'holdline .' serves this folder"),
    (&["comapre"], "cannot serve comapre: there is no such folder; did you mean 'holdline compare'?"),
    (&["version"], "cannot serve version: there is no such folder; did you mean 'holdline --version'?"),
    (&["8081"], "cannot serve 8081: there is no such folder; did you mean '--listen 127.0.0.1:8081'?"),
    (
        &["http://127.0.0.1:8081/"],
        "cannot serve http://127.0.0.1:8081/: there is no such folder; did you mean '--listen 127.0.0.1:8081'?",
    ),
    (
        &["--listen", "192.0.2.1:8081", "{root}"],
        "cannot listen on 192.0.2.1:8081: this machine has no such address; \
         try --listen 127.0.0.1:8081 for this machine, 0.0.0.0:8081 for the network",
    ),
    (
        &["--listen", "unix:{root}/missing/socket", "{root}"],
        "cannot listen on unix:{root}/missing/socket: there is no folder {root}/missing; create it first",
    ),
    (
        &["--listen", "unix:{root}/index.html", "{root}"],
        "cannot listen on unix:{root}/index.html: a file has this name; remove it or choose another path",
    ),
    (
        &[
            "--listen",
            "unix:{root}/a-name-that-is-longer-than-the-one-hundred-and-seven-bytes-that-an-address-of-a-unix-socket-has-room-for",
            "{root}",
        ],
        "cannot listen on unix:{root}/a-name-that-is-longer-than-the-one-hundred-and-seven-bytes-that-an-address-of-a-unix-socket-has-room-for: \
         the path is too long for a socket; choose a shorter one",
    ),
    (
        &["--listen", "127.0.0.1:0", "--access-log", "{root}/missing/log", "{root}"],
        "cannot open the log {root}/missing/log: there is no folder {root}/missing; create it first",
    ),
    (
        &["--listen", "127.0.0.1:0", "--connection-log", "{root}", "{root}"],
        "cannot open the log {root}: it is a folder; name a file in it",
    ),
    (
        &["compare", "--svg", "{root}/missing/x.svg", "http://127.0.0.1:1/"],
        "cannot write {root}/missing/x.svg: there is no folder {root}/missing; create it first",
    ),
    (&["compare", "--svg", "{root}", "http://127.0.0.1:1/"], "cannot write {root}: it is a folder; name a file in it"),
    (
        &["compare", "http://no-such-host.invalid/"],
        "cannot find the host of http://no-such-host.invalid/: check its name",
    ),
    (
        &["probe-client", "--", "no-such-program", "{url}"],
        "cannot run no-such-program: there is no such program; check its name and PATH",
    ),
    (&["probe-client", "--", "{root}/index.html", "{url}"], "cannot run {root}/index.html: it is not executable"),
];

test!(a_start_that_fails_is_one_line_that_says_what_to_try_and_status_1);
fn a_start_that_fails_is_one_line_that_says_what_to_try_and_status_1() {
    let root = Root::new();
    let fill_in = |text: &str| text.replace("{root}", &root.path().to_string_lossy());
    for (arguments, line) in FAILING {
        let arguments: Vec<String> = arguments.iter().map(|argument| fill_in(argument)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_refuses(&arguments, 1, |said| said == fill_in(line));
    }
}

test!(an_address_in_use_is_answered_with_one_that_is_free);
fn an_address_in_use_is_answered_with_one_that_is_free() {
    let root = Root::new();
    let folder = root.path().to_string_lossy().into_owned();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a bound socket has an address").to_string();
    let line = format!("cannot listen on {address}: the port is in use; try --listen 127.0.0.1:0 for a free one");
    assert_refuses(&["--listen", &address, &folder], 1, |said| said == line);

    let path = root.at("socket");
    let _taken = UnixListener::bind(&path).expect("a socket");
    let line = format!(
        "cannot listen on unix:{}: another process listens there; stop it or choose another path",
        path.display()
    );
    assert_refuses(&["--listen", &format!("unix:{}", path.display()), &folder], 1, |said| said == line);

    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("an address");
    let line =
        format!("cannot connect to http://{nobody}/: nothing listens there; start the server, or check the port");
    assert_refuses(&["compare", &format!("http://{nobody}/")], 1, |said| said == line);
}

test!(what_may_not_be_read_or_written_is_said_to_be_forbidden, SETPRIV);
fn what_may_not_be_read_or_written_is_said_to_be_forbidden() {
    let root = Root::new().file("folder/index.html", "hello").file("log", "");
    let (folder, log) = (root.at("folder"), root.at("log"));
    fs::set_permissions(&folder, Permissions::from_mode(0o300)).expect("the folder is ours");
    fs::set_permissions(&log, Permissions::from_mode(0o400)).expect("the file is ours");
    let (root, folder, log) = (root.path().display(), folder.display(), log.display());
    for (arguments, line) in [
        (
            &[&*folder.to_string()][..],
            format!("cannot serve {folder}: permission denied; this user must be allowed to read and search it"),
        ),
        (
            &["--access-log", &log.to_string(), &root.to_string()],
            format!("cannot open the log {log}: permission denied; this user must be allowed to write it"),
        ),
    ] {
        let arguments = [&["--listen", "127.0.0.1:0"], arguments].concat();
        assert_eq!(said_without("-dac_override,-dac_read_search", &arguments), format!("holdline: {line}\n"));
    }
}

test!(a_port_that_needs_a_privilege_is_answered_with_one_that_does_not, SETPRIV, Need::OwnNetwork);
/// In a network of its own, because a container often lets everybody listen on every port.
fn a_port_that_needs_a_privilege_is_answered_with_one_that_does_not() {
    let root = Root::new();
    let said = said_without("-net_bind_service", &["--listen", "127.0.0.1:80", &root.path().to_string_lossy()]);
    let line = "a port below 1024 needs a privilege; try --listen 127.0.0.1:8080";
    assert_eq!(said, format!("holdline: cannot listen on 127.0.0.1:80: {line}\n"));
}

/// What is said of a start that fails for want of these capabilities, which root could do without too.
fn said_without(capabilities: &str, arguments: &[&str]) -> String {
    let mut command = tool("setpriv");
    if geteuid().is_root() {
        command.arg(format!("--bounding-set={capabilities}"));
    }
    let refused = run(command.arg(env!("CARGO_BIN_EXE_holdline")).args(arguments));
    assert!(!refused.success, "{arguments:?} serves");
    refused.stderr
}

test!(a_start_that_fails_leaves_nothing_behind);
fn a_start_that_fails_leaves_nothing_behind() {
    let root = Root::new();
    let folder = root.path().to_string_lossy().into_owned();
    let before = names_in(&root);
    let socket = format!("unix:{folder}/socket");
    // The socket is bound before the log is opened.
    let arguments = ["--listen", &socket, "--access-log", &format!("{folder}/missing/log"), &folder];
    assert_refuses(&arguments, 1, |said| said.starts_with("cannot open the log "));
    // The log would be opened after that.
    let log = format!("{folder}/access.log");
    let arguments = ["--access-log", &log, "--listen", "192.0.2.1:0", &folder];
    assert_refuses(&arguments, 1, |said| said.starts_with("cannot listen on 192.0.2.1:0"));
    assert_refuses(&["--access-log", &log, "--index", "a/b", &folder], 2, |said| said.contains("--index"));
    assert_eq!(names_in(&root), before);
}

test!(more_connections_than_descriptors_are_refused);
fn more_connections_than_descriptors_are_refused() {
    let root = Root::new();
    let folder = root.path().to_string_lossy().into_owned();
    let limit = descriptors();
    let too_many = (limit + 1).to_string();
    let line = format!(
        "--max-connections {too_many} needs more than the {limit} descriptors of this process; \
         give at most {}, or raise its limit (ulimit -n)",
        limit - (limit / 8).max(32)
    );
    assert_refuses(&["--max-connections", &too_many, &folder], 1, |said| said == line);
}

test!(what_may_come_later_is_a_warning);
fn what_may_come_later_is_a_warning() {
    let root = Root::new();
    let limit = descriptors().to_string();
    let flags = ["--not-found", "nope.html", "--index", "home.html", "--max-connections", &limit];
    let server = Server::start(&root, &flags);
    for warning in [
        "--not-found nope.html: there is no such file yet, so 404 is answered without it".to_owned(),
        "--index home.html: there is no such file yet where / is looked for".to_owned(),
        format!("--max-connections {limit} leaves few of the {limit} descriptors of this process for files and logs"),
    ] {
        wait_for(&warning, || server.log().into_iter().find(|line| line.contains("WARN") && line.contains(&warning)));
    }
    let mut wire = server.connect();
    assert_eq!((wire.get("/nothing").status, wire.get("/").status), (404, 403));
    let root = root.file("nope.html", "lost?").file("home.html", "at home");
    assert_eq!(wire.get("/nothing").body, b"lost?");
    assert_eq!(wire.get("/").body, b"at home");
    drop(server);

    let server = Server::start(&root, &["--not-found", "/nope.html", "--index", "home.html"]);
    assert_eq!(server.connect().get("/").body, b"at home");
    assert!(!server.log().iter().any(|line| line.contains("WARN")), "{:?}", server.log());
}

fn names_in(root: &Root) -> Vec<String> {
    let entries = fs::read_dir(root.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    entries.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The descriptors that the server may have: it raises its soft limit to the hard one.
fn descriptors() -> u64 {
    getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX).min(MAX_DESCRIPTORS)
}
