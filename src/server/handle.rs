//! From outside of the loop: a handle that shuts a server down, and a server in a thread of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use mio::{Registry, Token, Waker};

use super::config::{BindError, Config};
use super::shutdown::Shutdown;
use super::{Outcome, Server};

/// Shuts a server down, from any thread. Handles of one server may be cloned, and outlive it.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waker: Waker,
    /// What was asked for and the loop has not seen yet.
    wish: Mutex<Option<Wish>>,
}

/// What a handle has asked for; of two the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    /// To begin a shutdown.
    Shutdown(Shutdown),
    /// To end at once.
    Abort,
}

impl Handle {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Handle> {
        Ok(Handle(Arc::new(Shared { waker: Waker::new(registry, token)?, wish: Mutex::new(None) })))
    }

    /// Begins a shutdown; [`Server::run`] returns when it is over. If one has begun already, this changes nothing.
    pub fn shutdown(&self, mode: Shutdown) {
        self.ask(Wish::Shutdown(mode));
    }

    /// Cuts every connection, and ends the server at once.
    pub fn abort(&self) {
        self.ask(Wish::Abort);
    }

    fn ask(&self, wish: Wish) {
        let mut asked = self.wish();
        *asked = (*asked).max(Some(wish));
        drop(asked);
        // It fails only if the kernel's counter is full: then the loop is awake.
        let _ = self.0.waker.wake();
    }

    /// What was asked for since the last call.
    pub(super) fn take(&self) -> Option<Wish> {
        self.wish().take()
    }

    fn wish(&self) -> MutexGuard<'_, Option<Wish>> {
        self.0.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that runs in a thread of its own. When it is dropped, the server is [aborted](Handle::abort), and the thread
/// has ended.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
    addresses: Vec<SocketAddr>,
    /// `None` once it was joined.
    thread: Option<JoinHandle<io::Result<Outcome>>>,
}

impl Server {
    /// Binds a server and runs it in a new thread.
    ///
    /// # Errors
    /// As for [`bind`](Self::bind).
    pub fn spawn(config: Config) -> Result<Running, BindError> {
        let (tell, told) = mpsc::channel();
        // A server stays in the thread that makes it.
        let serve = move || match Server::bind(config) {
            Ok(server) => {
                let _ = tell.send(Ok((server.handle(), server.local_addrs())));
                server.run()
            }
            Err(error) => {
                let _ = tell.send(Err(error));
                Ok(Outcome { cut: 0 })
            }
        };
        let thread = thread::Builder::new().name("holdline".to_owned()).spawn(serve).map_err(BindError::Poll)?;
        let (handle, addresses) = told.recv().map_err(|_| BindError::Poll(gone()))??;
        Ok(Running { handle, addresses, thread: Some(thread) })
    }
}

impl Running {
    /// Where it listens; port 0 has become the port that the kernel chose.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The URL of a path, such as `/-/lab/bytes/10`, at the first address.
    ///
    /// # Panics
    /// If it listens on no TCP address.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addresses[0])
    }

    /// A handle that shuts it down.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Whether the server has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Shuts the server down, and waits until it has ended.
    ///
    /// # Errors
    /// As for [`Server::run`].
    pub fn shutdown(mut self, mode: Shutdown) -> io::Result<Outcome> {
        self.handle.shutdown(mode);
        self.join()
    }

    fn join(&mut self) -> io::Result<Outcome> {
        let Some(thread) = self.thread.take() else { return Err(gone()) };
        thread.join().unwrap_or_else(|_| Err(gone()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.abort();
        let _ = self.join();
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread of the server has ended early")
}
