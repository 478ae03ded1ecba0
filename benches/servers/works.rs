//! How each row is measured.

use std::time::Instant;

use super::callgrind;
use super::contender::{Contender, Setup};
use super::lab::{BUSY, Lab, Measured, micros_each, rate};
use super::load::{Batch, Load, one_by_one};
use super::process::own_memory;
use super::request::get;
use super::site::{self, MIB, kept};

/// Connections that only wait.
const IDLE: usize = 10_000;

/// Descriptors that are not idle connections: the busy ones, and files.
const OTHER_DESCRIPTORS: u64 = 500;

/// Requests that travel together where they are pipelined.
const DEPTH: usize = 16;

/// Starts whose median is a round's figure.
const STARTS: usize = 5;

impl Lab {
    /// Kept alive, one request at a time on each connection.
    pub fn kept(&self, contender: Contender) -> Measured {
        let (done, cpu) = self.busy(&self.setup(contender), vec![kept("/1k.html")])?;
        Ok(vec![("kept", micros_each(cpu, done)), ("kept-rate", rate(done))])
    }

    /// The same, for many files.
    pub fn files(&self, contender: Contender) -> Measured {
        let (done, cpu) = self.busy(&self.setup(contender), site::all_files())?;
        Ok(vec![("files", micros_each(cpu, done))])
    }

    /// The same, with many requests at a time.
    pub fn pipelined(&self, contender: Contender) -> Measured {
        let one = kept("/1k.html");
        let batch = Batch { bytes: one.bytes.repeat(DEPTH), requests: DEPTH };
        let (done, cpu) = self.busy(&self.setup(contender), vec![batch])?;
        Ok(vec![("pipelined", rate(done)), ("pipelined-cpu", micros_each(cpu, done))])
    }

    /// A connection for each request.
    pub fn short(&self, contender: Contender) -> Measured {
        let request = get("/1k.html", "close", "");
        let setup = Setup { request: request.len(), short: true, ..self.setup(contender) };
        let running = setup.start(&[], self.cores)?;
        let batches = vec![Batch { bytes: request, requests: 1 }];
        let load = Load { short: true, ..self.load(&running, batches) };
        let (done, cpu) = self.measure(&running, &load)?;
        Ok(vec![("short", micros_each(cpu, done))])
    }

    /// A file that the client has already.
    pub fn not_modified(&self, contender: Contender) -> Measured {
        let running = self.setup(contender).start(&[], self.cores)?;
        let seen = one_by_one(running.address, &usual, 200, 1)?;
        let tag = seen.tag.ok_or("it sends no ETag")?;
        let bytes = get("/1k.html", "keep-alive", &format!("If-None-Match: {tag}\r\n"));
        let load = Load { status: 304, ..self.load(&running, vec![Batch { bytes, requests: 1 }]) };
        let (done, cpu) = self.measure(&running, &load)?;
        Ok(vec![("304", micros_each(cpu, done))])
    }

    /// A file that nobody has.
    pub fn not_found(&self, contender: Contender) -> Measured {
        let running = self.setup(contender).start(&[], self.cores)?;
        let load = Load { status: 404, ..self.load(&running, vec![kept("/nothing-here.html")]) };
        let (done, cpu) = self.measure(&running, &load)?;
        Ok(vec![("404", micros_each(cpu, done))])
    }

    /// Contents of 16 KiB.
    pub fn medium(&self, contender: Contender) -> Measured {
        self.content(contender, "/16k.html", BUSY, ["16k-cpu", "16k-rate"])
    }

    /// Contents of 1 MiB.
    pub fn large(&self, contender: Contender) -> Measured {
        self.content(contender, "/1m.bin", 16, ["1m-cpu", "1m-rate"])
    }

    /// Contents of 100 MiB.
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

    /// With an access log, and without, one after the other.
    pub fn logged(&self, contender: Contender) -> Measured {
        let mut each = [0.0; 2];
        for (logged, each) in [false, true].into_iter().zip(&mut each) {
            let setup = Setup { logged, ..self.setup(contender) };
            let (done, cpu) = self.busy(&setup, vec![kept("/1k.html")])?;
            *each = micros_each(cpu, done);
        }
        let _ = std::fs::remove_file(self.scratch.join("access.log"));
        Ok(vec![("logged", each[1]), ("logged-ratio", each[1] / each[0])])
    }

    /// At half the peak that nginx, the first in the row, has just shown: the same for all.
    pub fn latency(&self, contender: Contender) -> Measured {
        if contender == Contender::Nginx {
            let (done, _) = self.busy(&self.setup(contender), vec![kept("/1k.html")])?;
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

    /// From the start of the process to its first response; and how large it lies on the disk.
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

    /// Instructions outside of the kernel: for the usual request, and for one that shares its fields with no other.
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
}

/// The usual request, whatever its number.
fn usual(_number: usize) -> Vec<u8> {
    kept("/1k.html").bytes
}
