//! Metrics of this process from `proc(5)`. A value that can't be read is zero.

use std::fs;
use std::time::Duration;

use crate::observe::metrics::ProcessMetrics;

/// Reads the metrics. `started` is the start of the server, since the Unix epoch.
pub fn read(started: Duration) -> ProcessMetrics {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may have spaces. The fields from the third on follow it.
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
        .unwrap_or_default();
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0);
    let ticks = (field(14) + field(15)) as f64 / rustix::param::clock_ticks_per_second() as f64;
    ProcessMetrics {
        cpu: Duration::from_secs_f64(ticks),
        virtual_bytes: field(23),
        resident_bytes: field(24) * rustix::param::page_size() as u64,
        open_fds: open_descriptors(),
        max_fds: rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(0),
        started: started.as_secs_f64(),
    }
}

/// The number of open descriptors. Since Linux 6.2 it is the size of the folder; before, the entries have to be
/// counted, which takes milliseconds where there are thousands.
fn open_descriptors() -> u64 {
    const FOLDER: &str = "/proc/self/fd";
    match fs::metadata(FOLDER).map_or(0, |folder| folder.len()) {
        // The descriptor that reads the folder is not counted.
        0 => fs::read_dir(FOLDER).map_or(0, |entries| entries.count().saturating_sub(1) as u64),
        open => open,
    }
}
