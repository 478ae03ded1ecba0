//! What becomes of connections, seen from outside: the real binary over real sockets.

#[path = "../support/mod.rs"]
mod support;

mod closing;
mod exhaustion;
mod files;
mod ledger;
mod listening;
mod persistence;
mod pipelining;
mod service;
mod stopping;
mod timeouts;
