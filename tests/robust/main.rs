//! What peers, faults and the operating system can't do: fill the memory, stop the server, or change its answers.

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod memory;
mod mutations;
