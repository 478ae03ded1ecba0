//! Signals as events of the loop.

use std::io;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook_mio::v1_0::Signals as MioSignals;

use super::shutdown::Shutdown;

/// What a signal asks the server to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalAction {
    /// SIGTERM and SIGINT: shut down.
    Shutdown(Shutdown),
    /// SIGHUP: open the logs again by their names, because the files were moved away.
    ReopenLogs,
}

/// The signals that are handled.
pub struct Signals(MioSignals);

impl Signals {
    /// Installs the handlers, for SIGHUP, SIGINT, SIGTERM and SIGXFSZ of this process.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn install() -> io::Result<Self> {
        Ok(Signals(MioSignals::new([SIGHUP, SIGINT, SIGTERM, SIGXFSZ])?))
    }

    /// Registers them with the poll.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.0.register(registry, token, Interest::READABLE)
    }

    /// What the signals that arrived since the last call ask for.
    pub(super) fn pending(&mut self) -> impl Iterator<Item = SignalAction> + '_ {
        self.0.pending().filter_map(|signal| match signal {
            SIGHUP => Some(SignalAction::ReopenLogs),
            // A log has reached RLIMIT_FSIZE. Without a handler the signal ends the process; with one, the write fails.
            SIGXFSZ => None,
            SIGTERM => Some(SignalAction::Shutdown(Shutdown::Graceful)),
            _ => Some(SignalAction::Shutdown(Shutdown::Fast)),
        })
    }
}
