//! Reads the command line, starts the logger, runs the server.

fn main() {}
