//! What the kernel knows of the server's process (`proc(5)`).

use std::fs;
use std::time::Duration;

use super::Server;

impl Server {
    /// Processor time that it has used.
    pub fn cpu_time(&self) -> Duration {
        let stat = self.read("stat");
        // Behind the name of the program, which may hold anything, the fields go on with the third.
        let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks: u64 = [14, 15].iter().map(|number| fields[number - 3].parse::<u64>().expect("a number")).sum();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        let status = self.read("status");
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line with the resident memory");
        let kibibytes = line.trim().strip_suffix(" kB").expect("a unit");
        kibibytes.parse::<u64>().expect("a number") * 1024
    }

    /// Open descriptors.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("the server runs").count()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid())).expect("the server runs")
    }
}
