//! A static HTTP/1.1 server on one thread that shows why each connection stayed open, and who hung up.
//!
//! Five floors, each using only those below it:
//!
//! - [`tools`]: the tools beside the server, clients that measure;
//! - [`server`]: the driver, the only floor with mio, sockets, system calls and the clock;
//! - [`site`]: what is served, a request head in, a response out;
//! - [`observe`]: the observers, events in, log lines, counters and pages out;
//! - [`http`]: the protocol, without a socket, a file or a clock.
//!
//! Beside them, for all: [`units`], durations and sizes as people write them.

pub mod cli;
pub mod http;
pub mod observe;
pub mod server;
pub mod site;
pub mod tools;
pub mod units;
