//! RFC 9110 and RFC 9112 as tables: each row a request as bytes, the rule it is about, and what must come back.
//!
//! Each row is run whole, and again split in two at several places: what the server answers must not depend
//! on how the bytes were cut on their way. What holds for every response is checked for every response.

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod coding;
mod conditional;
mod fields;
mod framing;
mod h1spec;
mod limits;
mod paths;
mod persistence;
mod pipelining;
mod ranges;
mod request_line;
mod robustness;
mod row;
mod runner;
mod semantics;
mod site;
mod types;
