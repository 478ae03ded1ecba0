//! What a test needs beside holdline: programs of others above all, each with the way to get it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools::{find_programs, run, tool};

/// What a test can't do without.
pub enum Need {
    /// A program in the `PATH`, and the command that installs it.
    Program { name: &'static str, remedy: &'static str },
    /// A module of Python that a `python3` in the `PATH` can import, and the command that installs it.
    PythonModule { name: &'static str, remedy: &'static str },
    /// A network namespace: the test runs in one in which [`OWN_ADDRESS`] is the machine's.
    OwnNetwork,
    /// Anything else: what it is called, how to get it, and whether it is there.
    Other { name: &'static str, remedy: &'static str, is_met: fn() -> bool },
}

/// The address beyond loopback that a test with [`Need::OwnNetwork`] has (RFC 5737).
pub const OWN_ADDRESS: &str = "192.0.2.1";

macro_rules! programs {
    ($($constant:ident = $name:literal by $remedy:literal;)*) => {
        $(pub const $constant: Need = Need::Program { name: $name, remedy: $remedy };)*
        /// All of them.
        pub const PROGRAMS: &[Need] = &[$($constant),*];
    };
}

programs! {
    AB = "ab" by "apt-get install apache2-utils";
    APACHE = "apache2" by "apt-get install apache2-bin";
    BASH = "bash" by "apt-get install bash";
    CADDY = "caddy" by "apt-get install caddy";
    CHROMIUM = "chromium" by "apt-get install chromium";
    CHROOT = "chroot" by "apt-get install coreutils";
    CURL = "curl" by "apt-get install curl";
    FISH = "fish" by "apt-get install fish";
    GROFF = "groff" by "apt-get install groff-base";
    GZIP = "gzip" by "apt-get install gzip";
    H2LOAD = "h2load" by "apt-get install nghttp2-client";
    H2O = "h2o" by "apt-get install h2o";
    HAPROXY = "haproxy" by "apt-get install haproxy";
    KUBERNETES_VALIDATE = "kubernetes-validate" by "pip install kubernetes-validate==1.37.0";
    LIGHTTPD = "lighttpd" by "apt-get install lighttpd";
    NGINX = "nginx" by "apt-get install nginx";
    NODE = "node" by "apt-get install nodejs";
    PROMTOOL = "promtool" by "apt-get install prometheus";
    PYTHON = "python3" by "apt-get install python3";
    SCRIPT = "script" by "apt-get install bsdutils";
    SETPRIV = "setpriv" by "apt-get install util-linux";
    SETSID = "setsid" by "apt-get install util-linux";
    SS = "ss" by "apt-get install iproute2";
    STRACE = "strace" by "apt-get install strace";
    STTY = "stty" by "apt-get install coreutils";
    SYSTEMD_ANALYZE = "systemd-analyze" by "apt-get install systemd";
    SYSTEMD_SOCKET_ACTIVATE = "systemd-socket-activate" by "apt-get install systemd";
    WGET = "wget" by "apt-get install wget";
    WRK = "wrk" by "apt-get install wrk";
    ZSH = "zsh" by "apt-get install zsh";
}

pub const HTTPX: Need = Need::PythonModule { name: "httpx", remedy: "apt-get install python3-httpx" };
pub const REQUESTS: Need = Need::PythonModule { name: "requests", remedy: "apt-get install python3-requests" };

pub const ROOT_USER: Need =
    Need::Other { name: "root", remedy: "run as root", is_met: || rustix::process::geteuid().is_root() };

impl Need {
    pub fn is_met(&self) -> bool {
        match self {
            Need::Program { name, .. } => find_programs(name).next().is_some(),
            Need::PythonModule { name, .. } => find_python_with(name).is_some(),
            Need::OwnNetwork => in_own_network(Path::new("true")).output().is_ok_and(|output| output.status.success()),
            Need::Other { is_met, .. } => is_met(),
        }
    }

    /// What to do where it is not met.
    pub fn remedy(&self) -> &'static str {
        match self {
            Need::Program { remedy, .. } | Need::PythonModule { remedy, .. } | Need::Other { remedy, .. } => remedy,
            Need::OwnNetwork => "apt-get install iproute2 util-linux, and run as root or allow user namespaces",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Program { name, .. } | Need::Other { name, .. } => f.write_str(name),
            Need::PythonModule { name, .. } => write!(f, "Python's {name}"),
            Need::OwnNetwork => f.write_str("a network namespace"),
        }
    }
}

/// The `python3` that can import this module. It need not be the first in the `PATH`: a module that Debian installs is
/// found by Debian's `python3` alone.
pub fn python_with(module: &str) -> PathBuf {
    find_python_with(module).unwrap_or_else(|| panic!("no python3 can import {module}"))
}

fn find_python_with(module: &str) -> Option<PathBuf> {
    let imports = |python: &PathBuf| run(tool(python).args(["-c", &format!("import {module}")])).success;
    find_programs("python3").find(imports)
}

/// A command that runs a program in a network namespace of its own, with the arguments that are added to it.
pub fn in_own_network(program: &Path) -> Command {
    let is_root = rustix::process::geteuid().is_root();
    let namespaces: &[&str] = if is_root { &["--net"] } else { &["--map-root-user", "--net"] };
    let set_up = format!("ip link set lo up && ip address add {OWN_ADDRESS}/32 dev lo && exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(namespaces).args(["sh", "-c", &set_up, "sh"]).arg(program);
    command
}
