//! The table: a row for each kind of work, its figures, and the targets that holdline is to reach.

use super::contender::Contender::{self, Bare, H2o, Holdline, Lighttpd, Nginx};
use super::lab::{Lab, Measured};

/// A kind of work, measured for one contender after the other.
pub struct Row {
    /// Its name on the command line.
    pub id: &'static str,
    /// Whom it is measured for.
    pub contenders: &'static [Contender],
    /// Measured once is enough: what is counted does not depend on time.
    pub once: bool,
    pub measure: fn(&Lab, Contender) -> Measured,
}

/// A figure that a row gives.
pub struct Figure {
    pub id: &'static str,
    pub row: &'static str,
    pub label: &'static str,
    pub unit: &'static str,
    pub better: Better,
    /// Digits behind the point.
    pub digits: usize,
    pub targets: &'static [Target],
}

/// Which of two figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Less,
    More,
}

/// What holdline's figure must reach: so many times that of others (the best of them), or a number.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    Times(f64, &'static [Contender]),
    Number(f64),
}

use Better::{Less, More};
use Target::{Number, Times};

const THREE: &[Contender] = &[Nginx, Lighttpd, H2o];

/// The rows in their order.
pub const ROWS: &[Row] = &[
    Row { id: "instructions", contenders: &Contender::SERVERS, once: true, measure: Lab::instructions },
    Row { id: "kept", contenders: &Contender::ALL, once: false, measure: Lab::kept },
    Row { id: "files", contenders: &Contender::SERVERS, once: false, measure: Lab::files },
    Row { id: "pipelined", contenders: &Contender::ALL, once: false, measure: Lab::pipelined },
    Row { id: "short", contenders: &Contender::ALL, once: false, measure: Lab::short },
    Row { id: "304", contenders: &Contender::SERVERS, once: false, measure: Lab::not_modified },
    Row { id: "404", contenders: &Contender::SERVERS, once: false, measure: Lab::not_found },
    Row { id: "16k", contenders: &Contender::SERVERS, once: false, measure: Lab::medium },
    Row { id: "1m", contenders: &Contender::SERVERS, once: false, measure: Lab::large },
    Row { id: "100m", contenders: &Contender::SERVERS, once: false, measure: Lab::huge },
    Row { id: "idle", contenders: &Contender::ALL, once: false, measure: Lab::idle },
    Row { id: "log", contenders: &[Nginx, Holdline], once: false, measure: Lab::logged },
    Row { id: "latency", contenders: &Contender::SERVERS, once: false, measure: Lab::latency },
    Row { id: "start", contenders: &Contender::SERVERS, once: false, measure: Lab::start },
];

/// The figures in the order of the table.
pub const FIGURES: &[Figure] = &[
    figure("instructions", "instructions", "user instructions", "per request", Less, 0, &[Number(3500.0)]),
    figure(
        "instructions-console",
        "instructions",
        "… console on, `Server-Timing`",
        "per request",
        Less,
        0,
        &[Number(4500.0)],
    ),
    figure("instructions-unknown", "instructions", "… with unique headers", "per request", Less, 0, &[]),
    figure(
        "kept",
        "kept",
        "kept alive, 1 KiB, 64 connections",
        "µs CPU",
        Less,
        2,
        &[Times(0.60, &[Nginx]), Times(0.85, &[Lighttpd, H2o]), Times(1.15, &[Bare])],
    ),
    figure("kept-rate", "kept", "…", "requests/s", More, 0, &[]),
    figure("files", "files", "1 000 files of about 10 KiB", "µs CPU", Less, 2, &[Times(0.80, THREE)]),
    figure(
        "pipelined",
        "pipelined",
        "pipelined, 16 deep",
        "requests/s",
        More,
        0,
        &[Times(5.0, &[Nginx]), Times(2.0, &[H2o])],
    ),
    figure("pipelined-cpu", "pipelined", "…", "µs CPU", Less, 2, &[]),
    figure("short", "short", "short connections", "µs CPU", Less, 2, &[Times(0.90, &[Nginx]), Times(1.0, &[H2o])]),
    figure("304", "304", "304", "µs CPU", Less, 2, &[Times(0.75, &[Nginx])]),
    figure("404", "404", "404", "µs CPU", Less, 2, &[Times(0.75, &[Nginx])]),
    figure("16k-cpu", "16k", "16 KiB", "µs CPU/MiB", Less, 0, &[Times(1.0, THREE)]),
    figure("16k-rate", "16k", "…", "MiB/s", More, 0, &[Times(1.0, THREE)]),
    figure("1m-cpu", "1m", "1 MiB", "µs CPU/MiB", Less, 0, &[Times(1.0, THREE)]),
    figure("1m-rate", "1m", "…", "MiB/s", More, 0, &[Times(1.0, THREE)]),
    figure("100m-cpu", "100m", "100 MiB", "µs CPU/MiB", Less, 0, &[Times(1.0, THREE)]),
    figure("100m-rate", "100m", "…", "MiB/s", More, 0, &[Times(1.0, THREE)]),
    figure("idle-memory", "idle", "an idle connection, of 10 000", "bytes", Less, 0, &[Number(256.0)]),
    figure("memory", "idle", "memory before them", "MiB", Less, 1, &[]),
    figure("beside-idle", "idle", "kept alive, beside 10 000 idle ones", "µs CPU", Less, 2, &[]),
    figure("beside-idle-ratio", "idle", "… relative to without them", "times", Less, 2, &[Number(1.05)]),
    figure("logged", "log", "kept alive, access log to a file", "µs CPU", Less, 2, &[Times(0.70, &[Nginx])]),
    figure("logged-ratio", "log", "… relative to without a log", "times", Less, 2, &[Number(1.15)]),
    figure("p99", "latency", "latency at half of nginx's peak, p99", "µs", Less, 0, &[Times(1.0, &[Nginx])]),
    figure("p50", "latency", "… median", "µs", Less, 0, &[]),
    figure("latency-load", "latency", "… at", "requests/s", More, 0, &[]),
    figure("start", "start", "start to first response", "ms", Less, 1, &[Number(10.0)]),
    figure("size", "start", "size of the binary", "MB", Less, 2, &[Number(4.0)]),
];

const fn figure(
    id: &'static str,
    row: &'static str,
    label: &'static str,
    unit: &'static str,
    better: Better,
    digits: usize,
    targets: &'static [Target],
) -> Figure {
    Figure { id, row, label, unit, better, digits, targets }
}
