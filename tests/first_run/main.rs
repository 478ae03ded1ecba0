//! What a newcomer meets: the start, the demonstration site without a clone, and the way out.

#[path = "../support/mod.rs"]
mod support;

mod embedded;
