//! Where it is measured: one server at a time on its core, the load on the other.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::contender::{Contender, Running, Setup};
use super::load::{Batch, Done, Load};
use super::process::{Cores, check_clock, cpu_time, raise_descriptor_limit};
use super::site::{self, KIB, kept};

/// Connections of a busy server, unless a row says otherwise.
pub const BUSY: usize = 64;

/// A file that was written just now may change again within the same tick of its clock: holdline keeps none such.
const SETTLING: Duration = Duration::from_secs(3);

/// Figures by their names in `rows::FIGURES`.
pub type Measured = Result<Vec<(&'static str, f64)>, String>;

/// Where it is measured, and how long. What is measured stands in `works.rs`.
pub struct Lab {
    /// Goes when we go, with all that lies in it.
    _folder: TempDir,
    pub root: PathBuf,
    /// For configurations and logs.
    pub scratch: PathBuf,
    pub cores: Cores,
    /// How long a server is kept busy for one figure.
    pub span: Duration,
    /// Descriptors that a process may have.
    pub descriptors: u64,
    /// Half of nginx's peak, in requests a second, once it is known.
    pub half_peak: Cell<Option<f64>>,
}

impl Lab {
    /// Writes the files, and takes the cores.
    ///
    /// # Errors
    /// If there is no room for the files.
    pub fn set_up(span: Duration) -> Result<Lab, String> {
        let folder = tempfile::Builder::new().prefix("holdline-bench-").tempdir().map_err(|error| error.to_string())?;
        let (root, scratch) = (folder.path().join("site"), folder.path().join("scratch"));
        std::fs::create_dir(&scratch).map_err(|error| error.to_string())?;
        site::write(&root).map_err(|error| format!("cannot write the files: {error}"))?;
        std::thread::sleep(SETTLING);
        let cores = Cores::find()?;
        cores.take();
        Ok(Lab {
            _folder: folder,
            root,
            scratch,
            cores,
            span,
            descriptors: raise_descriptor_limit(),
            half_peak: Cell::new(None),
        })
    }

    /// Whether times can be measured here.
    ///
    /// # Errors
    /// If they can't.
    pub fn check_clock(&self) -> Result<(), String> {
        check_clock()?;
        if self.cores.are_two() {
            Ok(())
        } else {
            Err("two cores are needed: one for the server, one for the load".into())
        }
    }

    /// The usual set-up: the bare loop is told what the usual request is.
    pub fn setup(&self, contender: Contender) -> Setup<'_> {
        Setup {
            contender,
            root: &self.root,
            descriptors: self.descriptors,
            scratch: &self.scratch,
            logged: false,
            console: false,
            request: kept("/1k.html").bytes.len(),
            content: KIB,
            short: false,
        }
    }

    /// The usual load: as many connections as a busy server has, all asked for the usual status.
    pub fn load(&self, running: &Running, batches: Vec<Batch>) -> Load {
        Load { address: running.address, batches, status: 200, connections: BUSY, short: false }
    }

    /// Starts a server, and keeps it busy as below.
    pub fn busy(&self, setup: &Setup<'_>, batches: Vec<Batch>) -> Result<(Done, Duration), String> {
        let running = setup.start(&[], self.cores)?;
        self.measure(&running, &self.load(&running, batches))
    }

    /// Keeps a server busy for a while, once it is warm. Gives the CPU time that it took.
    pub fn measure(&self, running: &Running, load: &Load) -> Result<(Done, Duration), String> {
        load.run(self.span / 4)?;
        let before = cpu_time(running.pid());
        let done = load.run(self.span)?;
        Ok((done, cpu_time(running.pid()) - before))
    }
}

/// CPU time for each response, in microseconds.
pub fn micros_each(cpu: Duration, done: Done) -> f64 {
    cpu.as_secs_f64() * 1e6 / done.responses as f64
}

/// Responses in a second.
pub fn rate(done: Done) -> f64 {
    done.responses as f64 / done.took.as_secs_f64()
}
