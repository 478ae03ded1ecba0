//! `deploy/systemd/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{Root, STRACE, SYSTEMD_ANALYZE, Server, run, test, tool, wait_for};
use crate::{flags, read};

const SOCKET: &str = "holdline.socket";
const SERVICE: &str = "holdline.service";
const TEMPLATE: &str = "holdline@.service";
const TEMPLATE_SOCKET: &str = "holdline@.socket";

/// As systemd names those of a template.
const INSTANCE: &str = "holdline@0.service";
const INSTANCE_SOCKET: &str = "holdline@0.socket";

/// Where the units expect the program.
const INSTALLED: &str = "/usr/local/bin/holdline";

/// The units in a folder, for the program that is under test.
fn units() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names = [(SOCKET, SOCKET), (SERVICE, SERVICE), (TEMPLATE, INSTANCE), (TEMPLATE_SOCKET, INSTANCE_SOCKET)];
    for (source, name) in names {
        let unit = read(&format!("systemd/{source}"));
        let unit = unit.replace(&format!("={INSTALLED} "), &format!("={} ", env!("CARGO_BIN_EXE_holdline")));
        fs::write(folder.path().join(name), unit).expect("the unit is written");
    }
    folder
}

test!(systemd_accepts_the_units, SYSTEMD_ANALYZE);
fn systemd_accepts_the_units() {
    let folder = units();
    let units = [SOCKET, SERVICE, INSTANCE_SOCKET, INSTANCE].map(|name| folder.path().join(name));
    let finished = run(tool("systemd-analyze").arg("verify").args(units));
    assert_eq!(finished.assert_success().stderr, "");
}

test!(a_service_is_hardly_exposed, SYSTEMD_ANALYZE);
/// From 0, nothing to fear, to 10. A service without any of the settings has 9.6.
fn a_service_is_hardly_exposed() {
    let folder = units();
    for unit in [SERVICE, INSTANCE].map(|name| folder.path().join(name)) {
        let judge = ["security", "--offline=true", "--threshold=20", "--no-pager"];
        run(tool("systemd-analyze").args(judge).arg(unit)).assert_success();
    }
}

test!(both_services_are_confined_alike);
fn both_services_are_confined_alike() {
    let confinement = |name: &str| {
        let unit = read(&format!("systemd/{name}"));
        let (_, rest) = unit.split_once("\n# The process needs").expect("the settings begin so");
        rest.to_owned()
    };
    assert_eq!(confinement(SERVICE), confinement(TEMPLATE));
}

test!(a_service_has_the_time_that_a_stop_may_take);
/// After `TimeoutStopSec` systemd sends SIGKILL. A stop must have come to its end by itself.
fn a_service_has_the_time_that_a_stop_may_take() {
    for name in [SERVICE, TEMPLATE] {
        let unit = read(&format!("systemd/{name}"));
        let patience = flags::parse(flags::word_after(&unit, "TimeoutStopSec=").expect("there is one"));
        let start = unit.lines().find(|line| line.starts_with("ExecStart=")).expect("there is one");
        let stop = flags::duration(start, "--drain-delay") + flags::duration(start, "--drain-timeout");
        assert!(stop < patience, "{name}: {stop:?}, but {patience:?}");
    }
}

test!(the_command_lines_of_the_services_write_a_ledger);
/// An access log does not know of races: without the ledger a 502 can't be explained afterwards.
fn the_command_lines_of_the_services_write_a_ledger() {
    let root = Root::new();
    for (name, file) in [(SERVICE, "connections.log"), (TEMPLATE, "connections-0.log")] {
        let unit = read(&format!("systemd/{name}"));
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("there is one");
        let logs = tempfile::tempdir().expect("a temporary folder");
        let start = start.replace("${LOGS_DIRECTORY}", &logs.path().display().to_string()).replace("%i", "0");
        let words: Vec<&str> = start.split(' ').collect();
        // Behind the program stand its flags, and the folder last.
        let server = Server::start(&root, &words[1..words.len() - 1]);
        server.connect().get("/");
        let ledger = logs.path().join(file);
        let line =
            wait_for("a line of the ledger", || fs::read_to_string(&ledger).ok().filter(|text| !text.is_empty()));
        assert!(line.contains("reason=client-closed"), "{name}: {line}");
    }
}

test!(the_filter_lets_through_every_system_call, SYSTEMD_ANALYZE, STRACE);
/// What the program asks of the kernel, from its start to its end, is what the units let through.
fn the_filter_lets_through_every_system_call() {
    let allowed = allowed_calls(&read("systemd/holdline.service"));
    let odd: Vec<String> = calls_of_a_run().into_iter().filter(|call| !allowed.contains(call)).collect();
    assert!(odd.is_empty(), "SystemCallFilter= refuses {odd:?}");
}

/// The system calls of a server that starts, answers, opens its log again and stops.
fn calls_of_a_run() -> BTreeSet<String> {
    let root = Root::new().file("big.bin", vec![7; 1_000_000]);
    let folder = Root::new();
    let (trace, log) = (folder.at("trace"), folder.at("access.log"));
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-o"]).args([trace.as_path(), Path::new(env!("CARGO_BIN_EXE_holdline"))]);
    let mut server = Server::start_by(strace, &root, &["--listing", "--access-log", &log.to_string_lossy()]);
    let mut wire = server.connect();
    for path in ["/", "/big.bin", "/nothing", "/-/status", "/-/metrics"] {
        wire.get(path);
    }
    fs::remove_file(&log).expect("the log is there");
    server.signal(Signal::HUP);
    wait_for("the new log", || log.exists().then_some(()));
    server.signal(Signal::INT);
    assert!(server.wait().success());
    let lines = wait_for("the end of the trace", || {
        fs::read_to_string(&trace).ok().filter(|lines| lines.contains("+++ exited"))
    });
    // `12 openat(AT_FDCWD, …`, `12 <... read resumed>…`, `12 --- SIGINT …`
    let calls = lines.lines().filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('('));
    let calls: BTreeSet<String> = calls.map(|(name, _)| name.to_owned()).filter(|name| is_name(name)).collect();
    assert!(calls.contains("openat2") && calls.contains("landlock_restrict_self"), "too short a trace: {calls:?}");
    calls
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The calls that the `SystemCallFilter=` of a unit lets through.
fn allowed_calls(unit: &str) -> BTreeSet<String> {
    let sets = filter_sets();
    let mut allowed = BTreeSet::new();
    for filter in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let refused = filter.strip_prefix('~');
        let mut named = BTreeSet::new();
        for name in refused.unwrap_or(filter).split_whitespace() {
            add_calls(name, &sets, &mut named);
        }
        match refused {
            Some(_) => allowed.retain(|call| !named.contains(call)),
            None => allowed.extend(named),
        }
    }
    allowed
}

/// What systemd's names like `@file-system` stand for: calls, and other such names.
fn filter_sets() -> BTreeMap<String, Vec<String>> {
    let listed = run(tool("systemd-analyze").args(["syscall-filter", "--no-pager"]));
    let mut sets = BTreeMap::<String, Vec<String>>::new();
    let mut set = String::new();
    for line in listed.assert_success().stdout.lines() {
        match line.trim_start() {
            comment if comment.starts_with('#') => {}
            name if line.starts_with('@') => name.clone_into(&mut set),
            name if !name.is_empty() => sets.entry(set.clone()).or_default().push(name.to_owned()),
            _ => {}
        }
    }
    sets
}

fn add_calls(name: &str, sets: &BTreeMap<String, Vec<String>>, calls: &mut BTreeSet<String>) {
    match sets.get(name) {
        Some(members) => members.iter().for_each(|member| add_calls(member, sets, calls)),
        None => {
            calls.insert(name.to_owned());
        }
    }
}
