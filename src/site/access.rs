//! What a client may see beside the files, by the address that it connected to and by its request.

use super::SiteOptions;
use super::console::ConsoleAccess;
use crate::http::RequestHead;
use crate::observe::Peer;

/// What a listening address is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListenerRole {
    /// The site (`--listen`).
    #[default]
    Public,
    /// The site, and the console for everybody who connects to it (`--console-listen`).
    Console,
    /// Metrics and health, and nothing else (`--metrics-listen`).
    Metrics,
}

/// Where a connection comes from, and at which kind of address it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The other end.
    pub peer: Peer,
    /// What the address is for.
    pub role: ListenerRole,
}

impl From<Peer> for Arrival {
    fn from(peer: Peer) -> Self {
        Arrival { peer, role: ListenerRole::Public }
    }
}

/// What the sender of a request may see beside files and health. Three bools in place of the bits would cost each request a
/// dozen instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access(u8);

impl Access {
    const CONSOLE: u8 = 1;
    const LAB: u8 = 2;
    const METRICS_ALONE: u8 = 4;

    /// The console, and `Server-Timing`.
    #[inline]
    pub fn has_console(self) -> bool {
        self.0 & Access::CONSOLE != 0
    }

    /// The lab.
    #[inline]
    pub fn has_lab(self) -> bool {
        self.0 & Access::LAB != 0
    }

    /// Metrics and health, and not even files.
    #[inline]
    pub fn has_metrics_alone(self) -> bool {
        self.0 & Access::METRICS_ALONE != 0
    }
}

impl SiteOptions {
    /// What the sender of this request may see.
    pub(super) fn access(&self, head: &RequestHead<'_>, arrival: &Arrival) -> Access {
        let Arrival { peer, role } = *arrival;
        let (console, lab) = match role {
            ListenerRole::Public if !self.shows_files_only() => (self.console, self.lab()),
            ListenerRole::Public => return Access::default(),
            ListenerRole::Metrics => return Access(Access::METRICS_ALONE),
            ListenerRole::Console => (ConsoleAccess::Any, self.lab.unwrap_or_default()),
        };
        let sees_console = console.allows(head, peer);
        let sees_lab = if lab == console { sees_console } else { lab.allows(head, peer) };
        Access((u8::from(sees_console) * Access::CONSOLE) | (u8::from(sees_lab) * Access::LAB))
    }

    /// Who may use the lab: if nothing else is said, clients on this machine, and nobody without a console.
    fn lab(&self) -> ConsoleAccess {
        let default = if self.console == ConsoleAccess::Off { ConsoleAccess::Off } else { ConsoleAccess::Local };
        self.lab.unwrap_or(default)
    }

    /// Whether the public addresses show nobody more than files and health.
    pub(super) fn shows_files_only(&self) -> bool {
        self.console_elsewhere || self.console == ConsoleAccess::Off && self.lab() == ConsoleAccess::Off
    }

    /// Whether the paths under `/-/` belong to the server, and not to the files.
    pub(super) fn reserves_paths(&self) -> bool {
        self.console_elsewhere || self.console != ConsoleAccess::Off || self.lab() != ConsoleAccess::Off
    }
}
