//! How each row is measured: one server at a time on its core, the load on the other.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::callgrind;
use super::contender::{Contender, Running, Setup};
use super::load::{Batch, Done, Load, one_by_one};
use super::process::{Cores, check_clock, cpu_time, own_memory, raise_descriptor_limit};
use super::request::get;
use super::site::{self, KIB, MIB, kept};

/// Connections of a busy server, unless a row says otherwise.
const BUSY: usize = 64;

/// Connections that only wait.
const IDLE: usize = 10_000;

/// Descriptors that are not idle connections: the busy ones, and files.
const OTHER_DESCRIPTORS: u64 = 500;

/// Requests that travel together where they are pipelined.
const DEPTH: usize = 16;

/// Starts whose median is a round's figure.
const STARTS: usize = 5;

/// A file that was written just now may change again within the same tick of its clock: holdline keeps none such.
const SETTLING: Duration = Duration::from_secs(3);

/// Figures by their names in `rows::FIGURES`.
pub type Measured = Result<Vec<(&'static str, f64)>, String>;

/// Where it is measured, and how long.
pub struct Lab {
    /// Goes when we go, with all that lies in it.
    _folder: TempDir,
    root: PathBuf,
    /// For configurations and logs.
    scratch: PathBuf,
    cores: Cores,
    /// How long a server is kept busy for one figure.
    span: Duration,
    /// Descriptors that a process may have.
    descriptors: u64,
    /// Half of nginx's peak, in requests a second, once it is known.
    half_peak: Cell<Option<f64>>,
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

    pub fn kept(&self, contender: Contender) -> Measured {
        let (_, done, cpu) = self.busy(&self.setup(contender), vec![kept("/1k.html")])?;
        Ok(vec![("kept", micros_each(cpu, done)), ("kept-rate", rate(done))])
    }

    pub fn files(&self, contender: Contender) -> Measured {
        let (_, done, cpu) = self.busy(&self.setup(contender), site::all_files())?;
        Ok(vec![("files", micros_each(cpu, done))])
    }

    pub fn pipelined(&self, contender: Contender) -> Measured {
        let one = kept("/1k.html");
        let batch = Batch { bytes: one.bytes.repeat(DEPTH), requests: DEPTH };
        let (_, done, cpu) = self.busy(&self.setup(contender), vec![batch])?;
        Ok(vec![("pipelined", rate(done)), ("pipelined-cpu", micros_each(cpu, done))])
    }

    pub fn short(&self, contender: Contender) -> Measured {
        let request = get("/1k.html", "close", "");
        let setup = Setup { request: request.len(), short: true, ..self.setup(contender) };
        let running = setup.start(&[], self.cores)?;
        let batches = vec![Batch { bytes: request, requests: 1 }];
        let load = Load { short: true, ..self.load(&running, batches) };
        let (done, cpu) = self.measure(&running, &load)?;
        Ok(vec![("short", micros_each(cpu, done))])
    }

    pub fn not_modified(&self, contender: Contender) -> Measured {
        let running = self.setup(contender).start(&[], self.cores)?;
        let seen = one_by_one(running.address, &usual, 200, 1)?;
        let tag = seen.tag.ok_or("it sends no ETag")?;
        let bytes = get("/1k.html", "keep-alive", &format!("If-None-Match: {tag}\r\n"));
        let load = Load { status: 304, ..self.load(&running, vec![Batch { bytes, requests: 1 }]) };
        let (done, cpu) = self.measure(&running, &load)?;
        Ok(vec![("304", micros_each(cpu, done))])
    }

    pub fn not_found(&self, contender: Contender) -> Measured {
        let running = self.setup(contender).start(&[], self.cores)?;
        let load = Load { status: 404, ..self.load(&running, vec![kept("/nothing-here.html")]) };
        let (done, cpu) = self.measure(&running, &load)?;
        Ok(vec![("404", micros_each(cpu, done))])
    }

    pub fn medium(&self, contender: Contender) -> Measured {
        self.content(contender, "/16k.html", BUSY, ["16k-cpu", "16k-rate"])
    }

    pub fn large(&self, contender: Contender) -> Measured {
        self.content(contender, "/1m.bin", 16, ["1m-cpu", "1m-rate"])
    }

    pub fn huge(&self, contender: Contender) -> Measured {
        self.content(contender, "/100m.bin", 4, ["100m-cpu", "100m-rate"])
    }

    fn content(&self, contender: Contender, target: &str, connections: usize, names: [&'static str; 2]) -> Measured {
        let running = self.setup(contender).start(&[], self.cores)?;
        let load = Load { connections, ..self.load(&running, vec![kept(target)]) };
        let (done, cpu) = self.measure(&running, &load)?;
        let mebibytes = done.content as f64 / MIB as f64;
        Ok(vec![(names[0], cpu.as_secs_f64() * 1e6 / mebibytes), (names[1], mebibytes / done.took.as_secs_f64())])
    }

    /// The same server, busy without and with connections that only wait.
    pub fn idle(&self, contender: Contender) -> Measured {
        // lighttpd takes no more connections than half of its descriptors.
        let room = if contender == Contender::Lighttpd { self.descriptors / 2 } else { self.descriptors };
        let count = room.saturating_sub(OTHER_DESCRIPTORS).min(IDLE as u64) as usize;
        if count < IDLE / 2 {
            return Err(format!("needs more than {} descriptors (ulimit -Hn)", self.descriptors));
        }
        let running = self.setup(contender).start(&[], self.cores)?;
        let load = self.load(&running, vec![kept("/1k.html")]);
        let (done, cpu) = self.measure(&running, &load)?;
        let alone = micros_each(cpu, done);
        let memory = own_memory(running.pid());
        let waiting = Load { connections: count, ..load.clone() }.idle()?;
        let each = (own_memory(running.pid()) as f64 - memory as f64) / count as f64;
        let (done, cpu) = self.measure(&running, &load)?;
        let beside = micros_each(cpu, done);
        drop(waiting);
        Ok(vec![
            ("idle-memory", each),
            ("memory", memory as f64 / MIB as f64),
            ("beside-idle", beside),
            ("beside-idle-ratio", beside / alone),
        ])
    }

    pub fn logged(&self, contender: Contender) -> Measured {
        let mut each = [0.0; 2];
        for (logged, each) in [false, true].into_iter().zip(&mut each) {
            let setup = Setup { logged, ..self.setup(contender) };
            let (_, done, cpu) = self.busy(&setup, vec![kept("/1k.html")])?;
            *each = micros_each(cpu, done);
        }
        let _ = std::fs::remove_file(self.scratch.join("access.log"));
        Ok(vec![("logged", each[1]), ("logged-ratio", each[1] / each[0])])
    }

    /// At half the peak that nginx, the first in the row, has just shown: the same for all.
    pub fn latency(&self, contender: Contender) -> Measured {
        if contender == Contender::Nginx {
            let (_, done, _) = self.busy(&self.setup(contender), vec![kept("/1k.html")])?;
            self.half_peak.set(Some(rate(done) / 2.0));
        }
        let half_peak = self.half_peak.get().ok_or("nginx, whose peak is the measure, is missing")?;
        let running = self.setup(contender).start(&[], self.cores)?;
        let load = self.load(&running, vec![kept("/1k.html")]);
        load.run_at(half_peak, self.span / 4)?;
        let mut times = load.run_at(half_peak, self.span)?;
        times.sort_unstable();
        let at = |part: f64| times[(times.len() as f64 * part) as usize].as_secs_f64() * 1e6;
        Ok(vec![("p99", at(0.99)), ("p50", at(0.5)), ("latency-load", half_peak)])
    }

    pub fn start(&self, contender: Contender) -> Measured {
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let setup = self.setup(contender);
            let start = Instant::now();
            let running = setup.start(&[], self.cores)?;
            one_by_one(running.address, &usual, 200, 1)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let mut figures = vec![("start", times[STARTS / 2])];
        if let (Contender::Holdline, Some(program)) = (contender, contender.program()) {
            let binary = std::fs::metadata(program).map_err(|error| error.to_string())?;
            figures.push(("size", binary.len() as f64 / 1e6));
        }
        Ok(figures)
    }

    pub fn instructions(&self, contender: Contender) -> Measured {
        if !callgrind::is_installed() {
            return Err("valgrind is missing".into());
        }
        let count = |setup: &Setup<'_>, request| callgrind::instructions(setup, self.cores, request);
        let setup = self.setup(contender);
        let mut figures = vec![
            ("instructions", count(&setup, &usual)?),
            (
                "instructions-unknown",
                count(&setup, &|number| get("/1k.html", "keep-alive", &format!("Number: {number}\r\n")))?,
            ),
        ];
        if contender == Contender::Holdline {
            figures.push(("instructions-console", count(&Setup { console: true, ..setup }, &usual)?));
        }
        Ok(figures)
    }

    /// The usual set-up: the bare loop is told what the usual request is.
    fn setup(&self, contender: Contender) -> Setup<'_> {
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

    fn load(&self, running: &Running, batches: Vec<Batch>) -> Load {
        Load { address: running.address, batches, status: 200, connections: BUSY, short: false }
    }

    /// Starts a server and keeps it busy.
    fn busy(&self, setup: &Setup<'_>, batches: Vec<Batch>) -> Result<(Running, Done, Duration), String> {
        let running = setup.start(&[], self.cores)?;
        let (done, cpu) = self.measure(&running, &self.load(&running, batches))?;
        Ok((running, done, cpu))
    }

    /// Keeps a server busy for a while, once it is warm. Gives the CPU time that it took.
    fn measure(&self, running: &Running, load: &Load) -> Result<(Done, Duration), String> {
        load.run(self.span / 4)?;
        let before = cpu_time(running.pid());
        let done = load.run(self.span)?;
        Ok((done, cpu_time(running.pid()) - before))
    }
}

/// The usual request, whatever its number.
fn usual(_number: usize) -> Vec<u8> {
    kept("/1k.html").bytes
}

fn micros_each(cpu: Duration, done: Done) -> f64 {
    cpu.as_secs_f64() * 1e6 / done.responses as f64
}

fn rate(done: Done) -> f64 {
    done.responses as f64 / done.took.as_secs_f64()
}
