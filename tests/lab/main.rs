//! The lab, seen by raw sockets: exactly what goes over the wire, how it ends, and what the ledger says of it.

#[path = "../support/mod.rs"]
mod support;

mod asking;
mod closes;
mod content;
