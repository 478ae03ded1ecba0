//! Where and when it was measured, and the table in `docs/performance.md`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::contender::Contender;

/// Between these the page is ours.
const BEGIN: &str = "<!-- Written by `cargo bench --bench servers -- --docs`: begin -->\n";
const END: &str = "<!-- end -->\n";

/// The circumstances of a run.
pub struct About {
    machine: String,
    kernel: String,
    date: String,
    versions: String,
    rounds: u32,
    seconds: f64,
}

impl About {
    /// Asks the machine, the clock and the programs.
    pub fn ask(rounds: u32, seconds: f64) -> About {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpus.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let uname = rustix::system::uname();
        let today = httpdate::fmt_http_date(std::time::SystemTime::now());
        let versions = Contender::SERVERS.map(|server| format!("{} {}", server.name(), server.version()));
        About {
            machine: format!("{}, {cores} cores", model.map_or("unknown", |(_, name)| name)),
            kernel: format!("Linux {}", uname.release().to_string_lossy()),
            // "Sun, 06 Nov 1994 08:49:37 GMT": the day alone.
            date: today.get(5..16).unwrap_or(&today).to_owned(),
            versions: versions.join(", "),
            rounds,
            seconds,
        }
    }

    /// In one line.
    pub fn line(&self) -> String {
        format!("{}: {}; {}; {}", self.date, self.machine, self.kernel, self.versions)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "date": self.date,
            "machine": self.machine,
            "kernel": self.kernel,
            "versions": self.versions,
            "rounds": self.rounds,
            "seconds": self.seconds,
        })
    }

    /// Writes the table into the page between its marks.
    ///
    /// # Errors
    /// If there are no marks, or the file can't be written.
    pub fn write_table(&self, page: &Path, table: &str) -> Result<(), String> {
        let wrong = |why: &str| format!("{}: {why}", page.display());
        let text = fs::read_to_string(page).map_err(|error| wrong(&error.to_string()))?;
        let (before, rest) = text.split_once(BEGIN).ok_or_else(|| wrong("no mark for the begin"))?;
        let (_, after) = rest.split_once(END).ok_or_else(|| wrong("no mark for the end"))?;
        let section = format!(
            "Measured on {}. Medians of {} interleaved rounds of {} s, ± half the distance between the extremes.\n\n{table}",
            self.line(),
            self.rounds,
            self.seconds
        );
        fs::write(page, format!("{before}{BEGIN}{section}{END}{after}")).map_err(|error| wrong(&error.to_string()))
    }
}
