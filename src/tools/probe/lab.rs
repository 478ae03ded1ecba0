//! A server of the laboratory: a thread of this process, on a free loopback port.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use super::recorder::Recorder;
use crate::http::Limits;
use crate::observe::Observers;
use crate::server::{ListenAddress, Listener, LogFile, LogOptions, Logs, Server, SocketOptions};
use crate::site::{Site, SiteOptions};

/// Connections that it serves at a time.
const MAX_CONNECTIONS: usize = 256;

/// A running server, and what it sees of its clients.
#[derive(Debug)]
pub struct Lab {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it saw.
    pub recorder: Recorder,
    thread: JoinHandle<()>,
}

impl Lab {
    /// Starts a server with these limits. It runs until a signal asks the process to stop, or the process ends.
    ///
    /// # Errors
    /// If the system has no socket for it.
    pub fn open(limits: Limits) -> io::Result<Lab> {
        let recorder = Recorder::default();
        let observed = recorder.clone();
        let (tell, told) = mpsc::channel();
        // A server stays in the thread that makes it.
        let thread = thread::spawn(move || match server(limits, observed) {
            Ok((server, address)) => {
                let _ = tell.send(Ok(address));
                // Why it ends is of no use to anybody here; that it ended is seen.
                let _ = server.run();
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        });
        let address = told.recv().unwrap_or_else(|_| Err(io::Error::other("its thread is gone")))?;
        Ok(Lab { address, recorder, thread })
    }

    /// The URL of a path of the lab.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/-/lab/{path}", self.address)
    }

    /// Whether somebody has asked the process to stop.
    pub fn has_stopped(&self) -> bool {
        self.thread.is_finished()
    }
}

fn server(limits: Limits, recorder: Recorder) -> io::Result<(Server, SocketAddr)> {
    let anywhere = ListenAddress::Tcp((Ipv4Addr::LOCALHOST, 0).into());
    let options = SocketOptions { reuse_port: false, tcp_keep_alive: std::time::Duration::ZERO };
    let listener = Listener::bind(&anywhere, options)?;
    let ListenAddress::Tcp(address) = *listener.address() else { return Err(io::ErrorKind::Unsupported.into()) };
    let mut observers = Observers::new(true);
    observers.add(Box::new(recorder));
    let logs = Logs::open(&LogOptions::default(), LogFile::standard_error()?).map_err(|(_, error)| error)?;
    let server = Server::new(vec![listener], empty_site()?, observers, logs, limits, MAX_CONNECTIONS)?;
    Ok((server, address))
}

/// A site without files: its root is gone as soon as it is open.
fn empty_site() -> io::Result<Site> {
    let mut number = 0;
    let root = loop {
        let root = std::env::temp_dir().join(format!("holdline-lab-{}-{number}", std::process::id()));
        match fs::create_dir(&root) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            created => break created.map(|()| root)?,
        }
    };
    let site = Site::open(&root, SiteOptions::default());
    fs::remove_dir(&root)?;
    site
}
