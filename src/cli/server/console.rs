//! The console, the lab and the metrics: their addresses, and the clients that may see them.

use clap::ValueEnum;

use super::Args;
use crate::cli::listen::{Host, host, takes_any_port};
use crate::server::{ListenAddress, Listener};
use crate::site::{ConsoleAccess, ListenerRole};

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Console")]
pub(super) struct Console {
    /// Show the pages under /-/ and the Server-Timing field to these clients
    #[arg(long, value_name = "WHO", value_enum, default_value_t = Who::Local)]
    console: Who,

    /// Show the console to everybody who connects to this address, and to nobody at --listen; may be repeated
    #[arg(long, value_name = "ADDR", conflicts_with = "console", value_parser = host)]
    console_listen: Vec<Host>,

    /// Serve the metrics and health to everybody at this address, and nothing else; may be repeated
    #[arg(long, value_name = "ADDR", value_parser = host)]
    metrics_listen: Vec<Host>,

    /// Let these clients use the lab under /-/lab/ (nobody, with --console off) [default: local]
    #[arg(long, value_name = "WHO", value_enum)]
    lab: Option<Who>,
}

/// The values of `--console` and `--lab`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    /// Clients on this machine
    Local,
    /// Nobody
    Off,
    /// Everybody
    Any,
}

impl From<Who> for ConsoleAccess {
    fn from(who: Who) -> Self {
        match who {
            Who::Local => ConsoleAccess::Local,
            Who::Off => ConsoleAccess::Off,
            Who::Any => ConsoleAccess::Any,
        }
    }
}

impl Console {
    /// Who may view the console at the addresses of `--listen`.
    pub(super) fn access(&self) -> ConsoleAccess {
        if self.console_listen.is_empty() { self.console.into() } else { ConsoleAccess::Off }
    }

    /// Who may use the lab, if that is said.
    pub(super) fn lab(&self) -> Option<ConsoleAccess> {
        self.lab.map(ConsoleAccess::from)
    }
}

impl Args {
    /// The addresses of the console.
    pub fn console_listen(&self) -> Vec<ListenAddress> {
        self.addresses(&self.console.console_listen)
    }

    /// The addresses of the metrics.
    pub fn metrics_listen(&self) -> Vec<ListenAddress> {
        self.addresses(&self.console.metrics_listen)
    }

    /// Checks that no address is for two things.
    pub(super) fn check_addresses(&self) -> Result<(), String> {
        let (public, console, metrics) = (self.listen(), self.console_listen(), self.metrics_listen());
        let clashes =
            |address: &&ListenAddress, others: &[ListenAddress]| !takes_any_port(address) && others.contains(address);
        let for_console = console.iter().find(|address| clashes(address, &public));
        let for_metrics = metrics.iter().find(|address| clashes(address, &public) || clashes(address, &console));
        match for_console.or(for_metrics) {
            Some(address) => Err(format!(
                "{address} is given twice: --listen, --console-listen and --metrics-listen need addresses of their own"
            )),
            None => Ok(()),
        }
    }

    /// Says in one line what of the console and the lab is open to others than this machine, if anything is.
    pub fn exposure(&self, listeners: &[Listener]) -> Option<String> {
        let has_own_address = !self.console.console_listen.is_empty();
        let opens_lab = self.console.lab == Some(Who::Any);
        let opens_console = has_own_address || self.console.console == Who::Any;
        let what = match (opens_console, opens_lab) {
            (true, true) => "the console and the lab are",
            (true, false) => "the console is",
            (false, true) => "the lab is",
            (false, false) => return None,
        };
        let role = if has_own_address { ListenerRole::Console } else { ListenerRole::Public };
        let is_beyond = |address: &ListenAddress| match address {
            ListenAddress::Tcp(address) => !address.ip().to_canonical().is_loopback(),
            ListenAddress::Unix(_) => false,
        };
        let of_role = listeners.iter().filter(|listener| listener.role() == role).map(Listener::address);
        let addresses: Vec<String> = of_role.filter(|address| is_beyond(address)).map(ToString::to_string).collect();
        if addresses.is_empty() {
            return None;
        }
        Some(format!(
            "{what} open to all who can connect to {}; if that is not intended, listen on 127.0.0.1",
            addresses.join(" and ")
        ))
    }
}
