//! A server of the laboratory: a thread of this process, on a free loopback port.

use std::io;

use super::recorder::Recorder;
use crate::http::Limits;
use crate::server::{BindError, Config, Running, Server};
use crate::site::{ConsoleAccess, SiteOptions};

/// Connections that it serves at a time.
const MAX_CONNECTIONS: usize = 256;

/// A running server, and what it sees of its clients.
#[derive(Debug)]
pub struct Lab {
    /// What it saw.
    pub recorder: Recorder,
    server: Running,
}

impl Lab {
    /// Starts a server with these limits. It runs until it is dropped.
    ///
    /// # Errors
    /// If the system has no socket or thread for it.
    pub fn open(limits: Limits) -> io::Result<Lab> {
        let recorder = Recorder::default();
        let observers: Vec<_> = vec![Box::new(recorder.clone()) as _];
        // A client under test may speak HTTP/1.0, which is not taken for one of this machine.
        let site_options = SiteOptions { lab: Some(ConsoleAccess::Any), ..SiteOptions::default() };
        let config = Config { limits, max_connections: MAX_CONNECTIONS, observers, site_options, ..Config::default() };
        let server = Server::spawn(config).map_err(|error| match error {
            BindError::Folder(_, error) | BindError::Listen(_, error) | BindError::Poll(error) => error,
        })?;
        Ok(Lab { recorder, server })
    }

    /// The URL of a path of the lab.
    pub fn url(&self, path: &str) -> String {
        self.server.url(&format!("/-/lab/{path}"))
    }
}
