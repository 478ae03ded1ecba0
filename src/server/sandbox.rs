//! Least privilege: the files that the process may still open once it serves. Landlock (landlock(7)) is a second lock,
//! for the day when the first one, `openat2` beneath the root, or our own code fails.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags,
};

/// The rights that are taken away: all that this version of Landlock has (Linux 6.12). An older kernel takes away those
/// that it has.
const KNOWN: ABI = ABI::V6;

/// To read files and folders.
const SERVE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});

/// To open a log again after its file was moved away.
const ROTATE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{WriteFile | MakeReg});

/// To open a device or a FIFO again. A FIFO is opened for reading too.
const REOPEN: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile});

/// To remove the path of a Unix socket at the end.
const REMOVE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{RemoveFile});

/// The names that the process opens, creates or removes after its start. All else is open already.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// The folder that is served, if it is one. What holds it may be read as well: a release is often a new folder of
    /// that name.
    pub root: Option<PathBuf>,
    /// The log files, which SIGHUP opens again.
    pub logs: Vec<PathBuf>,
    /// The paths of Unix sockets.
    pub unix_sockets: Vec<PathBuf>,
}

/// The confinement of the process, which lasts to its end.
#[derive(Debug)]
pub struct Sandbox {
    /// A rule applies to an inode. procfs makes a new one for a folder that nobody has open, to which no rule would
    /// apply.
    _own_process: Option<PathFd>,
}

impl Sandbox {
    /// Confines the calling thread, the only one there is: beside its needs and `/proc/self` it can open no file, and
    /// it can neither bind nor connect a TCP socket. `None` if the kernel has no Landlock.
    ///
    /// # Errors
    /// One of the needs does not exist, or the kernel refuses.
    pub fn enter(needs: &Needs) -> io::Result<Option<Sandbox>> {
        let rules = Ruleset::default()
            .handle_access(AccessFs::from_all(KNOWN))
            .and_then(|rules| rules.handle_access(AccessNet::from_all(KNOWN)))
            // Abstract sockets stay allowed: that of the service manager may be one (sd_notify(3)).
            .and_then(|rules| rules.scope(Scope::Signal))
            .and_then(Ruleset::create)
            .map_err(io::Error::other)?;
        let (rules, own_process) = grant(rules, needs)?;
        let status = rules.restrict_self().map_err(io::Error::other)?;
        let confined = status.ruleset != RulesetStatus::NotEnforced;
        Ok(confined.then_some(Sandbox { _own_process: own_process }))
    }
}

fn grant(mut rules: RulesetCreated, needs: &Needs) -> io::Result<(RulesetCreated, Option<PathFd>)> {
    if let Some(root) = &needs.root {
        for place in places(root)? {
            rules = allow(rules, open(&place)?, SERVE)?;
        }
    }
    for log in &needs.logs {
        if fs::metadata(log)?.is_file() {
            for place in places(log)? {
                rules = allow(rules, open(&place)?, ROTATE)?;
            }
        } else {
            rules = allow(rules, open(log)?, REOPEN)?;
        }
    }
    for socket in &needs.unix_sockets {
        let holder = holder(socket)?;
        // The right applies to everything beneath the folder. A path that is left behind does no harm: the next start
        // removes it.
        if holder != Path::new("/") {
            rules = allow(rules, open(&holder)?, REMOVE)?;
        }
    }
    // Without /proc the metrics of the process are zero, confined or not.
    let Ok(own_process) = open(Path::new("/proc/self")) else { return Ok((rules, None)) };
    Ok((allow(rules, &own_process, SERVE)?, Some(own_process)))
}

/// What holds the file or folder that a path names, by its own name and, if that is a symlink, also by the one
/// that it leads to. If that is the root of the file system, so that it would be everything, the thing itself.
fn places(path: &Path) -> io::Result<[PathBuf; 2]> {
    let target = fs::canonicalize(path)?;
    let place = |of: &Path| holder(of).map(|holder| if holder == Path::new("/") { target.clone() } else { holder });
    Ok([place(path)?, place(&target)?])
}

/// The folder in which a path lies.
fn holder(path: &Path) -> io::Result<PathBuf> {
    match path.parent() {
        Some(parent) if parent == Path::new("") => fs::canonicalize("."),
        Some(parent) => fs::canonicalize(parent),
        None => Ok(PathBuf::from("/")),
    }
}

fn open(path: &Path) -> io::Result<PathFd> {
    PathFd::new(path).map_err(io::Error::other)
}

fn allow(rules: RulesetCreated, place: impl AsFd, rights: BitFlags<AccessFs>) -> io::Result<RulesetCreated> {
    rules.add_rule(PathBeneath::new(place, rights)).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{ErrorKind, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Rules hold for a thread, so a test can confine one and let it try.
    #[test]
    fn a_confined_thread_opens_what_it_needs_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["site/www/page", "logs/access.log", "run/socket", "private/key"] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), "x").unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (root, logs, unix_sockets) = (Some(at("site/www")), vec![at("logs/access.log")], vec![at("run/socket")]);
        let tries = || {
            let Some(_sandbox) = Sandbox::enter(&Needs { root, logs, unix_sockets }).unwrap() else {
                // Past the test runner, which keeps what a test prints.
                let _ = writeln!(io::stderr(), "test of the sandbox ... ignored: this kernel has no Landlock");
                return;
            };
            fs::read(at("site/www/page")).expect("what is served can be read");
            fs::read_dir(at("site")).expect("so can what holds it, where the next release will be");
            fs::rename(at("logs/access.log"), at("logs/old")).expect_err("another program rotates the logs");
            let append = || File::options().append(true).create(true).clone();
            append().open(at("logs/new.log")).expect("a log can be opened again");
            append().open(at("logs/access.log")).expect("a log that is there, too");
            fs::remove_file(at("run/socket")).expect("the path of a socket can be removed");
            fs::read("/proc/self/stat").expect("metrics can be read");

            let is_denied = |error: io::Error| error.kind() == ErrorKind::PermissionDenied;
            assert!(fs::read(at("private/key")).is_err_and(is_denied), "others' files can be read");
            assert!(fs::read("/etc/passwd").is_err_and(is_denied), "so can the system's");
            assert!(fs::read(at("logs/access.log")).is_err_and(is_denied), "a log can be read");
            assert!(fs::write(at("site/www/page"), "y").is_err_and(is_denied), "what is served can be changed");
            assert!(File::create_new(at("site/www/new")).is_err_and(is_denied), "files can be added to it");
            assert!(TcpListener::bind("127.0.0.1:0").is_err_and(is_denied), "it can listen elsewhere");
            let address = listener.local_addr().unwrap();
            assert!(TcpStream::connect(address).is_err_and(is_denied), "it can connect");
            listener.set_nonblocking(true).unwrap();
            let nobody = listener.accept().map(drop).unwrap_err();
            assert_eq!(nobody.kind(), ErrorKind::WouldBlock, "a listener that it has goes on accepting");
        };
        std::thread::scope(|scope| scope.spawn(tries).join().unwrap());
    }
}
