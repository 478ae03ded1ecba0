//! Signals as events of the loop.

use std::io;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook_mio::v1_0::Signals as MioSignals;

/// What somebody outside asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Stop, in this manner.
    Stop(Manner),
    /// Open the logs anew by their names: somebody has moved the files away.
    Reopen,
}

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// SIGTERM: nobody who obeys the protocol is to lose a request.
    Politely,
    /// SIGINT: what is in flight finishes, what is idle is closed.
    Promptly,
}

/// The signals that are heard.
pub struct Signals(MioSignals);

impl Signals {
    /// Begins to hear them.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn register(registry: &Registry, token: Token) -> io::Result<Self> {
        let mut signals = MioSignals::new([SIGHUP, SIGINT, SIGTERM, SIGXFSZ])?;
        signals.register(registry, token, Interest::READABLE)?;
        Ok(Signals(signals))
    }

    /// Those that came since the last look.
    pub fn pending(&mut self) -> impl Iterator<Item = Request> + '_ {
        self.0.pending().filter_map(|signal| match signal {
            SIGHUP => Some(Request::Reopen),
            // A log has reached the size limit of files. Unheard it would end us; heard, the write just fails.
            SIGXFSZ => None,
            SIGTERM => Some(Request::Stop(Manner::Politely)),
            _ => Some(Request::Stop(Manner::Promptly)),
        })
    }
}
