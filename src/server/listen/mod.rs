//! Listening: where, by which sockets, and how connections are accepted.

mod acceptor;
mod address;
mod listener;

pub use address::ListenAddress;
pub use listener::{Listener, SocketOptions};

pub(super) use acceptor::Acceptor;
#[cfg(feature = "bin")]
pub(super) use listener::not_listening;
